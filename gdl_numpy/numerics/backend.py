"""Back end: where arrays live, on the processor with NumPy or on a graphics card with CuPy.

A graphics card (GPU) does the same arithmetic on thousands of numbers at once, which suits the
matrix products of a network. CuPy offers NumPy's functions there, under the same names. But arrays
of the two cannot be mixed, so it must be settled where a calculation takes place. A global switch
would be hidden state, and a second version of each formula would be a second place for mistakes.

The idea: nothing is switched, since the arguments say it already. A function asks its arrays to
which module they belong, and computes with that one; random numbers are made where their generator
lives. So a calculation stays where its data are, and whoever creates the generator and the data
chooses, once:

    xp  = array_module(X)                           numpy or cupy, for all that follows from X
    X   = to_numpy(X)                               the way back to the processor
    rng = random_generator(seed, device="gpu")      what it draws lives on the GPU

The GPU, called the device, works through a list of tasks. Meanwhile the program on the processor,
called the host, goes on and adds to the list. To read a number from the device, the host *waits*
until all tasks before it are done: `float(loss)` and `if (X > 0).all()` do so. Such waits would
slow down a training step, so it reads no number. A function whose docstring says that nothing waits
reads none either.

The length of the vector (3, 4) is 5, wherever the vector lives:

>>> def length(x):
...     xp = array_module(x)
...     return xp.sqrt((x * x).sum())
>>> print(length(numpy.array([3.0, 4.0])))
5.0

See scripts/check_gpu.py (the same numbers from NumPy and CuPy) and tests/numerics/test_backend.py
(that it holds).
"""

import sys
from collections import deque

import numpy

INSTALL = "pip install -e '.[gpu]', beside setup.cfg, installs CuPy and its CUDA 12"


def array_module(*arrays):
    """The module, numpy or cupy, whose functions act on `arrays`."""
    cupy = sys.modules.get("cupy")          # a CuPy array cannot exist before CuPy is imported
    if cupy is not None and any(isinstance(x, cupy.ndarray) for x in arrays):
        return cupy
    return numpy


def unmasked(x, name):
    """`x`, unless it is a masked array or a list of some, whose gaps would be taken for data."""
    if _masked(x, axes=64):                                 # as many as an array can have
        raise TypeError(f"{name} is a masked array, and a mask would be lost: take the rows "
                        "without missing numbers first")
    return x


def _masked(x, axes):
    if isinstance(x, list | tuple | deque) and axes > 0:
        return any(_masked(row, axes - 1) for row in x)
    return isinstance(x, numpy.ma.MaskedArray)


def to_numpy(x):
    """`x` as a NumPy array on the host.

    The only function of the package that brings a whole array off a device; checks of arguments
    and conditions of loops read single numbers, and training steps read none. TypeError for a
    masked array.

    >>> to_numpy([1, 2])
    array([1, 2])
    """
    xp = array_module(unmasked(x, "x"))
    return numpy.asarray(x) if xp is numpy else xp.asnumpy(x)


def random_generator(seed, device="cpu"):
    """A generator of random numbers that live on `device`, "cpu" or "gpu".

    The two devices have different streams: the same seed gives other numbers on each. ValueError
    for another device; RuntimeError if the GPU is asked for and CuPy, a CUDA device, or one of the
    libraries of CUDA that CuPy loads when it first needs them is missing.
    """
    if isinstance(device, str) and device == "cpu":
        return _seeded(numpy, seed)
    if not isinstance(device, str) or device != "gpu":
        raise ValueError(f'device must be "cpu" or "gpu", got {device!r:.80}')
    try:
        import cupy
    except ImportError as error:
        raise RuntimeError(f"device 'gpu' needs CuPy, which is not installed: {INSTALL}") from error
    if not cupy.cuda.is_available():
        raise RuntimeError("device 'gpu' needs a CUDA device, and CuPy finds none: install an "
                           f"NVIDIA driver, and a CuPy that matches it ({INSTALL})")
    try:
        cupy.eye(2) @ cupy.eye(2)           # compiles something, and multiplies matrices
    except (ImportError, OSError, RuntimeError) as error:
        first = str(error).partition("\n")[0]
        raise RuntimeError(f"device 'gpu' needs the libraries of CUDA ({INSTALL}), and CuPy cannot "
                           f"use them: {first:.200}") from error
    return _seeded(cupy, seed)


def _seeded(xp, seed):
    try:
        if isinstance(seed, bool):
            raise TypeError("True is not a seed")
        return xp.random.default_rng(seed)
    except (TypeError, ValueError) as error:
        raise type(error)("seed must be a whole number from 0 on, a list of such, or None, got "
                          f"{seed!r:.80}") from error

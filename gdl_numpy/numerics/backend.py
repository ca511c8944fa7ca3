"""Back end: where arrays live.

The same source computes on the processor with NumPy and on the graphics card with CuPy. Nothing
is switched: a function asks its arguments to which module they belong and computes with that one,
and whoever draws random numbers gets them where its generator lives. So a calculation stays where
its data are, and the choice is made once, by whoever creates the generator and the data.

    arrays choose the module:       xp = array_module(X)
    generators choose the device:   rng = random_generator(seed, device="gpu")
    the way back:                   to_numpy(x)
"""

import sys

import numpy

INSTALL = "pip install -e '.[gpu]', beside setup.cfg, installs CuPy for CUDA 12"


def array_module(*arrays):
    """The module, numpy or cupy, whose functions act on `arrays`."""
    cupy = sys.modules.get("cupy")          # a CuPy array cannot exist before CuPy is imported
    if cupy is not None and any(isinstance(x, cupy.ndarray) for x in arrays):
        return cupy
    return numpy


def unmasked(x, name):
    """`x`, if it is not a masked array: what is marked as missing there would be taken for data."""
    if isinstance(x, numpy.ma.MaskedArray):
        raise TypeError(f"{name} is a masked array, and a mask would be lost: take the rows "
                        "without missing numbers first")
    return x


def to_numpy(x):
    """`x` as a NumPy array on the host.

    The only function here that brings a whole result off a device; checks of arguments and
    conditions of loops read single numbers, and training steps read none. TypeError for a masked
    array.

    >>> to_numpy([1, 2])
    array([1, 2])
    """
    xp = array_module(unmasked(x, "x"))
    return numpy.asarray(x) if xp is numpy else xp.asnumpy(x)


def random_generator(seed, device="cpu"):
    """A generator of random numbers that live on `device`, "cpu" or "gpu".

    The two devices have different streams: the same seed gives other numbers on each. ValueError
    for another device; RuntimeError if the GPU is asked for and CuPy or a CUDA device is missing.
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
    return _seeded(cupy, seed)


def _seeded(xp, seed):
    try:
        if isinstance(seed, bool):
            raise TypeError("True is no seed")
        return xp.random.default_rng(seed)
    except (TypeError, ValueError) as error:
        raise type(error)("seed must be a whole number from 0 on, a list of such, or None, got "
                          f"{seed!r:.80}") from error

"""Storage: trained parameters on disk, with the family that they belong to.

Training takes a minute or more, so its θ is kept. But θ alone means nothing: only its family knows
what each number is for, and another family with as many numbers would compute without complaint and
be wrong. So the file, a NumPy archive (.npz, without pickle), holds beside θ the name of the family
and all arguments of its constructor, those of its networks included, such as sizes and wave
vectors. Loading asks for a family made in the same way and refuses any other.

    save(path, family, theta)           θ and what its family is
    theta = load(path, family)          the same θ, bit by bit; or a ValueError: what differs
    write_whole(path, write)            any other file, whole or not at all

A program may be stopped at any moment, the disk may be full, two programs may write the same file:
whoever reads it must never find half of it. So `write_whole`, which `save` uses, writes the file
beside its place, under a name of its own, and then moves it there, which the system does in one
step.

The mean and log σ of a normal density on a line are saved, and refused to a family for the plane:

>>> import tempfile
>>> from gdl_numpy.probability.normal_family import NormalFamily
>>> folder = tempfile.TemporaryDirectory()
>>> path = os.path.join(folder.name, "theta.npz")
>>> save(path, NormalFamily(1), numpy.array([1.0, 0.25]))
>>> print(load(path, NormalFamily(1)))
[1.   0.25]
>>> load(path, NormalFamily(2))                             # doctest: +ELLIPSIS
Traceback (most recent call last):
ValueError: ... was saved for another family: family.d is 1 there and 2 here
>>> folder.cleanup()

See figures/parameters (what was saved) and tests/networks/test_storage.py (that it holds, also for
broken files and full disks).
"""

import contextlib
import inspect
import io
import json
import os
import re
import shutil
import time
import uuid
from pathlib import Path

import numpy

from gdl_numpy.numerics import checks
from gdl_numpy.numerics.backend import array_module, to_numpy

LEFT_BEHIND = 3600                                          # s: no file takes that long to write
PLAIN = "biufcUS"                                           # kinds of dtype: numbers and text


def save(path, family, theta):
    """Write theta (n_θ,) and what `family` is to `path`, whole or not at all.

    Whatever theta `family(theta)` takes can be saved. ValueError or TypeError if it does not take
    theta, or if the arguments of its constructor cannot be written down; OSError as from `open`.
    """
    if isinstance(family, type) or not hasattr(family, "n_parameters"):
        raise TypeError(f"family must have n_parameters, got {family!r:.80}")
    described = _described(family)
    theta = checks.theta_shape(checks.real_array(theta, "theta", finite=False),
                               family.n_parameters)
    family(theta)                               # refuses NaN, and -inf where it means nothing
    arrays = {name: to_numpy(value) for name, value in described.items()}
    write_whole(path, lambda file: numpy.savez(file, theta=to_numpy(theta), **arrays))


def load(path, family, like=None):
    """θ (n_θ,) as saved, in the module of the array `like` if given, else of NumPy.

    ValueError if the file is not such an archive, or was saved for another family; the message
    names the file and what differs. OSError as from `open`.
    """
    path = os.fsdecode(path)                                # not a number, which could be stdout's
    held, described = _arrays_of(path), _described(family)
    wanted = {name: to_numpy(value) for name, value in described.items()}
    if "theta" not in held:
        raise ValueError(f"{path} holds no theta, but {_short(', '.join(held)) or 'nothing'}")
    for key in sorted(wanted.keys() | (held.keys() - {"theta"})):
        if key not in held or key not in wanted or not _same(held[key], wanted[key]):
            there, here = _shown(held, key), _shown(wanted, key)
            raise ValueError(f"{path} was saved for another family: {_short(key)} is {there} there "
                             f"and {here if here != there else 'another one'} here")
    theta = held["theta"]
    if theta.dtype.kind != "f" or theta.dtype.itemsize not in (4, 8):
        raise ValueError(f"{path} holds a theta of dtype {_short(str(theta.dtype))}: it must be "
                         "float32 or float64")
    theta = theta.astype(theta.dtype.newbyteorder("="), copy=False)
    try:
        checks.theta_shape(theta, family.n_parameters)
        xp = array_module(*described.values())              # where the family computes
        family(xp.asarray(theta))
    except (TypeError, ValueError) as error:
        raise ValueError(f"{path} holds a theta that the family does not take: "
                         f"{_short(str(error))}") from error
    return theta if like is None else array_module(like).asarray(theta)


def write_whole(path, write):
    """Let `write(file)` fill a new binary file beside `path`, and then move it to `path`.

    Writers of one path do not meet, and the last one wins. A symbolic link stays and leads to the
    new file, to which a file that was there leaves its mode; other names of that file, hard links,
    keep what it held. What a killed process left behind is removed after an hour. OSError as from
    `open`, for a write-protected file too.
    """
    path = os.fsdecode(path)
    if os.path.isfile(path):
        open(path, "r+b").close()                           # raises where it could not be opened
    elif os.path.exists(path):                              # a pipe or a device is not replaced
        with open(path, "wb") as file:
            write(content := io.BytesIO())
            file.write(content.getvalue())
        return
    path = Path(os.path.realpath(path))
    _sweep(path)
    partial = path.with_name(f"{_beginning(path)}{uuid.uuid4().hex}.partial")
    try:
        with partial.open("xb") as file:
            with contextlib.suppress(FileNotFoundError):    # a new file: as the umask has it
                shutil.copymode(path, partial)              # before there is anything to read
            write(file)
        os.replace(partial, path)
    except OSError as error:
        if error.errno and error.filename in (None, str(partial)):
            raise OSError(error.errno, error.strerror, str(path)) from error
        raise
    finally:
        partial.unlink(missing_ok=True)


def _beginning(path):
    """Of the names of unfinished files; a name has at most 255 bytes, of which a letter takes 4."""
    return f".{path.name[:40]}."


def _sweep(path):
    """Remove unfinished files of `path` that are so old that their writers must have died."""
    ours = re.compile(re.escape(_beginning(path)) + r"[0-9a-f]{32}\.partial")
    with contextlib.suppress(OSError):                      # another one was faster, or may not
        for other in path.parent.iterdir():
            if (ours.fullmatch(other.name)
                    and time.time() - other.stat().st_mtime > LEFT_BEHIND):
                other.unlink()


def _arrays_of(path):
    """All arrays of an archive by name; whatever is wrong with it is a ValueError of one line."""
    with open(path, "rb") as file:
        name, arrays = "the list of arrays in it", {}
        try:
            with numpy.load(file, allow_pickle=False) as archive:
                for name in archive.files:
                    arrays[name] = numpy.asanyarray(archive[name])
        except Exception:                                   # zlib, zipfile and NumPy raise dozens
            raise ValueError(f"{path} is not a whole archive of parameters: {_short(name)} is "
                             "damaged, or holds objects instead of numbers") from None
    return arrays


def _described(thing, name="family"):
    """What a thing is, as arrays by name: of an object its type and the arguments of its
    constructor, which are attributes of it as well, and so on for those among them.

    TypeError for an argument that is not an array, object, number, text, type, or list of these.
    """
    if isinstance(thing, numpy.dtype | type):               # an argument such as dtype=float
        return {name: numpy.array(f"type {getattr(thing, '__name__', thing)}")}
    if getattr(thing, "ndim", 0) > 0:
        if thing.dtype.kind not in PLAIN:
            raise TypeError(f"{_short(name)} cannot be saved: it is an array of dtype "
                            f"{thing.dtype}")
        return {name: thing}
    try:
        return {name: numpy.array(json.dumps(thing, default=_number, sort_keys=True))}
    except (TypeError, ValueError) as error:
        parts = _parts(thing)
        if parts is None:
            raise TypeError(f"{_short(name)} cannot be saved: {_short(str(error))}") from error
    kind = list if isinstance(thing, tuple) else type(thing)
    described = {name: numpy.array(kind.__name__)}
    for key, part in parts.items():
        described |= _described(part, f"{name}.{key}")
    return described


def _number(thing):
    """The Python number that NumPy's or CuPy's is: a family made with either is the same."""
    if getattr(thing, "ndim", None) == 0:
        return thing.item()
    raise TypeError(f"an object of type {type(thing).__name__} is not JSON serializable")


def _parts(thing):
    """What a list, a dictionary or an object is made of, by name; None if that is not known."""
    if isinstance(thing, list | tuple):
        return {"length": len(thing), **dict(enumerate(thing))}
    if isinstance(thing, dict):
        return thing
    if not (hasattr(thing, "__dict__") or inspect.isfunction(type(thing).__init__)):
        return None
    try:
        return {key: getattr(thing, key) for key in inspect.signature(type(thing)).parameters}
    except (AttributeError, ValueError):
        return None


def _same(a, b):
    """Whether two arrays hold the same, NaN included; text is never a number."""
    text = a.dtype.kind in "US", b.dtype.kind in "US"
    if text[0] != text[1] or a.dtype.kind not in PLAIN or a.shape != b.shape:
        return False
    return numpy.array_equal(a, b, equal_nan=not text[0])


def _shown(arrays, key):
    if key not in arrays:
        return "not set"
    array = arrays[key]
    return f"an array of shape {array.shape}" if array.ndim else _short(str(array))


def _short(text, most=200):
    text = " ".join(text.split())
    return text if len(text) <= most else text[:most - 3] + "..."

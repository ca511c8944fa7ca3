"""Storage: trained parameters on disk, with the family that they belong to.

θ alone means nothing: only its family knows how to cut it. So the file, a NumPy archive (.npz,
without pickle), holds beside θ the name of the family and all arguments of its constructor, sizes
and wave vectors for instance, those of its networks included. Loading asks for a family made in the
same way and refuses any other: the wrong one would give numbers without complaint.
"""

import inspect
import json
import os
import zipfile
from pathlib import Path

import numpy

from gdl_numpy.numerics import checks
from gdl_numpy.numerics.backend import array_module, to_numpy


def save(path, family, theta):
    """Write theta (n_θ,) and what `family` is to `path`, whole or not at all.

    ValueError if theta does not fit the family.
    """
    path, theta = Path(path), to_numpy(checks.theta(theta, family.n_parameters))
    sibling = path.with_name(f"{path.name}.tmp")
    try:
        with open(sibling, "wb") as file:
            numpy.savez(file, theta=theta, **_described(family))
        os.replace(sibling, path)
    finally:
        sibling.unlink(missing_ok=True)


def load(path, family, like=None):
    """θ (n_θ,) as saved, in the module of `like` if given, else of NumPy, for a family made alike.

    ValueError if the file is no such archive, or was saved for another family; the message names
    what differs.
    """
    try:
        with open(path, "rb") as file, numpy.load(file, allow_pickle=False) as archive:
            held = dict(archive)
    except (ValueError, EOFError, TypeError, zipfile.BadZipFile) as error:
        raise ValueError(f"{path} is not a whole archive of parameters: {error}") from error
    if "theta" not in held:
        raise ValueError(f"{path} holds no theta, but {', '.join(held) or 'nothing'}")
    wanted = _described(family)
    for key in sorted(wanted.keys() | (held.keys() - {"theta"})):
        if key not in held or key not in wanted or not numpy.array_equal(held[key], wanted[key]):
            there, here = _shown(held, key), _shown(wanted, key)
            raise ValueError(f"{path} was saved for another family: {key} is {there} there and "
                             f"{here if here != there else 'another one'} here")
    theta = checks.theta(held["theta"], family.n_parameters)
    return theta if like is None else array_module(like).asarray(theta)


def _described(thing, name="family"):
    """The type of a thing, and the arguments of its constructor, which are attributes of it as
    well, as arrays by name; and the same of the things among them.

    TypeError for an argument that is no array, object, number, text, or list of these.
    """
    described = {name: numpy.array(type(thing).__name__)}
    for key in inspect.signature(type(thing).__init__).parameters:
        if key == "self":
            continue
        value = getattr(thing, key)
        if hasattr(value, "dtype"):
            described[f"{name}.{key}"] = to_numpy(value)
        elif hasattr(value, "__dict__"):
            described |= _described(value, f"{name}.{key}")
        else:
            described[f"{name}.{key}"] = numpy.array(json.dumps(value))
    return described


def _shown(arrays, key):
    if key not in arrays:
        return "not set"
    array = arrays[key]
    return f"an array of shape {array.shape}" if array.ndim else str(array)

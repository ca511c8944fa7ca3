"""A strict stand-in for CuPy: NumPy arrays that behave as if they lived on a graphics card.

CI has no GPU, yet the package must run there. With `sys.modules["cupy"] = stand_in_cupy` the
function `gdl_numpy.backend.array_module` finds this module, and what would fail on CuPy 14 fails
here: a name or a keyword that CuPy lacks (where=, initial=, maximum.reduce, errstate, geomspace,
rng.normal), a NumPy array or a list where a device array belongs, a NumPy function applied to a
device array. What CuPy does without a word is done here too: a reduction gives a 0-d array that
can be changed, cholesky, solve and inv give no error but invalid results (here NaN), an integer
array used as an index wraps around, nothing warns, the stream of random numbers is not NumPy's.

Every computing call counts as one launch, and what makes the host wait for the device as a wait:

    with stand_in_cupy.counted() as n:
        float(x.sum())
    n.launches, n.waits                          (1, 1)

Stricter than CuPy, as the package never relies on it: CuPy computes when NumPy's functions get
its arrays, uploads NumPy arrays used as an index or put where an index array points, compares with
0-d NumPy arrays, and leaves undefined which of several values put into one place stays; refused
here. The names come from cupy_names.json; `None` there marks a name that is not imitated.
"""

import builtins
import contextlib
import functools
import inspect
import json
import operator
import warnings
from pathlib import Path
from types import SimpleNamespace

import numpy

SNAPSHOT = json.loads(Path(__file__).with_name("cupy_names.json").read_text())
NAMES = SNAPSHOT["names"]
MIXED = "a NumPy array among device arrays: CuPy uploads nothing by itself, use xp.asarray"
SCALARS = (bool, int, float, complex, numpy.generic)
CREATE = {"shape", "start", "N", "n", "M", "dimensions"}     # first parameter of what needs no array
SEQUENCE = {"tup", "condlist", "multi_index", "arys", "xi", "args", "operands"}
ON_HOST = set("ndim shape size result_type can_cast common_type isscalar iscomplexobj isrealobj "
              "isfortran min_scalar_type may_share_memory shares_memory".split())
TO_HOST = set("item tolist tobytes tofile dump dumps".split())
WAITS = TO_HOST | set(                                       # their sources say 'synchronize'
    "nonzero argwhere flatnonzero extract compress delete place putmask trim_zeros choose "
    "unique unique_all unique_counts unique_inverse unique_values union1d intersect1d setdiff1d "
    "setxor1d bincount histogram histogram2d histogramdd average nanmin nanmax real_if_close "
    "tril_indices tril_indices_from triu_indices triu_indices_from mask_indices unravel_index "
    "ravel_multi_index asarray_chkfinite array2string array_repr array_str".split())
WAITS_FOR = {"arange": 0, "linspace": 0, "logspace": 0,      # if a device array comes at or after
             "repeat": 1, "percentile": 1, "quantile": 1}    # this position


# What a call may look like, and what it costs

@functools.cache
def signature(path):
    """The parameters CuPy's function has, `path` as in "sum", "linalg.solve", "add.at"."""
    return inspect.signature(eval(f"lambda {NAMES[path]}: None"))


def check_call(path, args, kwargs):
    """TypeError if CuPy's function `path` cannot be called so."""
    try:
        signature(path).bind(*args, **kwargs)
    except TypeError as error:
        raise TypeError(f"cupy.{path}({NAMES[path]}): {error}") from None


_counters = []


@contextlib.contextmanager
def counted():
    """Counts what happens inside the block: `launches` and `waits`."""
    _counters.append(counter := SimpleNamespace(launches=0, waits=0))
    try:
        yield counter
    finally:
        _counters.remove(counter)


def _count(launches=0, waits=0):
    for counter in _counters:
        counter.launches += launches
        counter.waits += waits


# Between the wrapped array and NumPy

def _inside(x):
    """`x` with device arrays, also those in lists, replaced by the NumPy arrays in them."""
    if isinstance(x, numpy.ndarray):
        raise TypeError(MIXED)
    if isinstance(x, list | tuple):
        return type(x)(map(_inside, x))
    return x._host if isinstance(x, ndarray) else x


def _outside(x):
    """`x` with arrays and numbers as device arrays; named tuples become plain ones."""
    if isinstance(x, list | tuple):
        return (list if isinstance(x, list) else tuple)(map(_outside, x))
    return ndarray(numpy.asarray(x)) if isinstance(x, numpy.ndarray | SCALARS) else x


@contextlib.contextmanager
def _quiet():
    with numpy.errstate(all="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        yield


def _nan_on_failure(function, a, *b):
    """`function` of each matrix of the stack `a`, and NaN for those on which NumPy raises."""
    if b and b[0].ndim > 1 and a.shape[:-1] != b[0].shape[:-1]:
        raise ValueError(f"CuPy broadcasts no stacks: a is {a.shape}, b is {b[0].shape}")
    try:
        return function(a, *b)
    except numpy.linalg.LinAlgError:
        if a.ndim < 2 or a.shape[-1] != a.shape[-2]:
            raise
    if b and b[0].ndim == 1:
        column = numpy.broadcast_to(b[0], a.shape[:-1])[..., None]
        return _nan_on_failure(function, a, column)[..., 0]
    result = numpy.full((*b, a)[0].shape, numpy.nan, numpy.result_type(a, *b, numpy.float32))
    for i in numpy.ndindex(a.shape[:-2]):
        with contextlib.suppress(numpy.linalg.LinAlgError):
            result[i] = function(a[i], *(x[i] for x in b))
    return result


def _refuse_host_data(path, function, args, kwargs):
    """TypeError unless the data are on the device: what CuPy's functions take is not array-like."""
    if isinstance(function, numpy.ufunc):
        data = args
    else:
        first = next(iter(signature(path).parameters))
        data = [args[0] if args else kwargs.get(first)]
        if first in CREATE or path.startswith("random."):
            return
        if first in SEQUENCE and isinstance(data[0], list | tuple):
            data = data[0]
    scalars = (SCALARS, type(None)) if isinstance(function, numpy.ufunc) else str
    for x in data:
        if not isinstance(x, (ndarray, scalars)):
            raise TypeError(f"cupy.{path} takes device arrays, got {type(x).__name__}")


def _call(path, function, args, kwargs):
    """What CuPy's function `path` gives, computed by NumPy's `function`."""
    check_call(path, args, kwargs)
    name = path.rpartition(".")[2]
    if name in ON_HOST:
        return function(*_inside(args), **kwargs)
    if name == "at":
        args = (args[0], args[0]._index(args[1]), *args[2:])
        if path == "subtract.at" and args[0].dtype not in (numpy.int32, numpy.uint32):
            raise TypeError("cupy.subtract.at only supports int32, uint32")
    else:
        _refuse_host_data(path, function, args, kwargs)
    waits = (name in WAITS or (name == "where" and len(args) == 1)
             or any(isinstance(x, ndarray) for x in args[WAITS_FOR.get(name, len(args)):]))
    if name in ("take", "put"):
        kwargs = {"mode": "wrap"} | kwargs
    if path in ("linalg.cholesky", "linalg.inv", "linalg.solve"):
        function = functools.partial(_nan_on_failure, function)
    inside, keywords = _inside(args) if name != "at" else (
        (args[0]._host, args[1], *_inside(args[2:]))), {k: _inside(v) for k, v in kwargs.items()}
    with _quiet():
        result = function(*inside, **keywords)
    views = not isinstance(function, numpy.ufunc) and isinstance(result, numpy.ndarray) and any(
        numpy.may_share_memory(result, x) for x in inside if isinstance(x, numpy.ndarray))
    _count(not views and name not in TO_HOST and name not in ("empty", "empty_like"), waits)
    if name in TO_HOST:
        return result
    return kwargs["out"] if kwargs.get("out") is not None else _outside(result)

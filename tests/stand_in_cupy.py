"""A strict stand-in for CuPy: NumPy arrays that behave as if they lived on a graphics card.

CI has no GPU, yet the package must run on one. With `sys.modules["cupy"] = stand_in_cupy`,
`gdl_numpy.numerics.backend.array_module` finds this module, and what fails on CuPy 14 fails here:
a name or a keyword that CuPy lacks (where=, initial=, maximum.reduce, errstate, geomspace,
rng.normal), a NumPy array or a list among device arrays, a NumPy function applied to a device
array. What CuPy does without a word is done here too: a reduction gives a 0-d array that can be
changed; cholesky, solve and inv raise nothing but give invalid results (here NaN); integer arrays
used as an index wrap around; nothing warns; the stream of random numbers is not NumPy's.

Each call that computes counts as one launch (in truth at least one), and each that makes the host
wait for the device as a wait:

    with stand_in_cupy.counted() as n:
        float(x.sum())
    n.launches, n.waits                          1, 1

The stand-in is stricter than CuPy where the package has no need to rely on CuPy's kindness: CuPy
answers when NumPy's functions get its arrays, uploads a NumPy array used as an index or assigned
through an index array, compares with 0-d NumPy arrays, and stores any one of several values that
are assigned to the same place. All this is refused here.
"""

import contextlib
import functools
import inspect
import json
import operator
import warnings
from pathlib import Path
from types import SimpleNamespace

import numpy

NAMES = json.loads(Path(__file__).with_name("cupy_names.json").read_text())["names"]
MIXED = "NumPy arrays and lists do not mix with device arrays: upload them with xp.asarray"
SCALARS = (bool, int, float, complex, numpy.generic)

# First parameters of functions that create an array from sizes, and of those that take a sequence.
SIZES = {"shape", "N", "n", "M", "dimensions"}
SEQUENCES = {"tup", "condlist", "multi_index"}

# Functions that answer from what the host knows; those that bring data to the host; those that
# wait for other reasons ("synchronize" in CuPy's source); and those that wait if a device array
# stands at or after the given position.
ON_HOST = set("""ndim shape size result_type can_cast common_type isscalar iscomplexobj isrealobj
    isfortran min_scalar_type may_share_memory shares_memory""".split())
TO_HOST = set("item tolist tobytes tofile dump dumps array2string array_repr array_str".split())
WAITS = TO_HOST | set("""nonzero argwhere flatnonzero extract compress delete place putmask choose
    unique unique_all unique_counts unique_inverse unique_values union1d intersect1d setdiff1d
    setxor1d bincount histogram histogram2d histogramdd average nanmin nanmax real_if_close
    tril_indices tril_indices_from triu_indices triu_indices_from mask_indices trim_zeros
    unravel_index ravel_multi_index asarray_chkfinite""".split())
WAITS_FOR = {"arange": 0, "linspace": 0, "logspace": 0,
             "repeat": 1, "percentile": 1, "quantile": 1, "integers": 1}

_counters = []


@contextlib.contextmanager
def counted():
    """Counts the `launches` and `waits` inside the block."""
    _counters.append(counter := SimpleNamespace(launches=0, waits=0))
    try:
        yield counter
    finally:
        _counters.remove(counter)


def _count(launches=0, waits=0):
    for counter in _counters:
        counter.launches += launches
        counter.waits += waits


@functools.cache
def _signature(path):
    return inspect.signature(eval(f"lambda {NAMES[path]}: None"))


def check_call(path, args, kwargs, partial=False):
    """TypeError if CuPy's function `path`, such as "sum" or "add.at", cannot be called so."""
    _check_call(path, len(args), tuple(kwargs), partial)


@functools.cache                                # many calls are alike, and to bind takes long
def _check_call(path, n, names, partial):
    bind = _signature(path).bind_partial if partial else _signature(path).bind
    try:
        bind(*range(n), **dict.fromkeys(names))
    except TypeError as error:
        raise TypeError(f"cupy.{path}({NAMES[path]}): {error}") from None


_no_errors = functools.partial(numpy.errstate, all="ignore")    # enough for a ufunc


@contextlib.contextmanager
def _quiet():
    with numpy.errstate(all="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        yield


def _leaves(x):
    return [leaf for y in x for leaf in _leaves(y)] if isinstance(x, list | tuple) else [x]


def _inside(x):
    """`x` with every device array, also in lists and tuples, replaced by the NumPy array in it."""
    if isinstance(x, numpy.ndarray):
        raise TypeError(MIXED)
    if isinstance(x, list | tuple):
        return type(x)(map(_inside, x))
    return x._host if isinstance(x, ndarray | Generator) else x


def _outside(x):
    """`x` with every NumPy array and number as a device array, and every tuple a plain one."""
    if isinstance(x, list | tuple):
        return (list if isinstance(x, list) else tuple)(map(_outside, x))
    return ndarray(numpy.asarray(x)) if isinstance(x, (numpy.ndarray, *SCALARS)) else x


def _refuse_host_data(path, function, args):
    """TypeError for data that are not on the device and sizes that are: CuPy converts neither."""
    first = next(iter(_signature(path).parameters))
    if isinstance(function, numpy.ufunc):
        data, kinds = args, (ndarray, type(None), *SCALARS)
    elif first in SIZES:
        data, kinds = _leaves(args[:1]), (int, numpy.integer)
    elif first in SEQUENCES and args and isinstance(args[0], list | tuple):
        data, kinds = args[0], ndarray
    elif first != "start":                      # of arange, linspace, logspace: numbers
        data, kinds = args[:1], (ndarray, Generator, str)       # einsum begins with a string
    else:
        return
    for x in data:
        if not isinstance(x, kinds):
            raise TypeError(f"cupy.{path} got {type(x).__name__}. {MIXED}")


def _at(path, ufunc, a, index, b):
    if path == "subtract.at" and a.dtype not in (numpy.int32, numpy.uint32):
        raise TypeError("cupy.subtract.at only supports int32, uint32")
    _count(launches=1)
    with _no_errors():
        ufunc.at(_inside(a), a._index(index), _inside(b))


def _nan_on_failure(function, a, *b):
    """`function` of numpy.linalg for a stack `a`, NaN for each matrix on which NumPy raises."""
    if a.shape[-1:] != a.shape[-2:-1]:
        return function(a, *b)                  # raises: not square
    vector = b and b[0].ndim == 1
    b = [numpy.broadcast_to(x, a.shape[:-1])[..., None] if vector else x for x in b]
    if b and a.shape[:-1] != b[0].shape[:-1]:
        raise ValueError(f"CuPy broadcasts no stacks: a is {a.shape}, b is {b[0].shape}")
    result = numpy.full((*b, a)[0].shape, numpy.nan, numpy.result_type(a, *b, numpy.float32))
    for i in numpy.ndindex(a.shape[:-2]):
        with contextlib.suppress(numpy.linalg.LinAlgError):
            result[i] = function(a[i], *(x[i] for x in b))
    return result[..., 0] if vector else result


def _integers(rng, *args, **kwargs):
    """CuPy takes int(low) and int(high), so one pair of bounds for all the numbers."""
    return rng.integers(*(int(x) if isinstance(x, numpy.ndarray) else x for x in args), **kwargs)


INSTEAD = {"take": functools.partial(numpy.take, mode="wrap"),
           "put": functools.partial(numpy.put, mode="wrap"),
           "ndarray.take": functools.partial(numpy.ndarray.take, mode="wrap"),
           "ndarray.put": functools.partial(numpy.ndarray.put, mode="wrap"),
           "random.Generator.integers": _integers,
           **{f"linalg.{name}": functools.partial(_nan_on_failure, getattr(numpy.linalg, name))
              for name in ("cholesky", "inv", "solve")}}


class _Name:
    """A name of CuPy, such as `exp`, `add` (which has `add.at`) or `linalg` (`linalg.inv`)."""

    def __init__(self, path):
        self._path = path

    def __getattr__(self, name):
        return _lookup(f"{self._path}.{name}")

    def __call__(self, *args, **kwargs):
        """What CuPy's function of this name gives, computed with NumPy's."""
        path, name = self._path, self._path.rpartition(".")[2]
        check_call(path, args, kwargs)
        function = INSTEAD.get(path) or operator.attrgetter(path)(numpy)
        if name == "at":
            return _at(path, function.__self__, *args, **kwargs)
        if name not in ON_HOST:
            _refuse_host_data(path, function, args)
        inside = _inside(args)
        with _no_errors() if isinstance(function, numpy.ufunc) else _quiet():
            result = function(*inside, **{key: _inside(x) for key, x in kwargs.items()})
        reads = any(isinstance(x, ndarray) for x in args[WAITS_FOR.get(name, len(args)):])
        _count(waits=reads or name in WAITS or (name == "where" and len(args) == 1))
        if name in ON_HOST or name in TO_HOST:
            return result
        view = isinstance(result, numpy.ndarray) and not isinstance(function, numpy.ufunc) and any(
            numpy.may_share_memory(result, x) for x in inside if isinstance(x, numpy.ndarray))
        _count(launches=not view and name not in ("empty", "empty_like"))
        return _outside(result) if kwargs.get("out") is None else kwargs["out"]


def _lookup(path):
    if NAMES.get(path) is None:
        raise AttributeError(f"CuPy has no {path}, or the stand-in does not imitate it")
    return operator.attrgetter(path)(numpy) if NAMES[path] == "numpy" else _Name(path)


def _operate(function, *operands):
    for x in operands:
        if not isinstance(x, (ndarray, *SCALARS)):
            raise TypeError(f"{function.__name__} got {type(x).__name__}. {MIXED}")
    _count(launches=1)
    with _no_errors():
        return _outside(function(*map(_inside, operands)))


class ndarray:
    """An array on the device; `_host` is the NumPy array in it."""

    __slots__ = ("_host",)
    __hash__ = None
    __array_ufunc__ = None      # numpy_array + x comes to __radd__ below; numpy.exp(x): TypeError

    def __init__(self, host):
        if host.dtype.char not in "?bBhHiIlLqQefdFD":
            raise ValueError(f"Unsupported dtype {host.dtype}")
        self._host = host

    def __getattr__(self, name):
        return functools.partial(_lookup(f"ndarray.{name}"), self)

    def __array__(self, *args, **kwargs):
        raise TypeError("Implicit conversion to a NumPy array is not allowed: use to_numpy")

    def __array_function__(self, function, types, args, kwargs):
        raise TypeError(f"numpy.{function.__name__} got a device array: use xp.{function.__name__}")

    def _index(self, index):
        """`index` as NumPy takes it; integer arrays are wrapped into their axis, as in CuPy."""
        items = [numpy.array(x, dtype=None if x else int) if isinstance(x, list) else x
                 for x in map(_inside, index if isinstance(index, tuple) else (index,))]
        if not any(x is Ellipsis for x in items):
            items.append(Ellipsis)          # so that x[0] of a vector is a 0-d view, not a number
        masks = [isinstance(x, numpy.ndarray) and x.dtype == bool for x in items]
        axes = [0 if x is None or x is Ellipsis else x.ndim if mask else 1
                for x, mask in zip(items, masks, strict=True)]
        axis, between = 0, self.ndim - sum(axes)
        for i, x in enumerate(items):
            if isinstance(x, numpy.ndarray) and x.dtype.kind in "iu" and axis < self.ndim:
                items[i] = x % max(self.shape[axis], 1)
            axis += between if x is Ellipsis else axes[i]
        _count(waits=any(masks))            # the host must know how many places are True
        return tuple(items)

    def __getitem__(self, index):
        items = self._index(index)
        copies = any(isinstance(x, numpy.ndarray) for x in items)
        _count(launches=copies)
        return ndarray(self._host[items].copy() if copies else self._host[items])

    def __setitem__(self, index, value):
        if not isinstance(value, (ndarray, *SCALARS)):
            raise TypeError(MIXED)
        items, value = self._index(index), _inside(value)
        if numpy.size(value) > 1 and any(isinstance(x, numpy.ndarray) for x in items):
            places = numpy.arange(self.size).reshape(self.shape)[items]
            assigned = numpy.zeros(self.size, bool)
            assigned[places] = True
            if assigned.sum() < places.size:
                raise IndexError("several values for one place: CuPy stores any one of them")
        _count(launches=1)
        with _no_errors():
            self._host[items] = value

    def __len__(self):
        return len(self._host)

    def __iter__(self):
        return (self[i] for i in range(len(self)))

    def get(self):
        _count(waits=1)
        return self._host.copy()

    def __reduce__(self):
        return asarray, (self.get(),)


def _in_place(function, x, y):
    _operate(function, x, y)
    return x


for _name in "add sub mul truediv floordiv mod pow matmul and or xor lshift rshift".split():
    _f, _in = (getattr(operator, f"__{_prefix}{_name}__") for _prefix in ("", "i"))
    setattr(ndarray, f"__{_name}__", lambda x, y, f=_f: _operate(f, x, y))
    setattr(ndarray, f"__r{_name}__", lambda x, y, f=_f: _operate(f, y, x))
    if _name != "matmul":
        setattr(ndarray, f"__i{_name}__", lambda x, y, f=_in: _in_place(f, x, y))
for _name in "lt le eq ne gt ge neg pos abs invert".split():
    _f = getattr(operator, f"__{_name}__")
    setattr(ndarray, f"__{_name}__", lambda *operands, f=_f: _operate(f, *operands))
for _f in (bool, int, float, complex, repr, str, format):       # all of them wait
    setattr(ndarray, f"__{_f.__name__}__", lambda x, *spec, f=_f: f(x.get(), *spec))
for _name in ("T", "mT", "real", "imag"):
    setattr(ndarray, _name, property(lambda x, name=_name: ndarray(getattr(x._host, name))))
for _name in ("dtype", "itemsize", "nbytes", "ndim", "shape", "size", "strides"):
    setattr(ndarray, _name, property(operator.attrgetter(f"_host.{_name}")))


class Generator:
    """Random numbers on the device, only by the methods that CuPy has."""

    def __init__(self, bit_generator):
        self._host = numpy.random.Generator(bit_generator)

    def __getattr__(self, name):
        return functools.partial(_lookup(f"random.Generator.{name}"), self)


def _default_rng(seed=None):
    return seed if isinstance(seed, Generator) else Generator(numpy.random.MT19937(seed))


def asarray(a, dtype=None, order=None, *, copy=None):
    """The one way onto the device: a copy of host data; a device array comes back as it is."""
    if isinstance(a, ndarray) and not copy and dtype in (None, a.dtype):
        return a
    on_device = {isinstance(x, ndarray) for x in _leaves(a)}
    if len(on_device) > 1:
        raise TypeError(MIXED)
    _count(launches=1)
    with _no_errors():
        return ndarray(numpy.array(_inside(a) if True in on_device else a, dtype=dtype))


def array(obj, dtype=None, copy=True):
    return asarray(obj, dtype, copy=copy)


def asnumpy(a):
    """The one way back."""
    return a.get() if isinstance(a, ndarray) else numpy.asarray(a)


__getattr__ = _lookup
linalg = _Name("linalg")
random = SimpleNamespace(default_rng=_default_rng, Generator=Generator)
cuda = SimpleNamespace(is_available=lambda: True)

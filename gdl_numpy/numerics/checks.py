"""Checks: what is refused at the door, each kind of fault in one place and in one wording.

A wrong argument that computes gives a wrong number without a word. One that fails three functions
further down gives a message about an array that the reader has never seen. So whoever calls a
public function is told at once what was got and what was wanted, before anything is changed.

The idea: all such questions stand here, and a call is known by its prefix, `checks.`. The eye
learns to skip such a line and finds the formula next to it.

    numbers    whole_number, whole_numbers, permutation, number and numbers (of an interval),
               falling (two numbers), choice (of names), truth, one_number, axis
    arrays     real_array, array_of, unmasked, precision, wider, float_dtype, one_axis, triangle,
               same_shape, corners of a box, probabilities, waves, own_waves,
               waves_of_layers
    rows       observations, data_set, not_empty, varying, different_rows, in_range, paired,
               with_raw, equally_many, rows_within, rows_of_box, wide_cells, gray_levels,
               indices
    models     held, theta, theta_shape, numbers_of_rows, gradient
    labels     labels, different_labels, every_label
    chance     rng, draws
    objects    function, instance, offers, density, densities, family

Each returns what it was given, as the number or the array that the caller goes on with, or raises a
ValueError, or a TypeError where the kind of thing is wrong. `name` is what the error calls it.
Whether all numbers of an array are finite cannot be known without waiting for the device
(backend.py). A training step must not wait, and says finite=False.

[0, 1) is the interval that holds 0 and not 1:

>>> number(0.5, "averaging", "[0, 1)")
0.5
>>> number(1, "averaging", "[0, 1)")
Traceback (most recent call last):
ValueError: averaging must lie in [0, 1), got 1

See tests/numerics/test_checks.py (what each lets in and refuses).
"""

import math
import operator

import numpy

from gdl_numpy.numerics.backend import array_module, unmasked
from gdl_numpy.numerics.moments import moments, varies


def whole_number(n, name, least=0, most=None):
    """`n` as an int from `least` to `most`, without an upper end if that is None."""
    unmasked(n, name)
    try:
        truth_or_array = isinstance(n, bool | numpy.bool_) or getattr(n, "ndim", 0) > 0
        whole = operator.index(None if truth_or_array else n)
    except TypeError as error:
        raise TypeError(f"{name} must be a whole number, got {n!r:.80}") from error
    if whole < least:
        raise ValueError(f"{name} must be at least {least}, got {n}")
    if most is not None and whole > most:
        raise ValueError(f"{name} must be at most {most}, got {n}")
    return whole


def whole_numbers(values, name, least=0):
    """`values` as a tuple of ints that are at least `least`."""
    unmasked(values, name)
    try:
        values = tuple(None if isinstance(values, str | bytes | dict) else values)
    except TypeError as error:
        raise TypeError(f"{name} must be a list of whole numbers, got {values!r:.80}") from error
    return tuple(whole_number(value, name, least) for value in values)


def number(value, name, interval="(-inf, inf)", optional=False):
    """`value` as a float in `interval`, written as in mathematics: "[0, 1)" holds 0 and not 1.

    None stays None if it is `optional`.
    """
    if optional and value is None:
        return None
    unmasked(value, name)
    try:
        text_or_truth = isinstance(value, str | bytes | bool | numpy.bool_)
        kind = getattr(getattr(value, "dtype", None), "kind", "f")     # "c": float() would cut it
        real = float(None if text_or_truth or kind == "c" or getattr(value, "ndim", 0) > 0 else
                     value)
    except (TypeError, ValueError, OverflowError) as error:
        raise TypeError(f"{name} must be a number in {interval}, got {value!r:.80}") from error
    low, high = map(float, interval[1:-1].split(","))
    inside = (low <= real if interval[0] == "[" else low < real) and (
        real <= high if interval[-1] == "]" else real < high)
    if not inside:
        raise ValueError(f"{name} must lie in {interval}, got {value}")
    return real


def truth(value, name):
    """`value`, if it is True or False."""
    if not isinstance(value, bool | numpy.bool_):
        raise TypeError(f"{name} must be True or False, got {value!r:.80}")
    return bool(value)


def axis(axis, ndim):
    """`axis` of an array of `ndim` axes: the number of one, a tuple of these, or None for all."""
    if axis is None:
        return None
    if isinstance(axis, tuple):
        return tuple(whole_number(i, "axis", -ndim, ndim - 1) for i in axis)
    return whole_number(axis, "axis", min(-ndim, -1), max(ndim - 1, 0))


def numbers(values, name, interval="(-inf, inf)", n=None):
    """`values` as a tuple of floats in `interval`, one or more, or n of them."""
    unmasked(values, name)
    try:
        several = () if isinstance(values, str | bytes | dict) else tuple(values)
    except TypeError:
        several = ()
    if not several or len(several) != (n or len(several)):
        raise TypeError(f"{name} must be a list of {n or 'one or more'} numbers, got "
                        f"{values!r:.80}")
    return tuple(number(value, name, interval) for value in several)


def one_number(value, name):
    """`value`, if it is one number, of the shape () as an array; nothing waits."""
    if getattr(value, "shape", ()) != ():
        raise ValueError(f"{name} must be one number, got an array of shape {value.shape}")
    return value


def choice(name_of_one, name, options):
    """`name_of_one` if it is one of `options`, a collection of names."""
    if not (isinstance(name_of_one, str) and name_of_one in options):
        raise ValueError(f"{name} must be one of {', '.join(options)}, got {name_of_one!r:.80}")
    return name_of_one


def real_array(x, name, like=None, finite=True):
    """`x` as an array of finite float32 or float64, in the module and dtype of `like` if given.

    float16 becomes float32, all other real numbers float64, in the byte order of this machine. With
    finite=False the check for NaN is skipped: it would wait for the device. TypeError if `x` does
    not hold real numbers, is masked, or lives on another device than `like`; ValueError if it is
    ragged or holds NaN or infinity.
    """
    unmasked(x, name)
    xp = array_module(x) if like is None else array_module(like)
    array = array_of(xp, x, name, "its rows must all have the same length")
    if array.dtype.kind not in "fiu":
        raise TypeError(f"{name} must hold real numbers, got dtype {array.dtype}")
    dtype = precision(array if like is None else like)
    if array.dtype != dtype:
        with numpy.errstate(over="ignore", under="ignore"):     # infinity is refused below
            array = array.astype(dtype)
    if finite and not xp.isfinite(array).all():             # the check waits for a device
        bad = float(array.ravel()[(~xp.isfinite(array)).ravel().argmax()])
        raise ValueError(f"{name} holds {bad}: every number must be finite")
    return array


def array_of(xp, x, name, not_ragged):
    """`x` as an array of the module `xp`, in which it must live if it is an array."""
    if hasattr(x, "dtype") and array_module(x) is not xp:
        raise TypeError(f"{name} is an array of {array_module(x).__name__}, but what it meets here "
                        f"is an array of {xp.__name__}: move one of them first")
    try:
        return xp.asarray(x)
    except ValueError as error:
        raise ValueError(f"{name} is ragged: {not_ragged}") from error


def precision(array):
    """The dtype in which one computes with `array`: float32 for floats of up to four bytes, else
    float64. Decimals are never cut off: whole numbers become float64."""
    small = array.dtype.kind == "f" and array.dtype.itemsize <= 4
    return numpy.dtype(numpy.float32 if small else numpy.float64)


def wider(array, *others):
    """`array`, in float64 if the precision of any array among the others is float64."""
    dtypes = [precision(other) for other in others if hasattr(other, "dtype")]
    return array.astype(max([array.dtype, *dtypes], key=lambda dtype: dtype.itemsize), copy=False)


def float_dtype(dtype, name="dtype"):
    """`dtype` as a numpy.dtype, if it is float32 or float64, in the byte order of this machine."""
    try:
        wanted = numpy.dtype(object if dtype is None else dtype)
    except (TypeError, ValueError):
        wanted = None
    if wanted is None or wanted not in (numpy.dtype(numpy.float32), numpy.dtype(numpy.float64)):
        raise TypeError(f"{name} must be float32 or float64, got {dtype!r:.80}")
    return wanted


def observations(X, like=None, finite=True, name="X", d=None):
    """`X` as an (n, d) array, in the module and dtype of `like` if given.

    Without `d`, d is the length of the last axis of `like`; without both, any d will do. ValueError
    or TypeError if X has another number of columns, is not two-dimensional, is not numeric, lives
    on another device, or, unless finite=False, holds NaN or infinity.
    """
    X = real_array(X, name, like, finite)
    d = like.shape[-1] if d is None and like is not None else d
    if X.ndim != 2:
        raise ValueError(f"{name} must have shape (n, {d or 'd'}), one observation a row, got "
                         f"shape {X.shape}")
    if d is not None and X.shape[1] != d:
        raise ValueError(f"{name} has {X.shape[1]} columns; it must lie in R^{d}")
    return X


def data_set(X, d=None, name="X"):
    """`X` as an (n, d) array with at least one row: what a model can be fitted to."""
    X = observations(X, name=name, d=d)
    if X.size == 0:
        raise ValueError(f"{name} is empty: nothing can be estimated from no observation")
    return X


def varying(X, name="X", size=None, variance=None, where=""):
    """X (n, d), an array, if each of its columns varies by more than its numbers are rounded.

    `size` and `variance` (d,) are the means and variances of the columns, if these are known
    already; `where` names the part of the data that they belong to.
    """
    if variance is None:
        size, C = moments(in_range(X, name))
        variance = C.diagonal()
    if not varies(size, variance, X.dtype).all():
        raise ValueError(f"{name} must vary in every column{where}, got {len(X)} rows of variance "
                         f"{variance}")
    return X


def different_rows(X, name="X"):
    """X (n, d), an array, if not all of its rows are equal, up to the rounding of its numbers."""
    xp, low, high = array_module(in_range(X, name)), X.min(axis=0), X.max(axis=0)
    largest = xp.maximum(abs(low), abs(high)).astype(float)
    spread = high.astype(float) - low
    if not (spread > 8 * float(xp.finfo(X.dtype).eps) * largest).any():
        raise ValueError(f"{name} must vary, but its {len(X)} rows are all equal")
    if not float(spread.max())**2 > 1e-300:
        raise ValueError(f"{name} varies by {float(spread.max()):.3g} only, whose square leaves "
                         "the range of float64: take another unit")
    return X


def in_range(X, name="X"):
    """X (n, d), an array with rows, if its squares, added over all rows, are in float64's range."""
    largest = max(float(X.max()), -float(X.min()))
    if not largest < (numpy.finfo(float).max / X.size)**0.5 / 4:
        raise ValueError(f"{name} holds {largest:.3g}, whose square leaves the range of float64: "
                         "take another unit")
    return X


def triangle(L, mu):
    """L (..., d, d), an array, if it is lower triangular with a positive diagonal beside each row
    of mu (..., d): then L Lᵀ is a covariance."""
    xp, d = array_module(mu), mu.shape[-1] if mu.ndim else 0
    if d == 0 or L.shape != (*mu.shape, d):
        raise ValueError("mu must have shape (..., d) and L (..., d, d), got shapes "
                         f"{mu.shape} and {L.shape}")
    if (xp.triu(L, 1) != 0).any() or not (xp.diagonal(L, axis1=-2, axis2=-1) > 0).all():
        raise ValueError("L must be lower triangular with a positive diagonal, got "
                         f"{L if L.ndim == 2 else 'one that is not'}")
    return L


def same_shape(U, name, X, of):
    """`U`, an array of the shape of X, which the error calls `of`; nothing waits."""
    if unmasked(U, name).shape != X.shape:
        raise ValueError(f"{name} must have the shape of {of}, {X.shape}, got {U.shape}")
    return U


def paired(U, name, Z, of="Z", finite=True):
    """`U` as an (n, c) array with a row for each of the n rows of Z, which the error calls `of`."""
    U = real_array(U, name, like=Z, finite=finite)
    if U.ndim != 2 or len(U) != len(Z):
        raise ValueError(f"{name} must have a row for each of the {len(Z)} rows of {of}, got shape "
                         f"{U.shape}")
    return U


def equally_many(data, name="data"):
    """`data`, arrays of observations, if each has equally many rows, at least one."""
    unmasked(data, name)
    if not isinstance(data, list | tuple) or not all(getattr(x, "ndim", 0) > 0 for x in data):
        raise TypeError(f"{name} must be a tuple of arrays whose rows are observations, got "
                        f"{data!r:.80}")
    lengths = [len(array) for array in data]
    if not lengths or min(lengths) == 0 or min(lengths) < max(lengths):
        raise ValueError(f"{name} must have equally many rows, at least one, got {lengths}")
    return data


def with_raw(x, name, raw, c):
    """`x` (n,) and `raw` (n, c), which says in a row how each number is mapped; nothing waits."""
    x = one_axis(real_array(x, name, finite=False), None, name)
    raw = observations(raw, x, finite=False, name="raw", d=c)
    return x, paired(raw, "raw", x, of=name, finite=False)


def rows_within(X, inside, space, name="X"):
    """X, if `inside` (n,) holds for every row; the error names the first row off the `space`."""
    if not inside.all():
        raise ValueError(f"{name} must lie in {space}, got the row {X[(~inside).argmax()]}")
    return X


def rows_of_box(X, low, high, name="X"):
    """`X` as an (n, d) array whose rows lie in the closed box with corners low and high (d,)."""
    X = observations(X, name=name, d=len(low))
    a, b = (array_module(X).asarray(corner, dtype=X.dtype) for corner in (low, high))
    sides = [f"[{left:g}, {right:g}]" for left, right in zip(low, high, strict=True)]
    space = f"{sides[0]}^{len(sides)}" if len(set(sides)) == 1 else " x ".join(sides)
    return rows_within(X, ((a <= X) & (X <= b)).all(axis=1), space, name)


def corners(low, high, like, look=True):
    """`low` and `high` as arrays (d,), in the module and dtype of `like`, the corners of a box.

    With look=False nothing waits to see whether they are finite and low is below high.
    """
    low, high = (real_array(corner, name, like, look) for corner, name in ((low, "low"),
                                                                           (high, "high")))
    if low.ndim != 1 or low.shape != high.shape or len(low) == 0:
        raise ValueError("low and high must both have shape (d,), got shapes "
                         f"{low.shape} and {high.shape}")
    if look and not (low < high).all():
        raise ValueError(f"low must be below high in every coordinate, got low = {low} and "
                         f"high = {high}")
    return low, high


def wide_cells(low, high, shape, dtype, name):
    """`shape`, if each cell of this grid over the box holds several numbers of `dtype`.

    `low` and `high` are lists of floats. Among fewer than four, rounding may find none of the cell.
    """
    for a, b, k in zip(low, high, shape, strict=True):
        farthest = numpy.dtype(dtype).type(max(abs(a), abs(b)))
        apart = float(farthest - numpy.nextafter(farthest, 0 * farthest))
        if k > 1 and (b - a) / k < 4 * apart:
            raise ValueError(f"{name} makes {k} cells of width {(b - a) / k:g} between {a} and "
                             f"{b}, where numbers of {dtype} are up to {apart:g} apart: each cell "
                             "must hold at least four of them")
    return shape


def gray_levels(K, levels, like=None, d=None, name="K"):
    """`K` as an (n, d) array of ints from 0 to levels - 1, the gray levels of n images."""
    K = observations(real_array(K, name, like), name=name, d=d)
    fits = (K >= 0) & (K < levels) & (K == K.round())
    if not fits.all():
        bad = float(K.ravel()[(~fits).ravel().argmax()])
        raise ValueError(f"{name} must hold whole numbers from 0 to {levels - 1}, got {bad:g}")
    return K.astype(int)


def indices(values, name, n, like, length=None):
    """`values` as an array (m,) of whole numbers from 0 to n - 1, m = `length` if that is given, in
    the module of `like` and of the type int, so that what is computed with them has room."""
    unmasked(values, name)
    array = array_of(array_module(like), values, name, "it must be a list of whole numbers")
    if array.dtype.kind not in "iu" and (array.size or hasattr(values, "dtype")):
        raise TypeError(f"{name} must hold whole numbers, got dtype {array.dtype}")
    one_axis(array, length, name)
    if array.size and (array.min() < 0 or array.max() >= n):
        raise ValueError(f"{name} must hold whole numbers from 0 to {n - 1}, got "
                         f"{int(array.min())} to {int(array.max())}")
    return array.astype(int, copy=False)


def not_empty(X, name="X"):
    """X, if it has rows to take a mean over."""
    if len(X) == 0:
        raise ValueError(f"{name} is empty: the mean over no rows is undefined")
    return X


def held(n_parameters, name="theta"):
    """`n_parameters`, a whole number, if the memory of this machine can hold so many numbers."""
    try:
        numpy.empty(n_parameters if n_parameters > 2**24 else 0)    # a promise that costs nothing
    except (MemoryError, ValueError, OverflowError) as error:
        size = math.log10(n_parameters)
        raise ValueError(f"{name} would have about 10^{size:.0f} numbers, more than the memory can "
                         "hold") from error
    return n_parameters


def theta(theta, n_parameters, finite=True):
    """theta as a finite array of shape (n_θ,).

    With finite=False, as in a training step, nothing waits to see whether it is finite, and a list
    is refused.
    """
    if finite or hasattr(theta, "dtype"):
        theta = real_array(theta, "theta", finite=finite)
    return theta_shape(theta, n_parameters)


def theta_shape(theta, n_parameters=None, name="theta"):
    """theta, if it is an array of shape (n_θ,), of any length if that is None; nothing waits to see
    whether it is finite."""
    if one_axis(theta, n_parameters, name).dtype != precision(theta):
        raise TypeError(f"{name} must be an array of float32 or float64, in the byte order of this "
                        f"machine, got dtype {theta.dtype}")
    return theta


def one_axis(values, length, name):
    """`values`, an array of shape (length,), of any length if that is None."""
    shape = getattr(unmasked(values, name), "shape", type(values))
    if len(shape) != 1 if length is None and isinstance(shape, tuple) else shape != (length,):
        wanted = "n" if length is None else length
        raise ValueError(f"{name} must be an array of shape ({wanted},), got {shape}")
    return values


def numbers_of_rows(values, name):
    """`values`, an array (n,) of one number for each of n > 0 rows; nothing waits."""
    return not_empty(real_array(one_axis(values, None, name), name, finite=False), name)


def gradient(dtheta, theta, name="dtheta", of="theta"):
    """`dtheta`, ∂loss/∂θ, if it has theta's shape, dtype and device; nothing waits."""
    shape, dtype = getattr(dtheta, "shape", type(dtheta)), getattr(dtheta, "dtype", "none")
    if (shape, dtype) != (theta.shape, theta.dtype):
        raise ValueError(f"{name} must be an array of the shape {theta.shape} and the dtype "
                         f"{theta.dtype} of {of}, got {shape} and {dtype}")
    if array_module(unmasked(dtheta, name)) is not array_module(theta):
        raise TypeError(f"{name} and {of} must live on the same device")
    return dtheta


def probabilities(weights, name, like=None, axis=None):
    """`weights` as a new array of numbers that are not negative and sum to 1, along `axis` or all
    together."""
    weights = real_array(weights, name, like).copy()
    if axis is not None and weights.ndim <= axis:
        raise ValueError(f"{name} must have {axis + 1} axes or more, got shape {weights.shape}")
    if weights.size == 0 or (weights < 0).any():
        raise ValueError(f"{name} must be one or more numbers and none negative, got {weights}")
    sums = weights.sum(axis=axis).ravel()
    if (abs(sums - 1) > 1e-6).any():
        worst = float(sums[abs(sums - 1).argmax()])
        raise ValueError(f"{name} must sum to 1, got a sum of {worst}")
    return weights


def permutation(order, name, d):
    """`order` as a list that holds each of 0, ..., d - 1 once; if None, these from 0 on."""
    numbers = list(range(d) if order is None else whole_numbers(order, name))
    if sorted(numbers) != list(range(d)):
        raise ValueError(f"{name} must hold each of 0, ..., {d - 1} once, got {str(order):.80}")
    return numbers


def falling(values, name):
    """`values` as two finite numbers, the second below the first."""
    listed = getattr(unmasked(values, name), "ndim", 1) > 0 and hasattr(values, "__iter__")
    listed = listed and not isinstance(values, type)
    pair = tuple(number(value, name, "[-inf, inf]") for value in values) if listed else ()
    if len(pair) != 2 or not -math.inf < pair[1] < pair[0] < math.inf:
        raise ValueError(f"{name} must be two finite numbers, the second below the first, got "
                         f"{values!r:.80}")
    return pair


def waves(F, d, name="waves", finite=True):
    """The wave vectors F as an array (d, m), of any d if that is None; F may be None."""
    if F is None:
        return None
    F = real_array(F, name, finite=finite)
    if F.ndim != 2 or (d is not None and len(F) != d):
        raise ValueError(f"{name} must have shape ({d or 'd'}, m), got shape {F.shape}")
    return F


def own_waves(F, d, name="waves"):
    """Wave vectors, a copy, for an object that keeps them."""
    return None if F is None else waves(F, d, name).copy()


def waves_of_layers(F, d, n_layers):
    """Wave vectors, a copy, of a chain of layers: one array (d, m) for all, or a list of `n_layers`
    of them; in a list None is a layer without waves."""
    def of_a_layer(f):
        rows = isinstance(f, list | tuple) and any(isinstance(row, list | tuple) for row in f)
        return f is None or getattr(f, "ndim", 0) == 2 or rows

    if not isinstance(F, list | tuple) or not any(map(of_a_layer, F)):
        return own_waves(F, d)
    if len(F) != n_layers:
        raise ValueError(f"waves must be one array ({d}, m) or a list of {n_layers}, one for each "
                         f"layer, got {len(F)} of them")
    return [own_waves(f, d, f"waves[{i}]") for i, f in enumerate(F)]


def labels(y, X, n_classes=None, in_range=True):
    """`y` as an array of one whole number from 0 to n_classes - 1 for each row of X.

    With in_range=False nothing waits to see whether they are from 0 to n_classes - 1.
    """
    xp = array_module(X)
    unmasked(y, "y")
    if hasattr(y, "dtype") and array_module(y) is not xp:
        raise TypeError("X and y must live on the same device")
    try:
        y = xp.asarray(y)
    except ValueError as error:
        raise ValueError("y is ragged: it must hold one label for each row of X") from error
    if y.dtype.kind not in "iu":
        raise TypeError(f"y must hold whole numbers, got dtype {y.dtype}")
    if y.shape != (len(X),):
        raise ValueError(f"y must have one label for each of the {len(X)} rows of X, shape "
                         f"({len(X)},), got shape {y.shape}")
    if in_range and len(y) and (y.min() < 0 or (n_classes is not None and y.max() >= n_classes)):
        last = "" if n_classes is None else f" to {n_classes - 1}"
        raise ValueError(f"y must hold labels from 0{last}, got {int(y.min())} to {int(y.max())}")
    return y


def different_labels(y):
    """y, an array of labels, if not all of them are the same."""
    if y.min() == y.max():
        raise ValueError(f"y must hold at least two different labels, got only {int(y[0])}")
    return y


def every_label(y, n_classes):
    """y, an array of labels, if each of 0, ..., n_classes - 1 is among them."""
    wanted = f"y must hold every label from 0 to {n_classes - 1}, got"
    if n_classes > max(20, len(y)):                         # before anything of that size is made
        raise ValueError(f"{wanted} only {len(y)} rows")
    rows = array_module(y).bincount(y.astype(int), minlength=n_classes).tolist()
    if min(rows) == 0:
        raise ValueError(f"{wanted} {rows} rows of each" if n_classes <= 20 else
                         f"{wanted} no row of {rows.count(0)} of them, the first {rows.index(0)}")
    return y


def rng(rng, optional=False):
    """`rng`, if it is a generator of random numbers, not a seed, a module or NumPy's older kind."""
    if optional and rng is None:
        return None
    if isinstance(rng, type) or not all(callable(getattr(rng, method, None)) for method in
                                        ("random", "standard_normal", "integers")):
        raise TypeError("rng must be a generator of random numbers, as numpy.random.default_rng"
                        f"(seed) or random_generator(seed, device) makes it, got {rng!r:.80}")
    return rng


def draws(n, rng_):
    """`n` as the number of draws that a generator is asked for."""
    n = whole_number(n, "n", most=2**48)                      # beyond: no memory, no loop ends
    rng(rng_)
    return n


def function(f, name, optional=False):
    """`f`, if it can be called; None stays None if it is `optional`."""
    if not (callable(f) or (optional and f is None)):
        raise TypeError(f"{name} must be a function, got {f!r:.80}")
    return f


def instance(value, name, kind):
    """`value`, if it is of the class `kind`."""
    if not isinstance(value, kind):
        raise TypeError(f"{name} must be a {kind.__name__}, got {value!r:.80}")
    return value


def offers(value, name, *methods):
    """`value`, if it is an object, not a class, that has all these methods."""
    missing = [method for method in methods if not callable(getattr(value, method, None))]
    if missing or isinstance(value, type):
        raise TypeError(f"{name} must have the methods {', '.join(methods)}, got {value!r:.80}")
    return value


def density(p, name):
    """`p`, if it is an object that can do at least one of the things that a density may do."""
    known = ("sample", "log_prob", "log_mass", "elbo", "energy")
    if isinstance(p, type) or not any(callable(getattr(p, method, None)) for method in known):
        raise TypeError(f"{name} must be a density, which has log_prob or sample, got {p!r:.80}")
    return p


def densities(values, name):
    """`values`, a list or tuple, as a tuple of one or more densities."""
    if not isinstance(values, list | tuple) or not values:
        raise TypeError(f"{name} must be a list of one or more densities, got {values!r:.80}")
    return tuple(density(p, f"{name}[{i}]") for i, p in enumerate(values))


def family(family):
    """`family`, if it makes a density of a theta, as the families of this book do."""
    if isinstance(family, type) or not callable(family):
        raise TypeError("family must be a family of densities, such as NormalFamily(2), got "
                        f"{family!r:.80}")
    return family

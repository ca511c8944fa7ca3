"""Checks: what is refused at the door, each kind of fault in one place and in one wording.

Why: a wrong argument that computes gives a wrong number without a word, and one that fails three
functions further down gives a message about an array that the reader has never seen. So whoever
calls a public function is told at once what was got and what was wanted, before anything is
changed. Idea: all of that stands here, and a call is seen by its prefix, `checks.`: the eye learns
to skip such a line, and the formula is next to it.

    numbers    whole_number, whole_numbers, permutation, number (of an interval), falling, choice
    arrays     real_array, vector, unmasked, precision, observations, data_set, varying, varied,
               different_rows, triangle, same_shape, paired, rows_within, rows_of_box, not_empty,
               grey_levels
    models     theta, theta_shape, waves, probabilities
    labels     labels, different_labels, every_label
    chance     rng, draws

Each returns what it was given, as the number or the array that the caller goes on with, or raises a
ValueError, or a TypeError where the kind of thing is wrong. `name` is what the error calls it. A
training step must not wait for a device, and asks whether numbers are finite nowhere: finite=False.

>>> whole_number(3, "n", least=1)
3
>>> number(0.5, "averaging", "[0, 1)")
0.5
"""

import math
import operator

import numpy

from gdl_numpy.numerics.backend import array_module
from gdl_numpy.numerics.moments import moments, varies


def whole_number(n, name, least=0, most=None):
    """`n` as an int from `least` to `most`, without an upper end if that is None."""
    try:
        truth_or_array = isinstance(n, bool | numpy.bool_) or getattr(n, "ndim", 0) > 0
        whole = operator.index(None if truth_or_array else n)
    except TypeError as error:
        raise TypeError(f"{name} must be a whole number, got {n!r}") from error
    if whole < least:
        raise ValueError(f"{name} must be at least {least}, got {n}")
    if most is not None and whole > most:
        raise ValueError(f"{name} must be at most {most}, got {n}")
    return whole


def whole_numbers(values, name, least=0):
    """`values` as a tuple of ints that are at least `least`."""
    try:
        values = tuple(values)
    except TypeError as error:
        raise TypeError(f"{name} must be a list of whole numbers, got {values!r}") from error
    return tuple(whole_number(value, name, least) for value in values)


def number(value, name, interval="(-inf, inf)", optional=False):
    """`value` as a float in `interval`, written as in mathematics: "[0, 1)" holds 0 and not 1.

    None stays None if it is `optional`.
    """
    if optional and value is None:
        return None
    try:
        text_or_truth = isinstance(value, str | bytes | bool | numpy.bool_)
        real = float(None if text_or_truth or getattr(value, "ndim", 0) > 0 else value)
    except (TypeError, ValueError, OverflowError) as error:
        raise TypeError(f"{name} must be a number in {interval}, got {value!r}") from error
    low, high = map(float, interval[1:-1].split(","))
    inside = (low <= real if interval[0] == "[" else low < real) and (
        real <= high if interval[-1] == "]" else real < high)
    if not inside:
        raise ValueError(f"{name} must lie in {interval}, got {value}")
    return real


def choice(name_of_one, name, options):
    """`name_of_one` if it is one of `options`, a collection of names."""
    if not (isinstance(name_of_one, str) and name_of_one in options):
        raise ValueError(f"{name} must be one of {', '.join(options)}, got {name_of_one!r}")
    return name_of_one


def unmasked(x, name):
    """`x`, if it is not a masked array: what is marked as missing there would be taken for data."""
    if isinstance(x, numpy.ma.MaskedArray):
        raise TypeError(f"{name} is a masked array, and a mask would be lost: take the rows "
                        "without missing numbers first")
    return x


def real_array(x, name, like=None, finite=True):
    """`x` as an array of finite float32 or float64, in the module and dtype of `like` if given.

    float16 becomes float32, all other real numbers float64, in the byte order of this machine. With
    finite=False the check for NaN is skipped: it would wait for the device. TypeError if `x` holds
    no real numbers, is masked, or lives on another device than `like`; ValueError if it is ragged
    or holds NaN or infinity.
    """
    unmasked(x, name)
    xp = array_module(x) if like is None else array_module(like)
    if like is not None and hasattr(x, "dtype") and array_module(x) is not xp:
        raise TypeError(f"{name} is an array of {array_module(x).__name__}, but what it meets here "
                        f"is an array of {xp.__name__}: move one of them first")
    try:
        array = xp.asarray(x)
    except ValueError as error:
        raise ValueError(f"{name} is ragged: its rows must all have the same length") from error
    if array.dtype.kind not in "fiu":
        raise TypeError(f"{name} must hold real numbers, got dtype {array.dtype}")
    array = array.astype(precision(array if like is None else like), copy=False)
    if finite and not xp.isfinite(array).all():             # the check waits for a device
        bad = float(array.ravel()[(~xp.isfinite(array)).ravel().argmax()])
        raise ValueError(f"{name} holds {bad}: every number must be finite")
    return array


def vector(x, name, length=None, like=None, finite=True):
    """`x` as an array of shape (length,), of any length if that is None, as real_array."""
    x = real_array(x, name, like, finite)
    if x.ndim != 1 or length not in (None, len(x)):
        raise ValueError(f"{name} must have shape ({'d' if length is None else length},), got "
                         f"shape {x.shape}")
    return x


def precision(array):
    """The dtype in which `array` is computed with: float32 for floats of up to four bytes, else
    float64. Decimals are never cut off: whole numbers become float64."""
    small = array.dtype.kind == "f" and array.dtype.itemsize <= 4
    return numpy.dtype(numpy.float32 if small else numpy.float64)


def observations(X, like, finite=True, name="X", d=None):
    """`X` as an (n, d) array that can meet `like`, whose last axis has length d unless d is given.

    ValueError or TypeError if X has another number of columns, is not two-dimensional, is not
    numeric, lives on another device, or holds NaN or infinity; a training step, which must not wait
    for the device, leaves the last out with finite=False.
    """
    X = real_array(X, name, like, finite)
    d = like.shape[-1] if d is None else d
    if X.ndim != 2:
        raise ValueError(f"{name} must have shape (n, {d}), one observation a row, got shape "
                         f"{X.shape}")
    if X.shape[1] != d:
        raise ValueError(f"{name} has {X.shape[1]} columns; it must lie in R^{d}")
    return X


def data_set(X, d=None, name="X"):
    """`X` as an (n, d) array with at least one row: what a model can be fitted to."""
    X = real_array(X, name)
    if X.ndim != 2:
        raise ValueError(f"{name} must have shape (n, {d or 'd'}), one observation a row, got "
                         f"{X.shape}")
    if d is not None and X.shape[1] != d:
        raise ValueError(f"{name} has {X.shape[1]} columns; this family lives on R^{d}")
    if X.size == 0:
        raise ValueError(f"{name} is empty: nothing can be estimated from no observation")
    return X


def varying(X, name="X"):
    """X (n, d), an array, if each of its columns varies by more than its numbers are rounded."""
    mu, C = moments(X)
    varied(mu, C.diagonal(), X, name)
    return X


def varied(mu, variance, X, name="X", where=""):
    """ValueError unless these means and variances of the columns of X say that each of them varies,
    by more than its numbers are rounded; `where` is said of the columns."""
    if not varies(mu, variance, X.dtype).all():
        raise ValueError(f"{name} must vary in every column{where}, got {len(X)} rows of variance "
                         f"{variance}")


def different_rows(X, name="X"):
    """X (n, d), an array, if not all of its rows are equal, up to the rounding of its numbers."""
    low, high = X.min(axis=0), X.max(axis=0)
    xp, spread = array_module(X), high - low
    rounding = 8 * xp.finfo(X.dtype).eps * xp.maximum(abs(low), abs(high))
    if not ((spread > rounding) & (spread**2 > 0)).any():
        raise ValueError(f"{name} must vary, but its {len(X)} rows are all equal")
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
    if U.shape != X.shape:
        raise ValueError(f"{name} must have the shape of {of}, {X.shape}, got {U.shape}")
    return U


def paired(U, name, Z, of="Z"):
    """`U` as an (n, c) array with a row for each of the n rows of Z, which the error calls `of`."""
    U = real_array(U, name, like=Z)
    if U.ndim != 2 or len(U) != len(Z):
        raise ValueError(f"{name} must have a row for each of the {len(Z)} rows of {of}, got shape "
                         f"{U.shape}")
    return U


def rows_within(X, inside, space, name="X"):
    """X, if `inside` (n,) holds for every row; the error names the first row off the `space`."""
    if not inside.all():
        raise ValueError(f"{name} must lie in {space}, got the row {X[(~inside).argmax()]}")
    return X


def rows_of_box(X, low, high, name="X"):
    """`X` as an (n, d) array whose rows lie in the closed box with corners low and high (d,)."""
    X = observations(X := real_array(X, name), X, name=name, d=len(low))
    a, b = (array_module(X).asarray(corner, dtype=X.dtype) for corner in (low, high))
    sides = [f"[{left:g}, {right:g}]" for left, right in zip(low, high, strict=True)]
    space = f"{sides[0]}^{len(sides)}" if len(set(sides)) == 1 else " x ".join(sides)
    return rows_within(X, ((a <= X) & (X <= b)).all(axis=1), space, name)


def grey_levels(K, levels, like=None, d=None, name="K"):
    """`K` as an (n, d) array of ints from 0 to levels - 1: pictures, whose pixels have levels."""
    K = real_array(K, name, like)
    K = observations(K, K, name=name, d=d if d is not None else K.shape[-1] if K.ndim else "d")
    fits = (K >= 0) & (K < levels) & (K == K.round())
    if not fits.all():
        bad = float(K.ravel()[(~fits).ravel().argmax()])
        raise ValueError(f"{name} must hold whole numbers from 0 to {levels - 1}, got {bad:g}")
    return K.astype(int)


def not_empty(X, name="X"):
    """X, if it has rows to take a mean over."""
    if len(X) == 0:
        raise ValueError(f"{name} is empty: there is no mean over no rows")
    return X


def theta(theta, n_parameters, finite=True):
    """theta as a finite array of shape (n_θ,).

    A training step, finite=False, does not wait to see if it is finite, and takes no list.
    """
    if finite or hasattr(theta, "dtype"):
        theta = real_array(theta, "theta", finite=finite)
    return theta_shape(theta, n_parameters)


def theta_shape(theta, n_parameters):
    """theta, an array of shape (n_θ,); in a training step nothing waits to see if it is finite."""
    shape = getattr(theta, "shape", type(theta))
    if shape != (n_parameters,):
        raise ValueError(f"theta must be an array of shape ({n_parameters},), got {shape}")
    if unmasked(theta, "theta").dtype != precision(theta):
        raise TypeError("theta must be an array of float32 or float64, in the byte order of this "
                        f"machine, got dtype {theta.dtype}")
    return theta


def probabilities(weights, name, like=None, axis=None):
    """`weights` as an array of numbers that are not negative and sum to 1, along `axis` or all
    together, a copy."""
    weights = real_array(weights, name, like).copy()
    if weights.size == 0 or (weights < 0).any():
        raise ValueError(f"{name} must be one or more numbers and none negative, got {weights}")
    sums = weights.sum(axis=axis).ravel()
    if (abs(sums - 1) > 1e-6).any():
        worst = float(sums[abs(sums - 1).argmax()])
        raise ValueError(f"{name} must sum to 1, got a sum of {worst}")
    return weights


def permutation(order, name, d):
    """`order` as a list that holds each of 0, ..., d - 1 once; these in order if it is None."""
    numbers = list(range(d) if order is None else whole_numbers(order, name))
    if sorted(numbers) != list(range(d)):
        raise ValueError(f"{name} must hold each of 0, ..., {d - 1} once, got {order}")
    return numbers


def falling(values, name):
    """`values` as two finite numbers, the second below the first."""
    pair = tuple(number(value, name, "[-inf, inf]") for value in values
                 ) if hasattr(values, "__iter__") else ()
    if len(pair) != 2 or not -math.inf < pair[1] < pair[0] < math.inf:
        raise ValueError(f"{name} must be two finite numbers, the second below the first, got "
                         f"{values!r}")
    return pair


def waves(F, d, name="waves"):
    """Wave vectors as an array (d, m), or None for none."""
    if F is None:
        return None
    F = real_array(F, name)
    if F.ndim != 2 or len(F) != d:
        raise ValueError(f"{name} must have shape ({d}, m), got shape {F.shape}")
    return F


def labels(y, X, n_classes=None, in_range=True):
    """`y` as an array of one whole number from 0 to n_classes - 1 for each row of X.

    With in_range=False nobody waits to see whether they are from 0 to n_classes - 1.
    """
    xp = array_module(X)
    unmasked(y, "y")
    if hasattr(y, "dtype") and array_module(y) is not xp:
        raise TypeError("X and y must live on the same device")
    y = xp.asarray(y)
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


def rng(rng):
    """`rng`, if it is a generator of random numbers and no seed, module or older kind of it."""
    if isinstance(rng, type) or not all(callable(getattr(rng, method, None)) for method in
                                        ("random", "standard_normal", "integers")):
        raise TypeError("rng must be a generator of random numbers, as numpy.random.default_rng"
                        f"(seed) or random_generator(seed, device) makes it, got {rng!r:.80}")
    return rng


def draws(n, rng_):
    """`n` as the number of draws that a generator is asked for."""
    n = whole_number(n, "n")
    rng(rng_)
    return n

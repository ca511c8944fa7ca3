"""Moments: the mean and the covariance of many rows, without the rounding that many rows pile up.

Why: NumPy adds the rows of a float32 array one after the other. Once the sum is some millions of
times larger than a row, most of each further row is rounded away: the mean of 3,000,000 pixels of
brightness 241 comes out far below 241, and a covariance around it is wrong altogether. Idea: add
in float64, whatever the data's own precision is, and take the mean off before anything is squared.
float64 arrays as large as the data are never made: rows are converted some thousands at a time.

    µ = 1/n Σ x          C = 1/n Σ (x - µ)(x - µ)ᵀ

A column that does not vary has C_jj = 0, up to the rounding of its numbers: 0.3 is no float, so
500 copies of it seem to vary by some 1e-17. `varies` says which columns do more than that.

>>> import numpy
>>> mu, C = moments(numpy.array([[1.0, 5.0], [3.0, 5.0]]))
>>> print(mu, C.tolist(), varies(mu, C.diagonal(), mu.dtype))
[2. 5.] [[1.0, 0.0], [0.0, 0.0]] [ True False]
"""

from gdl_numpy.numerics.backend import array_module

ROWS = 2**12                                                # of one block


def mean_of_rows(X):
    """The mean of the rows of X (n, d), shape (d,), added in float64, in the dtype of X."""
    return X.mean(axis=0, dtype=float).astype(X.dtype)


def moments(X):
    """The mean (d,) and the covariance (d, d), divided by n, of the rows of X (n, d), in float64.

    X has at least one row.
    """
    n = len(X)
    mu = X.mean(axis=0, dtype=float)
    mu = mu + sum((X[i:i + ROWS] - mu).sum(axis=0) for i in range(0, n, ROWS)) / n
    C = 0                                                   # µ has lost the rounding of its sum
    for i in range(0, n, ROWS):
        U = X[i:i + ROWS] - mu                              # float64, as µ is
        C = C + U.T @ U
    return mu, C / n


def varies(mu, variance, dtype):
    """Which columns (d,), of these means and variances, vary by more than `dtype` rounds, and have
    a variance that float64 holds with all its digits."""
    limits = array_module(mu).finfo(float)
    rounding = float(array_module(mu).finfo(dtype).eps)
    return (variance > (8 * rounding * mu)**2) & (variance > limits.tiny)

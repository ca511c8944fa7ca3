"""Moments: the mean and the covariance of many rows, without the rounding of long sums.

NumPy adds the rows of a float32 array one after the other, and float32 has 24 binary digits. Once
the sum of 3,000,000 pixels of brightness 241 has passed 2^28, it is always rounded to a multiple of
32 or more, and each further 241 counts as 256. The mean comes out as 250, and a covariance around
it is wrong altogether. The idea: add in float64, whatever the precision of the data, and subtract
the mean before anything is squared. Rows are converted some thousands at a time, so that no float64
copy of all data is made. For the n rows x of X:

    µ = 1/n Σ x                                                                              (1)
    µ ← µ + 1/n Σ (x - µ)                   which removes the rounding of the first sum      (2)
    C = 1/n Σ (x - µ)(x - µ)ᵀ                                                                (3)

A column that does not vary should have C_jj = 0. But 0.3 is not a binary fraction, and 500 copies
of it seem to vary by 6e-17. Let `rounding` be the distance from 1 to the next number of the data's
dtype, and `tiny` the smallest number of float64 that has all its digits. Column j varies if

    C_jj > (8 rounding µ_j)²    and    C_jj > tiny                                           (4)

By hand: the rows (1, 5) and (3, 5) have the mean (2, 5). The first column is 1 away from its mean
in both, so its variance is 1; the second does not vary.

>>> import numpy
>>> mu, C = moments(numpy.array([[1.0, 5.0], [3.0, 5.0]]))
>>> print(mu, C.tolist(), varies(mu, C.diagonal(), mu.dtype))
[2. 5.] [[1.0, 0.0], [0.0, 0.0]] [ True False]

See tests/numerics/test_moments.py (that it holds for millions of rows).
"""

from gdl_numpy.numerics.backend import array_module

ROWS = 2**12                                                # of one block


def mean_of_rows(X):
    """The mean of the rows of X (n, d), shape (d,), added in float64, in the dtype of X."""
    return X.mean(axis=0, dtype=float).astype(X.dtype)      # (1)


def moments(X):
    """The mean (d,) and the covariance (d, d), divided by n, of the rows of X (n, d), in float64.

    X has at least one row.
    """
    n = len(X)
    mu = X.mean(axis=0, dtype=float)                        # (1)
    mu = mu + sum((X[i:i + ROWS] - mu).sum(axis=0) for i in range(0, n, ROWS)) / n          # (2)
    C = 0
    for i in range(0, n, ROWS):
        U = X[i:i + ROWS] - mu                              # float64, as µ is
        C = C + U.T @ U
    return mu, C / n                                        # (3)


def varies(mu, variance, dtype):
    """Which columns (d,), of these means and variances, vary by more than `dtype` rounds, and have
    a variance that float64 holds with all its digits."""
    limits = array_module(mu).finfo(float)
    rounding = float(array_module(mu).finfo(dtype).eps)
    return (variance > (8 * rounding * mu)**2) & (variance > limits.tiny)       # (4)

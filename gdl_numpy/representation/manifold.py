"""Manifold: the curved surface, of few dimensions, on which the data lie in a space of many.

An image of 32 x 32 pixels is a point of R^1024, but the images of the tins all lie on a surface
with two coordinates, height and width. For real data we are not told how many coordinates there
are, or what they mean. Nearest neighbors alone can answer both questions, because a small piece of
a smooth surface is nearly flat.

*How many dimensions does the surface have?* Let r1 and r2 be the distances from an observation to
its first and its second neighbor. On a line r2 is more than twice r1 in half of all cases. In many
dimensions nearly all of a ball lies close to its rim, so the two are almost equal. So their ratio
tells the number of dimensions k (Facco et al. 2017, Scientific Reports 7, 12140). If the density
hardly changes over so short a distance, the first neighbor is uniform in the ball of radius r2. The
ball of radius r2/m has the share m^-k of its volume, and so, with µ = r2/r1,

    P(µ > m) = P(r1 < r2/m) = m^-k         so P(log µ > t) = exp(-k t), with density k exp(-k t)
    ℓ(k)     = Σ_i (log k - k log µ_i)     is largest for k = n/Σ_i log µ_i
    k̂        = (n - 1)/Σ_i log µ_i         unbiased, which the maximum above is not              (1)

`intrinsic_dimension` says why n - 1, and how far off k̂ may be.

*What are its coordinates?* Suppose that the codes z of the observations are coordinates of it. Then
any other smooth coordinate u, such as the true height, is a function of z. Nearby codes have nearby
u, and so the mean of u over the K nearest codes should come close to the u of z:

    û(z) = mean of u_i over the K codes z_i nearest to z                                         (2)
    R²   = 1 - Σ_i |u_i - û_i|² / Σ_i |u_i - ū|²         for each coordinate of u                (3)

An R² near 1 says that z determines u, along whatever curve; an R² near 0 says that û is no better
than the mean ū.

By hand: of 0, 1, 3 and 7 on a line the ratios µ are 3/1, 2/1, 3/2 and 6/4, their product is 13.5,
and k̂ = 3/log 13.5 = 1.153. Four points do not say much, but two thousand on a circle do:

>>> import numpy
>>> print(round(intrinsic_dimension([[0.0], [1.0], [3.0], [7.0]]), 3))
1.153
>>> t = 6.28 * numpy.random.default_rng(0).random((2000, 1))
>>> print(round(intrinsic_dimension(numpy.hstack([numpy.cos(t), numpy.sin(t)])), 1))
1.0

See figure_1_07_tins (k̂ = 2.03 for 5,000 tins), figure_1_09_manifold (the surface of the dogs) and
tests/representation/test_manifold.py (that it holds).
"""

import numpy

from gdl_numpy.numerics import checks
from gdl_numpy.numerics.backend import array_module
from gdl_numpy.numerics.blocks import in_blocks
from gdl_numpy.numerics.moments import ROWS, moments
from gdl_numpy.numerics.neighbors import nearest


def intrinsic_dimension(X):
    """k̂ from the two nearest neighbors of each row of X (n, d), a float.

    For independent µ_i, the sum v of the n logarithms has the density
    k^n v^(n-1) exp(-k v)/(n - 1)!, under which the mean of 1/v is k/(n - 1), so (n - 1)/v has the
    mean k; its standard error is near k/√n. But two rows often share a neighbor, or are each
    other's nearest, and so it is about 1.25 k/√n (by simulation, on cubes of 1 to 8 dimensions
    whose opposite faces are joined). k̂ is too large where noise is as large as r1, because noise
    has all d dimensions. It is too small near the edges of the data, where neighbors are missing,
    and for large k most rows are near an edge.

    Nearly all of the time goes into `nearest`. It grows as n if the rows lie on a curve or on a
    surface, and as n² for more than a few dimensions, where all pairs are compared (neighbors.py).

    ValueError for fewer than 3 rows, for rows that are equal or closer than rounding tells apart,
    and for lattices, where first and second neighbors are equally far.
    """
    X = checks.data_set(X)
    if len(X) < 3:
        raise ValueError(f"X must have at least 3 rows, got {len(X)}")
    distances, numbers = nearest(X, X, 3)                   # the first should be the row itself
    r1, r2 = distances[:, 1], distances[:, 2]
    if not (r1 > 0).all():
        raise ValueError(f"X must not hold equal rows, got {int((r1 == 0).sum())} that are not "
                         "alone: drop the copies")
    if not (numbers[:, 0] == array_module(X).arange(len(X))).all():
        raise ValueError("X holds rows closer to each other than rounding tells apart, in dtype "
                         f"{X.dtype}")
    log_ratio = float(array_module(X).log(r2 / r1).sum(dtype=float))
    if not 10 * X.shape[1] * log_ratio > len(X):            # the estimate would be far beyond d
        raise ValueError("X lies on a lattice: first and second neighbors are equally far")
    return (len(X) - 1) / log_ratio                                                         # (1)


def neighbor_regression(Z, U, Q, k=10):
    """û for each row of Q (m, d): the mean of U (n, c) over the k nearest rows of Z (n, d).

    Here k is the K of the header, a number of neighbors, and the rows of Q are the codes z of (2).
    """
    Z = checks.data_set(Z, name="Z")
    U, Q = checks.paired(U, "U", Z), checks.observations(Q, Z, name="Q")
    return in_blocks(lambda i, j: U[nearest(Q[i:j], Z, k)[1]].mean(axis=1, dtype=float).astype(
        U.dtype), len(Q))                                                                   # (2)


neighbour_regression = neighbor_regression                  # its name in older programs


def determination(U, U_hat):
    """R² of each column of U (n, c) by the predictions U_hat (n, c), shape (c,); at most 1."""
    U = checks.data_set(U, name="U")
    U_hat = checks.real_array(U_hat, "U_hat", like=U)
    if U_hat.shape != U.shape:
        raise ValueError(f"U_hat must have the shape of U, {U.shape}, got {U_hat.shape}")
    checks.varying(U, "U")
    variance = moments(U)[1].diagonal()
    checks.in_range(U_hat, "U_hat")
    error = sum(((U[i:i + ROWS].astype(float) - U_hat[i:i + ROWS])**2).sum(axis=0)
                for i in range(0, len(U), ROWS)) / len(U)   # float32 has no room for squares
    with numpy.errstate(over="ignore"):                     # -inf is meant
        return (1 - error / variance).astype(U.dtype)                                       # (3)

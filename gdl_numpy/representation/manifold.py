"""Manifold: the curved surface, of few dimensions, on which the data lie in a space of many.

A picture of 32 x 32 pixels is a point of R^1024, but the pictures of the tins are all found on a
surface that two numbers sweep out. Two questions about such data:

*How many dimensions has the surface?* Near a point it is a plane, the data on it are spread evenly,
and the number of neighbours within a radius r grows like r^k. So the ratio µ = r2/r1 of the
distances to the second and to the first neighbour says k, whatever the density (Facco, d'Errico,
Rodriguez and Laio 2017, Scientific Reports 7, 12140):

    P(µ > m) = m^-k     log µ ~ exponential with mean 1/k     k̂ = (n - 1) / Σ_i log µ_i

This is the maximum likelihood estimate times (n - 1)/n, which makes it unbiased for independent µ;
its standard error would be k/√n then. But two rows often share a neighbour, or are each other's
nearest, so the µ_i depend on each other, and it is about 1.25 k/√n (by simulation, on cubes without
edges of 1 to 8 dimensions). It needs enough data for near neighbours to be near: in noise of d
dimensions it finds d as soon as the noise is as large as r1, and near the edges of the data, which
are most of it if k is large, it comes out too small.

*What are its coordinates?* If a code z of each observation is such a coordinate system, any other
smooth one, u, is a function of z, and the mean of u over the nearest codes comes close to it:

    û(z) = mean of u_i over the K codes z_i nearest to z       R² = 1 - Σ |u - û|² / Σ |u - ū|²

An R² near 1 in each coordinate says that z determines u; it asks for no straight lines.

>>> import numpy
>>> t = 6.28 * numpy.random.default_rng(0).random((2000, 1))
>>> round(intrinsic_dimension(numpy.hstack([numpy.cos(t), numpy.sin(t)])), 1)   # a circle
1.0
"""

from gdl_numpy.numerics import checks
from gdl_numpy.numerics.backend import array_module
from gdl_numpy.numerics.blocks import in_blocks
from gdl_numpy.numerics.moments import moments
from gdl_numpy.numerics.neighbours import nearest


def intrinsic_dimension(X):
    """k̂ from the two nearest neighbours of each row of X (n, d), a float.

    ValueError for fewer than 3 rows, for rows that are equal or closer than rounding tells apart,
    and for lattices, where first and second neighbours are equally far.
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
        raise ValueError("X lies on a lattice: first and second neighbours are equally far")
    return (len(X) - 1) / log_ratio


def neighbour_regression(Z, U, Q, k=10):
    """û for each row of Q (m, d): the mean of U (n, c) over the k nearest rows of Z (n, d)."""
    Z = checks.data_set(Z)
    U = checks.paired(U, "U", Z)
    Q = checks.observations(Q, Z)
    return in_blocks(lambda i, j: U[nearest(Q[i:j], Z, k)[1]].mean(axis=1), len(Q))


def determination(U, U_hat):
    """R² of each column of U (n, c) by the predictions U_hat (n, c), shape (c,); at most 1."""
    U = checks.data_set(U, name="U")
    U_hat = checks.real_array(U_hat, "U_hat", like=U)
    if U_hat.shape != U.shape:
        raise ValueError(f"U_hat must have the shape of U, {U.shape}, got {U_hat.shape}")
    checks.varying(U, "U")
    variance = moments(U)[1].diagonal()
    return (1 - ((U - U_hat)**2).mean(axis=0, dtype=float) / variance).astype(U.dtype)

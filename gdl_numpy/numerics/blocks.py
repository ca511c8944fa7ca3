"""Blocks: large data, some rows at a time.

To compare a model of the map with the truth, one asks it for log p at 100,000 points. On the way a
network makes arrays of its own: with a hidden layer of 128 numbers, 102 MB for each layer. A
thousand rows at a time take 1 MB, which stays in the processor's cache, so that all blocks together
take less time than one large piece. The idea: a result that is computed row by row is the same if
it is computed block by block; and a mean over n rows is the mean of the blocks' means, each counted
as often as its block has rows. With r rows in a block, and maybe fewer in the last one,

    Y     = (f(X[0:r]), f(X[r:2r]), ...)                                                     (1)
    loss  = Σ_blocks (rows of the block)/n · loss of the block                               (2)
    ∂θ    = Σ_blocks (rows of the block)/n · ∂θ of the block                                 (3)

By hand: the loss of the row x is θx, and the rows are 1, 3 and 8. In blocks of two the means are 2
and 8, with the shares 2/3 and 1/3. So the loss at θ = 1 is 4, and so is its slope:

>>> import numpy
>>> def loss(theta, X):
...     return theta[0] * X.mean(), numpy.array([X.mean()])
>>> value, dtheta = mean_over_blocks(loss, numpy.array([1.0]), numpy.array([1.0, 3, 8]), rows=2)
>>> print(value.round(12), dtheta.round(12))
4.0 [4.]

A graphics card has no such cache, and each operation costs the time of its launch, be it of a
thousand rows or of many more (backend.py). So there a block of (2) has at least 65,536 rows. For
(1), `through_a_network` gives the number of rows that suits a network, here or there.

See tests/numerics/test_blocks.py (that it holds).
"""

import numpy

from gdl_numpy.numerics import checks
from gdl_numpy.numerics.backend import array_module

ROWS = 2**11                                                # of 128 numbers in float32: 1 MB
ON_A_DEVICE = 2**16                                         # rows of a block, at least


def through_a_network(like):
    """The number of rows to take through a network at a time, where the array `like` is.

    >>> import numpy
    >>> through_a_network(numpy.zeros(3))
    2048
    """
    here = array_module(checks.real_array(like, "like", finite=False)) is numpy
    return ROWS if here else ON_A_DEVICE


def in_blocks(function, n, rows=2**13):
    """What `function(start, end)` gives for the rows from start to end, for all n, as one array.

    >>> import numpy
    >>> in_blocks(lambda i, j: numpy.arange(i, j)**2, 5, rows=2).tolist()
    [0, 1, 4, 9, 16]
    """
    n, rows = checks.whole_number(n, "n"), checks.whole_number(rows, "rows", least=1)
    checks.function(function, "function")
    parts = [function(start, min(start + rows, n)) for start in range(0, max(n, 1), rows)]
    return array_module(parts[0]).concatenate(parts)        # (1)


def mean_over_blocks(loss, theta, *data, rows=ROWS):
    """The mean loss over all rows of `data`, arrays with equally many, and its gradient (n_θ,).

    `loss(theta, *block)` gives both for a block. They are added in float64, because the roundings
    of a long sum in float32 pile up (moments.py).
    """
    n, rows = len(checks.equally_many(data)[0]), checks.whole_number(rows, "rows", least=1)
    checks.function(loss, "loss")
    if array_module(theta) is not numpy:
        rows = max(rows, ON_A_DEVICE)
    if n <= rows:
        value, dtheta = loss(theta, *data)
        return checks.one_number(value, "loss"), dtheta
    mean, dmean = 0.0, 0.0
    for start in range(0, n, rows):
        block = [array[start:start + rows] for array in data]
        value, dtheta = loss(theta, *block)
        share = len(block[0]) / n
        mean = mean + share * checks.one_number(value, "loss")                              # (2)
        dmean = dmean + share * dtheta.astype(float)                                        # (3)
    return array_module(dmean).asarray(mean, dtype=dtheta.dtype), dmean.astype(dtheta.dtype)

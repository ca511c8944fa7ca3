"""Blocks: large data, some rows at a time.

Why: a model of a million rows needs, between data and result, arrays of its own, for a network as
wide as its layers. All at once they do not fit into memory; some thousand rows at a time they fit
even into the processor's cache, and take less time than their share. Idea: what is computed row by
row does not notice when it is computed block by block, and a mean over all rows is the mean of the
blocks' means, each counted by its rows.

    Y = (f(X[0:r]), f(X[r:2r]), ...)                 mean of g = Σ_blocks (rows of the block/n) mean
"""

from gdl_numpy.numerics import checks
from gdl_numpy.numerics.backend import array_module


def in_blocks(function, n, rows=2**13):
    """What `function(start, end)` gives for the rows from start to end, for all n, as one array.

    >>> import numpy
    >>> in_blocks(lambda i, j: numpy.arange(i, j)**2, 5, rows=2).tolist()
    [0, 1, 4, 9, 16]
    """
    n, rows = checks.whole_number(n, "n"), checks.whole_number(rows, "rows", least=1)
    checks.function(function, "function")
    parts = [function(start, min(start + rows, n)) for start in range(0, max(n, 1), rows)]
    return array_module(parts[0]).concatenate(parts)


def mean_over_blocks(loss, theta, *data, rows=2**11):
    """The mean loss over all rows of `data` and its gradient, from blocks of some rows each.

    `loss(theta, *block)` gives both for a block. They are added in float64, because a sum over
    millions of float32 rows would lose most of the last ones.
    """
    n, rows = len(checks.equally_many(data)[0]), checks.whole_number(rows, "rows", least=1)
    checks.function(loss, "loss")
    if n <= rows:
        value, dtheta = loss(theta, *data)
        return checks.one_number(value, "loss"), dtheta
    mean, dmean = 0.0, 0.0
    for start in range(0, n, rows):
        block = [array[start:start + rows] for array in data]
        value, dtheta = loss(theta, *block)
        share = len(block[0]) / n
        mean = mean + share * checks.one_number(value, "loss")
        dmean = dmean + share * dtheta.astype(float)
    return array_module(dmean).asarray(mean, dtype=dtheta.dtype), dmean.astype(dtheta.dtype)

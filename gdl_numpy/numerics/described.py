"""Described: densities and families that say what they are.

Whoever tries things at the prompt wants to see `Box(low=[0. 0.], high=[1. 2.])` and not an address
in memory. The idea: a class that keeps each argument of its constructor as an attribute of the same
name can be shown by these, short values as they are and long ones by their shape. A class gets this
by deriving from `Described`.

>>> import numpy
>>> class Die(Described):
...     def __init__(self, sides, masses=None):
...         self.sides, self.masses = sides, masses
>>> Die(2, numpy.array([0.25, 0.75])), Die(6, numpy.full(6, 1 / 6))
(Die(sides=2, masses=[0.25 0.75]), Die(sides=6, masses=array of shape (6,)))

See tests/numerics/test_described.py (that it holds).
"""

import inspect


class Described:
    """Gives a `repr` to the classes derived from it."""

    def __repr__(self):
        names = inspect.signature(type(self).__init__).parameters
        shown = [f"{name}={_short(getattr(self, name))}" for name in names if hasattr(self, name)]
        return f"{type(self).__name__}({', '.join(shown)})"


def _short(value):
    if hasattr(value, "size") and value.size > 4:
        return f"array of shape {value.shape}"
    if hasattr(value, "size"):
        return " ".join(str(value).split())
    if isinstance(value, list | tuple) and len(value) > 4:
        return f"{len(value)} of {type(value[0]).__name__}"
    if isinstance(value, list | tuple):
        return f"({', '.join(map(_short, value))}{',' * (len(value) == 1)})"
    return repr(value)

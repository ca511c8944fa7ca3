"""Described: densities and families that say what they are.

Why: who tries a thing at the prompt sees `Box(low=[0. 0.], high=[1. 2.])` and not an address in
memory. Idea: the arguments of the constructor are attributes of the object as well, so its `repr`
is its class with these, short arrays as they are and long ones by their shape.
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

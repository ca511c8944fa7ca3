"""Taxonomy: the tree of generative models (Figure 1-10), read off what their densities can do.

    has log_prob         explicit density, tractable: log p(x) itself
    has elbo             explicit density, approximate: a lower bound of log p(x)
    has energy           explicit density, approximate: log p(x) up to a constant, -log Z
    has none of them     implicit density: it can be sampled, and that is all

No model is listed here. The leaves are the modules found in gdl_numpy/models/, each called by the
title of its docstring. A class XFamily there is a family, its members are of the class X beside it,
and what X can do decides. A new file is a new leaf. The `flow_log_prob` of a diffusion model does
not count: it is the density of its flow, not of what `sample` draws.
"""

import importlib
import pkgutil
from dataclasses import dataclass

MODELS = "gdl_numpy.models"
BRANCHES = {                                                # method: the path to its leaves
    "log_prob": ("explicit density", "tractable"),
    "elbo": ("explicit density", "approximate", "a lower bound"),
    "energy": ("explicit density", "approximate", "up to Z"),
}
IMPLICIT = ("implicit density",)


@dataclass(frozen=True)
class Leaf:
    """A kind of model: its title, the branch it hangs on, and the classes of its densities."""
    title: str
    branch: tuple
    densities: tuple


def branch(density):
    """The path from the root to densities of this class, by the first method that it has."""
    return next((path for method, path in BRANCHES.items() if hasattr(density, method)), IMPLICIT)


def densities(module):
    """The class X for each class XFamily that `module` defines, in the order of the file."""
    return tuple(getattr(module, name.removesuffix("Family")) for name, value in
                 vars(module).items()
                 if name.endswith("Family") and value.__module__ == module.__name__)


def leaves(package=MODELS):
    """All leaves, from the modules of a package by name, those of one branch next to each other."""
    found = []
    path = importlib.import_module(package).__path__
    for info in pkgutil.iter_modules(path, f"{package}."):
        module = importlib.import_module(info.name)
        members = densities(module)
        branches = {branch(density) for density in members}
        if len(branches) != 1:
            raise ValueError(f"{info.name} must define families of one branch, got {branches}")
        found.append(Leaf(module.__doc__.partition(":")[0], branches.pop(), members))
    order = [*BRANCHES.values(), IMPLICIT]
    return sorted(found, key=lambda leaf: order.index(leaf.branch))


def tree(package=MODELS):
    """The leaves as nested dictionaries by the parts of their branches, lists of titles inside."""
    root = {}
    for leaf in leaves(package):
        *path, last = leaf.branch
        place = root
        for part in path:
            place = place.setdefault(part, {})
        place.setdefault(last, []).append(leaf.title)
    return root

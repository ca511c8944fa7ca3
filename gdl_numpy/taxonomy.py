"""Taxonomy: the tree of generative models (Figure 1-10), read off what their densities can do.

Each of the six families in models/ makes new points of the map. What sets them apart is what they
can say about a given point x: log p(x) itself, a lower bound of it, log p(x) up to a constant, or
nothing at all. The chapter sorts them by this, and code can do it too, because in this book a
density has a method only if it can keep what the method promises. The first of these methods that
its class has decides its place in the tree:

    log_prob         log p(x)                 explicit density, tractable                        (1)
    elbo             on average <= log p(x)   explicit density, approximate: a lower bound       (2)
    energy           E(x), p = exp(-E)/Z      explicit density, approximate: known up to Z       (3)
    none of them     only `sample`            implicit density                                   (4)

No model is listed in this file. The leaves are the modules found in models/, so a new file is a new
leaf, named by the title of its docstring. A class XFamily there is a family, its members are of the
class X beside it, and what X can do decides. The `flow_log_prob` of a diffusion model does not
count: it is the density of its probability-flow ODE, not of what `sample` draws.

The box says what p(x) is; the pushforward of a density by a decoder can only be sampled:

>>> from gdl_numpy.probability.density import Box
>>> from gdl_numpy.representation.latent import Pushforward
>>> branch(Box), branch(Pushforward)
(('explicit density', 'tractable'), ('implicit density',))

See figure_1_10_taxonomy (the tree, with samples of the map at its leaves), figure_1_10_scoreboard
(how good the six are) and tests/test_taxonomy.py (that the tree is the chapter's).
"""

import importlib
import pkgutil
from dataclasses import dataclass

MODELS = "gdl_numpy.models"
BRANCHES = {                                                        # method: the path to its leaves
    "log_prob": ("explicit density", "tractable"),                  # (1)
    "elbo": ("explicit density", "approximate", "a lower bound"),   # (2)
    "energy": ("explicit density", "approximate", "up to Z"),       # (3)
}
IMPLICIT = ("implicit density",)                                    # (4)


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
    """All leaves, one for each module of the package; those of one branch stand together."""
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
    """The leaves as nested dictionaries, one for each fork, with lists of titles at the ends."""
    root = {}
    for leaf in leaves(package):
        *path, last = leaf.branch
        place = root
        for part in path:
            place = place.setdefault(part, {})
        place.setdefault(last, []).append(leaf.title)
    return root

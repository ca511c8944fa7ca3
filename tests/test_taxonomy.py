"""Taxonomy: the tree of Figure 1-10 is what the classes can do, and nothing else."""

import importlib
import sys

import pytest

from gdl_numpy import taxonomy

METHODS = {"log_prob": ("explicit density", "tractable"),
           "elbo": ("explicit density", "approximate", "a lower bound"),
           "energy": ("explicit density", "approximate", "up to Z"),
           "nothing": ("implicit density",)}


@pytest.fixture
def package(tmp_path, monkeypatch):
    """A package of models made on the spot: source by the name of the module -> its name."""
    names = []

    def make(**sources):
        folder = tmp_path / "some_models"
        folder.mkdir()
        (folder / "__init__.py").write_text("")
        for name, source in sources.items():
            (folder / f"{name}.py").write_text(source)
        monkeypatch.syspath_prepend(tmp_path)
        names.extend(["some_models", *(f"some_models.{name}" for name in sources)])
        importlib.invalidate_caches()
        return "some_models"

    yield make
    for name in names:
        sys.modules.pop(name, None)


def source(title, method, name="New"):
    return (f'"""{title}: what it is."""\n\n\nclass {name}Family:\n    pass\n\n\n'
            f"class {name}:\n    def sample(self): pass\n    def {method}(self): pass\n")


def test_the_tree_is_the_chapters():
    found = {leaf.title: leaf.branch for leaf in taxonomy.leaves()}
    assert found == {
        "Autoregressive model": METHODS["log_prob"], "Normalizing flow": METHODS["log_prob"],
        "Variational autoencoder": METHODS["elbo"], "Diffusion model": METHODS["elbo"],
        "Energy-based model": METHODS["energy"],
        "Generative adversarial network": METHODS["nothing"]}


def test_the_nested_tree_holds_each_leaf_once():
    def titles(node):
        return node if isinstance(node, list) else [t for part in node.values()
                                                    for t in titles(part)]

    tree = taxonomy.tree()
    assert list(tree) == ["explicit density", "implicit density"]
    assert titles(tree) == [leaf.title for leaf in taxonomy.leaves()]


@pytest.mark.parametrize("method", METHODS)
def test_the_branch_is_read_off_the_methods(package, method):
    leaf, = taxonomy.leaves(package(new=source("New model", method)))
    assert leaf.title == "New model" and leaf.branch == METHODS[method]
    assert [density.__name__ for density in leaf.densities] == ["New"]


def test_another_file_is_another_leaf(package):
    made = package(one=source("One", "elbo"), two=source("Two", "log_prob"),
                   three=source("Three", "nothing"))
    assert [leaf.title for leaf in taxonomy.leaves(made)] == ["Two", "One", "Three"]
    assert taxonomy.tree(made) == {
        "explicit density": {"tractable": ["Two"], "approximate": {"a lower bound": ["One"]}},
        "implicit density": ["Three"]}


def test_a_file_with_two_kinds_of_models_is_refused(package):
    both = source("Both", "elbo") + source("", "energy", "Other").partition('"""\n')[2]
    with pytest.raises(ValueError, match="must define families of one branch"):
        taxonomy.leaves(package(both=both))


def test_every_density_can_be_sampled_and_has_at_most_one_of_the_methods():
    for leaf in taxonomy.leaves():
        for density in leaf.densities:
            own = [method for method in taxonomy.BRANCHES if hasattr(density, method)]
            assert len(own) <= 1 and hasattr(density, "sample")

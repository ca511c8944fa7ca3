"""Storage: what was saved is loaded for the same family, and refused for any other."""

import os

import numpy
import pytest
from register_of_families import FAMILIES

from gdl_numpy.models.energy_based import EnergyBasedFamily
from gdl_numpy.models.variational_autoencoder import VariationalAutoencoderFamily
from gdl_numpy.networks.fourier import wave_vectors
from gdl_numpy.networks.network import Network
from gdl_numpy.networks.storage import load, save
from gdl_numpy.numerics.backend import array_module, to_numpy
from gdl_numpy.probability.family import HistogramFamily
from gdl_numpy.probability.normal_family import MixtureFamily, NormalFamily
from gdl_numpy.probability.sample_space import SampleSpace
from gdl_numpy.representation.autoencoder import AutoencoderFamily

F = wave_vectors(2, 2, (1.0,), numpy.random.default_rng(0))
NET = Network((2, 3, 2), "relu", F)
each_family = pytest.mark.parametrize("entry", FAMILIES.values(), ids=FAMILIES)


@pytest.mark.parametrize("saved, asked, message", [
    (NormalFamily(3), NormalFamily(2), "family.d is 3 there and 2 here"),
    (NormalFamily(3), MixtureFamily(1, 3), "family is NormalFamily there and MixtureFamily here"),
    (MixtureFamily(2, 3), MixtureFamily(3, 2), r"family.d is 3 there and 2 here"),
    (AutoencoderFamily((6, 4, 2)), AutoencoderFamily((6, 4, 2), "relu"),
     'family.activation is "softplus" there and "relu" here'),
    (VariationalAutoencoderFamily(NET, Network((1, 3, 2))),
     VariationalAutoencoderFamily(NET, Network((1, 3, 2), "relu")),
     'family.decoder.activation is "tanh" there and "relu" here'),
    (HistogramFamily(SampleSpace([0.0], [1.0]), (4,)),
     HistogramFamily(SampleSpace([0.0], [2.0]), (4,)), "was saved for another family"),
])
def test_another_family_is_refused_by_what_differs(tmp_path, saved, asked, message):
    save(tmp_path / "theta.npz", saved, numpy.zeros(saved.n_parameters))
    with pytest.raises(ValueError, match=message):
        load(tmp_path / "theta.npz", asked)


def test_each_family_of_the_register_is_told_from_every_other(tmp_path):
    """By the type and the arguments, whatever the number of parameters."""
    families = [entry.built() for entry in FAMILIES.values()]
    for entry, family in zip(FAMILIES.values(), families, strict=True):
        save(tmp_path / "theta.npz", family, entry.theta_of())
        for other in families:
            if other is family:
                assert (load(tmp_path / "theta.npz", other) == entry.theta_of()).all()
            else:
                with pytest.raises(ValueError, match=r": family[\w.]* is .* there and .* here"):
                    load(tmp_path / "theta.npz", other)


def test_what_cannot_be_compared_is_not_saved(tmp_path):
    family = NormalFamily(3)
    family.d = slice(3)
    with pytest.raises(TypeError, match="slice is not JSON serializable"):
        save(tmp_path / "theta.npz", family, numpy.zeros(9))
    assert not list(tmp_path.iterdir())


def test_whole_numbers_and_floats_of_a_bound_are_the_same_bound(tmp_path):
    one, two = (EnergyBasedFamily([0.0], [1.0], Network((1, 3, 1), bound=b)) for b in (3, 3.0))
    save(tmp_path / "theta.npz", one, numpy.zeros(one.n_parameters))
    assert len(load(tmp_path / "theta.npz", two)) == two.n_parameters


def test_families_of_as_many_parameters_are_told_apart(tmp_path):
    one = HistogramFamily(SampleSpace([0.0, 0.0], [1.0, 1.0]), (3, 4))
    two = HistogramFamily(SampleSpace([0.0, 0.0], [1.0, 1.0]), (4, 3))
    save(tmp_path / "theta.npz", one, numpy.zeros(12))
    with pytest.raises(ValueError, match=r"family.shape is \[3, 4\] there and \[4, 3\] here"):
        load(tmp_path / "theta.npz", two)


@pytest.mark.parametrize("theta, message", [(numpy.zeros(5), r"shape \(9,\), got \(5,\)"),
                                            (numpy.full(9, numpy.nan), "theta holds nan")])
def test_a_theta_that_does_not_fit_is_not_saved(tmp_path, theta, message):
    with pytest.raises(ValueError, match=message):
        save(tmp_path / "theta.npz", NormalFamily(3), theta)
    assert not list(tmp_path.iterdir())


def test_truncated_and_foreign_files_are_refused_and_run_nothing(tmp_path):
    path, family = tmp_path / "theta.npz", NormalFamily(3)
    save(path, family, numpy.zeros(9))
    whole = path.read_bytes()
    for broken in (whole[:len(whole) // 2], b"", b"text"):
        path.write_bytes(broken)
        with pytest.raises(ValueError, match="is not a whole archive of parameters"):
            load(path, family)
    numpy.savez(path, theta=numpy.array([os.getcwd], dtype=object))
    with pytest.raises(ValueError, match="is not a whole archive of parameters"):
        load(path, family)
    with open(path, "wb") as file:
        numpy.save(file, numpy.zeros(9))                    # an array, and no archive of arrays
    with pytest.raises(ValueError, match="is not a whole archive of parameters"):
        load(path, family)
    numpy.savez(path, weights=numpy.zeros(9))
    with pytest.raises(ValueError, match="holds no theta, but weights"):
        load(path, family)
    with pytest.raises(FileNotFoundError):
        load(tmp_path / "nothing.npz", family)


def test_an_interrupted_save_leaves_the_old_file_whole(tmp_path, monkeypatch):
    path, family = tmp_path / "theta.npz", NormalFamily(3)
    save(path, family, numpy.ones(9))
    monkeypatch.setattr(numpy, "savez", lambda *args, **kwargs: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        save(path, family, numpy.zeros(9))
    assert (to_numpy(load(path, family)) == 1).all()
    assert [path.name for path in tmp_path.iterdir()] == ["theta.npz"]


# Contracts

@each_family
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_what_was_saved_is_loaded_bit_by_bit(tmp_path, xp, entry, dtype):
    family, theta = entry.built(xp, dtype), entry.theta_of(xp, dtype)
    save(tmp_path / "theta.npz", family, theta)
    loaded = load(tmp_path / "theta.npz", entry.built(xp, dtype), like=theta)
    assert array_module(loaded) is xp and loaded.dtype == dtype and (loaded == theta).all()
    assert isinstance(load(tmp_path / "theta.npz", family), numpy.ndarray)
    assert [path.name for path in tmp_path.iterdir()] == ["theta.npz"]

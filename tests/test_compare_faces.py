"""The comparison on faces: what gives masses to pictures, and the committed numbers."""

import itertools
import json
import math
from pathlib import Path

import compare_faces
import numpy as np
import pytest
from compare_faces import (
    MODELS,
    Dequantised,
    IndependentPixels,
    InLeadingCoordinates,
    Rotated,
    Window,
    WindowFamily,
    dequantised,
    quantised,
)
from scipy import stats

from gdl_numpy.pictures.faces import LATENTS, render
from gdl_numpy.probability.density import Normal

FIGURES = Path(__file__).parent.parent / "figures"
SMALL = {"N": 80, "N_HELD_OUT": 6, "N_SAMPLES": 2, "PPCA": 5,
         "MIXTURE": {"coordinates": 4, "components": 2, "steps": 2},
         "VAE": {"coordinates": 8, "latent": 2, "hidden": (5,), "draws": 3,
                 "train": {"max_steps": 3}},
         "DIFFUSION": {"coordinates": 8, "hidden": (5,), "log_snr": (5.0, -5.0),
                       "train": {"max_steps": 3}},
         "WINDOW": {"family": {"reach": 2, "rows": 1, "hidden": (4,)}, "train": {"max_steps": 3}}}


@pytest.fixture
def small(monkeypatch):
    for name, value in SMALL.items():
        monkeypatch.setattr(compare_faces, name, value)


def window(side, levels, reach, rows, seed=0):
    family = WindowFamily(side, levels, reach, rows, (7,))
    theta = family.classifier.initial_theta(np.random.default_rng(seed), np.float32)
    return family, 2 * theta


def test_levels_are_rounded_down_and_every_point_of_a_cell_comes_back():
    K = quantised(np.array([[0.0, 1 / 16 - 1e-9, 1 / 16, 0.999, 1.0]]))
    assert K.tolist() == [[0, 0, 1, 15, 15]]
    rng = np.random.default_rng(0)
    assert all((quantised(dequantised(K, rng)) == K).all() for _ in range(100))


def test_the_bound_of_a_density_that_is_flat_in_cells_is_its_mass():
    rng = np.random.default_rng(0)
    mass = rng.random((5, 16))
    mass /= mass.sum(axis=1, keepdims=True)

    def log_p(X, rng):
        return np.log(16 * mass[np.arange(5), quantised(X)]).sum(axis=1)

    K = rng.integers(0, 16, (20, 5))
    expected = np.log(mass[np.arange(5), K]).sum(axis=1)
    np.testing.assert_allclose(Dequantised(None, log_p).log_mass(K, rng), expected, rtol=1e-12)


def test_the_bound_of_a_normal_density_is_below_its_mass_by_what_the_header_says():
    """In the mean, for one pixel; and a quarter of a bit for the best normal density in a cell."""
    rng, K = np.random.default_rng(1), np.full((200_000, 1), 9)
    p = stats.norm(0.6, 0.02)
    bound = Dequantised(None, lambda X, rng: p.logpdf(X[:, 0])).log_mass(K, rng).mean()
    mass = math.log(p.cdf(10 / 16) - p.cdf(9 / 16))
    assert mass - 0.1 < bound < mass - 0.08
    best = stats.norm(9.5 / 16, 1 / 16 / math.sqrt(12))
    bits = -Dequantised(None, lambda X, rng: best.logpdf(X[:, 0])).log_mass(K, rng) / math.log(2)
    assert bits.mean() == pytest.approx(0.25, abs=0.01)


def test_independent_pixels_have_the_shares_of_the_levels():
    K = np.array([[0, 3], [0, 4], [1, 3]])
    model = IndependentPixels(K)
    np.testing.assert_allclose(model.mass.sum(axis=1), 1)
    assert model.log_mass(K[:1], None) == pytest.approx(2 * math.log(3 / 19))
    samples = model.sample(20_000, np.random.default_rng(0))
    share = (samples[:, 0] == 0).mean()
    assert abs(share - 3 / 19) < 5 * math.sqrt(3 / 19 * 16 / 19 / 20_000)


@pytest.mark.parametrize("own_units", [True, False])
def test_a_normal_density_of_the_leading_coordinates_is_one_of_the_pictures(own_units):
    rng = np.random.default_rng(0)
    X = rng.standard_normal((400, 6)) @ rng.standard_normal((6, 6)) + 3
    rotated, z = Rotated(X, 3, own_units), Normal(np.zeros(3), np.diag([1.0, 2.0, 0.5]))
    U = rotated.axes.components
    covariance = (U * (rotated.s**2 * [1.0, 2.0, 0.5]) @ U.T
                  + rotated.sigma**2 * (np.eye(6) - U @ U.T))
    p = InLeadingCoordinates(rotated, z, lambda p, Z, rng: p.log_prob(Z))
    expected = stats.multivariate_normal(X.mean(axis=0), covariance)
    np.testing.assert_allclose(p.log_prob(X, rng), expected.logpdf(X), rtol=1e-10)
    samples = p.sample(100_000, rng)
    assert abs(np.cov(samples.T) - covariance).max() < 0.05 * covariance.max()
    if own_units:
        np.testing.assert_allclose(rotated.encode(X).std(axis=0), 1)
    else:
        assert rotated.encode(X).std() == pytest.approx(1)


def test_codes_drawn_anew_vary_as_those_of_points_drawn_from_the_cells():
    rng = np.random.default_rng(0)
    K = rng.integers(0, 16, (1, 300)).repeat(4000, axis=0)
    rotated = Rotated(rng.standard_normal((50, 300)), 3, True)
    Z = rotated.encode((K + 0.5) / 16)
    noises = rotated.redrawn(Z, rng) - Z, rotated.encode(dequantised(K, rng).astype(float)) - Z
    for noise in noises:
        np.testing.assert_allclose(noise.std(axis=0) * rotated.s, 1 / 16 / math.sqrt(12), rtol=0.06)
        assert (abs(noise.mean(axis=0)) < 5 * noise.std(axis=0) / math.sqrt(4000)).all()


@pytest.mark.parametrize("side, levels, reach, rows", [(2, 3, 1, 1), (2, 2, 3, 0), (3, 2, 1, 2)])
def test_the_masses_of_all_pictures_sum_to_1(side, levels, reach, rows):
    family, theta = window(side, levels, reach, rows)
    every = np.array(list(itertools.product(range(levels), repeat=side**2)))
    log_p = Window(family, theta).log_mass(every, None)
    assert np.exp(log_p).sum() == pytest.approx(1, abs=1e-5)
    assert log_p.std() > 0.1


def test_samples_of_pictures_have_their_masses():
    family, theta = window(2, 2, 2, 1)
    model, n = Window(family, theta), 20_000
    every = np.array(list(itertools.product(range(2), repeat=4)))
    share = np.bincount(model.sample(n, np.random.default_rng(1)) @ [8, 4, 2, 1], minlength=16) / n
    p = np.exp(model.log_mass(every, None))
    assert (abs(share - p) < 5 * np.sqrt(p / n)).all()


def test_a_pixel_depends_on_its_window_and_on_nothing_after_it():
    side, reach, rows = 5, 1, 2
    family, _ = window(side, 4, reach, rows)
    K = np.random.default_rng(0).integers(0, 4, (1, side**2))
    pixels = np.arange(side**2)[None]
    before = family.inputs(K, pixels)
    for j in range(side**2):
        changed = K.copy()
        changed[0, j] = 3 - changed[0, j]
        seen = (family.inputs(changed, pixels) != before).any(axis=1)
        row, column = divmod(j, side)
        for i in range(side**2):
            down, right = i // side - row, i % side - column
            assert seen[i] == (0 <= down <= rows and abs(right) <= reach and i > j)


def test_training_lowers_the_loss_of_the_window():
    rng = np.random.default_rng(0)
    K = rng.integers(0, 2, (200, 1)) * 3 + np.zeros((200, 9), dtype=int)    # all black or all white
    family = WindowFamily(3, 4, 1, 1, (8,))
    steps = list(family.train(K, rng, max_steps=300, batch=20, learning_rate=1e-2))
    assert float(steps[-1].loss) < 0.2 < 1 < float(steps[0].loss)


def test_every_model_is_fitted_measured_and_makes_faces(small):
    results, made = compare_faces.compare(1)
    assert list(results) == list(MODELS) and set(made) == {"faces", *MODELS}
    for name, row in results.items():
        assert 0 < row["bits_per_pixel"] < math.inf and row["parameters"] > 0
        assert row["bound"] == (name not in ("independent_pixels", "autoregressive"))
        assert made[name].shape == (2, 1024) and made[name].max() < 16


def test_what_was_measured_before_an_interruption_is_written(small, tmp_path, monkeypatch, capsys):
    compare = compare_faces.compare

    def interrupted(seed):
        if seed == 3:
            raise KeyboardInterrupt
        return compare(seed)

    monkeypatch.setattr(compare_faces, "compare", interrupted)
    assert compare_faces.main(["--seeds", "0", "3", "--output", str(tmp_path)]) == 130
    assert "interrupted in seed 3" in capsys.readouterr().err
    assert json.loads((tmp_path / "faces.json").read_text())["seeds"] == [0]
    assert {path.name for path in tmp_path.iterdir()} == {"faces.json", "faces.npz"}


def test_the_committed_comparison_is_complete():
    report = json.loads((FIGURES / "faces.json").read_text(encoding="utf-8"))
    assert report["seeds"] == [0, 1, 2] and list(report["mean"]) == list(MODELS)
    assert (report["n"], report["levels"], report["even"]) == (20_000, 16, 4)
    bits = [row["bits_per_pixel"] for row in report["mean"].values()]
    assert max(bits) < 1.1 and min(bits) == report["mean"]["autoregressive"]["bits_per_pixel"]
    best, second = sorted(bits)[:2]
    assert second - best == pytest.approx(0.25, abs=0.02)   # as the README says: what cells cost


def test_the_committed_pictures_are_of_the_world_that_is_described():
    rng = np.random.default_rng(0)
    rng.random((20_000, len(LATENTS)))                      # the training faces of seed 0
    latent = 2 * rng.random((500, len(LATENTS))) - 1
    with np.load(FIGURES / "faces.npz") as file:
        assert set(file) == {"faces", *MODELS}
        assert all(file[name].shape == (6, 1024) and file[name].max() < 16 for name in file)
        assert (file["faces"] == quantised(render(latent[:6]).reshape(6, -1))).all()

"""The comparison on faces: every model is fitted and measured, and the committed numbers."""

import json
import math
from pathlib import Path

import compare_faces
import numpy as np
import pytest
from compare_faces import DENSITIES, MODELS

from gdl_numpy.pictures.faces import LATENTS, render
from gdl_numpy.pictures.pixels import quantize

FIGURES = Path(__file__).parent.parent.parent / "figures"
SMALL = {"N": 80, "N_HELD_OUT": 6, "N_LONGER": 3, "N_SAMPLES": 2, "CODES": 8,
         "CHAIN": {"T": 2, "steps": 1, "h": 0.5},
         "MIXTURE": {"components": 2, "steps": 2},
         "VAE": {"latent": 2, "hidden": (5,), "draws": 3, "train": {"max_steps": 3}},
         "DIFFUSION": {"hidden": (5,), "log_snr": (5.0, -5.0), "train": {"max_steps": 3}},
         "WINDOW": {"family": {"reach": 2, "rows": 1, "hidden": (4,)}, "train": {"max_steps": 3}}}


@pytest.fixture
def small(monkeypatch):
    for name, value in SMALL.items():
        monkeypatch.setattr(compare_faces, name, value)


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


def test_models_whose_spreads_over_the_seeds_touch_are_called_a_tie(small, monkeypatch):
    monkeypatch.setattr(compare_faces, "MODELS", ("a", "b", "c"))
    bits = {"a": (0.70, 0.72), "b": (0.69, 0.70), "c": (0.5, 0.52)}
    runs = [{name: {"bits_per_pixel": bits[name][i], "bound": True}
             for name in bits} for i in (0, 1)]
    report = compare_faces.reported([0, 1], runs)
    assert report["order"] == ["a", "b", "c"] and report["ties"] == [["a", "b"]]
    assert report["mean"]["c"]["bits_per_pixel_spread"] == pytest.approx(0.01)


def test_the_committed_comparison_is_complete():
    report = json.loads((FIGURES / "faces.json").read_text(encoding="utf-8"))
    assert report["seeds"] == [0, 1, 2] and list(report["mean"]) == list(MODELS)
    assert (report["n"], report["levels"], report["even"]) == (20_000, 16, 4)
    bits = [row["bits_per_pixel"] for row in report["mean"].values()]
    assert max(bits) < 1.1 and sorted(bits, reverse=True) == [
        report["mean"][name]["bits_per_pixel"] for name in report["order"]]


def test_what_the_committed_bounds_pay_for_cells_is_split_off():
    """As far as chains show it; for probabilistic PCA, to whose points they lead, a longer chain
    shows more, and a density of pixels pays far more than one of codes."""
    mean = json.loads((FIGURES / "faces.json").read_text(encoding="utf-8"))["mean"]
    assert all(0 <= mean[name]["paid"] < 0.1 for name in DENSITIES)
    pca = mean["probabilistic_pca"]
    assert 0.02 < pca["saved_by_chain"] < pca["saved_by_longer_chain"] == pca["paid"]
    assert pca["dequantized"] - pca["bits_per_pixel"] > 0.2


def test_the_committed_pictures_are_of_the_world_that_is_described():
    rng = np.random.default_rng(0)
    rng.random((20_000, len(LATENTS)))                      # the training faces of seed 0
    latent = 2 * rng.random((500, len(LATENTS))) - 1
    with np.load(FIGURES / "faces.npz") as file:
        assert set(file) == {"faces", *MODELS}
        assert all(file[name].shape == (6, 1024) and file[name].max() < 16 for name in file)
        assert (file["faces"] == quantize(render(latent[:6]).reshape(6, -1), 16)).all()

"""What the titles of figures say is so, for other seeds as well, and nothing hides anything."""

import functools
import importlib
import json
import math

import matplotlib
import numpy as np
import pytest

matplotlib.use("agg")
import make_figures  # noqa: E402
import matplotlib.pyplot as plt  # noqa: E402
import style  # noqa: E402

SMALL = {                                                   # constants that make slow scripts quick
    "figure_1_01_horses": {"N": 300, "N_JUDGED": 100, "SIDE": 24, "HIDDEN": (32,), "K": 4,
                           "STEPS": 200, "COMPONENTS": (1, 3)},
    "figure_1_03_sailing": {"Q_STEPS": (500, 550, 600, 650, 700, 750, 800, 900), "SAILORS": 10},
    "figure_1_06_densities": {"N": 3000, "N_TEST": 5000, "N_SAMPLES": 2000,
                              "COMPONENTS": {"few": 2, "some": 6, "many": 20}},
    "figure_1_07_tins": {"N": 400, "RESOLUTION": 16},
}


@functools.cache
def computed(name, seed):
    script = importlib.import_module(name)
    with pytest.MonkeyPatch.context() as patch:
        for constant, value in SMALL.get(name, {}).items():
            patch.setattr(script, constant, value)
        arrays, numbers = script.compute(np.random.default_rng(seed))
    return arrays, {key: make_figures.rounded(value) for key, value in numbers.items()}


def drawn(name, seed):
    """The figure, laid out, and its numbers."""
    script = importlib.import_module(name)
    arrays, numbers = computed(name, seed)
    with style.ours():
        figure = plt.figure(figsize=script.SIZE)
        script.draw(figure, arrays, numbers)
        figure.draw_without_rendering()
    return figure, numbers


@pytest.mark.parametrize("seed", [1, 2])
def test_no_new_horse_is_a_copy(seed):
    numbers = computed("figure_1_01_horses", seed)[1]
    assert 0.3 * numbers["held_out_low"] < numbers["made_low"] < numbers["made"]


@pytest.mark.parametrize("seed", range(20))
def test_on_the_cliff_no_words_leave_the_axes_or_hide_a_point(seed):
    figure, _ = drawn("figure_1_06_cliff", seed)
    ax, = figure.axes
    page = ax.get_window_extent()
    words = [text.get_window_extent() for text in ax.texts]
    rug = ax.lines[-1].get_window_extent()
    curve = ax.transData.transform(ax.lines[0].get_xydata())
    plt.close(figure)
    for i, box in enumerate(words):
        assert page.x0 <= box.x0 and box.x1 <= page.x1 and page.y0 <= box.y0 and box.y1 <= page.y1
        assert not any(box.overlaps(other) for other in words[:i])
        assert not box.overlaps(rug) and not any(box.contains(*point) for point in curve)


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_the_likelihood_falls_off_a_cliff_where_the_box_becomes_too_small(seed):
    arrays, numbers = computed("figure_1_06_cliff", seed)
    outside = arrays["sides"] < numbers["theta3"] - 1e-3
    assert outside.any() and (arrays["values"][outside] == -math.inf).all()
    assert arrays["values"][~outside].min() > numbers["maximum"] - 20


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_the_more_flexible_a_density_the_closer_it_comes(seed):
    figure, numbers = drawn("figure_1_06_densities", seed)
    labels = [ax.get_xlabel() for ax in figure.axes[:8]]
    plt.close(figure)
    kl = [numbers[f"{name}_kl"] for name in ("box", "normal", "mixture_few", "mixture_some",
                                             "mixture_many")]
    assert kl[0] == math.inf and (np.diff(kl[1:]) < 0).all() and kl[-1] > 0
    assert labels[0].startswith("the truth") and "KL 0," in labels[0] and "KL ∞" in labels[1]
    shown = [float(label.split("KL ")[1].split()[0]) for label in labels[2:]]
    assert shown == sorted(shown, reverse=True)


@pytest.mark.parametrize("seed", [1, 2])
def test_two_numbers_make_every_tin(seed):
    assert 1.7 < computed("figure_1_07_tins", seed)[1]["dimension"] < 2.3


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_a_b_and_c_are_what_their_names_say_and_the_points_are_on_land_of_the_flat_map(seed):
    figure, numbers = drawn("figure_1_06_world", seed)
    plt.close(figure)
    assert [numbers[f"{name}_kind"] for name in "ABC"] == ["A", "B", "C"]
    assert numbers["antarctica"] > 3 * numbers["antarctica_sphere"]         # E17


def test_the_story_shows_the_points_and_the_box_of_the_figures_that_it_tells():
    story, numbers = computed("figure_1_06_story", 0)
    for name in ("figure_1_05_box", "figure_1_06_world"):
        arrays, _ = computed(name, 0)
        assert all(np.array_equal(story[key], arrays[key]) for key in ("X", "low", "high"))
    world = computed("figure_1_06_world", 0)[1]
    assert numbers["sea_share"] == pytest.approx(world["sea_share"], abs=0.005)


def test_faces_stand_in_the_order_of_their_bits_and_a_tie_is_called_one():
    import figure_1_03_faces as script
    arrays, numbers = computed("figure_1_03_faces", 0)
    ties = [(i, name) for i, name in enumerate(script.NAMES) if numbers.get(f"{name}_ties")]
    for more, others in ((False, ties), (True, [*ties, (0, "mixture")])):
        figure = plt.figure(figsize=script.SIZE)
        script.draw(figure, arrays, numbers | ({"mixture_ties": True} if more else {}))
        written = [text.get_text() for text in figure.axes[-1].texts]
        heights = [bar.get_height() for bar in figure.axes[-1].patches]
        plt.close(figure)
        assert written.count("a tie") == len(others)
        assert heights == sorted(heights, reverse=True) and len(heights) == len(script.NAMES)
        assert sum("cells" in text for text in written) == sum(text[0] == "≤" for text in written)


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_who_knows_the_wind_sails_south_to_the_trades_and_a_dream_becomes_true_in_the_end(seed):
    arrays, numbers = computed("figure_1_03_sailing", seed)
    south = {name: arrays[f"{name}_tracks"][:, :, 0].min(axis=1) for name in ("shown", "blind")}
    assert (south["shown"] < 30).all() and (south["blind"] > 35).all()
    gaps = [numbers[f"model_{i}"] - numbers[f"dreamt_{i}"] for i in range(7)]
    assert gaps[0] > 8 and abs(gaps[-1]) < 1 and numbers["model_6"] < numbers["optimum"] + 0.5
    assert numbers["optimum"] < 29.3 and 98 < numbers["blind"] < 99


def test_the_gallery_says_with_numbers_what_a_figure_is_too_small_for(tmp_path):
    assert make_figures.main(arguments=["figure_1_06_world", "--format", "svg", "--output",
                                        str(tmp_path)]) == 0
    note = json.loads((tmp_path / "manifest.json").read_text())["figure_1_06_world"]["note"]
    assert "0 and 1.87e-05 at A" in note and "4.65e-05 and 0 at B" in note and "{" not in note

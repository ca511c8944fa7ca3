"""What all figures share: how they are written, for eyes, ears and screens of every kind."""

import xml.etree.ElementTree as ElementTree

import matplotlib
import pytest

matplotlib.use("agg")
import make_figures  # noqa: E402, F401
import matplotlib.pyplot as plt  # noqa: E402
import style  # noqa: E402
from maps import draw_coast, frame_map  # noqa: E402

from gdl_numpy.world.world_map import WorldMap  # noqa: E402

SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture
def saved(tmp_path):
    """A function that draws on new axes, saves, and returns the root of the SVG file."""
    def saved(draw, title="A title & more", alt="Words < 10."):
        with style.ours():
            figure, ax = plt.subplots()
            draw(ax)
            style.save(figure, tmp_path / "x.svg", title, alt)
            plt.close(figure)
        return ElementTree.parse(tmp_path / "x.svg").getroot()
    return saved


def test_an_svg_file_is_one_picture_whose_name_and_description_are_read_aloud(saved):
    root = saved(lambda ax: ax.plot([1, 2]))
    title, desc = list(root)[:2]                            # readers look at the first alone
    assert root.get("role") == "img"
    assert root.get("aria-labelledby").split() == [title.get("id"), desc.get("id")]
    assert (title.tag, title.text) == (f"{SVG}title", "A title & more")
    assert (desc.tag, desc.text) == (f"{SVG}desc", "Words < 10.")


def test_words_and_formulas_are_text_in_a_font_that_everyone_has(saved):
    root = saved(lambda ax: ax.set(xlabel="words to be found", ylabel=r"$\theta_1$ of it"))
    texts = ["".join(text.itertext()).strip() for text in root.iter(f"{SVG}text")]
    assert "words to be found" in texts and any("θ" in text for text in texts)
    styles = [part.get("style") for part in root.iter() if "DejaVu" in part.get("style", "")]
    assert styles and all("Verdana" in how and "sans-serif" in how for how in styles)


def test_the_coasts_of_the_world_are_pixels_in_an_svg_file(saved, tmp_path):
    def draw(ax):
        draw_coast(ax, WorldMap().coast, edgecolor="black")
        frame_map(ax)

    assert [*saved(draw).iter(f"{SVG}image")]
    assert (tmp_path / "x.svg").stat().st_size < 200_000    # a fifth of what its lines take


def test_a_figure_has_the_same_bytes_after_others_and_other_formats(tmp_path):
    def written(*endings):
        with style.ours():
            figure = plt.figure()
            for part in figure.subfigures(1, 2):
                axes = part.subplots(2, 2)
                axes[0, 0].plot([1, 3, 2], label="a"), axes[0, 0].legend()
                axes[1, 1].imshow([[0, 1]], aspect="auto")
            style.caption(figure, "$x_1$ and -1")
            for other in endings:
                style.save(figure, tmp_path / f"x.{other}", "a title", "words")
            plt.close(figure)
        return {other: (tmp_path / f"x.{other}").read_bytes() for other in endings}

    alone = written("svg") | written("png") | written("pdf")
    assert written("png", "svg", "pdf") == alone

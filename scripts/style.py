"""Style: what all figures share, and how one is written to disk."""

import io
import re
from xml.sax.saxutils import escape

import matplotlib as mpl
import matplotlib.style
import numpy as np
from PIL import Image  # Matplotlib needs it too

from gdl_numpy.networks.storage import write_whole

# Okabe and Ito's palette: distinct for all common kinds of color vision
BLACK, ORANGE, SKY, GREEN = "#000000", "#E69F00", "#56B4E9", "#009E73"
YELLOW, BLUE, VERMILION, PURPLE = "#F0E442", "#0072B2", "#D55E00", "#CC79A7"
DARK_ORANGE = "#9A6300"                                     # words, which need more contrast
LAND, SEA, INK = "#C9C9C9", "#FFFFFF", "#222222"

SVG_DPI = 110                                               # of the parts that are pixels
FONTS = ["DejaVu Sans", "Verdana", "sans-serif"]
RC = {
    "font.size": 12, "axes.titlesize": 14, "axes.titleweight": "bold", "axes.titlelocation": "left",
    "axes.labelsize": 12, "legend.fontsize": 11, "text.color": INK, "axes.labelcolor": INK,
    "axes.edgecolor": "#888888", "xtick.color": INK, "ytick.color": INK,
    "axes.spines.top": False, "axes.spines.right": False,
    "figure.dpi": 100, "savefig.dpi": 150, "figure.constrained_layout.use": True,
    "svg.hashsalt": "gdl_numpy",                            # the same identifiers in every run
    # Text stays text in an SVG file: it can be found, copied and enlarged. A reader who does not
    # have our font gets Verdana, which is as wide, or another one, which is narrower.
    "svg.fonttype": "none", "font.sans-serif": FONTS,
}


def ours():
    """A context of Matplotlib's own defaults and ours, whatever a user's matplotlibrc says."""
    return mpl.style.context(["default", RC])


def save(figure, path, title, alt):
    """Write `figure` to `path` whole or not at all; every format carries title and alt text."""
    ending = path.suffix[1:]
    metadata = {
        "svg": {"Date": None, "Creator": None},
        "png": {"Title": title, "Description": alt, "Software": None},
        "pdf": {"Title": title, "Subject": alt, "CreationDate": None, "Producer": None,
                "Creator": None},
    }[ending]
    how = {"dpi": SVG_DPI} if ending == "svg" else {}
    settle(figure)

    def write(file):
        content = io.BytesIO()
        figure.savefig(content, format=ending, metadata=metadata, **how)
        content = content.getvalue()
        if ending == "svg":
            content = described(content.decode(), path.stem, title, alt).encode()
        file.write(content)

    write_whole(path, write)


def described(svg, name, title, alt):
    """An SVG file that says what it shows to those who cannot see it, as browsers read it aloud.

    Where pages include several files, the `name` keeps their identifiers apart.
    """
    fonts = ", ".join(map(repr, FONTS[:-1])) + f", {FONTS[-1]}"
    svg = re.sub(f"{FONTS[0]!r}(?=[;\"])", fonts, svg)       # in formulas it stands alone
    begin = re.search(r"<svg\b[^>]*", svg).end()
    return (f'{svg[:begin]} role="img" aria-labelledby="{name}-title {name}-desc">\n'
            f' <title id="{name}-title">{escape(title)}</title>\n'
            f' <desc id="{name}-desc">{escape(alt)}</desc>{svg[begin + 1:]}')


def save_animation(figure, path, frames, title):
    """Write a GIF: the figure as it looks after each step of `frames`, the last one for longer."""
    pictures = []
    for _ in frames:
        settle(figure)                                      # at the first; no later one moves
        figure.canvas.draw()
        pictures.append(Image.fromarray(np.asarray(figure.canvas.buffer_rgba())[..., :3].copy()))
    palette = Image.new("P", (1, 1))
    palette.putpalette(sum(colors_of_gif(), ()))
    first, *others = (picture.quantize(palette=palette, dither=Image.Dither.NONE)
                      for picture in pictures)
    write_whole(path, lambda file: first.save(
        file, format="GIF", save_all=True, append_images=others, loop=0, comment=title.encode(),
        duration=[120] * len(others) + [3000]))             # ms


def colors_of_gif():
    """Our colors of points and words on land and sea, and halfway between, as bytes."""
    grounds = [np.array(mpl.colors.to_rgb(color)) for color in (SEA, LAND)]
    marks = [np.array(mpl.colors.to_rgb(color)) for color in (INK, BLUE, VERMILION)]
    mixed = [(mark + ground) / 2 for mark in marks for ground in grounds]
    return [tuple((255 * color).round().astype(int).tolist()) for color in grounds + marks + mixed]


def settle(figure):
    """Lay `figure` out, once for all its files, and round where its parts lie.

    The solver of the layout takes its unknowns in the order of their addresses in memory, so the
    last bits of a place differ from run to run; names in an SVG file are made from all of its bits.
    """
    if not isinstance(figure.get_layout_engine(), mpl.layout_engine.ConstrainedLayoutEngine):
        return                                              # laid out before
    figure.draw_without_rendering()
    figure.set_layout_engine("none")
    for part in figure.findobj(mpl.figure.FigureBase):
        if part is not figure:
            part.bbox_relative.set_points(part.bbox_relative.get_points().round(6))
        for text in part.texts:
            text.set_position(np.round(text.get_position(), 6))
    for ax in figure.axes:
        place = ax.get_position(original=True).get_points()
        ax.set_position(mpl.transforms.Bbox(place.round(6)))


def headline(figure, text):
    """The title of a whole figure, upper left; it says the result."""
    figure.suptitle(text, x=0.01, ha="left", size=14, weight="bold")


def caption(figure, *lines):
    """Sentences below everything else, left-aligned; hyphens before digits become minus signs."""
    text = re.sub(r"(?<![\w$])-(?=\d)", "−", "\n".join(lines))
    figure.supxlabel(text, x=0.02, ha="left", size=12, linespacing=1.5)


def stages(figure, titles, widths):
    """Subfigures from left to right, joined by arrows: training set, model, new observation, ..."""
    gap = 0.06 * sum(widths)                                # an arrow's room
    widths = [width for part in widths for width in (part, gap)][:-1]
    parts = figure.subfigures(1, len(widths), width_ratios=widths)
    for part, title in zip(parts[::2], titles, strict=True):
        part.suptitle(title, size=13, weight="bold")
    for part in parts[1::2]:
        part.patches.append(mpl.patches.FancyArrowPatch(
            (0.1, 0.5), (0.9, 0.5), transform=part.transSubfigure, color=INK,
            arrowstyle="-|>", mutation_scale=26, linewidth=2.5))
    return parts[::2]


def show_picture(ax, picture, color=None, label=None):
    """A picture without ticks, framed in `color`, with a word below."""
    ax.imshow(picture.clip(0, 1), interpolation="nearest")
    ax.set(xticks=[], yticks=[])
    for spine in ax.spines.values():
        spine.set(visible=color is not None, color=color, linewidth=3)
    if label is not None:
        ax.set_xlabel(label, color=INK)

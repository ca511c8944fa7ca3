"""What figures/*.json hold, and how their numbers are said in words."""

from files import FIGURES, read_json

ROOT = FIGURES.parent
HOW = {"exact": "{}", "bound": "≤ {}", "grid": "{}, Z by a grid", "flow": "{}, of its flow"}


def load(name):
    """The content of a JSON file of figures/."""
    return read_json(FIGURES / name)


def spoken(name):
    """A name of the package as words."""
    return name.replace("_", " ")


def kl_in_words(row, spread=False):
    """The KL of a row of the scoreboard and how it is known; nothing if it is not."""
    if row["how"] not in HOW:
        return ""
    more = f" ± {row['kl_spread']:.3f}" if spread and row["kl"] != "inf" else ""
    return HOW[row["how"]].format("∞" if row["kl"] == "inf" else f"{row['kl']:.3f}{more}")

"""What figures/*.json hold, and how their numbers are said in words."""

from command import WrongUse
from files import FIGURES, read_json

ROOT = FIGURES.parent
HOW = {"exact": "{}", "bound": "≤ {}", "grid": "{}, Z by a grid", "flow": "{}, of its flow"}


class Report(dict):
    """An object of a JSON file: WrongUse, which names the file, where it lacks what is asked for.
    """

    def __init__(self, content, path):
        super().__init__({key: _named(value, path) for key, value in content.items()})
        self.path = path

    def __missing__(self, key):
        raise WrongUse(f"{self.path} has no {key!r}, make it anew")


def _named(content, path):
    if isinstance(content, list):
        return [_named(value, path) for value in content]
    return Report(content, path) if isinstance(content, dict) else content


def load(name):
    """The content of a JSON file of figures/, an object."""
    content, path = read_json(FIGURES / name), FIGURES / name
    if not isinstance(content, dict):
        raise WrongUse(f"{path} is broken, make it anew: it must hold an object")
    return Report(content, path)


def spoken(name):
    """A name of the package as words."""
    return name.replace("_", " ")


def counted(n):
    """A small number as a word, as texts have it."""
    words = "no one two three four five six seven eight nine ten".split()
    return words[n] if n < len(words) else f"{n:,}"


def kl_in_words(row, spread=False):
    """The KL of a row of the scoreboard and how it is known; nothing if it is not."""
    if row["how"] not in HOW:
        return ""
    more = f" ± {row['kl_spread']:.3f}" if spread and row["kl"] != "inf" else ""
    return HOW[row["how"]].format("∞" if row["kl"] == "inf" else f"{row['kl']:.3f}{more}")

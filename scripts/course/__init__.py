"""Course: which functions of the package are exercises, in which order, and what each asks.

The list is data, `exercises.toml`, and this module reads it; `python scripts/exercise.py` is how a
reader works through it. Two kinds of exercises:

    a function     of gdl_numpy, whose body the reader writes; the tests of its module judge it
    a question     of the errata; the reader writes functions or numbers, and questions.py computes
                   whether they are an answer

    >>> import course
    >>> course.of("probability.density", "Normal.log_prob").name
    'normal_log_prob'

A name is that of the class and of the method, in lower case, with underscores between words and
none in front, and without `__call__`: `Adam.__call__` is called adam, `Mixture._log_prob`
mixture_log_prob.
"""

import functools
import re
import tomllib
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
DATA = Path(__file__).with_name("exercises.toml")
LEVELS = "one line", "a few lines", "a derivation"


@dataclass(frozen=True)
class Exercise:
    """A function or method `qualname` of gdl_numpy.`module`, whose body is to be written.

    `also` has tests beside those of the module, as pytest names them, from the root on.
    """
    module: str
    qualname: str
    level: str
    asks: str
    also: tuple = ()

    @property
    def name(self):
        words = re.sub(r"(?<=[a-z])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])|\.", "_", self.qualname)
        return re.sub("_+", "_", words.replace("__call__", "")).strip("_").lower()

    @property
    def function(self):
        """Its name in the code, without the class."""
        return self.qualname.rpartition(".")[2]

    @property
    def source(self):
        """The file of the package, from the root of the repository on."""
        return Path("gdl_numpy", *self.module.split(".")).with_suffix(".py")

    @property
    def tests(self):
        room, _, module = self.module.rpartition(".")
        return Path("tests", room, f"test_{module}.py")


@dataclass(frozen=True)
class Question:
    """A question of an erratum, whose answer is code; the reader's file begins with `start`."""
    name: str
    erratum: str
    module: str
    level: str
    asks: str
    hints: list
    start: str
    source = Exercise.source
    tests = Exercise.tests


@functools.cache
def exercises():
    """All exercises by name, functions first, in reading order."""
    data = tomllib.loads(DATA.read_text(encoding="utf-8"))
    found = [*(Exercise(**entry) for entry in data["function"]),
             *(Question(**entry) for entry in data["question"])]
    return {exercise.name: exercise for exercise in found}


def of(module, qualname):
    """The exercise that asks for this function of gdl_numpy.`module`, or None."""
    module = module.removeprefix("gdl_numpy.")
    for exercise in exercises().values():
        if isinstance(exercise, Exercise) and (
                (exercise.module, exercise.qualname) == (module, qualname)):
            return exercise
    return None

"""The errata as exercises: right answers pass, and wrong ones are told why, with numbers."""

import inspect
import re
from types import SimpleNamespace

import course
import numpy as np
import pytest
from course import questions

import gdl_numpy

QUESTIONS = {name: exercise for name, exercise in course.exercises().items()
             if isinstance(exercise, course.Question)}
SQUARE = [[0, 0], [1, 1], [2, 2], [1.1, 0.9]]
RIGHT = {
    "density_above_one": dict(low=3, high=3.5, density=lambda x: 2 + 0 * x),
    "no_density": dict(f=lambda x: np.where(abs(x) < 1, 1.0, np.where(abs(x) < 2, -0.5, 0))),
    "unit_of_density_one": dict(unit=64_800**0.5),
    "boxes_out_of_range": dict(wide=1e4, narrow=1e-4),
    "likelihood_area_four": dict(x=0.5, density=lambda x, theta: theta * np.exp(-theta * x)),
    "list_not_set": dict(X=[-1, -1, -1, 3]),
    "prior_of_a_coin": dict(prior=lambda p: 13.581 * (p * (1 - p))**1.5),
    "turned_rectangle": dict(X=SQUARE, rectangle=[[-0.1, 0.1], [0.1, -0.1], [2.1, 1.9],
                                                  [1.9, 2.1]]),
    "swapped_to_sea": dict(point=(-10, -60)),
    "far_from_the_mode": dict(d=9),
    "denser_but_less_probable": dict(mu_0=0, mu_1=1, x=0.6, prior=0.1),
    "flow_without_its_factor": dict(f=lambda x: np.where(x < 0, 2 * x, 2 * x / 3)),
}
WRONG = [
    ("density_above_one", dict(low=0, high=1, density=lambda x: 1 + 0 * x), "does not exceed 1"),
    ("density_above_one", dict(low=0, high=1, density=lambda x: 2 + 0 * x), "is 2, and must be 1"),
    ("density_above_one", dict(low=1, high=0, density=lambda x: x), "must be below high"),
    ("density_above_one", dict(low=0, high=0.5, density=lambda x: 8 * x), "at 0 it is 0"),
    ("density_above_one", dict(low=0, high=1, density=lambda x: x[:3]), "got (3,)"),
    ("density_above_one", dict(low=0, high=1, density=2), "must be a function"),
    ("no_density", dict(f=lambda x: np.where(abs(x) < 0.5, 1.0, 0)), "so that it is a density"),
    ("no_density", dict(f=lambda x: np.sin(x)), "must be 1"),
    ("no_density", dict(f=lambda x: 1 / x), "must be finite, and is inf at 0"),
    ("unit_of_density_one", dict(unit=64_800), "the density is 6.48e+04, and must be 1"),
    ("unit_of_density_one", dict(unit="much"), "unit must be a number, got 'much'"),
    ("boxes_out_of_range", dict(wide=1e3, narrow=1e-4), "is 1e-300, and must be 0.0"),
    ("boxes_out_of_range", dict(wide=1e4, narrow=0.1), "is 1e+100, and must be inf"),
    ("likelihood_area_four", dict(x=1, density=lambda x, t: t * np.exp(-t * x)),
     "the integral of the likelihood over θ is 1, and must be 4"),
    ("likelihood_area_four", dict(x=0.5, density=lambda x, t: np.exp(-t * x) + 0 * t),
     "for θ = 0.2 the integral over x is 5, and must be 1"),
    ("list_not_set", dict(X=[-1, 3]), "for the list is 1, and must be 0"),
    ("list_not_set", dict(X=[-1, 1]), "for the set is 0, and must be 1"),
    ("list_not_set", dict(X=[0]), "two different numbers"),
    ("prior_of_a_coin", dict(prior=lambda p: 1 + 0 * p), "three heads of three is 1, and must be"),
    ("prior_of_a_coin", dict(prior=lambda p: 6 * p * (1 - p)), "is 0.8, and must be 0.75"),
    ("turned_rectangle", dict(X=SQUARE, rectangle=[[0, 0], [2, 0], [2, 2], [0, 2]]),
     "has the area 4, and the box θ̂ only 4"),
    ("turned_rectangle", dict(X=SQUARE, rectangle=[[0, 0], [1, 0], [1, 1], [0, 1]]),
     "[2.0, 2.0] lies outside"),
    ("turned_rectangle", dict(X=SQUARE, rectangle=[[0, 0], [2, 1], [2, 2], [0, 2]]),
     "not those of a rectangle"),
    ("swapped_to_sea", dict(point=(40.7, -73.9)), "is land, and swapped, [-73.9, 40.7] is land"),
    ("swapped_to_sea", dict(point=(30, -120)), "so that they can be swapped"),
    ("far_from_the_mode", dict(d=8), "is 0.00175"),
    ("far_from_the_mode", dict(d=100), "fewer dimensions will do"),
    ("denser_but_less_probable", dict(mu_0=0, mu_1=1, x=0.6, prior=0.5), "p(1|x) is 0.525"),
    ("denser_but_less_probable", dict(mu_0=0, mu_1=1, x=0.1, prior=0.1), "must exceed p(x|0)"),
    ("flow_without_its_factor", dict(f=lambda x: 2 * x), "is 0.5, and must be 1"),
    ("flow_without_its_factor", dict(f=lambda x: x + 3), "the slope of f is 1 nearly everywhere"),
    ("flow_without_its_factor", dict(f=lambda x: -x), "f must rise everywhere"),
]


def test_every_question_has_a_checker_and_every_checker_a_question():
    checkers = {name for name, function in inspect.getmembers(questions, inspect.isfunction)
                if list(inspect.signature(function).parameters) == ["answer"]}
    assert checkers == set(QUESTIONS) == set(RIGHT)


@pytest.mark.parametrize("name", RIGHT)
def test_a_right_answer_is_told_what_it_shows(name):
    assert re.search(r"\d", getattr(questions, name)(SimpleNamespace(**RIGHT[name])))


@pytest.mark.parametrize("name, answer, said", WRONG)
def test_a_wrong_answer_is_told_why_with_numbers(name, answer, said):
    with np.errstate(all="ignore"), pytest.raises(questions.Wrong) as wrong:
        getattr(questions, name)(SimpleNamespace(**answer))
    assert said in str(wrong.value)


@pytest.mark.parametrize("name", QUESTIONS)
def test_what_a_question_begins_with_is_no_answer_yet(name):
    answer = {}
    exec(QUESTIONS[name].start, answer)                     # noqa: S102
    with pytest.raises((questions.Wrong, NotImplementedError)):
        getattr(questions, name)(SimpleNamespace(**answer))


@pytest.mark.parametrize("name", QUESTIONS)
def test_a_question_belongs_to_an_erratum_of_its_module_which_has_a_test(name):
    question = QUESTIONS[name]
    source = (course.ROOT / question.source).read_text(encoding="utf-8")
    assert re.search(rf"^{question.erratum} ", source, flags=re.M)
    tests = "".join(path.read_text(encoding="utf-8") for path in [course.ROOT / question.tests])
    assert f"def test_{question.erratum.lower()}_" in tests
    assert question.hints and question.level in course.LEVELS
    assert gdl_numpy.__name__ in str(question.source)

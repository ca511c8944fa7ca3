"""Checks: what is refused at the door, and by which words."""

import numpy
import pytest

from gdl_numpy.numerics import checks
from gdl_numpy.numerics.backend import array_module

NAN, INF = float("nan"), float("inf")

NOT_DATA = [
    ([[1.0, 2.0, 3.0]], ValueError, r"X has 3 columns; (it must lie in|this family lives on) R\^2"),
    ([[1.0]], ValueError, "X has 1 columns"),
    ([1.0, 2.0], ValueError, r"X must have shape \(n, 2\), one observation a row, got .*\(2,\)"),
    (1.0, ValueError, r"X must have shape \(n, 2\), one observation a row, got .*\(\)"),
    ([[[1.0, 2.0]]], ValueError, r"X must have shape \(n, 2\).*\(1, 1, 2\)"),
    ([[1.0, 2.0], [3.0]], ValueError, "X is ragged"),
    ([[1.0, NAN]], ValueError, "X holds nan"),
    ([[1.0, -INF]], ValueError, "X holds -inf"),
    ([["1", "2"]], TypeError, "X must hold real numbers"),
    ([[1.0, None]], TypeError, "X must hold real numbers, got dtype object"),
    (None, TypeError, "X must hold real numbers"),
]


@pytest.mark.parametrize("X, error, words", NOT_DATA)
def test_what_is_no_list_of_points_in_the_plane_is_refused(X, error, words):
    with pytest.raises(error, match=words):
        checks.observations(X, like=numpy.zeros(2))
    with pytest.raises(error, match=words):
        checks.data_set(X, 2)


def test_no_observations_are_observations_but_no_data_set():
    empty = numpy.zeros((0, 2))
    assert checks.observations(empty, like=numpy.zeros(2)).shape == (0, 2)
    with pytest.raises(ValueError, match="X is empty: nothing can be estimated"):
        checks.data_set(empty, 2)


def test_a_data_set_may_have_any_number_of_columns_if_none_is_asked_for():
    assert checks.data_set([[1, 2, 3]]).shape == (1, 3)
    with pytest.raises(ValueError, match=r"X must have shape \(n, d\)"):
        checks.data_set([1, 2, 3])


@pytest.mark.parametrize("n", [3, numpy.int8(3), numpy.uint64(3), numpy.array(3)])
def test_whole_numbers_of_every_kind_are_taken(n):
    whole = checks.whole_number(n, "n")
    assert type(whole) is int and whole == 3


@pytest.mark.parametrize("n", [3.0, "3", None, True, numpy.True_, numpy.float64(3),
                               numpy.array(2.5), numpy.array([1, 2]), [3]])
def test_what_is_no_whole_number_is_refused(n):
    with pytest.raises(TypeError, match="n must be a whole number, got"):
        checks.whole_number(n, "n")


@pytest.mark.parametrize("n, least", [(-1, 0), (0, 1), (numpy.int64(4), 5)])
def test_a_number_that_is_too_small_is_refused(n, least):
    with pytest.raises(ValueError, match=f"k must be at least {least}, got {n}"):
        checks.whole_number(n, "k", least)


def test_whole_numbers_are_a_tuple_of_them_or_an_error_that_names_them():
    assert checks.whole_numbers([1, numpy.int64(2)], "hidden", 1) == (1, 2)
    assert checks.whole_numbers((), "hidden") == ()
    with pytest.raises(TypeError, match="hidden must be a list of whole numbers, got 8"):
        checks.whole_numbers(8, "hidden")
    with pytest.raises(ValueError, match="hidden must be at least 1, got 0"):
        checks.whole_numbers((3, 0), "hidden", 1)


# Contracts

def test_observations_follow_the_module_and_dtype_of_what_they_meet(xp):
    like = xp.zeros(2, dtype="float32")
    for X in ([[1, 2]], ((1, 2),), xp.asarray([[1, 2]]), xp.asarray([[1.0, 2.0]])):
        X = checks.observations(X, like)
        assert array_module(X) is xp and X.dtype == "float32" and X.shape == (1, 2)

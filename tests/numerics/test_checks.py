"""Checks: what each takes and gives on, and the words in which it refuses the rest."""

import math
import re
from collections import deque

import numpy
import pytest
import stand_in_cupy

from gdl_numpy.numerics import checks
from gdl_numpy.numerics.backend import array_module, to_numpy

NAN, INF = math.nan, math.inf


def refused(error, words):
    """pytest.raises for this error with exactly these words."""
    return pytest.raises(error, match=f"^{re.escape(words)}$")


# Numbers

@pytest.mark.parametrize("n", [3, numpy.int64(3), numpy.uint8(3), numpy.array(3)])
def test_a_whole_number_may_be_of_any_whole_type_and_becomes_an_int(n):
    assert checks.whole_number(n, "n", least=3, most=3) == 3
    assert type(checks.whole_number(n, "n")) is int


@pytest.mark.parametrize("n, shown", [
    (3.0, "3.0"), (NAN, "nan"), ("3", "'3'"), (b"3", "b'3'"), (None, "None"), (True, "True"),
    (numpy.bool_(True), "np.True_"), (numpy.float64(3), "np.float64(3.0)"), ([3], "[3]"),
    (numpy.array([3]), "array([3])"), (3 + 0j, "(3+0j)"),
])
def test_what_is_not_a_whole_number_is_refused(n, shown):
    with refused(TypeError, f"k must be a whole number, got {shown}"):
        checks.whole_number(n, "k")


@pytest.mark.parametrize("n, least, most, words", [
    (-1, 0, None, "k must be at least 0, got -1"), (0, 1, None, "k must be at least 1, got 0"),
    (6, 1, 5, "k must be at most 5, got 6"), (1, 0, 0, "k must be at most 0, got 1"),
])
def test_a_whole_number_out_of_range_is_refused(n, least, most, words):
    with refused(ValueError, words):
        checks.whole_number(n, "k", least, most)


def test_a_whole_number_is_at_least_0_unless_something_else_is_said():
    assert checks.whole_number(0, "k") == 0 and checks.whole_number(-5, "k", least=-5) == -5


@pytest.mark.parametrize("values", [(2, 3), [2, 3], numpy.array([2, 3]), iter([2, 3])])
def test_whole_numbers_become_a_tuple_of_ints(values):
    whole = checks.whole_numbers(values, "sizes")
    assert whole == (2, 3) and set(map(type, whole)) == {int}


def test_a_list_of_what_are_not_all_whole_numbers_is_refused():
    assert checks.whole_numbers((), "sizes") == ()
    with refused(TypeError, "sizes must be a list of whole numbers, got 3"):
        checks.whole_numbers(3, "sizes")
    with refused(TypeError, "sizes must be a whole number, got 2.5"):
        checks.whole_numbers((1, 2.5), "sizes")
    with refused(ValueError, "sizes must be at least 1, got 0"):
        checks.whole_numbers((1, 0), "sizes", least=1)


@pytest.mark.parametrize("interval, inside, outside", [
    ("[0, 1)", [0, 0.5, 1 - 1e-16, -0.0], [-1e-300, 1, 2, INF, -INF, NAN]),
    ("(0, 1]", [1e-300, 1], [0, 1 + 1e-15, -1, NAN]),
    ("[0, 1]", [0, 1], [-1e-300, 1 + 1e-15, NAN]),
    ("(0, 1)", [1e-300, 0.5], [0, 1, NAN]),
    ("(0, inf)", [1e-300, 1e300], [0, -1, INF, NAN]),
    ("[0, inf)", [0, 1e300], [-1e-300, INF, NAN]),
    ("(0, inf]", [1, INF], [0, -INF, NAN]),
    ("[-inf, inf]", [-INF, INF], [NAN]),
    ("(-inf, inf)", [-1e300, 0, 1e300], [INF, -INF, NAN]),
    ("[-1.5, 2e3]", [-1.5, 2000], [-1.6, 2001, NAN]),
])
def test_a_square_bracket_holds_the_end_of_an_interval_and_a_round_one_does_not(
        interval, inside, outside):
    for value in inside:
        assert checks.number(value, "a", interval) == value
    for value in outside:
        with refused(ValueError, f"a must lie in {interval}, got {value}"):
            checks.number(value, "a", interval)


@pytest.mark.parametrize("value", [2, 2.0, numpy.int32(2), numpy.float32(2), numpy.array(2.0)])
def test_a_number_may_be_of_any_real_type_and_becomes_a_float(value):
    assert checks.number(value, "a") == 2 and type(checks.number(value, "a")) is float


@pytest.mark.parametrize("value, shown", [
    ("2", "'2'"), (b"2", "b'2'"), ("cat", "'cat'"), (True, "True"), (None, "None"),
    ([2.0], "[2.0]"), (numpy.bool_(True), "np.True_"), (numpy.array([2.0]), "array([2.])"),
    (2 + 0j, "(2+0j)"),
    (numpy.array([[2.0]]), "array([[2.]])"), (numpy.array([1.0, 2.0]), "array([1., 2.])"),
])
def test_what_is_not_a_number_is_refused(value, shown):
    with refused(TypeError, f"a must be a number in [0, inf), got {shown}"):
        checks.number(value, "a", "[0, inf)")


def test_without_an_interval_every_finite_number_is_taken():
    assert checks.number(-7, "a") == -7
    with refused(ValueError, "a must lie in (-inf, inf), got inf"):
        checks.number(INF, "a")
    with refused(TypeError, "a must be a number in (-inf, inf), got None"):
        checks.number(None, "a")


@pytest.mark.parametrize("order, d, numbers", [
    (None, 3, [0, 1, 2]), ((2, 0, 1), 3, [2, 0, 1]), (numpy.array([1, 0]), 2, [1, 0]), ([], 0, [])])
def test_a_permutation_is_a_list_of_all_numbers_in_some_order(order, d, numbers):
    assert checks.permutation(order, "order", d) == numbers


@pytest.mark.parametrize("order", [(0, 1), (0, 1, 1), (1, 2, 3), (0, 1, 2, 3)])
def test_what_leaves_a_number_out_is_not_a_permutation(order):
    with refused(ValueError, f"order must hold each of 0, ..., 2 once, got {order}"):
        checks.permutation(order, "order", 3)


def test_numbers_that_are_not_whole_are_not_a_permutation():
    with refused(TypeError, "order must be a whole number, got 0.0"):
        checks.permutation((0.0, 1.0), "order", 2)


def test_two_numbers_fall_if_the_second_is_below_the_first():
    for pair in [(2, 1), [2.0, 1.0], numpy.array([2, 1])]:
        assert checks.falling(pair, "range") == (2.0, 1.0)


@pytest.mark.parametrize("values", [(1, 1), (1, 2), (2,), (3, 2, 1), 3, None, (),
                                    numpy.array(3.0), numpy.array(None)])
def test_what_does_not_fall_or_is_not_a_pair_is_refused(values):
    with refused(ValueError, "range must be two finite numbers, the second below the first, got "
                 f"{values!r}"):
        checks.falling(values, "range")


def test_a_pair_that_holds_infinity_does_not_fall():
    with refused(ValueError, "range must be two finite numbers, the second below the first, got "
                             "(inf, 1)"):
        checks.falling((INF, 1), "range")


def test_a_choice_is_one_of_the_names():
    assert checks.choice("relu", "activation", {"tanh": 1, "relu": 2}) == "relu"
    for wrong, shown in [("sine", "'sine'"), ("RELU", "'RELU'"), ("", "''"), (None, "None"),
                         (0, "0"), (["tanh"], "['tanh']")]:
        with refused(ValueError, f"activation must be one of tanh, relu, got {shown}"):
            checks.choice(wrong, "activation", ("tanh", "relu"))


# Arrays

@pytest.mark.parametrize("like", [None, numpy.zeros(2)])
@pytest.mark.parametrize("x, error, words", [
    ([1.0, NAN], ValueError, "X holds nan: every number must be finite"),
    ([[1.0], [INF]], ValueError, "X holds inf: every number must be finite"),
    (-INF, ValueError, "X holds -inf: every number must be finite"),
    ([[1.0, 2.0], [3.0]], ValueError, "X is ragged: its rows must all have the same length"),
    (["1", "2"], TypeError, "X must hold real numbers, got dtype <U1"),
    ("12", TypeError, "X must hold real numbers, got dtype <U2"),
    ([1 + 2j], TypeError, "X must hold real numbers, got dtype complex128"),
    ([True, False], TypeError, "X must hold real numbers, got dtype bool"),
    ([None, 1.0], TypeError, "X must hold real numbers, got dtype object"),
    (None, TypeError, "X must hold real numbers, got dtype object"),
    ({1.0, 2.0}, TypeError, "X must hold real numbers, got dtype object"),
])
def test_what_holds_no_finite_real_numbers_is_refused(x, error, words, like):
    with refused(error, words):
        checks.real_array(x, "X", like)


@pytest.mark.parametrize("x, like", [([numpy.longdouble("1e400")], None),
                                     ([1.0, 1e300], numpy.zeros(1, numpy.float32))])
def test_what_a_conversion_makes_infinite_is_refused_in_words(x, like):
    with numpy.errstate(all="raise"), pytest.raises(ValueError, match="X holds inf: every number"):
        checks.real_array(numpy.array(x), "X", like)


def test_what_a_conversion_makes_0_is_0_whatever_numpy_is_told_to_raise():
    with numpy.errstate(all="raise"):
        x = checks.real_array([1e-60], "x", like=numpy.zeros(1, numpy.float32))
    assert x.tolist() == [0]


def test_of_several_numbers_that_are_not_finite_the_first_is_named():
    with refused(ValueError, "X holds -inf: every number must be finite"):
        checks.real_array([[1.0, 2.0], [-INF, NAN]], "X")


def test_whether_numbers_are_finite_is_not_asked_where_nothing_may_wait():
    assert numpy.isnan(checks.real_array([1.0, NAN], "X", finite=False)[1])
    with refused(TypeError, "X must hold real numbers, got dtype bool"):
        checks.real_array([True], "X", finite=False)


def test_observations_are_rows_of_the_dimension_that_they_must_meet():
    X = [[1, 2], [3, 4]]
    assert checks.observations(X, numpy.zeros(2)).tolist() == X
    assert checks.observations(X, numpy.zeros((5, 2))).tolist() == X
    assert checks.observations(X, numpy.zeros(9), d=2).tolist() == X
    assert checks.observations(numpy.zeros((0, 2)), numpy.zeros(2)).shape == (0, 2)
    assert checks.observations(X, numpy.zeros(2, "float32")).dtype == numpy.float32
    assert numpy.isnan(checks.observations([[NAN, 0]], numpy.zeros(2), finite=False)[0, 0])


@pytest.mark.parametrize("X, words", [
    ([1.0, 2.0], "Z must have shape (n, 2), one observation a row, got shape (2,)"),
    ([[[1.0, 2.0]]], "Z must have shape (n, 2), one observation a row, got shape (1, 1, 2)"),
    ([[1.0], [2.0]], "Z has 1 columns; it must lie in R^2"),
    ([[1.0, 2.0, 3.0]], "Z has 3 columns; it must lie in R^2"),
    ([[1.0, NAN]], "Z holds nan: every number must be finite"),
])
def test_observations_of_another_shape_are_refused(X, words):
    with refused(ValueError, words):
        checks.observations(X, numpy.zeros(2), name="Z")
    with refused(ValueError, words):
        checks.observations(X, numpy.zeros(7), name="Z", d=2)


def test_a_data_set_has_rows_and_the_dimension_of_its_family():
    assert checks.data_set([[1, 2]]).tolist() == [[1.0, 2.0]]
    assert checks.data_set([[1, 2]], d=2).dtype == float
    assert checks.data_set(numpy.ones((3, 2), "float32")).dtype == numpy.float32


@pytest.mark.parametrize("X, d, words", [
    ([1.0], None, "X must have shape (n, d), one observation a row, got shape (1,)"),
    ([1.0], 3, "X must have shape (n, 3), one observation a row, got shape (1,)"),
    ([[1.0]], 3, "X has 1 columns; it must lie in R^3"),
    (numpy.zeros((0, 3)), 3, "X is empty: nothing can be estimated from no observation"),
    (numpy.zeros((3, 0)), None, "X is empty: nothing can be estimated from no observation"),
    ([[INF]], 1, "X holds inf: every number must be finite"),
])
def test_to_what_nothing_can_be_fitted_is_refused(X, d, words):
    with refused(ValueError, words):
        checks.data_set(X, d)
    with refused(ValueError, words.replace("X", "K", 1)):
        checks.data_set(X, d, name="K")


def test_two_arrays_of_one_shape_are_taken_and_others_refused():
    U = numpy.zeros((2, 3))
    assert checks.same_shape(U, "U", numpy.ones((2, 3)), "X") is U
    for shape in [(3, 2), (2,), (1, 3), (2, 3, 1)]:
        with refused(ValueError, f"U must have the shape of X, {shape}, got (2, 3)"):
            checks.same_shape(U, "U", numpy.zeros(shape), "X")


def test_paired_arrays_have_equally_many_rows():
    Z = numpy.zeros((3, 2), "float32")
    assert checks.paired([[1], [2], [3]], "U", Z).dtype == numpy.float32
    assert checks.paired(numpy.zeros((3, 5)), "U", Z).shape == (3, 5)
    for U, of in [(numpy.zeros((2, 2)), "Z"), (numpy.zeros(3), "Z"), (numpy.zeros((4, 1)), "X")]:
        with refused(ValueError, f"U must have a row for each of the 3 rows of {of}, got shape "
                     f"{U.shape}"):
            checks.paired(U, "U", Z, of)


def test_the_first_row_off_the_space_is_named():
    X = numpy.array([[0.0, 0.0], [2.0, 0.0], [3.0, 0.0]])
    assert checks.rows_within(X, X[:, 0] < 9, "the box") is X
    assert len(checks.rows_within(X[:0], X[:0, 0] < 0, "the box")) == 0
    with refused(ValueError, "X must lie in the box, got the row [2. 0.]"):
        checks.rows_within(X, X[:, 0] < 1, "the box")
    with refused(ValueError, "Z must lie in the world, got the row [0. 0.]"):
        checks.rows_within(X, X[:, 0] < 0, "the world", name="Z")


def test_there_is_no_mean_over_no_rows():
    X = numpy.zeros((1, 2))
    assert checks.not_empty(X) is X
    with refused(ValueError, "X is empty: the mean over no rows is undefined"):
        checks.not_empty(X[:0])
    with refused(ValueError, "Z is empty: the mean over no rows is undefined"):
        checks.not_empty(X[:0], "Z")


# Models

def test_theta_is_a_finite_vector_of_its_family():
    assert checks.theta([1, 2, 3], 3).tolist() == [1.0, 2.0, 3.0]
    assert checks.theta(numpy.zeros(3, "float32"), 3).dtype == numpy.float32
    for theta, shape in [([1, 2], (2,)), ([[1, 2, 3]], (1, 3)), (1.0, ())]:
        with refused(ValueError, f"theta must be an array of shape (3,), got {shape}"):
            checks.theta(theta, 3)
    with refused(ValueError, "theta holds nan: every number must be finite"):
        checks.theta([1, NAN, 2], 3)
    with refused(TypeError, "theta must hold real numbers, got dtype <U3"):
        checks.theta("abc", 3)


def test_the_shape_of_theta_is_looked_at_without_a_look_at_its_numbers():
    theta = numpy.full(3, NAN)
    assert checks.theta_shape(theta, 3) is theta
    for wrong, shown in [(numpy.zeros(2), "(2,)"), (numpy.zeros((3, 1)), "(3, 1)"),
                         ([1, 2, 3], "<class 'list'>"), (None, "<class 'NoneType'>")]:
        with refused(ValueError, f"theta must be an array of shape (3,), got {shown}"):
            checks.theta_shape(wrong, 3)


def test_probabilities_are_a_copy_and_sum_to_1():
    weights = numpy.array([0.25, 0.75])
    copied = checks.probabilities(weights, "weights")
    copied += 1
    assert weights.tolist() == [0.25, 0.75]
    assert checks.probabilities([1, 0], "w", like=numpy.ones(2, "float32")).dtype == "float32"
    assert checks.probabilities([1.0 + 9e-7], "weights").tolist() == [1.0 + 9e-7]


@pytest.mark.parametrize("weights, words", [
    ([0.5, 0.4], "weights must sum to 1, got a sum of 0.9"),
    ([0.5, 0.6], "weights must sum to 1, got a sum of 1.1"),
    ([1.000002], "weights must sum to 1, got a sum of 1.000002"),
    ([1.5, -0.5], "weights must be one or more numbers and none negative, got [ 1.5 -0.5]"),
    ([], "weights must be one or more numbers and none negative, got []"),
    ([NAN, 1], "weights holds nan: every number must be finite"),
])
def test_weights_that_are_not_probabilities_are_refused(weights, words):
    with refused(ValueError, words):
        checks.probabilities(weights, "weights")


def test_wave_vectors_are_columns_in_the_space():
    assert checks.waves(None, 2) is None
    assert checks.waves([[1, 2, 3], [4, 5, 6]], 2).shape == (2, 3)
    for F, shape in [([[1.0, 2.0]], (1, 2)), ([1.0, 2.0], (2,))]:
        with refused(ValueError, f"waves must have shape (2, m), got shape {shape}"):
            checks.waves(F, 2)
    with refused(ValueError, "F must have shape (1, m), got shape (2, 1)"):
        checks.waves([[1.0], [2.0]], 1, "F")
    with refused(ValueError, "waves holds inf: every number must be finite"):
        checks.waves([[INF]], 1)


# Labels

@pytest.mark.parametrize("dtype", ["uint8", "int32", "int64"])
def test_labels_may_be_a_list_and_of_any_whole_type(dtype):
    X = numpy.zeros((3, 1))
    for y in ([0, 1, 2], numpy.array([0, 1, 2], dtype)):
        assert checks.labels(y, X).tolist() == checks.labels(y, X, 3).tolist() == [0, 1, 2]
    assert checks.labels(numpy.array([], int), X[:0], 3).shape == (0,)


@pytest.mark.parametrize("y, n_classes, error, words", [
    ([-2, 0, 2], None, ValueError, "y must hold labels from 0, got -2 to 2"),
    ([0, 1, 2], 2, ValueError, "y must hold labels from 0 to 1, got 0 to 2"),
    ([0, 1, -1], 2, ValueError, "y must hold labels from 0 to 1, got -1 to 1"),
    ([0.0, 1.0, 1.0], None, TypeError, "y must hold whole numbers, got dtype float64"),
    ([True, False, True], None, TypeError, "y must hold whole numbers, got dtype bool"),
    ([0, 1], None, ValueError,
     "y must have one label for each of the 3 rows of X, shape (3,), got shape (2,)"),
    ([[0], [1], [1]], 2, ValueError,
     "y must have one label for each of the 3 rows of X, shape (3,), got shape (3, 1)"),
])
def test_what_is_not_one_label_for_each_row_is_refused(y, n_classes, error, words):
    X = numpy.zeros((3, 1))
    with refused(error, words):
        checks.labels(y, X, n_classes)
    if "labels from" in words:                              # a look that waits, and can be left out
        assert checks.labels(y, X, n_classes, in_range=False).tolist() == y
    else:
        with refused(error, words):
            checks.labels(y, X, n_classes, in_range=False)


def test_labels_that_are_all_the_same_teach_no_difference():
    y = numpy.array([2, 2, 1])
    assert checks.different_labels(y) is y
    with refused(ValueError, "y must hold at least two different labels, got only 2"):
        checks.different_labels(y[:2])


def test_every_label_has_a_row_or_the_rows_are_counted():
    y = numpy.array([0, 2, 1, 0])
    assert checks.every_label(y, 3) is y
    for labels, n, rows in [(y, 4, [2, 1, 1, 0]), (2 * y, 5, [2, 0, 1, 0, 1]),
                            (y[1:2], 3, [0, 0, 1])]:
        with refused(ValueError, f"y must hold every label from 0 to {n - 1}, got {rows} rows of "
                     "each"):
            checks.every_label(labels, n)


# Chance

@pytest.mark.parametrize("rng", [
    None, 3, numpy.random, numpy.random.RandomState(0), numpy.random.Generator, "0",
])
def test_what_is_not_a_generator_is_refused_in_one_sentence(rng):
    words = ("rng must be a generator of random numbers, as numpy.random.default_rng(seed) or "
             "random_generator(seed, device) makes it, got " + f"{rng!r:.80}")
    with refused(TypeError, words):
        checks.rng(rng)
    with refused(TypeError, words):
        checks.draws(3, rng)


def test_a_generator_is_one_whatever_its_bits_come_from():
    for rng in (numpy.random.default_rng(0), numpy.random.Generator(numpy.random.MT19937(0)),
                stand_in_cupy.random.default_rng(0)):
        assert checks.rng(rng) is rng


def test_a_number_of_draws_is_a_whole_number_and_needs_a_generator():
    rng = numpy.random.default_rng(0)
    assert checks.draws(0, rng) == 0 and checks.draws(numpy.int64(3), rng) == 3
    with refused(ValueError, "n must be at least 0, got -1"):
        checks.draws(-1, rng)
    with refused(TypeError, "n must be a whole number, got 1.5"):
        checks.draws(1.5, rng)
    assert rng.random() == numpy.random.default_rng(0).random()         # nothing has been drawn


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
def test_what_is_not_a_list_of_points_in_the_plane_is_refused(X, error, words):
    with pytest.raises(error, match=words):
        checks.observations(X, like=numpy.zeros(2))
    with pytest.raises(error, match=words):
        checks.data_set(X, 2)


def test_rows_of_a_box_lie_in_it_its_edges_included():
    X = numpy.array([[0.0, 2.0], [1.0, 3.0]])
    assert (checks.rows_of_box(X.tolist(), [0, 2], [1, 3], "latent") == X).all()
    with pytest.raises(ValueError, match=r"latent must lie in \[0, 1\] x \[2, 2.5\], got the row "
                                         r"\[1. 3.\]"):
        checks.rows_of_box(X, [0, 2], [1, 2.5], "latent")
    with pytest.raises(ValueError, match=r"latent must lie in \[0, 2\]\^2, got the row \[1. 3.\]"):
        checks.rows_of_box(X, [0, 0], [2, 2], "latent")


def test_indices_are_whole_numbers_below_their_number_in_one_axis():
    X = numpy.zeros((3, 2))
    assert checks.indices([0, 2], "plan", 3, X).tolist() == [0, 2]
    assert checks.indices(numpy.zeros(0, int), "plan", 3, X).shape == (0,)
    for wrong, message in (([3], "from 0 to 2, got 3 to 3"), ([-1, 1], "from 0 to 2, got -1 to 1"),
                           ([0.0], "whole numbers, got dtype"), ([True], "numbers, got dtype bool"),
                           ([[0]], r"an array of shape \(n,\)"), ([[0], [1, 2]], "plan is ragged")):
        with pytest.raises((ValueError, TypeError), match=message):
            checks.indices(wrong, "plan", 3, X)
    with pytest.raises(ValueError, match=r"an array of shape \(2,\)"):
        checks.indices([0], "plan", 3, X, length=2)


def test_gray_levels_are_whole_numbers_below_their_number():
    assert checks.gray_levels([[0, 2]], 3).tolist() == [[0, 2]]
    assert checks.gray_levels([[0.0, 2.0]], 3).dtype == int
    for wrong, bad in (([[0, 3]], "3"), ([[-1, 0]], "-1"), ([[0.5, 0]], "0.5")):
        with pytest.raises(ValueError, match=f"K must hold whole numbers from 0 to 2, got {bad}"):
            checks.gray_levels(wrong, 3)


def test_a_number_that_is_optional_may_be_none():
    assert checks.number(None, "bound", "(0, inf)", optional=True) is None
    with pytest.raises(TypeError, match=r"bound must be a number in \(0, inf\), got None"):
        checks.number(None, "bound", "(0, inf)")
    with pytest.raises(ValueError, match=r"bound must lie in \(0, inf\), got 0"):
        checks.number(0, "bound", "(0, inf)", optional=True)


# Contracts

def test_integers_become_float64_and_floats_stay(xp):
    for x in ([1, 2], xp.asarray([1, 2])):
        assert checks.real_array(x, "x").dtype == float
    for dtype in ("float32", "float64"):
        assert checks.real_array(xp.asarray([1.0], dtype=dtype), "x").dtype == dtype


def test_like_gives_the_module_and_the_dtype(xp):
    like = xp.zeros(2, dtype="float32")
    for x in ([1, 2], (1.0, 2.0), xp.asarray([1, 2]), xp.asarray([1.0, 2.0])):
        array = checks.real_array(x, "x", like)
        assert array_module(array) is xp and array.dtype == "float32"
        assert to_numpy(array).tolist() == [1, 2]


def test_what_is_right_already_is_not_copied(xp):
    x = xp.zeros(3)
    same, same_as_well = checks.real_array(x, "x"), checks.real_array(x, "x", like=xp.ones(2))
    x += 1
    assert to_numpy(same).tolist() == to_numpy(same_as_well).tolist() == [1, 1, 1]


def test_arrays_of_two_devices_do_not_meet(device):
    host, there = numpy.zeros(3), device.zeros(3)
    for x, like in ((host, there), (there, host)):
        with refused(TypeError, f"X is an array of {array_module(x).__name__}, but what it meets "
                     f"here is an array of {array_module(like).__name__}: move one of them first"):
            checks.real_array(x, "X", like)
    with refused(TypeError, "X and y must live on the same device"):
        checks.labels(numpy.zeros(3, int), there)


@pytest.mark.parametrize("bad", [NAN, INF, -INF])
def test_the_error_shows_the_number_that_is_not_finite(xp, bad):
    with refused(ValueError, f"mu holds {bad}: every number must be finite"):
        checks.real_array(xp.asarray([[1.0, 2.0], [bad, 3.0]]), "mu")


def test_a_training_step_is_checked_without_waiting(device):
    theta, X, y = device.zeros(2), device.zeros((3, 2)), device.asarray([0, 1, 1])
    with stand_in_cupy.counted() as n:
        checks.theta_shape(theta, 2)
        checks.observations(X, theta, finite=False)
        checks.labels(y, X, 2, in_range=False)
        checks.not_empty(X)
        checks.same_shape(X, "U", X, "X")
    assert n.waits == 0


def test_observations_follow_the_module_and_dtype_of_what_they_meet(xp):
    like = xp.zeros(2, dtype="float32")
    for X in ([[1, 2]], ((1, 2),), xp.asarray([[1, 2]]), xp.asarray([[1.0, 2.0]])):
        X = checks.observations(X, like)
        assert array_module(X) is xp and X.dtype == "float32" and X.shape == (1, 2)


# Masks and precisions

def test_a_masked_array_is_refused_by_name():
    X = numpy.ma.masked_values([[1.0], [-9999]], -9999)
    for refuse in (lambda: checks.real_array(X, "X"), lambda: checks.data_set(X),
                   lambda: checks.observations(X, numpy.zeros(1)),
                   lambda: checks.theta(X[:, 0], 2), lambda: checks.theta_shape(X[:, 0], 2)):
        with pytest.raises(TypeError, match="is a masked array, and a mask would be lost"):
            refuse()
    with refused(TypeError, "y is a masked array, and a mask would be lost: take the rows without "
                            "missing numbers first"):
        checks.labels(numpy.ma.array([0, 1]), numpy.zeros((2, 1)))


@pytest.mark.parametrize("check", [
    checks.real_array, checks.whole_numbers, checks.numbers, checks.probabilities,
    lambda x, name: checks.permutation(x, name, 2), lambda x, name: checks.waves(x, None, name),
    lambda x, name: checks.gray_levels(x, 3, name=name), lambda x, name: checks.falling(x, name),
    lambda x, name: checks.equally_many(x, name), lambda x, name: checks.one_axis(x, 2, name),
    lambda x, name: checks.same_shape(x, name, numpy.zeros(2), "dv"),
    lambda x, name: checks.indices(x, name, 3, numpy.zeros(2))])
def test_masks_are_found_in_lists_and_wherever_numbers_are_given(check):
    row = numpy.ma.masked_values([1.0, 0.0], -9)
    for x in (row, row.astype(int), [row, row], (row, numpy.zeros(2)), [[row], [row]], [(row,)],
              deque([row]), [1.0, numpy.ma.masked], [[1.0, numpy.ma.masked]], row[:, None]):
        with refused(TypeError, "x is a masked array, and a mask would be lost: take the rows "
                                "without missing numbers first"):
            check(x, "x")


def test_a_list_within_itself_is_refused_and_not_followed_for_ever():
    x = [1.0]
    x.append(x)
    with pytest.raises((ValueError, TypeError), match="x "):
        checks.real_array(x, "x")


@pytest.mark.parametrize("got, wanted", [
    ("f2", "f4"), ("f4", "f4"), ("f8", "f8"), ("g", "f8"), (">f4", "f4"), (">f8", "f8"),
    ("i4", "f8"), ("u1", "f8"),
])
def test_numbers_are_computed_with_in_one_of_two_precisions(got, wanted):
    array = checks.real_array(numpy.array([1, 2], got), "X")
    assert array.dtype == numpy.dtype(wanted) and array.dtype.isnative
    assert array.tolist() == [1, 2]


def test_data_that_meet_whole_numbers_keep_their_decimals():
    assert checks.real_array([0.5], "X", like=numpy.array([1])).tolist() == [0.5]
    assert checks.observations([[0.5]], numpy.array([1])).tolist() == [[0.5]]


@pytest.mark.parametrize("dtype", ["i8", "f2", "g", ">f8", "c16", "O", "U1"])
def test_a_theta_that_is_neither_float32_nor_float64_is_refused_in_words(dtype):
    with pytest.raises(TypeError, match="theta must be an array of float32 or float64"):
        checks.theta_shape(numpy.zeros(2, dtype), 2)


def test_a_column_that_varies_by_rounding_alone_is_refused():
    X = numpy.c_[numpy.arange(500.0), numpy.full(500, 0.3)]
    assert checks.varying(X[:, :1], "U") is not None
    with pytest.raises(ValueError, match="U must vary in every column, got 500 rows of variance"):
        checks.varying(X, "U")


@pytest.mark.parametrize("value", [10**400, numpy.float64("1e300")])
def test_gray_levels_and_numbers_of_any_size_are_refused_in_words(value):
    with pytest.raises((TypeError, ValueError), match="h must"):
        checks.number(value, "h", "(0, 1)")
    if isinstance(value, float):
        with pytest.raises(ValueError, match="K must hold whole numbers from 0 to 3, got 1e\\+300"):
            checks.gray_levels([[value]], 4)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_rows_are_different_if_they_differ_by_more_than_rounding(dtype):
    X = numpy.full((5, 2), 0.3, dtype)
    for change, different in [(0.0, False), (1.0, False), (100.0, True)]:
        Y = X.copy()
        Y[2, 1] += change * numpy.finfo(dtype).eps * numpy.array(0.3, dtype)
        if different:
            assert checks.different_rows(Y) is Y
        else:
            with refused(ValueError, "X must vary, but its 5 rows are all equal"):
                checks.different_rows(Y)


@pytest.mark.parametrize("check", [checks.varying, checks.different_rows, checks.in_range])
def test_numbers_whose_squares_leave_float64_are_refused(check):
    X = numpy.arange(10.0).reshape(5, 2)
    assert check(X * 1e150) is not None
    for size in (1e154, -1e200, 1e307):
        with pytest.raises(ValueError, match="X holds .*, whose square leaves the range"):
            check(X * size)


def test_rows_that_differ_by_less_than_any_square_shows_are_refused():
    X = numpy.arange(10.0).reshape(5, 2)
    assert checks.different_rows(numpy.float32(1e-40) * X.astype("f4")) is not None
    with refused(ValueError, "X varies by 8e-160 only, whose square leaves the range of float64: "
                             "take another unit"):
        checks.different_rows(X * 1e-160)


def test_columns_vary_by_their_means_and_variances():
    mu, X = numpy.array([1.0, 1.0]), numpy.zeros((7, 2))
    assert checks.varying(X, "X", mu, numpy.array([1.0, 1e-20])) is X
    with refused(ValueError, "X must vary in every column here, got 7 rows of variance [1.e+00 1.e"
                             "-32]"):
        checks.varying(X, "X", mu, numpy.array([1.0, 1e-32]), " here")


def test_labels_beyond_the_rows_are_refused_before_anything_is_counted():
    with refused(ValueError, "y must hold every label from 0 to 999999999, got only 2 rows"):
        checks.every_label(numpy.array([0, 1]), 10**9)
    y = numpy.arange(30)
    y[3] = 4
    with refused(ValueError, "y must hold every label from 0 to 29, got no row of 1 of them, the "
                             "first 3"):
        checks.every_label(y, 30)


def test_more_draws_than_any_memory_holds_are_refused_in_words():
    rng = numpy.random.default_rng(0)
    assert checks.draws(2**48, rng) == 2**48
    with refused(ValueError, f"n must be at most {2**48}, got {10**20}"):
        checks.draws(10**20, rng)

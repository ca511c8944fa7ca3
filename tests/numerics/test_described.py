"""Described: a `repr` that is the constructor's call."""

import numpy
import pytest

from gdl_numpy.numerics.described import Described


class Box(Described):
    def __init__(self, low, high=1.0, name=None):
        self.low, self.high, self.name, self.volume = low, high, name, 7


class Secret(Described):
    def __init__(self, shown, hidden):
        self.shown = shown


class Empty(Described):
    pass


@pytest.mark.parametrize("low, shown", [
    (3, "3"), (0.5, "0.5"), ("tanh", "'tanh'"), (None, "None"),
    (numpy.array([0.0, 1.0]), "[0. 1.]"), (numpy.array(2.5), "2.5"),
    (numpy.zeros(4), "[0. 0. 0. 0.]"), (numpy.zeros(5), "array of shape (5,)"),
    (numpy.zeros((2, 2)), "[[0. 0.] [0. 0.]]"), (numpy.zeros((3, 2)), "array of shape (3, 2)"),
    ((1, 2, 3, 4), "(1, 2, 3, 4)"), ([1, "a"], "(1, 'a')"), ((), "()"),
    ((1, 2, 3, 4, 5), "5 of int"), ([0.5] * 9, "9 of float"),
    ((numpy.zeros(9), 2), "(array of shape (9,), 2)"),
    (Secret(1, 2), "Secret(shown=1)"), ((Secret(1, 2), 3), "(Secret(shown=1), 3)"),
])
def test_short_values_are_shown_as_they_are_and_long_ones_by_their_shape(low, shown):
    assert repr(Box(low)) == f"Box(low={shown}, high=1.0, name=None)"


def test_only_arguments_of_the_constructor_are_shown_and_in_their_order():
    assert repr(Box(name="a", high=2, low=1)) == "Box(low=1, high=2, name='a')"
    assert repr(Secret(1, 2)) == "Secret(shown=1)" and repr(Empty()) == "Empty()"


# Contracts

def test_an_array_on_a_device_is_shown_like_one_on_the_host(xp):
    assert repr(Secret(xp.zeros(2), 0)) == "Secret(shown=[0. 0.])"
    assert repr(Secret(xp.zeros(9), 0)) == "Secret(shown=array of shape (9,))"

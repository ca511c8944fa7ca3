"""Exact cells: c = floor((x - low) k/(high - low)) of the fractions that the numbers are."""

import math
import random
from fractions import Fraction

import numpy
import pytest

from gdl_numpy.numerics.exact import MOST, cell_of


def of_fractions(x, low, high, k):
    x, low, high = Fraction(x), Fraction(low), Fraction(high)
    return min((x - low) * k // (high - low), k - 1)


def around_borders(low, high, k, borders):
    """The numbers of the machine next to borders of k pieces, and the smallest of all numbers."""
    x = [float((Fraction(low) * (k - c) + Fraction(high) * c) / k) for c in borders]
    near = [y for b in x for y in (math.nextafter(b, -math.inf), b, math.nextafter(b, math.inf))]
    return [y for y in (*near, low, high, 0.0, 5e-324, -5e-324, 1e-310, -1e-310)
            if low <= y <= high]


@pytest.mark.parametrize("low, high, k, x, c", [
    (-1.2, 2.0999999999999996, 10, -0.21000000000000008, 3), (0.1, 0.7, 60, 0.3, 20),
    (-1, 1, 10, float(numpy.float32(-0.4)), 2), (-1, 1, 10, -0.4, 2), (0, 3, 3, 1, 1)])
def test_a_number_near_a_border_is_in_the_piece_of_its_fraction(low, high, k, x, c):
    assert of_fractions(x, low, high, k) == c
    assert cell_of(numpy.array([x]), float(low), float(high), k).tolist() == [c]


SIZES = {"a line of any place": lambda r: (r.uniform(-2, 0), r.uniform(0, 2)),
         "decimals": lambda r: (-r.randint(1, 99) / 10, r.randint(1, 99) / 10),
         "opposite ends": lambda r: 2 * (r.uniform(0, 9),),
         "unlike ends": lambda r: (-10.0**r.uniform(-300, 300), 10.0**r.uniform(-300, 300)),
         "the largest numbers": lambda r: (-r.random() * 8e307, r.random() * 8e307),
         "the smallest numbers": lambda r: (-5e-324 * r.randint(1, 99), 5e-324 * r.randint(1, 99)),
         "a narrow line far away": lambda r: (1e6, 1e6 + 10**r.uniform(-9, 2))}


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("size", SIZES)
def test_around_borders_of_any_line_the_piece_is_the_one_of_fractions(size):
    r = random.Random(size)
    for most in (2, 10, 1000, 2**30, MOST, 2**60, 2**70):
        for _ in range(8):
            low, high = SIZES[size](r)
            low, k = -low if size == "opposite ends" else low, r.randint(1, most)
            x = around_borders(low, high, k, [r.randint(0, k) for _ in range(5)])
            right = [of_fractions(y, low, high, k) for y in x]
            assert cell_of(numpy.array(x), low, high, k).tolist() == right


def test_each_column_may_have_pieces_of_its_own():
    X, K = numpy.random.default_rng(0).uniform(-1, 1, (500, 4)), numpy.array([1, 7, 10, 1000])
    X[:250] = ((X[:250] * K).round() / K).clip(-1, 1)       # half of them at borders
    assert cell_of(X, -1.0, 1.0, K).tolist() == [
        [of_fractions(x, -1, 1, k) for x, k in zip(row, K.tolist(), strict=True)]
        for row in X.tolist()]


def test_a_float32_is_taken_for_the_number_that_it_is():
    x = numpy.linspace(-1, 1, 2001, dtype=numpy.float32)
    for k in (10, 49, 1000):
        assert cell_of(x, -1.0, 1.0, k).tolist() == [of_fractions(y, -1, 1, k) for y in x.tolist()]


def test_a_device_finds_the_same_pieces(xp):
    for low, high in ((-1.0, 1.0), (-1e300, 1e-300)):
        x = numpy.linspace(low, high, 2001)
        assert cell_of(xp.asarray(x), low, high, 10).tolist() == cell_of(x, low, high, 10).tolist()

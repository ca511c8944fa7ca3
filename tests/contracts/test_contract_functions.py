"""Functions: what each promises about its arrays, asked of all of them on every array module."""

import inspect
import re
from functools import cache

import numpy
import pytest
import stand_in_cupy
from register_of_families import SHARED, every_family
from register_of_functions import FUNCTIONS, PLAIN, PULLED_BACK, every_function
from test_contract_families import Moved

from gdl_numpy.numerics.backend import array_module, to_numpy

CALLS = FUNCTIONS | PULLED_BACK
ELSEWHERE = {
    "HistogramFamily.log_prob": "it lives where its space lives: the register of families",
    "RecalibratedFamily.log_prob": "its kernel density lives somewhere: the register of families",
}
every_call = pytest.mark.parametrize("name", CALLS)
differentiable = pytest.mark.parametrize("name", PULLED_BACK)


class Arrays:
    """Makes the arrays of one call, of a module and a dtype, and remembers them."""

    def __init__(self, xp, dtype="float64", other=None, number=None):
        self.xp, self.dtype, self.made = xp, dtype, []
        self.other, self.number = other, number             # array `number` is made by `other`
        self.rng = Moved(xp, 0)

    def __call__(self, x, dtype=None):
        xp = self.other if len(self.made) == self.number else self.xp
        array = numpy.array(x, dtype=dtype or self.dtype)
        array.flags.writeable = False                       # NumPy itself refuses to change it
        self.made.append((array if xp is numpy else xp.asarray(array), array.copy()))
        return self.made[-1][0]

    def whole(self, x):
        return self(x, int)


def result_of(name, a):
    return CALLS[name].call(every_function().get(name), a)


def arrays_in(result):
    """All arrays and numbers in a result, in order; functions are left out."""
    if isinstance(result, dict):
        result = list(result.values())
    if isinstance(result, list | tuple):
        return [array for part in result for array in arrays_in(part)]
    return [] if callable(result) or isinstance(result, str) else [result]


def methods_with_a_pullback():
    """The public methods of families whose docstrings promise a pullback, by "Class.method"."""
    return {f"{name}.{method}" for name, family in every_family().items() if name not in SHARED
            for method, value in inspect.getmembers(family, inspect.isfunction)
            if not method.startswith("_") and re.search("backward[:(,]", value.__doc__ or "")}


def value_and_pullback(result):
    """The arrays of the value, and the function that pulls cotangents of them back, or None."""
    if isinstance(result, tuple) and callable(result[-1]):
        return arrays_in(result[0]), result[-1]
    return arrays_in(result), None


def cotangents(values):
    """One for each value, of its shape, where it lives, in its precision; two calls give equals."""
    for value in values:
        xp = array_module(value)
        ramp = xp.arange(value.size, dtype=value.dtype)
        yield xp.sin(1 + ramp).reshape(value.shape).astype(value.dtype, copy=False)


def with_gradients(result):
    """The arrays in a result, and what its pullback makes of cotangents, if it has one."""
    values, backward = value_and_pullback(result)
    return values if backward is None else values + gradients(backward, cotangents(values))


def gradients(backward, cotangents_):
    return [dx for dx in arrays_in(backward(*cotangents_)) if dx is not None]



def test_every_public_function_is_in_the_register_or_says_why_not():
    functions = {name for name in every_function() if not name.startswith("checks.")}
    assert functions <= CALLS.keys() | PLAIN.keys() and not CALLS.keys() & PLAIN.keys()
    assert FUNCTIONS.keys() | PLAIN.keys() <= functions


def test_every_method_that_promises_a_pullback_is_in_the_register():
    registered = {name.partition(",")[0] for name in PULLED_BACK}
    assert methods_with_a_pullback() - registered - ELSEWHERE.keys() == set()


@every_call
def test_what_can_be_pulled_back_is_registered_so(name):
    assert (value_and_pullback(result_of(name, Arrays(numpy)))[1] is None) == (name in FUNCTIONS)


@cache
def computed(name, xp, dtype):
    """What comes of one call, its gradients too, and the arguments, for several tests."""
    a = Arrays(xp, dtype)
    return with_gradients(result_of(name, a)), a


@every_call
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_results_have_the_precision_of_the_arguments(xp, name, dtype):
    made, _ = computed(name, xp, dtype)
    assert made
    for array in made if not CALLS[name].dtype else []:
        assert array.dtype == dtype or array.dtype.kind in "ib"


@every_call
def test_results_live_where_the_arguments_live(xp, name):
    for array in computed(name, xp, "float64")[0]:
        assert array_module(array) is xp or getattr(array, "ndim", 0) == 0


@every_call
def test_a_device_agrees_with_numpy(device, name):
    ours, theirs = (computed(name, xp, "float64")[0] for xp in (numpy, device))
    for here, there in zip(ours, theirs, strict=True):
        numpy.testing.assert_allclose(to_numpy(there), here, rtol=1e-9, atol=1e-11)


@every_call
def test_arguments_are_only_read(xp, name):
    for array, before in computed(name, xp, "float64")[1].made:     # NumPy's refuse to be written
        assert (to_numpy(array) == before).all()


@pytest.mark.parametrize("name", [name for name, call in CALLS.items() if not call.mixes])
def test_host_and_device_do_not_mix(device, name):
    result_of(name, a := Arrays(numpy))
    for i in range(len(a.made) if len(a.made) > 1 else 0):
        for xp, other in ((numpy, device), (device, numpy)):
            with pytest.raises(TypeError):
                with_gradients(result_of(name, Arrays(xp, other=other, number=i)))
                pytest.fail(f"argument {i} of {name} may live elsewhere")


@differentiable
def test_neither_value_nor_pullback_waits_for_the_device(device, name):
    with stand_in_cupy.counted() as n:
        with_gradients(result_of(name, Arrays(device)))
    assert n.waits == 0 and n.launches > 0


@differentiable
def test_a_pullback_can_be_asked_twice_and_only_reads_its_cotangents(xp, name):
    values, backward = value_and_pullback(result_of(name, Arrays(xp)))
    given = list(cotangents(values))
    once, again = gradients(backward, given), gradients(backward, given)
    for one, two in zip(once, again, strict=True):
        assert to_numpy(one == two).all()
    for array, before in zip(given, cotangents(values), strict=True):
        assert to_numpy(array == before).all()


@differentiable
def test_a_value_may_be_overwritten_before_it_is_pulled_back(xp, name):
    values, backward = value_and_pullback(result_of(name, Arrays(xp)))
    given = list(cotangents(values))
    before = gradients(value_and_pullback(result_of(name, Arrays(xp)))[1], given)
    for value in values:
        if isinstance(value, xp.ndarray):                   # and no number
            value[...] = 3.0
    for one, two in zip(before, gradients(backward, given), strict=True):
        assert to_numpy(one == two).all()

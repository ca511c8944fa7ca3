"""Arguments: what is no generator, no number, no array is refused in words, by its name."""

import inspect
import re

import numpy
import pytest
from register_of_arguments import (
    ANY_LENGTH,
    CLASSES,
    CONVERTED,
    ELSEWHERE,
    MEMBERS,
    OTHER_NAMES,
    SHARED,
    TAKEN,
    every_call,
    every_class,
    parameters,
    right,
    theta_of,
)

from gdl_numpy.probability.normal_family import NormalFamily

CALLS = every_call()
NO_GENERATORS = {
    "None": None, "a seed": 3, "an old generator": numpy.random.RandomState(0),  # noqa: NPY002
    "the module": numpy.random, "a class": numpy.random.Generator, "text": "rng", "a list": [1, 2],
    "a bit generator": numpy.random.PCG64(0)}
NOTHING = {                                                 # what no argument of the package is
    "None": None, "text": "text", "bytes": b"1", "NaN": float("nan"), "complex": 1j, "True": True,
    "object": object(), "dict": {"a": 1}, "list of text": ["a"], "list of None": [None],
    "masked": numpy.ma.masked_values([1.0, -9.0], -9), "class": dict}
ODD = {                                                     # what some arguments are
    "0": 0, "-1": -1, "half": 0.5, "inf": float("inf"), "no numbers": [], "a number": [0.5],
    "numbers": numpy.array([0.5, 2.0, 1.0]), "ragged": [[1.0], [1.0, 2.0]], "cube": [[[1.0]]]}


def cases(wanted):
    return [pytest.param(name, parameter, id=f"{name}, {parameter}")
            for name, call in CALLS.items() for parameter in parameters(call)
            if parameter != "self" and wanted(parameter)]


def refusal(name, parameter, value):
    """What a call says to a wrong argument, or None if it takes it."""
    try:
        CALLS[name](**right(name) | {parameter: value})
    except (ValueError, TypeError) as error:
        return str(error)
    return None


def named(name, parameter, message):
    """Whether a message of some length names the argument that is wrong."""
    other = OTHER_NAMES.get(f"{name}.{parameter}", OTHER_NAMES.get(parameter, parameter))
    return len(message) < 600 and re.search(rf"\b({re.escape(parameter)}|{re.escape(other)})\b",
                                            message)


def taken(name, parameter):
    """The kinds of wrong things that are right for this argument."""
    return TAKEN.get(f"{name}.{parameter}", TAKEN.get(parameter, ()))


def test_every_call_of_the_package_has_right_arguments():
    for name, call in CALLS.items():
        call(**right(name))
    assert len(CALLS) > 250


def test_every_class_with_a_constructor_is_registered():
    plain = {name for name, kind in every_class().items()
             if "__init__" in vars(kind) and not hasattr(kind, "__dataclass_fields__")}
    assert plain - CLASSES.keys() - MEMBERS.keys() - SHARED.keys() == {"Parts"}
    assert not ELSEWHERE.keys() & CALLS.keys()


@pytest.mark.parametrize("name, parameter", cases(lambda parameter: parameter == "rng"))
def test_what_is_no_generator_is_refused_in_one_sentence_and_nothing_is_drawn(name, parameter):
    before = numpy.random.get_state()[1].tolist()  # noqa: NPY002
    for kind, value in NO_GENERATORS.items():
        optional = inspect.signature(CALLS[name]).parameters["rng"].default is None
        if optional and value is None:
            continue
        message = refusal(name, parameter, value)
        assert message and message.startswith("rng must be a generator of random numbers"), kind
    assert numpy.random.get_state()[1].tolist() == before  # noqa: NPY002


@pytest.mark.parametrize("name, parameter", cases(lambda parameter: parameter != "rng"))
def test_what_is_no_argument_is_refused_by_name(name, parameter):
    default = inspect.signature(CALLS[name]).parameters[parameter].default
    for kind in NOTHING.keys() - taken(name, parameter):
        if NOTHING[kind] is not default:
            message = refusal(name, parameter, NOTHING[kind])
            assert message and named(name, parameter, message), (kind, message)


@pytest.mark.filterwarnings("ignore::RuntimeWarning")       # of infinities that are taken
@pytest.mark.parametrize("name, parameter", cases(lambda parameter: parameter != "rng"))
def test_an_odd_argument_is_taken_or_refused_by_name(name, parameter):
    for kind, value in ODD.items():
        message = refusal(name, parameter, value)
        assert message is None or named(name, parameter, message), (kind, message)


def converts(name):
    """Whether a call takes a θ of any real numbers, which it converts: what makes a member, trains
    or estimates, and no single step."""
    method = name.rpartition(".")[2]
    return name in CLASSES or method in ("__call__", "train", "cut") or name.startswith(CONVERTED)


@pytest.mark.parametrize("name, parameter", cases(lambda parameter: parameter in (
    "theta", "theta_g", "phi")))
def test_a_theta_of_another_length_or_precision_is_refused(name, parameter):
    if name in ANY_LENGTH:
        pytest.skip("theta may have any length")
    theta = right(name).get(parameter, theta_of(right(name).get("self", NormalFamily(2))))
    for wrong in (theta[:-2], theta[:-1], numpy.concatenate([theta, theta[:2]]), theta[None],
                  theta[:0]):
        message = refusal(name, parameter, wrong)
        assert message and named(name, parameter, message), wrong.shape
    for dtype in () if converts(name) else ("float16", "int64", "longdouble", ">f8"):
        message = refusal(name, parameter, theta.astype(dtype))
        assert message and named(name, parameter, message) and "dtype" in message, dtype

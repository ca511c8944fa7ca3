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
    STEPS,
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

KNOWN_ONLY_TO_OTHERS = {                                    # what is wrong shows after a draw:
    "Dequantized.lower_bound.K",                            # only its p knows how many pixels
    "Region.sample.weight"}                                 # dict, called with points


def cases(wanted):
    return [pytest.param(name, parameter, id=f"{name}, {parameter}")
            for name, call in CALLS.items() for parameter in parameters(call)
            if parameter != "self" and wanted(parameter)]


def refusal(name, parameter, value):
    """What a call says to a wrong argument, or None if it takes it. AssertionError if it has drawn
    from rng, or changed an array or an object, before it refused."""
    arguments = right(name) | {parameter: value}
    before = as_it_is(arguments)
    try:
        CALLS[name](**arguments)
    except (ValueError, TypeError) as error:
        assert as_it_is(arguments) == before or f"{name}.{parameter}" in KNOWN_ONLY_TO_OTHERS
        return str(error)
    return None


def as_it_is(x):
    """What two looks at an argument can be compared by: the numbers in it, and where rng stands."""
    if isinstance(x, numpy.random.Generator):
        return str(x.bit_generator.state)
    if isinstance(x, numpy.ndarray):
        return x.dtype, x.shape, x.tobytes()
    if isinstance(x, dict):
        return {key: as_it_is(value) for key, value in x.items()}
    return as_it_is(vars(x)) if hasattr(x, "n_parameters") or hasattr(x, "t") else None


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


NO_NUMBERS = {                                              # the right array, of what are none
    "masked": lambda a: numpy.ma.masked_array(a, mask=numpy.zeros(a.shape)),
    "list of masked rows": lambda a: [numpy.ma.masked_array(row) for row in a],
    "list that ends masked": lambda a: [*a.tolist()[:-1], numpy.ma.masked],
    "tuple of lists of masked rows": lambda a: tuple([numpy.ma.masked_array(row)] for row in a),
    "complex": lambda a: a.astype(complex), "truth": lambda a: a.astype(bool),
    "text": lambda a: a.astype(str), "bytes": lambda a: a.astype("S"),
    "dates": lambda a: a.astype(int).astype("datetime64[s]"),
    "times": lambda a: a.astype(int).astype("timedelta64[s]"),
    "None": lambda a: numpy.full(a.shape, None),
    "records": lambda a: numpy.zeros(a.shape, "f8, i4")}
NO_SHAPES = {                                               # the right array, in another shape
    "one number": lambda a: a.ravel()[0], "no axis": lambda a: a.ravel()[0].reshape(()),
    "a line": lambda a: a.ravel(), "an axis before": lambda a: a[None],
    "an axis after": lambda a: a[..., None], "a column less": lambda a: a[..., :-1],
    "twice the columns": lambda a: numpy.concatenate([a, a], axis=-1),
    "no column": lambda a: a[..., :0], "no row": lambda a: a[:0], "a row": lambda a: a[:1],
    "a row less": lambda a: a[:-1]}
OF_ARRAYS = cases(lambda parameter: parameter not in ("rng", "sizes", "hidden", "shape", "bins"))


def right_array(name, parameter):
    """The right argument as an array, if it is one of numbers with an axis, else a skipped test."""
    value = right(name).get(parameter)
    try:
        array = numpy.asarray(value)
    except ValueError:
        array = numpy.asarray(None)
    if array.dtype.kind not in "fiu" or array.ndim == 0:
        pytest.skip("the right argument is no array")
    return array


@pytest.mark.parametrize("name, parameter", OF_ARRAYS)
def test_an_array_of_the_right_shape_that_holds_no_real_numbers_is_refused_by_name(name, parameter):
    array = right_array(name, parameter)
    for kind, make in NO_NUMBERS.items():
        message = refusal(name, parameter, make(array))
        assert message and named(name, parameter, message), (kind, message)


@pytest.mark.parametrize("name, parameter", OF_ARRAYS)
def test_data_that_hold_one_nan_or_infinity_are_refused_by_name(name, parameter):
    array = right_array(name, parameter).astype(float)
    owner, _, method = name.partition(".")
    if never_waits(owner, method, name) or parameter == "like":
        pytest.skip("a step, which waits for no device, does not look")
    for bad in {"NaN", "inf", "-inf"} - set(taken(name, parameter)):
        array.ravel()[0] = float(bad)
        message = refusal(name, parameter, array)
        assert message and named(name, parameter, message), (bad, message)


def never_waits(owner, method, name):
    """Whether a call is a step of a training, or what such a step is made of."""
    of_a_family = owner.endswith("Family") and method not in (
        "", "__call__", "train", "mle", "best_of", "inputs", "theta", "whitened")
    return of_a_family or name.startswith(STEPS)


@pytest.mark.parametrize("name, parameter", OF_ARRAYS)
def test_an_array_of_another_shape_is_taken_or_refused_in_the_words_of_an_argument(name, parameter):
    array = right_array(name, parameter)
    for kind, make in NO_SHAPES.items():
        message = refusal(name, parameter, make(array))
        assert message is None or any(named(name, other, message) for other in right(name)), (
            kind, message)


NOT_HELD = {                                                # numbers in θ: from 10^15 to 10^400
    "HistogramFamily": {"shape": (10**200, 10**200)}, "NormalFamily": {"d": 10**9},
    "MixtureFamily": {"n_components": 10**400}, "BoxFamily": {"d": 10**30},
    "Network": {"sizes": (10**9, 10**9)}, "SoftmaxFamily": {"d": 10**10, "n_classes": 10**10},
    "LogisticFamily": {"d": 10**400}, "NetworkClassifierFamily": {"sizes": (10**9, 10**9, 2)},
    "ProbabilisticPCAFamily": {"d": 10**15}, "AutoencoderFamily": {"sizes": (10**9, 10**9, 2)},
    "WindowFamily": {"reach": 10**13}, "AutoregressiveFamily": {"bins": (10**15, 2)},
    "MaskedAutoregressiveFamily": {"d": 10**9, "hidden": (10**9,)},
    "NormalizingFlowFamily": {"hidden": (10**9, 10**9)},
    "DiffusionFamily": {"d": 10**9, "hidden": (10**9,)}}


@pytest.mark.parametrize("name", NOT_HELD)
def test_a_theta_that_no_memory_can_hold_is_refused_before_it_is_made(name):
    with pytest.raises(ValueError, match=r"^theta would have about 10\^\d+ numbers, more than the "
                                         "memory can hold$"):
        CALLS[name](**right(name) | NOT_HELD[name])

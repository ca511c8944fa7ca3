"""Back end: arrays choose the module, generators the device, and nothing moves unasked."""

import sys
from types import SimpleNamespace

import numpy
import pytest

from gdl_numpy.numerics.backend import array_module, random_generator, to_numpy

# Arrays choose the module

def test_numbers_lists_and_numpy_arrays_belong_to_numpy(xp):
    assert array_module() is array_module(1.0, [2.0], numpy.zeros(3)) is numpy


def test_an_array_belongs_to_the_module_that_made_it(xp):
    x = xp.zeros(3)
    assert array_module(x) is array_module(1.0, x) is array_module(x, x) is xp


def test_one_device_array_among_others_decides(device):
    assert array_module(numpy.zeros(3), device.zeros(3)) is device


def test_to_numpy_brings_an_array_home(xp):
    x = to_numpy(xp.asarray([1.5, 2.5]))
    assert type(x) is numpy.ndarray and x.tolist() == [1.5, 2.5]


def test_to_numpy_loses_no_mask():
    with pytest.raises(TypeError, match="x is a masked array, and a mask would be lost"):
        to_numpy(numpy.ma.masked_values([1.0, -9.0], -9))


def test_to_numpy_makes_arrays_of_lists_and_copies_no_host_array():
    x = numpy.zeros(3)
    assert to_numpy(x) is x
    assert to_numpy([1, 2]).tolist() == [1, 2]


# Generators choose the device

def test_a_seed_fixes_the_stream_and_another_seed_another_stream():
    a, b, c = (random_generator(seed).random(5) for seed in (0, 0, 1))
    assert (a == b).all() and (a != c).any()


def test_a_generator_of_the_gpu_draws_on_the_gpu(device):
    a, b = (random_generator(7, "gpu").random(5) for _ in range(2))
    assert array_module(a) is device and to_numpy(a == b).all()


def test_the_default_device_is_the_processor_even_where_there_is_a_gpu(device):
    assert isinstance(random_generator(0).random(3), numpy.ndarray)


@pytest.mark.parametrize("name", ["cuda", "GPU", None, 0])
def test_another_device_is_refused(name):
    with pytest.raises(ValueError, match=r'device must be "cpu" or "gpu", got'):
        random_generator(0, name)


NO_CUPY = None                                              # what sys.modules holds to forbid one
NO_GPU = SimpleNamespace(cuda=SimpleNamespace(is_available=lambda: False))


def no_cublas(n):
    raise ImportError('Failure finding "libcublas.so.12":\nNo such file')


NO_CUBLAS = SimpleNamespace(cuda=SimpleNamespace(is_available=lambda: True), eye=no_cublas)


@pytest.mark.parametrize("cupy, missing", [
    (NO_CUPY, "CuPy"), (NO_GPU, "a CUDA device"), (NO_CUBLAS, "the libraries of CUDA")])
def test_the_gpu_without_what_it_needs_is_one_sentence_and_no_fallback(monkeypatch, cupy, missing):
    monkeypatch.setitem(sys.modules, "cupy", cupy)
    with pytest.raises(RuntimeError, match=f"^device 'gpu' needs {missing}.*pip install") as caught:
        random_generator(0, "gpu")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("seed", [-1, 1.5, "1", True, object(), {}])
def test_a_wrong_seed_is_refused_in_words(seed):
    with pytest.raises((ValueError, TypeError), match="^seed must be a whole number from 0 on"):
        random_generator(seed)

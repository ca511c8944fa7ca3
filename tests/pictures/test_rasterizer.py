"""Rasterizer: exact covers of pixels by polygons."""

import itertools
import math
import tracemalloc

import numpy
import pytest
from matplotlib.path import Path

from gdl_numpy.numerics.backend import array_module, to_numpy
from gdl_numpy.pictures.rasterizer import rasterize


def stars(rng, n, m, radius=0.45):
    """n polygons around (1/2, 1/2) that do not cross themselves, counterclockwise, (n, m, 2)."""
    angle = 2 * math.pi * (numpy.arange(m) + 0.9 * rng.random((n, m))) / m
    length = radius * (0.1 + 0.9 * rng.random((n, m)))
    return 0.5 + length[..., None] * numpy.stack([numpy.cos(angle), numpy.sin(angle)], axis=2)


def area(P):
    """The shoelace formula, (n,)."""
    x, y = numpy.moveaxis(P, 2, 0)
    return abs((x * numpy.roll(y, -1, axis=1) - y * numpy.roll(x, -1, axis=1)).sum(axis=1)) / 2


def supersampled(P, resolution, fine):
    """The share of fine² points in each pixel that lie in the polygon P (m, 2)."""
    grid = (numpy.arange(resolution * fine) + 0.5) / (resolution * fine)
    X = numpy.stack(numpy.meshgrid(grid, grid[::-1]), axis=2).reshape(-1, 2)
    inside = Path(numpy.concatenate([P, P[:1]]), closed=True).contains_points(X)
    return inside.reshape(resolution, fine, resolution, fine).mean(axis=(1, 3))


def rectangle(left, bottom, right, top):
    return numpy.array([[(left, bottom), (right, bottom), (right, top), (left, top)]])


@pytest.mark.parametrize("resolution", [1, 7, 32])
@pytest.mark.parametrize("m", [3, 11])
def test_the_covers_sum_to_the_area_in_either_orientation(resolution, m):
    P = stars(numpy.random.default_rng(0), 40, m)
    for corners in (P, P[:, ::-1]):
        images = rasterize([corners], resolution)
        assert images.shape == (40, resolution, resolution)
        numpy.testing.assert_allclose(images.mean(axis=(1, 2)), area(P), rtol=1e-12)


def test_every_pixel_of_a_rectangle_is_covered_as_far_as_it_reaches():
    rng = numpy.random.default_rng(1)
    for left, bottom, width, height in rng.uniform((-0.3, -0.3, 0.01, 0.01), 1, (20, 4)):
        right, top = left + width, bottom + height
        edge = numpy.arange(9) / 8
        across, up = (8 * (numpy.minimum(edge[1:], b) - numpy.maximum(edge[:-1], a)).clip(0)
                      for a, b in ((left, right), (bottom, top)))
        image = rasterize([rectangle(left, bottom, right, top)], 8)
        numpy.testing.assert_allclose(image[0], numpy.outer(up[::-1], across), atol=1e-13)


def test_corners_on_the_borders_of_pixels_are_no_special_case():
    image = rasterize([rectangle(0.25, 0.5, 0.75, 1)], 4)[0]
    assert (image == [[0, 1, 1, 0]] * 2 + [[0] * 4] * 2).all()
    below_the_diagonal = numpy.array([[(0.0, 0.0), (1.0, 0.0), (1.0, 1.0)]])
    image = rasterize([below_the_diagonal], 4)[0]
    assert (image == [[0, 0, 0, 0.5], [0, 0, 0.5, 1], [0, 0.5, 1, 1], [0.5, 1, 1, 1]]).all()


@pytest.mark.parametrize("radius", [0.45, 1.2])
def test_the_covers_are_those_of_supersampling(radius):
    """Along an edge, 64² points miss the cover of a pixel by at most about 2/64."""
    P = stars(numpy.random.default_rng(2), 4, 9, radius)
    for image, corners in zip(rasterize([P], 8), P, strict=True):
        assert abs(image - supersampled(corners, 8, 64)).max() < 0.03


def test_what_lies_outside_the_image_is_cut_off_and_nothing_wraps():
    P = stars(numpy.random.default_rng(3), 10, 9)
    for shift in itertools.product((-0.5, 0, 0.5), repeat=2):
        whole = rasterize([(P + shift) / 3 + 1 / 3], 48)[:, 16:32, 16:32]
        part = rasterize([P + shift], 16)
        numpy.testing.assert_allclose(part, whole, atol=1e-12)
    for far in ((2, 0), (-2, 0), (0, 2), (0, -2)):
        assert abs(rasterize([P + far], 16)).max() < 1e-12
    assert (rasterize([rectangle(-9, -9, 9, 9)], 5) == 1).all()


def test_a_shift_by_half_a_pixel_averages_neighbors():
    """For the cover of half pixels is that of a image twice as fine."""
    P = stars(numpy.random.default_rng(4), 5, 9, radius=0.4)
    fine = rasterize([P], 32).reshape(5, 32, 16, 2).sum(axis=3)
    fine = (fine[:, 0::2] + fine[:, 1::2]) / 4
    numpy.testing.assert_allclose(rasterize([P], 16), fine, atol=1e-13)
    shifted = rasterize([P + (1 / 32, 0)], 16)
    columns = rasterize([P], 32).reshape(5, 16, 2, 32).sum(axis=2)
    numpy.testing.assert_allclose(shifted[:, :, 1:], (columns[:, :, 1:-1:2] + columns[:, :, 2::2])
                                  / 4, atol=1e-13)


def test_a_small_change_of_the_corners_changes_the_pixels_little():
    """When no corner moves farther than δ, a pixel's cover changes by at most the area that the
    edges sweep: with δ in pixels, by less than 2 δ for each of the few edges that meet in it."""
    rng = numpy.random.default_rng(5)
    P = stars(rng, 50, 9)
    for size in (1e-2, 1e-4, 1e-6, 1e-8):
        step = size / 16 * rng.uniform(-1, 1, P.shape)
        assert abs(rasterize([P + step], 16) - rasterize([P], 16)).max() < 12 * size


@pytest.mark.parametrize("tilt", [1e-3, 1e-7, 1e-12, 1e-15, 1e-300, 0])
@pytest.mark.parametrize("dtype, tol", [("float64", 1e-13), ("float32", 1e-5)])
def test_edges_that_are_almost_vertical_or_horizontal_do_no_harm(tilt, dtype, tol):
    leaning = numpy.array([[(0.1, 0.1 + tilt), (0.9, 0.1), (0.9 + tilt, 0.9), (0.1, 0.9 - tilt)]])
    image = rasterize([leaning.astype(dtype)], 32)
    upright = rasterize([rectangle(0.1, 0.1, 0.9, 0.9)], 32)
    assert image.dtype == dtype and abs(image - upright).max() < 32 * tilt + tol


def test_the_derivative_in_the_corners_is_that_of_the_area():
    """d(Σ covers / r²) = d area, for one step in a random direction in the inside of the frame."""
    rng = numpy.random.default_rng(6)
    P = stars(rng, 20, 7)
    step = 1e-5 * rng.standard_normal(P.shape)
    after, before = (rasterize([P + s * step], 16).mean(axis=(1, 2))
                     for s in (1, -1))
    numpy.testing.assert_allclose(after - before, area(P + step) - area(P - step), atol=1e-13)


def test_parts_are_united_and_never_cover_more_than_all():
    rng = numpy.random.default_rng(7)
    parts = [stars(rng, 6, m, radius=0.6) for m in (5, 8, 12)]
    united = rasterize(parts, 16)
    single = [rasterize([P], 16) for P in parts]
    assert united.min() >= 0 and united.max() <= 1
    numpy.testing.assert_allclose(1 - united, numpy.prod([1 - c for c in single], axis=0),
                                  atol=1e-14)
    twice_around = numpy.tile(rectangle(0.25, 0.25, 0.75, 0.75), (1, 2, 1))
    assert rasterize([twice_around], 8).max() == 1
    apart = [rectangle(*box) for box in [(0, 0, 0.5, 1), (0.5, 0, 1, 1)]]
    assert (rasterize(apart, 6) == 1).all()


def test_the_first_row_is_the_top_and_the_first_column_the_left():
    image = rasterize([rectangle(0, 0.75, 0.25, 1)], 4)[0]
    assert image[0, 0] == 1 and image.sum() == 1


def test_images_made_together_are_those_made_one_by_one():
    P = [stars(numpy.random.default_rng(8), 6, m, radius=0.8) for m in (4, 9)]
    together = rasterize(P, 16)
    for i in range(6):
        alone = rasterize([part[i:i + 1] for part in P], 16)[0]
        numpy.testing.assert_allclose(together[i], alone, atol=1e-13)
    assert rasterize([part[:0] for part in P], 16).shape == (0, 16, 16)


def test_corners_are_only_read_and_may_be_whole_numbers():
    P = numpy.array([[(0, 0), (1, 0), (0, 1)]])
    P.flags.writeable = False
    assert (rasterize([P], 8) == rasterize([P.astype(float)], 8)).all()


@pytest.mark.parametrize("polygons, resolution, error, words", [
    ([], 32, ValueError, "polygons must be a list of at least one array"),
    (rectangle(0, 0, 1, 1), 32, ValueError, "polygons must be a list"),
    ([rectangle(0, 0, 1, 1)[0]], 32, ValueError, r"polygons\[0\] must have shape .* got \(4, 2\)"),
    ([numpy.zeros((1, 2, 2))], 32, ValueError, "at least 3 corners"),
    ([numpy.zeros((1, 4, 3))], 32, ValueError, r"got \(1, 4, 3\)"),
    ([numpy.zeros((2, 4, 2)), numpy.zeros((1, 4, 2))], 32, ValueError, "with n = 2 images"),
    ([numpy.full((1, 4, 2), math.nan)], 32, ValueError, r"polygons\[0\] holds nan"),
    ([[[(0, 0), (1, 0)], [(0, 0)]]], 32, ValueError, r"polygons\[0\] is ragged"),
    ([numpy.full((1, 4, 2), "x")], 32, TypeError, r"polygons\[0\] must hold real numbers"),
    ([rectangle(0, 0, 1, 1)], 0, ValueError, "resolution must be at least 1, got 0"),
    ([rectangle(0, 0, 1, 1)], 32.0, TypeError, "resolution must be a whole number, got 32.0"),
])
def test_what_cannot_be_rasterized_is_refused(polygons, resolution, error, words):
    with pytest.raises(error, match=words):
        rasterize(polygons, resolution)


def test_many_images_need_little_memory_beside_themselves():
    """Beside the result, its blocks before they are joined and what one block needs."""
    corners = stars(numpy.random.default_rng(0), 2000, 4)
    tracemalloc.start()
    images = rasterize([corners, corners], 32)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 2 * images.nbytes + 25e6


@pytest.mark.parametrize("polygons", [[1], [[[0, 0], [1, 0], [1, 1]]]])
def test_polygons_without_images_or_corners_are_refused_in_words(polygons):
    with pytest.raises(ValueError, match=r"polygons\[0\] must have shape \(n, m, 2\)"):
        rasterize(polygons)


# Contracts

@pytest.mark.parametrize("m", [3, 11])
def test_a_device_computes_what_numpy_does(xp, m):
    rng = numpy.random.default_rng(0)
    parts = [stars(rng, 40, m, radius) for radius in (0.45, 1.2)]
    for dtype, atol in (("float64", 1e-13), ("float32", 1e-5)):
        images = rasterize([xp.asarray(P.astype(dtype)) for P in parts], 7)
        assert images.dtype == dtype and array_module(images) is xp
        numpy.testing.assert_allclose(to_numpy(images), rasterize(parts, 7), atol=atol)


def test_parts_on_two_devices_are_refused(device):
    with pytest.raises(TypeError, match="move one of them first"):
        rasterize([device.asarray(rectangle(0, 0, 1, 1)), rectangle(0, 0, 1, 1)])


@pytest.mark.parametrize("dtype, far", [("float32", 1e7), ("float64", 1e15), ("float64", 1e200)])
def test_corners_too_far_outside_for_their_digits_are_refused(dtype, far):
    triangle = numpy.array([[[-far, -far], [far, -far], [0.5, 1]]], dtype)
    with pytest.raises(ValueError, match=f"nearer to the unit square: {dtype} rounds too much"):
        rasterize([triangle], 2)

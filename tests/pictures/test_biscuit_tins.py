"""Biscuit tins: the images, their derivative, and how few of all images they are."""

import math

import numpy
import pytest

from gdl_numpy.numerics.backend import array_module, to_numpy
from gdl_numpy.numerics.neighbors import nearest
from gdl_numpy.pictures.biscuit_tins import (
    BLOCK,
    DEPTH,
    FOOT,
    HIGH,
    LOW,
    RIM,
    TILT,
    BiscuitTins,
    derivative,
    extent,
    render,
)
from gdl_numpy.representation.manifold import intrinsic_dimension
from gdl_numpy.representation.principal_components import PrincipalComponents

SOME = [[0.31, 0.37], [0.45, 0.71], [0.62, 0.25], [0.53, 0.5]]      # (height, width)
every_resolution = pytest.mark.parametrize("r", [1, 2, 5, 8, 32])


def some(n):
    """n tins between the corners."""
    u = numpy.random.default_rng(7).random((n, 2))
    return numpy.array(LOW) + u * (numpy.array(HIGH) - LOW)


def grid(n):
    """n by n tins, those with the least and the largest height and width among them."""
    axes = (numpy.linspace(low, high, n) for low, high in zip(LOW, HIGH, strict=True))
    return numpy.stack(numpy.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, 2)


# The images

@every_resolution
def test_a_image_is_a_square_of_gray_levels_from_0_to_1(r):
    images = render(numpy.array([*SOME, LOW, HIGH]), r)
    assert images.shape == (6, r, r)
    assert ((images >= 0) & (images <= 1)).all()


@pytest.mark.parametrize("n", [0, 1, BLOCK - 1, BLOCK, BLOCK + 1])
def test_tins_painted_together_are_those_painted_one_by_one(n):
    latent = some(n)
    images, slopes = render(latent, 8), derivative(latent, 8)
    assert images.shape == (n, 8, 8) and slopes.shape == (n, 8, 8, 2)
    for i in range(n):
        one = latent[i:i + 1]
        for whole, alone in ((images, render(one, 8)), (slopes, derivative(one, 8))):
            numpy.testing.assert_allclose(whole[i], alone[0], rtol=1e-12, atol=1e-14)


def test_a_tin_stands_dark_on_a_white_ground():
    images = render(grid(5), 32)
    assert (images[:, 0] > 0.95).all() and (images[:, :, [0, -1]] > 0.9).all()
    assert (images.min(axis=(1, 2)) < 0.65).all()


def test_row_0_is_the_top_and_a_taller_tin_differs_from_a_lower_one_only_near_its_rim():
    low, high, width, r = 0.4, 0.65, 0.3, 64
    difference = abs(numpy.diff(render([[low, width], [high, width]], r), axis=0))[0].max(axis=1)
    y = 1 - FOOT - (numpy.arange(r) + 0.5) / r              # of the rows, above the foot
    margin = TILT * RIM * width / 2 + 0.12                  # half a lid, and 19 soft edges
    assert (difference[y > high + margin] < 1e-5).all()
    assert (difference[y < low - DEPTH - margin] < 1e-5).all()
    assert (difference[(y > low + margin) & (y < high - DEPTH)] > 0.3).all()


def test_a_tin_is_symmetric_except_for_the_light_from_the_left():
    """What is missing to white, 1 - g, differs at most threefold in a layer: 0.32 to 0.92 on the
    side, 0.1 to 0.3 on the lid."""
    dark = 1 - render(grid(5), 32)
    mirrored = dark[:, :, ::-1]
    assert (dark[:, :, 16:].mean(axis=(1, 2)) > dark[:, :, :16].mean(axis=(1, 2))).all()
    assert (mirrored < 3 * dark).all()


@pytest.mark.parametrize("r", [8, 16])
def test_a_finer_image_seen_from_afar_is_the_coarser_one(r):
    """What is left is that edges are s = 0.4 pixels soft; it falls with the size of a pixel."""
    latent = some(50)
    coarser = render(latent, 2 * r).reshape(50, r, 2, r, 2).mean(axis=(2, 4))
    assert math.sqrt(((coarser - render(latent, r))**2).mean()) < 0.8 / r


@pytest.mark.parametrize("r", [16, 32])
def test_more_width_darkens_more_columns_and_more_height_more_rows(r):
    wider = numpy.stack([numpy.full(31, 0.5), numpy.linspace(LOW[1], HIGH[1], 31)], axis=1)
    higher = numpy.stack([numpy.linspace(LOW[0], HIGH[0], 31), numpy.full(31, 0.5)], axis=1)
    for latent, axis in ((wider, 1), (higher, 0)):
        size = extent(render(latent, r).reshape(31, -1))[:, axis]
        assert (numpy.diff(size) >= -1e-12).all() and size[-1] - size[0] > 0.3
        assert abs(numpy.diff(size)).max() < 0.1


def test_extent_counts_dark_rows_and_columns():
    image = numpy.ones((1, 10, 10))
    image[0, 2:5, 7] = 0.6                                  # 3 rows, and 1 column, dark
    image[0, 5, 1] = 0.675                                  # 1 of each, half
    assert extent(image.reshape(1, -1)) == pytest.approx(numpy.array([[0.35, 0.15]]))


# The derivative

@pytest.mark.parametrize("r", [5, 8, 32])
def test_the_derivative_is_that_of_central_differences(r):
    latent, h = numpy.array(SOME), 2e-6
    exact = derivative(latent, r)
    for axis in (0, 1):
        step = h * numpy.eye(2)[axis]
        difference = (render(latent + step, r) - render(latent - step, r)) / (2 * h)
        largest = float(abs(exact[..., axis]).max())
        numpy.testing.assert_allclose(exact[..., axis], difference, rtol=0, atol=1e-6 * largest)


@pytest.mark.parametrize("r", [8, 32])
def test_brightness_changes_continuously_and_the_derivative_adds_up_to_the_change(r):
    """Simpson's rule from LOW to HIGH."""
    n = 801
    t = numpy.linspace(0, 1, n)[:, None]
    latent = numpy.clip(LOW + t * numpy.subtract(HIGH, LOW), LOW, HIGH)
    images, slope = render(latent, r), derivative(latent, r) @ numpy.subtract(HIGH, LOW)
    assert abs(numpy.diff(images, axis=0)).max() < 1.01 * abs(slope).max() / (n - 1)
    weights = numpy.array([1, *[4, 2] * ((n - 3) // 2), 4, 1]) / (3 * (n - 1))
    numpy.testing.assert_allclose(numpy.tensordot(weights, slope, axes=1), images[-1] - images[0],
                                  atol=1e-5)


# A data set of tins

def test_the_images_are_those_of_the_latent_truth():
    data = BiscuitTins(70, numpy.random.default_rng(0), resolution=8)
    assert data.latent.shape == (70, 2) and data.images.shape == (70, 64)
    assert (data.images == render(data.latent, 8).reshape(70, 64)).all()


@pytest.mark.parametrize("n", [0, 1, numpy.int64(3)])
def test_there_may_be_any_number_of_tins(n):
    data = BiscuitTins(n, numpy.random.default_rng(0), resolution=5)
    assert data.latent.shape == (n, 2) and data.images.shape == (n, 25)


def test_tins_are_made_by_their_seed():
    first, again, other = (BiscuitTins(5, numpy.random.default_rng(s), 8).images for s in (0, 0, 1))
    assert (first == again).all() and (first != other).any()


def test_heights_and_widths_are_uniform_and_independent():
    """n = 20,000. Dvoretzky, Kiefer and Wolfowitz: the largest distance of the distribution
    functions exceeds 0.025 once in 36,000; the correlation exceeds 6/√n once in 500 million."""
    n = 20_000
    u = BiscuitTins(n, numpy.random.default_rng(0), 1).latent
    u = (u - LOW) / numpy.subtract(HIGH, LOW)
    steps = numpy.arange(n + 1) / n
    for column in numpy.sort(u, axis=0).T:
        assert max(abs(column - steps[1:]).max(), abs(column - steps[:-1]).max()) < 0.025
    assert abs(numpy.corrcoef(u.T)[0, 1]) < 6 / math.sqrt(n)


def test_latents_and_images_are_only_read():
    latent = numpy.array(SOME)
    latent.flags.writeable = False
    derivative(latent, 8)
    images = render(latent, 8).reshape(-1, 64)
    images.flags.writeable = False
    extent(images)


@pytest.mark.parametrize("kind", [list, tuple])
def test_latents_may_be_a_list(kind):
    assert (render(kind(map(kind, SOME)), 8) == render(numpy.array(SOME), 8)).all()


# What is refused

@pytest.mark.parametrize("latent, error, message", [
    ([0.4, 0.4], ValueError, r"latent must have shape \(n, 2\), .* got shape \(2,\)"),
    ([[0.4, 0.4, 0.4]], ValueError, "latent has 3 columns"),
    ([[0.4, 0.4], [0.1, 0.4]], ValueError,
     r"latent must lie in \[0.2, 0.7\] x \[0.2, 0.8\], got the row \[0.1 0.4\]"),
    ([[0.4, 0.81]], ValueError, r"latent must lie in .* got the row \[0.4  0.81\]"),
    ([[0.71, 0.4]], ValueError, r"latent must lie in .* got the row \[0.71 0.4 \]"),
    ([[0.4, math.nan]], ValueError, "latent holds nan"),
    ([["high", "wide"]], TypeError, "latent must hold real numbers"),
    ([[0.4], [0.4, 0.5]], ValueError, "latent is ragged"),
])
def test_wrong_latents_are_refused(latent, error, message):
    for mapping in (render, derivative):
        with pytest.raises(error, match=message):
            mapping(latent)


@pytest.mark.parametrize("resolution, error, message", [
    (0, ValueError, "resolution must be at least 1, got 0"),
    (3.5, TypeError, "resolution must be a whole number, got 3.5"),
    (True, TypeError, "resolution must be a whole number, got True"),
    (None, TypeError, "resolution must be a whole number, got None"),
])
def test_a_wrong_resolution_is_refused(resolution, error, message):
    for make in (lambda r: render(SOME, r), lambda r: derivative(SOME, r),
                 lambda r: BiscuitTins(2, numpy.random.default_rng(0), r)):
        with pytest.raises(error, match=message):
            make(resolution)


def test_a_generator_is_not_moved_by_a_call_that_is_refused():
    rng, still = (numpy.random.default_rng(0) for _ in range(2))
    with pytest.raises(ValueError, match="resolution must be at least 1, got 0"):
        BiscuitTins(3, rng, 0)
    assert rng.random() == still.random()


@pytest.mark.parametrize("n, error, message", [
    (-1, ValueError, "n must be at least 0, got -1"),
    (2.0, TypeError, "n must be a whole number, got 2.0"),
])
def test_a_wrong_number_of_tins_is_refused(n, error, message):
    with pytest.raises(error, match=message):
        BiscuitTins(n, numpy.random.default_rng(0))


def test_a_seed_in_place_of_a_generator_is_refused():
    with pytest.raises(TypeError, match="rng must be a generator .* got 0"):
        BiscuitTins(1, 0)


@pytest.mark.parametrize("images", [numpy.ones((2, 63)), numpy.ones(64), numpy.ones((2, 8, 8))])
def test_the_extent_of_images_that_are_not_square_is_refused(images):
    with pytest.raises(ValueError, match=r"images must have shape \(n, resolution²\), got"):
        extent(images)


# Errata

def test_e40_one_image_a_height_and_width_and_two_dimensions_only_while_the_rest_is_fixed():
    """The two numbers determine a tin where position, light and resolution are fixed. Then the
    images have two dimensions: with n = 1,500 within 4 standard errors, 4 · 2/√n = 0.2. Planes
    need 6, 10 and 27 of them for 90, 95 and 99 % of the variance. A tin that stands elsewhere, is
    lit from the right, or is drawn with half as many pixels a side has the same height and width
    and is none of these images."""
    X = BiscuitTins(1500, numpy.random.default_rng(0)).images
    assert intrinsic_dimension(X) == pytest.approx(2, abs=0.2)
    shares = PrincipalComponents.fit(X, 40).explained_variance_ratio.cumsum()
    assert [int((shares < share).sum()) + 1 for share in (0.9, 0.95, 0.99)] == [6, 10, 27]

    tin, coarse = render([[0.45, 0.5]]), render([[0.45, 0.5]], 16)
    moved, lit = numpy.roll(tin, 3, axis=2), tin[:, :, ::-1]
    enlarged = coarse.repeat(2, axis=1).repeat(2, axis=2)
    tins = render(grid(64)).reshape(-1, 1024)
    rows = numpy.concatenate([tin, moved, lit, enlarged]).reshape(4, -1)
    (own, *distances), _ = nearest(rows, tins)
    assert min(distances) > 8 * own
    assert extent(rows[1:3]) == pytest.approx(extent(rows[[0, 0]]))
    assert extent(rows[3:]) == pytest.approx(extent(rows[:1]), abs=1 / 32)      # up to a pixel

    mean = tin.reshape(1, 16, 2, 16, 2).mean(axis=(2, 4))   # nor are these the same the other way
    (own, other), _ = nearest(numpy.concatenate([coarse, mean]).reshape(2, -1),
                              render(grid(64), 16).reshape(-1, 256))
    assert other > 5 * own


def in_black_and_white(n):
    """How many different images n by n tins are when each pixel is black or white."""
    latent = numpy.clip(grid(n).astype("float32"), *numpy.array([LOW, HIGH], dtype="float32"))
    return len({bytes(row) for rows in latent.reshape(16, -1, 2) for row in
                numpy.packbits(render(rows).reshape(-1, 1024) > 0.5, axis=1)})


def test_e41_that_tins_are_few_among_all_images_can_be_counted():
    """All images of that size are 2^1024. How many of them are tins depends on how finely height
    and width are cut: 6,518 with 128 values of each, 9,607 with 256, 11,950 with 512. Four times as
    many tins give less than twice as many images: about 13 bits, and for no grid here 15."""
    few, many = in_black_and_white(128), in_black_and_white(256)
    assert few == pytest.approx(6518, rel=0.01) and many == pytest.approx(9607, rel=0.01)
    assert few < many < 2 * few
    assert 12 < math.log2(few) < math.log2(many) < 15 < 1024


# Contracts

def test_a_device_computes_what_numpy_does(xp):
    host, images = some(20), render(some(20), 8).reshape(20, -1)
    latent = xp.asarray(host)
    for found, expected in [(render(latent, 8), render(host, 8)),
                            (derivative(latent, 8), derivative(host, 8)),
                            (extent(xp.asarray(images)), extent(images))]:
        assert array_module(found) is xp
        numpy.testing.assert_allclose(to_numpy(found), expected, rtol=1e-12, atol=1e-12)


def test_tins_are_made_where_their_generator_lives(xp, make_rng):
    data, again = (BiscuitTins(70, make_rng(0), resolution=8) for _ in range(2))
    assert data.latent.shape == (70, 2) and data.images.shape == (70, 64)
    assert array_module(data.latent) is array_module(data.images) is xp
    assert to_numpy(data.images == render(data.latent, 8).reshape(70, 64)).all()
    assert to_numpy(data.images == again.images).all()


def test_float32_goes_in_and_comes_out(xp):
    latent = xp.asarray(SOME)
    for mapping in (render, derivative):
        single = mapping(latent.astype("float32"), 16)
        assert single.dtype == numpy.float32
        exact = to_numpy(mapping(latent, 16))
        assert abs(to_numpy(single) - exact).max() < 1e-4 * abs(exact).max()
    assert extent(render(latent.astype("float32"), 8).reshape(-1, 64)).dtype == numpy.float32

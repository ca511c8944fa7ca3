"""Discretized: masses of gray levels in closed form, and bounds by a density of codes.

    P(l) = σ((b - x̂)/s) - σ((a - x̂)/s)              log P(k) >= mean of log w + log p(z)/p_0(z)
"""

import math

import numpy
import pytest
from gradient import check_gradient
from scipy import integrate, stats

from gdl_numpy.numerics.backend import array_module, to_numpy
from gdl_numpy.pictures.discretized import Discretized, LogisticDecoder, log_mass_of_levels
from gdl_numpy.probability.density import Mixture, Normal
from gdl_numpy.representation.principal_components import PrincipalComponents

LEVELS = 5


def every_level(x_hat, s, levels):
    """log P(l) of each level l of a pixel."""
    K = numpy.arange(levels)[:, None]
    log_p, _ = log_mass_of_levels(K, numpy.full((levels, 1), x_hat), numpy.array([s]), levels)
    return log_p[:, 0]


def decoder(xp=numpy, dtype="float64", d=3, k=1, seed=0):
    """Of k codes and d pixels of 5 levels, in the dark middle of the range."""
    rng = numpy.random.default_rng(seed)
    U = numpy.linalg.qr(rng.standard_normal((d, k)))[0]
    mu, ratio = numpy.linspace(0.3, 0.7, d), numpy.full(k, 1 / d)
    axes = PrincipalComponents(*(xp.asarray(a, dtype=dtype) for a in (mu, U, ratio)))
    return LogisticDecoder(axes, xp.asarray(numpy.linspace(0.3, 0.2, k), dtype=dtype),
                           xp.asarray(numpy.linspace(0.02, 0.05, d), dtype=dtype), LEVELS, 0.07)


def images(n, d=3, seed=1):
    """As a decoder with normal codes makes them."""
    return Discretized(Normal([0.0], [[1.0]]), decoder(d=d)).sample(
        n, numpy.random.default_rng(seed))


def mass_by_integration(p, model, k):
    """P(k) = ∫ p(z) P(k|z) dz for one code."""
    def integrand(z):
        Z = numpy.array([[z]])
        log_p, _ = log_mass_of_levels(k[None], model.decode(Z), model.s, LEVELS)
        return float(numpy.exp(p.log_prob(Z)[0] + log_p.sum()))

    return integrate.quad(integrand, -6, 6, limit=400, points=numpy.linspace(-5, 5, 41))[0]


# Masses of levels

@pytest.mark.parametrize("x_hat, s, levels", [
    (0.5, 0.1, 3), (-2.0, 0.5, 4), (0.99, 1e-3, 16), (0.3, 20.0, 2), (0.7, 0.2, 1)])
def test_the_masses_of_all_levels_sum_to_1(x_hat, s, levels):
    assert numpy.exp(every_level(x_hat, s, levels)).sum() == pytest.approx(1, rel=1e-12)


def test_a_mass_is_the_difference_of_the_cumulative_distribution_at_the_ends_of_the_cell():
    ends = numpy.concatenate([[-math.inf], numpy.arange(1, 7) / 7, [math.inf]])
    for x_hat, s in [(0.4, 0.1), (0.9, 0.03), (-0.2, 0.4)]:
        expected = numpy.diff(stats.logistic(x_hat, s).cdf(ends))
        numpy.testing.assert_allclose(numpy.exp(every_level(x_hat, s, 7)), expected, atol=1e-15)


def test_far_from_the_image_a_mass_is_small_and_its_logarithm_right():
    """In the tail P(l) = exp(-distance/s) (1 - exp(-1/(L s))), where a difference gives 0 or 1."""
    log_p = every_level(0.0, 0.001, 4)
    assert log_p[2] == pytest.approx(-0.5 / 0.001, rel=1e-12)
    assert log_p[0] == pytest.approx(0, abs=1e-12)
    assert every_level(1.0, 0.001, 4)[0] == pytest.approx(-0.75 / 0.001, rel=1e-12)


@pytest.mark.parametrize("levels", [1, 2, 5])
def test_the_gradient_of_a_mass_is_that_of_central_differences(levels):
    rng = numpy.random.default_rng(0)
    K = rng.integers(0, levels, (6, 4))

    def log_mass(X_hat, s):
        return log_mass_of_levels(K, X_hat, s, levels)

    check_gradient(log_mass, rng.random((6, 4)), 0.05 + 0.2 * rng.random(4), rng=rng)


def test_changing_a_value_does_not_change_its_backward():
    K, X_hat, s = numpy.array([[0, 2]]), numpy.array([[0.2, 0.5]]), numpy.array([0.1, 0.2])
    log_p, backward = log_mass_of_levels(K, X_hat, s, 3)
    before = [gradient.copy() for gradient in backward(numpy.ones((1, 2)))]
    log_p += 1
    for gradient, expected in zip(backward(numpy.ones((1, 2))), before, strict=True):
        assert (gradient == expected).all()

def test_the_slopes_in_the_scales_of_many_float32_rows_are_added_in_float64():
    n = 2**20
    K, X_hat = numpy.full((n, 2), 3, "f4"), numpy.full((n, 2), 0.3, "f4")
    s = numpy.float32([0.1, 0.2])
    one, many = (log_mass_of_levels(K[:m], X_hat[:m], s, 8)[1](numpy.ones((m, 2), "f4"))[1]
                 for m in (1, n))
    assert many.dtype == numpy.float32
    numpy.testing.assert_allclose(many, n * one, rtol=1e-6)


# The decoder and the guess

def test_draws_of_the_guess_have_the_mean_and_variance_of_p_0_over_all_images():
    """n = 40,000 codes of mean 0 and variance 1, each moment within 5 standard errors."""
    n, model, rng = 40_000, decoder(k=2), numpy.random.default_rng(0)
    Z = rng.choice([-1.0, 1.0], (n, 2))                     # of variance 1, and not normal
    drawn = model.redrawn(Z, rng)
    assert abs(drawn.mean(axis=0)).max() < 5 / math.sqrt(n)
    assert abs(drawn.var(axis=0) - 1).max() < 5 * math.sqrt(2 / n)
    numpy.testing.assert_allclose(model.shrink**2 + model.omega**2, 1, rtol=1e-12)
    numpy.testing.assert_allclose(model.omega**2, 0.07**2 / (model.u**2 + 0.07**2), rtol=1e-12)


def test_the_code_of_a_decoded_image_is_the_code():
    model, Z = decoder(k=2), numpy.random.default_rng(0).standard_normal((4, 2))
    numpy.testing.assert_allclose(model.axes.encode(model.decode(Z)) / model.u, Z, rtol=1e-9)


def test_a_fit_finds_the_noise_of_pixels_and_gives_codes_variance_1():
    true, rng = decoder(d=6), numpy.random.default_rng(0)
    K = Discretized(Normal([0.0], [[1.0]]), true).sample(3000, rng)
    axes = PrincipalComponents.fit((K + 0.5) / LEVELS, 1)
    fitted = LogisticDecoder.fit(axes, K, LEVELS, 0.01, rng, max_steps=300)
    numpy.testing.assert_allclose(fitted.encode(K).std(axis=0), 1, rtol=1e-9)
    wide = true.s > 0.035                                   # narrower noise hides in the cells
    assert wide.sum() == 3
    numpy.testing.assert_allclose(fitted.s[wide], true.s[wide], rtol=0.35)


def test_a_pixel_that_never_changes_keeps_a_little_noise():
    rng = numpy.random.default_rng(0)
    K = rng.integers(0, 5, (200, 3)) * numpy.array([1, 1, 0])
    axes = PrincipalComponents.fit((K + 0.5) / LEVELS, 1)
    s = LogisticDecoder.fit(axes, K, LEVELS, 0.05, rng, max_steps=100).s
    assert 1 / (64 * LEVELS) <= s[2] < 0.2 * s[:2].min()


# The bound

@pytest.mark.parametrize("T", [1, 4])
def test_under_p_0_the_mean_of_the_weights_is_the_mass(T):
    """From 4000 points for each image, within 5 standard errors, whatever the chain."""
    p, model, rng = Normal([0.0], [[1.0]]), decoder(), numpy.random.default_rng(0)
    for k in images(3):
        _, log_w = model.points(numpy.tile(k, (4000, 1)), rng, T, 2, 0.7)
        w, mass = numpy.exp(log_w), mass_by_integration(p, model, k)
        assert w.mean() == pytest.approx(mass, abs=5 * w.std() / math.sqrt(4000))


def test_a_bound_is_below_the_mass_for_any_density_of_codes_and_a_chain_comes_nearer():
    """From 1000 points, by at most 5 standard errors."""
    p = Mixture([0.4, 0.6], [Normal([-0.9], [[0.1]]), Normal([0.6], [[0.2]])])
    model, rng = decoder(), numpy.random.default_rng(0)
    for k in images(3, seed=2):
        K, mass = numpy.tile(k, (1000, 1)), mass_by_integration(p, model, k)
        bounds = [Discretized(p, model).lower_bound(*model.points(K, rng, T, 4, 0.7), rng)
                  for T in (1, 8)]
        for bound in bounds:
            assert bound.mean() < math.log(mass) + 5 * bound.std() / math.sqrt(1000)
        assert bounds[0].mean() < bounds[1].mean() + 0.05
        assert math.log(mass) - bounds[1].mean() < 0.3


def test_a_model_may_offer_a_lower_bound_of_its_density_at_the_points():
    model, rng = decoder(), numpy.random.default_rng(0)
    Z, log_w = model.points(images(4), rng)
    seen = []
    bound = Discretized(None, model, lambda Z, rng: seen.append((Z, rng)) or Z[:, 0]).lower_bound(
        Z, log_w, rng)
    assert seen[0][0] is Z and seen[0][1] is rng
    expected = log_w + Z[:, 0] - stats.norm.logpdf(Z).sum(axis=1)
    numpy.testing.assert_allclose(bound, expected, rtol=1e-12)


def test_samples_are_as_frequent_as_their_masses():
    """n = 20,000; the five most frequent images within 5 standard errors."""
    p, model, n = Normal([0.0], [[1.0]]), decoder(), 20_000
    K = Discretized(p, model).sample(n, numpy.random.default_rng(3))
    found, counts = numpy.unique(K, axis=0, return_counts=True)
    for i in numpy.argsort(-counts)[:5]:
        mass = mass_by_integration(p, model, found[i])
        assert counts[i] / n == pytest.approx(mass, abs=5 * math.sqrt(mass / n))


# Arrays, and what is refused

def test_any_number_of_images_has_as_many_points():
    """The draws differ, so only shapes; more rows than a block too."""
    model, rng = decoder(k=2), numpy.random.default_rng(0)
    for n in (0, 1, 130):
        Z, log_w = model.points(numpy.ones((n, 3), dtype=int), rng, 2, 1)
        assert Z.shape == (n, 2) and log_w.shape == (n,) and numpy.isfinite(log_w).all()
        p = Discretized(Normal([0.0, 0.0], numpy.eye(2)), model)
        assert p.sample(n, rng).shape == (n, 3)


def test_arguments_are_only_read_and_scales_copied():
    u, s = numpy.array([0.3]), numpy.array([0.02, 0.03, 0.05])
    model = LogisticDecoder(decoder().axes, u, s, LEVELS, 0.07)
    u[:] = s[:] = 0
    assert (model.u > 0).all() and (model.s > 0).all()
    K = images(3)
    K.flags.writeable = False
    model.points(K, numpy.random.default_rng(0), 2, 1)
    LogisticDecoder.fit(model.axes, K, LEVELS, 0.07, numpy.random.default_rng(0), max_steps=2)


def test_models_say_what_they_are():
    model = decoder()
    assert repr(model) == (f"LogisticDecoder(axes={model.axes}, u=[0.3], s=[0.02 0.035 0.05 ], "
                           "levels=5, noise=0.07)")
    p = Normal([0.0], [[1.0]])
    assert repr(Discretized(p, model)) == f"Discretized(p={p}, decoder={model}, log_p=None)"


@pytest.mark.parametrize("call, error, message", [
    (lambda m, K, rng: LogisticDecoder(m.axes, [0.3, 0.3], m.s, 5, 0.1), ValueError,
     r"u must have the shape of the axes, \(1,\), got \(2,\)"),
    (lambda m, K, rng: LogisticDecoder(m.axes, m.u, [0.1, 0, 0.1], 5, 0.1), ValueError,
     r"s must lie in \(0, inf\)"),
    (lambda m, K, rng: LogisticDecoder(m.axes, m.u, m.s, 0, 0.1), ValueError, "levels must be at"),
    (lambda m, K, rng: LogisticDecoder(m.axes, m.u, m.s, 5, 0), ValueError, "noise must lie in"),
    (lambda m, K, rng: LogisticDecoder.fit(m.axes, K[:0], 5, 0.1, rng), ValueError, "K is empty"),
    (lambda m, K, rng: LogisticDecoder.fit(m.axes, K, 5, 0.1, 0), TypeError, "rng must be a gen"),
    (lambda m, K, rng: LogisticDecoder.fit(m.axes, K[:, 1:], 5, 0.1, rng), ValueError, "2 columns"),
    (lambda m, K, rng: m.points(K + 5, rng), ValueError, "K must hold whole numbers from 0 to 4"),
    (lambda m, K, rng: m.points(K, numpy.random), TypeError, "rng must be a generator"),
    (lambda m, K, rng: m.points(K, rng, T=0), ValueError, "T must be at least 1, got 0"),
    (lambda m, K, rng: m.points(K, rng, 2, steps=1.5), TypeError, "steps must be a whole number"),
    (lambda m, K, rng: m.points(K, rng, 2, h=0), ValueError, r"h must lie in \(0, inf\), got 0"),
    (lambda m, K, rng: m.redrawn(numpy.ones((2, 1)), 0), TypeError, "rng must be a generator"),
    (lambda m, K, rng: m.redrawn(numpy.ones((2, 3)), rng), ValueError, "Z has 3 columns"),
    (lambda m, K, rng: m.decode([[math.nan]]), ValueError, "Z holds nan"),
    (lambda m, K, rng: Discretized(Normal([0.0], [[1.0]]), m).sample(1, 0), TypeError, "rng must"),
    (lambda m, K, rng: Discretized(Normal([0.0], [[1.0]]), m).lower_bound([[0.0]], [0, 1], rng),
     ValueError, r"log_w must have the shape of the rows of Z, \(1,\), got \(2,\)"),
    (lambda m, K, rng: log_mass_of_levels(K, numpy.ones((1, 3)), m.s, 5), ValueError,
     "K must have the shape of X_hat"),
])
def test_wrong_arguments_are_refused(call, error, message):
    with pytest.raises(error, match=message):
        call(decoder(), images(3), numpy.random.default_rng(0))


# Contracts

@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_points_bounds_and_samples_live_where_the_decoder_does(xp, make_rng, dtype):
    model, K = decoder(xp, dtype, k=2), xp.asarray(images(4))
    p = Normal(xp.zeros(2, dtype=dtype), xp.eye(2, dtype=dtype))
    Z, log_w = model.points(K, make_rng(0), 2, 2)
    bound = Discretized(p, model).lower_bound(Z, log_w, make_rng(1))
    drawn = Discretized(p, model).sample(3, make_rng(0))
    fitted = LogisticDecoder.fit(model.axes, K, LEVELS, 0.07, make_rng(0), max_steps=2, batch=2)
    for array in (Z, log_w, bound, fitted.s, fitted.u):
        assert array_module(array) is xp and array.dtype == dtype
    assert array_module(drawn) is xp and drawn.dtype.kind == "i"
    again, _ = model.points(K, make_rng(0), 2, 2)
    assert to_numpy(Z == again).all()

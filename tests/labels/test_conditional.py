"""Conditional models: p(x|y), p(y), and everything that Bayes' rule makes of them."""

import math
from types import SimpleNamespace

import numpy
import pytest
from scipy.stats import chi2, norm
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis, QuadraticDiscriminantAnalysis

from gdl_numpy.labels.conditional import ClassConditional, noise_kept
from gdl_numpy.labels.logistic import LogisticFamily, SoftmaxFamily
from gdl_numpy.probability.density import Box, Mixture, Normal
from gdl_numpy.probability.divergence import total_mass
from gdl_numpy.probability.family import BoxFamily
from gdl_numpy.probability.mle import maximum_likelihood
from gdl_numpy.probability.normal_family import MixtureFamily, NormalFamily
from gdl_numpy.probability.sample_space import SampleSpace
from gdl_numpy.world.world_map import WORLD, WorldMap, continent_of, continents

MEANS = [[0.0, 0.0], [2.0, 1.0], [-1.0, 3.0]]
COVARIANCES = [[[1.0, 0.3], [0.3, 0.5]], [[0.4, 0.0], [0.0, 2.0]], [[1.0, -0.6], [-0.6, 1.0]]]
PRIORS = [0.5, 0.2, 0.3]
PLANE = SampleSpace([-12, -12], [12, 12])


def three_normals(xp=numpy):
    return ClassConditional([Normal(xp.asarray(mu), xp.asarray(S))
                             for mu, S in zip(MEANS, COVARIANCES, strict=True)],
                            xp.asarray(PRIORS))


def labeled(seed=0, n=400):
    """n draws of three_normals, on the host."""
    return three_normals().sample(n, numpy.random.default_rng(seed))


def assert_counts(counts, shares):
    """A chi-square test with a false alarm in a million."""
    expected = sum(counts) * shares
    statistic = ((counts - expected)**2 / expected).sum()
    assert chi2.sf(statistic, len(counts) - 1) > 1e-6


def assert_normal_moments(X, mu, covariance):
    """Mean and covariance within 5 standard errors, each a false alarm in 1.7 million."""
    S = numpy.array(covariance)
    variances = numpy.diag(S)
    assert (abs(X.mean(axis=0) - mu) < 5 * numpy.sqrt(variances / len(X))).all()
    error = numpy.sqrt((S**2 + variances[:, None] * variances) / len(X))
    assert (abs(numpy.cov(X.T) - S) < 5 * error).all()


# Joint, marginal, posterior

def test_the_posterior_is_the_joint_over_the_marginal_and_sums_to_1():
    model, X = three_normals(), 5 * numpy.random.default_rng(0).standard_normal((200, 2))
    log_posterior = model.log_posterior(X)
    assert log_posterior.shape == (200, 3)
    numpy.testing.assert_allclose(numpy.exp(log_posterior).sum(axis=1), 1, rtol=1e-12)
    expected = model.log_joint(X) - model.marginal().log_prob(X)[:, None]
    numpy.testing.assert_allclose(log_posterior, expected, atol=1e-11)


def test_the_joint_is_the_density_of_the_label_times_its_prior():
    model, rng = three_normals(), numpy.random.default_rng(0)
    X, y = rng.standard_normal((50, 2)), rng.integers(0, 3, size=50)
    rows = numpy.arange(50)
    numpy.testing.assert_allclose(
        model.log_joint(X)[rows, y],
        model.log_prob(X, y) + numpy.log(model.priors)[y], rtol=1e-13)
    for k, p in enumerate(model.densities):
        numpy.testing.assert_allclose(model.log_prob(X, numpy.full(50, k)), p.log_prob(X),
                                      rtol=1e-13)


def test_the_marginal_is_a_density_of_mass_1():
    space = SampleSpace([-12.0] * 2, [12.0] * 2)
    marginal = three_normals().marginal()
    assert isinstance(marginal, Mixture)
    assert float(total_mass(marginal, space, (240, 240))) == pytest.approx(1, abs=1e-9)


def test_the_posterior_is_nan_where_every_density_is_0():
    model = ClassConditional([Box([0.0], [2.0]), Box([1.0], [3.0])], [0.5, 0.5])
    p = numpy.exp(model.log_posterior([[0.5], [1.5], [2.5], [4.0]]))
    numpy.testing.assert_array_equal(p, [[1, 0], [0.5, 0.5], [0, 1], [math.nan, math.nan]])


def test_a_label_of_prior_0_has_posterior_0_and_is_never_drawn():
    model = ClassConditional([Box([0.0], [2.0]), Box([1.0], [3.0])], [1.0, 0.0])
    log_p = model.log_posterior([[0.5], [1.5], [2.5]])
    numpy.testing.assert_array_equal(log_p, [[0, -math.inf]] * 2 + [[math.nan] * 2])
    rng = numpy.random.default_rng(0)
    assert not model.sample(100, rng)[1].any()
    assert model.marginal().log_prob([[2.5]]).tolist() == [-math.inf]
    assert model.sample(5, rng, y=1).min() >= 1             # but it can be asked for


# Samples

def test_a_sample_of_one_label_has_its_mean_and_covariance():
    model = three_normals()
    for k in range(3):
        X = model.sample(4000, numpy.random.default_rng(k), y=k)
        assert X.shape == (4000, 2)
        assert_normal_moments(X, MEANS[k], COVARIANCES[k])


def test_a_sample_of_all_labels_has_their_shares_and_densities():
    X, y = three_normals().sample(12_000, numpy.random.default_rng(0))
    assert X.shape == (12_000, 2) and y.shape == (12_000,)
    assert_counts(numpy.bincount(y, minlength=3), numpy.array(PRIORS))
    for k in range(3):
        assert_normal_moments(X[y == k], MEANS[k], COVARIANCES[k])
    assert (y[1:] < y[:-1]).any()                           # in the order of the draws, not sorted


def test_a_sample_may_be_empty():
    model = three_normals()
    rng = numpy.random.default_rng(0)
    X, y = model.sample(0, rng)
    assert X.shape == model.sample(0, rng, y=2).shape == (0, 2) and y.shape == (0,)


# Estimates

@pytest.mark.parametrize("family", [NormalFamily(2), BoxFamily(2), MixtureFamily(2, 2)])
def test_each_density_is_fitted_to_the_rows_of_its_label_and_the_prior_to_their_share(family):
    X, y = labeled()
    how = {"theta": family.initial_theta(numpy.random.default_rng(0))} if isinstance(
        family, MixtureFamily) else {}
    model = ClassConditional.fit(family, X, y, **how)
    numpy.testing.assert_allclose(model.priors, numpy.bincount(y) / len(y), rtol=1e-15)
    for k, p in enumerate(model.densities):
        rows = X[y == k]
        alone = family(maximum_likelihood(family, rows, **how))
        assert (p.log_prob(rows) == alone.log_prob(rows)).all()


def test_fitting_keeps_the_dtype_of_the_data_and_does_not_change_them():
    X, y = labeled()
    X = X.astype("float32")
    X.flags.writeable = y.flags.writeable = False
    for model in (ClassConditional.fit(NormalFamily(2), X, y),
                  ClassConditional.fit_normals_with_common_covariance(X, y)):
        assert model.priors.dtype == model.log_posterior(X).dtype == numpy.float32
        assert model.sample(3, numpy.random.default_rng(0))[0].dtype == numpy.float32


@pytest.mark.parametrize("K", [2, 3])
def test_normals_with_a_common_covariance_are_linear_discriminant_analysis(K):
    """The solver "lsqr" normalizes Σ by n, as maximum likelihood does, and "svd" by n - K."""
    X, y = labeled()
    X, y = X[y < K], y[y < K]
    model = ClassConditional.fit_normals_with_common_covariance(X, y)
    theirs = LinearDiscriminantAnalysis(solver="lsqr").fit(X, y)
    numpy.testing.assert_allclose(model.priors, theirs.priors_, rtol=1e-14)
    for p, mu in zip(model.densities, theirs.means_, strict=True):
        numpy.testing.assert_allclose(p.mu, mu, rtol=1e-12)
        numpy.testing.assert_allclose(p.covariance, theirs.covariance_, rtol=1e-12)
    numpy.testing.assert_allclose(model.log_posterior(X),
                                  theirs.predict_log_proba(X), rtol=1e-8, atol=1e-10)


def test_normals_with_their_own_covariances_are_quadratic_discriminant_analysis():
    """scikit-learn normalizes Σ_y by n_y - 1, in later versions by n_y; with their Σ_y the
    posteriors are equal, too."""
    X, y = labeled()
    ours = ClassConditional.fit(NormalFamily(2), X, y)
    theirs = QuadraticDiscriminantAnalysis(store_covariance=True).fit(X, y)
    rescaled = []
    for p, mu, S, n in zip(ours.densities, theirs.means_, theirs.covariance_, numpy.bincount(y),
                           strict=True):
        numpy.testing.assert_allclose(p.mu, mu, rtol=1e-12)
        factor = S[0, 0] / float(p.covariance[0, 0])
        assert min(abs(factor - 1), abs(factor - n / (n - 1))) < 1e-12
        numpy.testing.assert_allclose(p.covariance * factor, S, rtol=1e-11)
        rescaled.append(Normal(p.mu, p.covariance * factor))
    numpy.testing.assert_allclose(
        ClassConditional(rescaled, ours.priors).log_posterior(X),
        theirs.predict_log_proba(X), rtol=1e-8, atol=1e-10)


def test_most_points_made_for_a_continent_lie_on_it():
    rng = numpy.random.default_rng(0)
    X = numpy.concatenate([WorldMap(continent=name).sample(300, rng) for name in continents()])
    y = numpy.repeat(numpy.arange(len(continents())), 300)
    model = ClassConditional.fit(MixtureFamily(6, 2), X, y, rng=rng, tol=1e-3)
    for k in range(len(continents())):
        assert (continent_of(model.sample(400, rng, y=k)) == k).mean() > 0.5, continents()[k]


# Noise that a classifier keeps

def counting(noise):
    """`noise` with the number of its draws in `drawn`."""
    def sample(n, rng):
        counted.drawn += n
        return noise.sample(n, rng)

    counted = SimpleNamespace(drawn=0, sample=sample, log_prob=noise.log_prob)
    return counted


def test_noise_is_drawn_and_judged_some_rows_at_a_time():
    """All at once would be 4,000,064 rows, and 160 MB beside the result."""
    largest = 0

    def sample(n, rng):
        nonlocal largest
        largest = max(largest, n)
        return rng.random((n, 1))

    always = SimpleNamespace(log_posterior=lambda X: numpy.zeros((len(X), 2)))
    X = noise_kept(always, SimpleNamespace(sample=sample), 10**6, numpy.random.default_rng(0), 0.0)
    assert X.shape == (10**6, 1) and largest <= 2**18


def test_noise_kept_by_a_perfect_classifier_is_a_draw_of_another_normal():
    wide, narrow = (Normal(mu, S)
                    for mu, S in [([0.0, 0.0], [[4.0, 0.0], [0.0, 4.0]]),
                                  ([1.0, 0.0], [[1.0, 0.5], [0.5, 1.0]])])
    perfect = ClassConditional([wide, narrow], [0.5, 0.5])
    X = noise_kept(perfect, wide, 3000, numpy.random.default_rng(0), log_odds_bound=3)
    grid, _ = SampleSpace([-9.0] * 2, [9.0] * 2).grid((100, 100))
    assert float((narrow.log_prob(grid) - wide.log_prob(grid)).max()) < 3   # so 3 is a bound
    assert X.shape == (3000, 2)
    assert_normal_moments(X, [1, 0], [[1, 0.5], [0.5, 1]])
    assert noise_kept(perfect, wide, 0, numpy.random.default_rng(0), 3).shape == (0, 2)


@pytest.mark.parametrize("bound", [math.nan, math.inf, -math.inf])
def test_a_bound_that_is_not_finite_is_refused(bound):
    model = three_normals()
    with pytest.raises(ValueError, match=rf"log_odds_bound must lie in \(-inf, inf\), got {bound}"):
        noise_kept(model, model.densities[0], 1, numpy.random.default_rng(0), bound)


# Errata

def test_e20_a_conditional_density_sums_to_1_over_x_and_the_joint_over_x_and_y():
    model = three_normals()
    X, cell = PLANE.grid((240, 240))
    for k in range(3):
        one_label = numpy.exp(model.log_prob(X, numpy.full(len(X), k))).sum() * cell
        assert one_label == pytest.approx(1, abs=1e-9)
    assert numpy.exp(model.log_joint(X)).sum() * cell == pytest.approx(1, abs=1e-9)
    over_labels = sum(numpy.exp(model.log_prob(X, numpy.full(len(X), k))) for k in range(3))
    assert over_labels.max() < 0.9                          # ... but p(x|y) sums to nothing over y


def test_e21_two_normals_with_one_covariance_have_the_posterior_of_logistic_regression():
    S = numpy.array([[1.0, 0.3], [0.3, 0.5]])
    (mu_0, mu_1), prior = numpy.array(MEANS[:2]), 0.7
    model = ClassConditional([Normal(mu_0, S), Normal(mu_1, S)], [1 - prior, prior])
    w = numpy.linalg.solve(S, mu_1 - mu_0)
    b = math.log(prior / (1 - prior)) - 0.5 * ((mu_1 + mu_0) * w).sum()
    logistic = LogisticFamily(2)(numpy.stack([w[0], w[1], b]))
    X = 2 * numpy.random.default_rng(0).standard_normal((300, 2))
    numpy.testing.assert_allclose(model.log_posterior(X), logistic.log_posterior(X), rtol=1e-12,
                                  atol=1e-12)


def test_e21_p_of_x_is_found_without_labels():
    """By a mixture of X alone, within 0.01 nats of the marginal that made X; no label is named,
    and its parts in any other order are the same p(x)."""
    X, _ = labeled(n=4000)
    new, _ = labeled(seed=1, n=4000)
    family = MixtureFamily(3, 2)
    start = family.theta(numpy.full(3, 1 / 3), numpy.array([[0.0, -1], [3, 1], [-1, 2]]),
                         numpy.tile(numpy.eye(2), (3, 1, 1)))
    p = family(maximum_likelihood(family, X, theta=start, method="em"))
    missed = three_normals().marginal().log_prob(new) - p.log_prob(new)
    assert -0.01 < missed.mean() < 0.01
    other = Mixture(p.weights[[2, 0, 1]], [p.components[k] for k in (2, 0, 1)])
    numpy.testing.assert_allclose(other.log_prob(new), p.log_prob(new), rtol=1e-12)


def test_e21_p_of_x_given_y_cannot_be_found_without_labels():
    """Two joint distributions with one marginal: in the second, y says nothing about x. X alone
    cannot tell them apart, yet their p(x|y), and so their classifiers, differ. Labels can."""
    telling, X = three_normals(), labeled(n=2000)[0]
    silent = ClassConditional(3 * [telling.marginal()], PRIORS)
    numpy.testing.assert_allclose(silent.marginal().log_prob(X), telling.marginal().log_prob(X),
                                  rtol=1e-12)
    for model, right in ((telling, 0.9), (silent, 0.5)):
        X, y = model.sample(4000, numpy.random.default_rng(2))
        fitted = ClassConditional.fit(NormalFamily(2), X, y)
        difference = model.log_prob(X, y) - fitted.log_prob(X, y)
        guessed = fitted.log_posterior(X).argmax(axis=1)
        assert (guessed == y).mean() == pytest.approx(right, abs=0.05)
        if model is telling:
            assert abs(difference.mean()) < 0.01


def test_e22_a_perfect_discriminator_of_land_from_noise_draws_the_land():
    p_data, world, rng = WorldMap(), Box(WORLD.low, WORLD.high), numpy.random.default_rng(0)
    noise = counting(world)
    perfect = ClassConditional([world, p_data], [0.5, 0.5])
    log_odds = math.log(float(WORLD.volume) / p_data.area)  # of D/(1 - D) on land; in the sea -inf
    X = noise_kept(perfect, noise, 3000, rng, log_odds)
    assert p_data.contains(X).all()
    shares = [WorldMap(continent=name).area / p_data.area for name in continents()]
    counts = numpy.bincount(continent_of(X), minlength=len(shares))
    seas = continents().index("Seven seas (open ocean)")    # too small for a chi-square of its own
    counts, shares = (numpy.delete(a, seas) for a in (counts, numpy.array(shares)))
    assert_counts(counts, shares / shares.sum())
    for i in (0, 1):                                        # and on each side of the median
        halves = X[:, i] < numpy.median(p_data.sample(40_000, rng)[:, i])
        assert_counts(numpy.bincount(halves, minlength=2), numpy.array([0.5, 0.5]))


def test_e22_the_share_of_noise_that_is_kept_is_that_of_the_land():
    """One batch, so that all that is kept can be counted: within 5 standard errors."""
    p_data, world = WorldMap(), Box(WORLD.low, WORLD.high)
    noise = counting(world)
    perfect = ClassConditional([world, p_data], [0.5, 0.5])
    share = p_data.area / float(WORLD.volume)
    kept, drawn = 0, 0
    for seed in range(10):                                  # as few as are found in the first batch
        noise.drawn = 0
        rng = numpy.random.default_rng(seed)
        batch = 4 * 500 + 64
        expected = p_data.contains(world.sample(batch, numpy.random.default_rng(seed)))
        X = noise_kept(perfect, noise, 500, rng, -math.log(share))
        assert noise.drawn == batch
        kept, drawn = kept + int(expected.sum()), drawn + batch
        assert (X == world.sample(batch, numpy.random.default_rng(seed))[expected][:500]).all()
    error = math.sqrt(share * (1 - share) / drawn)
    assert abs(kept / drawn - share) < 5 * error


def test_e23_with_few_data_normal_densities_classify_better_than_logistic_regression():
    """30 rows of two normals in R^5: the errors of both, exactly, over 200 data sets. The penalty
    of logistic regression only keeps it finite where the rows can be separated."""
    n, d, distance = 30, 5, 2.0
    y, family, gaps = numpy.arange(n) % 2, LogisticFamily(d, l2=1e-4), []

    def error(w, b):
        """P(w · x + b says the wrong label), x ~ N(0, I) or N((distance, 0, ..., 0), I)."""
        length = numpy.sqrt((w**2).sum())
        return 0.5 * norm.cdf(b / length) + 0.5 * norm.cdf(-(b + distance * w[0]) / length)

    for seed in range(200):
        X = numpy.random.default_rng(seed).standard_normal((n, d))
        X[:, 0] += distance * y
        p = family(family.mle(X, y))
        zero, one = ClassConditional.fit_normals_with_common_covariance(X, y).densities
        w = numpy.linalg.solve(zero.covariance, one.mu - zero.mu)
        gaps.append(error(p.weights, p.intercepts) - error(w, -0.5 * (zero.mu + one.mu) @ w))
        assert gaps[-1] > -0.5
    assert numpy.mean(gaps) > 4 * numpy.std(gaps, ddof=1) / math.sqrt(len(gaps))


# Many rows, and columns that do not vary

def test_the_common_covariance_of_millions_of_float32_rows_is_that_of_float64():
    rng = numpy.random.default_rng(0)
    X = numpy.float32([180, 220]) + rng.standard_normal((1_000_000, 2), dtype="float32")
    y = (rng.random(len(X)) < 0.5).astype(int)
    single, double = (ClassConditional.fit_normals_with_common_covariance(rows, y).densities
                      for rows in (X, X.astype(float)))
    for p, q in zip(single, double, strict=True):
        numpy.testing.assert_allclose(p.mu, q.mu, rtol=1e-6)
        numpy.testing.assert_allclose(p.covariance, q.covariance, atol=1e-5)


@pytest.mark.parametrize("dtype, unit", [("f4", 1e-23), ("f4", 1e-30), ("f4", 1e19), ("f4", 1e30),
                                         ("f8", 1e-140), ("f8", 1e140)])
def test_linear_discriminants_do_not_depend_on_the_unit(dtype, unit):
    X, y = labeled(n=300)
    one, two = (ClassConditional.fit_normals_with_common_covariance(rows, y).log_posterior(rows)
                for rows in (X, (X * unit).astype(dtype)))
    numpy.testing.assert_allclose(two, one, rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize("size, words", [(1e200, "whose square leaves the range of float64"),
                                         (1e-170, "must vary in every column within its labels")])
def test_data_whose_squares_leave_float64_have_no_common_covariance(size, words):
    X, y = labeled(n=300)
    with pytest.raises(ValueError, match=words):
        ClassConditional.fit_normals_with_common_covariance(X * size, y)


def test_log_prob_of_many_rows_is_computed_in_blocks():
    X, y = labeled(n=20_000)
    model, rows = three_normals(), numpy.arange(20_000)
    expected = numpy.stack([p.log_prob(X) for p in model.densities], axis=1)[rows, y]
    numpy.testing.assert_allclose(model.log_prob(X, y), expected, rtol=1e-13)
    assert model.log_prob(X[:0], y[:0]).shape == (0,)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("column", [
    lambda y: 0 * y + 0.3, lambda y: numpy.where(y == 0, 0.3, 0.7), lambda y: 0 * y + 1e9,
    lambda y: numpy.where(y == 0, 1e-9 / 3, 1e9 / 3), lambda y: 0.1 * y])
def test_a_column_that_rounding_alone_makes_vary_within_labels_has_no_covariance(column, dtype):
    x, y = labeled(n=500)
    X = numpy.c_[x, column(y)].astype(dtype)
    with pytest.raises(ValueError, match="X must vary in every column within its labels, got 500"):
        ClassConditional.fit_normals_with_common_covariance(X, y)
    with pytest.raises(ValueError, match="X must vary in every column, got"):
        ClassConditional.fit(NormalFamily(3), X, y)


@pytest.mark.parametrize("dtype, rounding", [("float32", 1e-7), ("float64", 1e-9)])
def test_columns_that_depend_on_each_other_within_labels_have_no_covariance(dtype, rounding):
    x, y = labeled(n=500)
    rng = numpy.random.default_rng(0)
    for third in (x[:, 0] - 2 * x[:, 1] + y, x[:, 0] + rounding * rng.standard_normal(500)):
        with pytest.raises(ValueError, match="X has a singular common covariance, .* 3 dimensions"):
            ClassConditional.fit_normals_with_common_covariance(
                numpy.c_[x, third].astype(dtype), y)


def test_a_column_that_is_constant_for_one_label_only_has_a_common_covariance():
    x, y = labeled(n=500)
    X = numpy.c_[x, numpy.where(y == 0, 0.3, x[:, 0] * x[:, 1])]
    p = ClassConditional.fit_normals_with_common_covariance(X, y).densities[0]
    assert p.mu[2] == pytest.approx(0.3) and p.covariance[2, 2] > 0.1


# What is refused

@pytest.mark.parametrize("largest", [25, 10**6, 10**9, 2**62])
def test_a_label_far_beyond_the_others_is_refused_at_once_and_in_few_words(largest):
    X, y = [[0.0], [1.0], [2.0]], [0, 1, largest]
    for take in (lambda: ClassConditional.fit(NormalFamily(1), X, y),
                 lambda: ClassConditional.fit_normals_with_common_covariance(X, y),
                 lambda: LogisticFamily(1).mle(X, y),
                 lambda: SoftmaxFamily(1, 3).train(X, y, numpy.random.default_rng(0)),
                 lambda: three_normals().log_prob([[0.0, 0.0]] * 3, y)):
        with pytest.raises(ValueError, match="y must hold") as refused:
            take()
        assert len(str(refused.value)) < 300


def test_of_many_labels_the_first_that_is_missing_is_named():
    X, y = numpy.random.default_rng(0).random((100, 1)), numpy.arange(100) % 50
    y[y == 7] = 8
    with pytest.raises(ValueError, match="from 0 to 49, got no row of 1 of them, the first 7$"):
        ClassConditional.fit(BoxFamily(1), X, y)


@pytest.mark.parametrize("dtype", ["int8", "uint8", "int32", "uint64"])
def test_labels_may_be_whole_numbers_of_any_size(dtype):
    X, y = labeled()
    expected = ClassConditional.fit(NormalFamily(2), X, y)
    found = ClassConditional.fit(NormalFamily(2), X, y.astype(dtype))
    assert (found.log_prob(X, y.astype(dtype)) == expected.log_prob(X, y)).all()
    assert (LogisticFamily(2).mle(X, (y > 0).astype(dtype)) == LogisticFamily(2).mle(
        X, (y > 0).astype(int))).all()


@pytest.mark.parametrize("y, error, words", [
    ([0, 0, 2, 2, 0, 2], ValueError, r"y must hold every label from 0 to 2, got \[3, 0, 3\] rows"),
    ([1, 1, 2, 2, 1, 2], ValueError, r"y must hold every label from 0 to 2, got \[0, 3, 3\] rows"),
    ([1, 1, 1, 1, 1, 1], ValueError, "y must hold at least two different labels, got only 1"),
    ([0, 0, 0, 0, 0, 0], ValueError, "y must hold at least two different labels, got only 0"),
    ([0, 1, 0, 1, 0], ValueError, r"shape \(6,\), got shape \(5,\)"),
    ([0, 1, 0, 1, 0, -1], ValueError, "labels from 0, got -1 to 1"),
    ([0.0, 1.0, 0.0, 1.0, 0.0, 1.0], TypeError, "whole numbers, got dtype float64"),
])
def test_labels_that_cannot_be_fitted_are_refused(y, error, words):
    X = numpy.random.default_rng(0).random((6, 2))
    for fit in (lambda: ClassConditional.fit(NormalFamily(2), X, y),
                lambda: ClassConditional.fit_normals_with_common_covariance(X, y)):
        with pytest.raises(error, match=words):
            fit()


@pytest.mark.parametrize("X, words", [
    ([[math.nan, 0.0], [0.0, 1.0]], "X holds nan"), ([0.0, 1.0], "X must have shape"),
    (numpy.zeros((0, 2)), "X is empty"),
    ([[1.0, 0.0], [0.0, 1.0]], "positive definite|vary|singular|Σ|covariance"),
])
def test_data_that_cannot_be_fitted_are_refused(X, words):
    y = numpy.arange(len(X))
    for fit in (lambda: ClassConditional.fit(NormalFamily(2), X, y),
                lambda: ClassConditional.fit_normals_with_common_covariance(X, y)):
        with pytest.raises(ValueError, match=words):
            fit()


@pytest.mark.parametrize("priors, words", [
    ([0.5, 0.4], "priors must sum to 1, got a sum of 0.9"),
    ([1.5, -0.5], "priors must be .* none negative"),
    ([0.2, 0.3, 0.5], r"priors must have shape \(2,\), .* got shape \(3,\)"),
    ([[0.5, 0.5]], r"priors must have shape \(2,\)"),
    ([math.nan, 1], "priors holds nan"),
])
def test_wrong_priors_are_refused(priors, words):
    with pytest.raises(ValueError, match=words):
        ClassConditional([Box([0], [1]), Box([0], [2])], priors)


@pytest.mark.parametrize("ask, error, words", [
    (lambda m, rng: m.sample(1, rng, y=3), ValueError, "y must be at most 2, got 3"),
    (lambda m, rng: m.sample(1, rng, y=-1), ValueError, "y must be at least 0, got -1"),
    (lambda m, rng: m.sample(1, rng, y=1.0), TypeError, "y must be a whole number, got 1.0"),
    (lambda m, rng: m.sample(1, rng, y="cat"), TypeError, "y must be a whole number, got 'cat'"),
    (lambda m, rng: m.sample(-1, rng), ValueError, "n must be at least 0, got -1"),
    (lambda m, rng: m.sample(-1, rng, y=0), ValueError, "n must be at least 0, got -1"),
    (lambda m, rng: m.sample(1, 3), TypeError, "rng must be a generator .*, got 3"),
    (lambda m, rng: noise_kept(m, m.densities[0], 1, 3, 0.0), TypeError, "rng must be .*, got 3"),
    (lambda m, rng: noise_kept(m, m.densities[0], -1, rng, 0.0), ValueError, "n must be .* -1"),
    (lambda m, rng: m.log_prob([[0.0, 0.0]], [3]), ValueError, "labels from 0 to 2, got 3 to 3"),
    (lambda m, rng: m.log_prob([[0.0, 0.0]], [0, 1]), ValueError, r"shape \(1,\), got .*\(2,\)"),
    (lambda m, rng: m.log_posterior([[0.0]]), ValueError, "X has 1 columns"),
    (lambda m, rng: m.log_joint([[0.0, math.inf]]), ValueError, "X holds inf"),
])
def test_wrong_questions_to_a_model_are_refused(ask, error, words):
    with pytest.raises(error, match=words):
        ask(three_normals(), numpy.random.default_rng(0))


# Contracts

def test_data_and_labels_on_two_devices_are_refused(device):
    X, y = labeled(n=50)
    for X_there, y_there in [(device.asarray(X), y), (X, device.asarray(y))]:
        with pytest.raises(TypeError, match="X and y must live on the same device"):
            ClassConditional.fit(NormalFamily(2), X_there, y_there)
    with pytest.raises(TypeError):
        three_normals(device).log_posterior(X)


def test_models_say_what_they_are():
    model = ClassConditional([Box([0.0], [1.0]), Box([0.0], [2.0])], [0.25, 0.75])
    densities = f"({', '.join(map(repr, model.densities))})"
    assert repr(model) == f"ClassConditional(densities={densities}, priors=[0.25 0.75])"


def test_a_model_says_the_same_on_a_device_as_on_the_host(device):
    X, y = labeled(n=50)
    host, there = three_normals(), three_normals(device)
    X_there, y_there = device.asarray(X), device.asarray(y)
    for a, b in [(host.log_joint(X), there.log_joint(X_there)),
                 (host.log_prob(X, y), there.log_prob(X_there, y_there)),
                 (host.log_posterior(X), there.log_posterior(X_there)),
                 (host.marginal().log_prob(X), there.marginal().log_prob(X_there))]:
        assert isinstance(b, device.ndarray)
        numpy.testing.assert_allclose(device.asnumpy(b), a, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("fit", [
    lambda X, y: ClassConditional.fit(NormalFamily(2), X, y),
    ClassConditional.fit_normals_with_common_covariance])
def test_the_estimate_on_a_device_is_that_on_the_host(device, fit):
    X, y = labeled(n=90)
    host, there = fit(X, y), fit(device.asarray(X), device.asarray(y))
    for p, q in zip(host.densities, there.densities, strict=True):
        numpy.testing.assert_allclose(device.asnumpy(q.covariance), p.covariance, rtol=1e-12)
    numpy.testing.assert_allclose(device.asnumpy(there.priors), host.priors, rtol=1e-15)


def test_draws_live_where_the_model_lives(device):
    model, rng = three_normals(device), device.random.default_rng(0)
    X, y = model.sample(200, rng)
    two = ClassConditional(model.densities[:2], device.asarray([0.5, 0.5]))
    kept = noise_kept(two, model.densities[0], 7, rng, 0.0)
    assert all(isinstance(a, device.ndarray) for a in (X, y, model.sample(5, rng, y=1), kept))
    assert X.shape == (200, 2) and y.shape == (200,) and kept.shape == (7, 2)
    assert_counts(numpy.bincount(device.asnumpy(y), minlength=3), numpy.array(PRIORS))


def test_float32_priors_leave_float64_data_their_precision():
    normals = [Normal(numpy.array([mu]), numpy.eye(1)) for mu in (1e9, 1e9 + 3)]
    X, y = numpy.array([[1e9 + 1], [1e9 + 2]]), numpy.array([0, 1])
    p = ClassConditional(normals, numpy.float32([0.5, 0.5]))
    expected = [q.log_prob(x[None])[0] for q, x in zip(normals, X, strict=True)]
    numpy.testing.assert_allclose(p.log_prob(X, y), expected, rtol=1e-12)


def test_a_classifier_of_three_classes_keeps_no_noise():
    classifier = SimpleNamespace(log_posterior=lambda X: numpy.zeros((len(X), 3)))
    rng, before = numpy.random.default_rng(0), str(numpy.random.default_rng(0).bit_generator.state)
    with pytest.raises(ValueError, match=r"classifier must have two classes.*\(0, 3\)"):
        noise_kept(classifier, Box([0, 0], [1, 1]), 5, rng, 3.0)
    assert str(rng.bit_generator.state) == before

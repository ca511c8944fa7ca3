"""Trained families: what a new family over networks gets for its loss, and what it must bring."""

import numpy
import pytest
from numpy.random import default_rng

from gdl_numpy.networks.network import Network
from gdl_numpy.networks.trained import TractableFamily, Trained, TrainedFamily, checked_network
from gdl_numpy.networks.training import train
from gdl_numpy.numerics import checks


class LineFamily(TrainedFamily):
    """x2 = f(x1) by a network, for rows with x1 >= 0; θ = (one number that nothing reads, θ_f)."""

    defaults = {"batch": 7, "learning_rate": 0.02, "max_steps": 4}

    def __init__(self, network):
        self.d, self.network = 2, checked_network(network, "network", 1, (1,))
        self._set_networks(network, before=(1,))

    def __call__(self, theta):
        return Line(self, theta)

    def initial_theta(self, rng, dtype=float):
        unread = 0 * rng.standard_normal(1, dtype=dtype)
        return self.parts.join(unread, self.network.initial_theta(rng, dtype))

    def on_space(self, X):
        return checks.rows_within(X, X[:, 0] >= 0, "the right half of the plane")

    def loss(self, theta, X, rng):
        Y, backward = self.network(self.parts(theta)[1], X[:, :1])
        difference = Y - X[:, 1:]
        dpart, _ = backward(2 / len(X) * difference, inputs=False)
        return (difference**2).mean(), self.parts.join(theta[:1] * 0, dpart)


class Line(Trained):
    def f(self, X, rows=None):
        def of_some(X):
            self.seen.append(len(X))
            return self.family.network(self.family.parts(self.theta)[1], X)[0]

        self.seen = []
        return self._of_rows(of_some, X, "x", 1, rows)

    def sample(self, n, rng, rows=None):
        self.seen = []
        return self._draws(lambda count: self.seen.append(count) or rng.random((count, 1)), n, rng,
                           rows)


class MeanFamily(TractableFamily):
    """N(θ, I)."""

    d = n_parameters = 2

    def log_prob(self, theta, X):
        return -0.5 * ((X - theta)**2).sum(axis=1), lambda dlog_p: dlog_p @ (X - theta)


LINE = LineFamily(Network((1, 3, 1)))
X = abs(default_rng(0).standard_normal((30, 2)))


# θ

def test_theta_is_what_the_vectors_before_and_the_networks_make_together():
    one, two = Network((1, 3, 2)), Network((2, 4, 1), "relu")
    family = TrainedFamily()
    family._set_networks(one, two)
    assert family.networks == (one, two)
    assert family.n_parameters == one.n_parameters + two.n_parameters
    assert family.parts.lengths == (one.n_parameters, two.n_parameters)
    assert LINE.parts.lengths == (1, 10) and LINE.n_parameters == 11


def test_a_start_is_that_of_each_network_one_after_the_other():
    one, two, family = Network((1, 3, 2)), Network((2, 4, 1), "relu"), TrainedFamily()
    family._set_networks(one, two)
    for dtype in ("float32", "float64"):
        rng, theta = default_rng(1), family.initial_theta(default_rng(1), dtype)
        expected = [network.initial_theta(rng, dtype) for network in (one, two)]
        assert theta.dtype == dtype and (theta == numpy.concatenate(expected)).all()


# The loss and the training

def test_where_log_p_is_known_the_loss_is_minus_its_mean():
    theta = numpy.array([0.3, -0.2])
    value, dtheta = MeanFamily().loss(theta, X)
    assert value == pytest.approx(-MeanFamily().log_prob(theta, X)[0].mean())
    numpy.testing.assert_allclose(dtheta, theta - X.mean(axis=0), rtol=1e-12)


def test_the_defaults_of_a_training_are_the_familys_own_and_what_is_asked_for_counts_more():
    def losses(steps):
        return [(step.step, step.loss) for step in steps]

    def by_hand(**how):
        rng = default_rng(1)
        return train(lambda theta, rows: LINE.loss(theta, rows, rng), LINE.initial_theta(rng),
                     (X,), rng, averaging=0.999, **how)

    asked = {"batch": 5, "learning_rate": 0.1, "max_steps": 3}
    assert losses(LINE.train(X, default_rng(1))) == losses(by_hand(**LINE.defaults))
    assert losses(LINE.train(X, default_rng(1), **asked)) == losses(by_hand(**asked))
    one = losses(LINE.train(X, default_rng(1), batch=5))
    assert one == losses(by_hand(**LINE.defaults | {"batch": 5})) and len(one) == 4


def test_averaging_augment_and_theta_are_passed_on():
    start = LINE.initial_theta(default_rng(2))
    kept = start.copy()
    plain, averaged, shifted = (
        list(LINE.train(X, default_rng(1), theta=start, learning_rate=0.1, **options))
        for options in ({"averaging": 0.0}, {"averaging": 0.5},
                        {"augment": lambda rows, rng: rows + 1}))
    weights = 0.5**numpy.arange(3, -1, -1)
    expected = sum(w * step.theta for w, step in zip(weights, plain, strict=True))
    numpy.testing.assert_allclose(averaged[-1].theta, expected / weights.sum(), rtol=1e-12)
    first = X[default_rng(1).integers(0, 30, size=7)]
    assert plain[0].loss == LINE.loss(start, first, None)[0]
    assert shifted[0].loss == LINE.loss(start, first + 1, None)[0]
    assert (start == kept).all() and (plain[-1].theta != start)[1:].all()


def test_the_loss_draws_from_the_generator_of_the_training():
    class Noisy(LineFamily):
        def loss(self, theta, X, rng):
            drawn.append(rng)
            return super().loss(theta, X, rng)

    drawn, rng = [], default_rng(1)
    list(Noisy(Network((1, 3, 1))).train(X, rng))
    assert len(drawn) == 4 and all(one is rng for one in drawn)


def test_data_off_the_space_of_the_family_are_refused_before_the_first_step():
    with pytest.raises(ValueError, match=r"X must lie in the right half of the plane, .* \[-1"):
        LINE.train(numpy.array([[1.0, 0.0], [-1.0, 2.0]]), default_rng(0))
    with pytest.raises(ValueError, match="X has 3 columns"):
        LINE.train(numpy.ones((4, 3)), default_rng(0))
    assert (TrainedFamily().on_space(-X) == -X).all()       # by default all of R^d


# The member of one θ

def test_a_member_keeps_its_family_and_a_copy_of_theta():
    theta = numpy.arange(11.0)
    p = LINE(theta)
    theta += 1
    assert p.family is LINE and (p.theta == numpy.arange(11)).all()
    with pytest.raises(ValueError, match=r"shape \(11,\), got \(3,\)"):
        LINE(numpy.ones(3))
    with pytest.raises(ValueError, match="theta holds nan"):
        LINE(numpy.full(11, numpy.nan))


def test_rows_some_at_a_time_give_what_all_at_once_give():
    p, x = LINE(LINE.initial_theta(default_rng(0))), default_rng(1).standard_normal((10, 1))
    at_once = p.f(x)
    assert p.seen == [10] and at_once.shape == (10, 1)
    numpy.testing.assert_allclose(p.f(x, rows=4), at_once, rtol=1e-12)
    assert p.seen == [4, 4, 2]
    assert p.f(x[:0]).shape == (0, 1)
    p.f(numpy.ones((2**11 + 1, 1)))
    assert p.seen == [2**11, 1]


def test_draws_some_at_a_time_are_those_of_all_at_once():
    p = LINE(LINE.initial_theta(default_rng(0)))
    at_once, some = p.sample(10, default_rng(1)), p.sample(10, default_rng(1), rows=4)
    assert (some == at_once).all() and len(some) == 10 and p.seen == [4, 4, 2]
    p.sample(2**11 + 1, default_rng(0))
    assert p.seen == [2**11, 1]


def test_a_device_takes_more_rows_at_a_time(device):
    p = LINE(device.asarray(LINE.initial_theta(default_rng(0))))
    p.f(device.ones((70_000, 1)))
    assert p.seen == [65_536, 4464]


def test_rows_are_refused_by_the_name_and_the_dimensions_that_they_should_have():
    p = LINE(numpy.zeros(11))
    with pytest.raises(ValueError, match=r"x has 2 columns; it must lie in R\^1"):
        p.f(X)
    with pytest.raises(ValueError, match="X has 3 columns"):
        p._of_rows(lambda X: X, numpy.ones((2, 3)))         # by default X, in the family's R^d
    assert (p._of_rows(lambda X: 2 * X, X) == 2 * X).all()


def test_families_and_members_show_their_arguments():
    assert repr(LINE).startswith("LineFamily(network=Network(sizes=(1, 3, 1), activation='tanh'")
    assert repr(LINE(numpy.zeros(11))).endswith("theta=array of shape (11,))")


# What networks a family is given

def test_a_network_of_the_right_dimensions_is_what_it_was():
    network = Network((2, 3, 4))
    assert checked_network(network, "encoder") is network
    assert checked_network(network, "encoder", 2, (1, 4)) is network


@pytest.mark.parametrize("arguments, error, message", [
    (((2, 3, 4), "encoder"), TypeError, r"encoder must be a Network, got \(2, 3, 4\)"),
    ((Network((2, 3, 4)), "encoder", 3), ValueError, "encoder must have d_in = 3, got 2"),
    ((Network((2, 3, 4)), "decoder", 2, (1,)), ValueError, "decoder must have d_out = 1, got 4"),
    ((Network((2, 4)), "decoder", None, (1, 3)), ValueError,
     "decoder must have d_out = 1 or 3, got 4"),
    ((Network((2, 4)), "decoder", 0), ValueError, "decoder must have d_in = 0, got 2"),
])
def test_any_other_network_is_refused_by_what_it_is_to_be(arguments, error, message):
    with pytest.raises(error, match=message):
        checked_network(*arguments)

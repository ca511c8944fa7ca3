"""Newton's method: where its formulas go from known points, and linear systems solved to a size."""

import math

import numpy
import pytest

from gdl_numpy.numerics.newton import conjugate_gradient, minimize


def exponential(theta):
    """Σ exp(θ_i) - θ_i, least at 0; its Hessian is diag(exp θ)."""
    e = numpy.exp(theta)
    return float((e - theta).sum()), e - 1, lambda v: e * v


def hyperbola(theta):
    """√(1 + θ²), least at 0. Newton's whole step leads from θ to -θ³."""
    root = numpy.sqrt(1 + theta**2)
    return float(root.sum()), theta / root, lambda v: v / root**3


def watched(evaluate):
    """`evaluate`, and a list of the θ that it has been asked for."""
    seen = []

    def evaluate_and_note(theta):
        seen.append(theta.copy())
        return evaluate(theta)

    return evaluate_and_note, seen


def as_it_is(r):
    return r


def start(*numbers):
    return numpy.array(numbers, dtype=float)


# Steps

def test_a_step_is_theta_minus_the_gradient_over_the_second_derivative():
    evaluate, seen = watched(exponential)
    minimize(evaluate, start(1), as_it_is, 1e-16)
    for theta, following in zip(seen, seen[1:], strict=False):
        assert following == pytest.approx(theta - (1 - math.exp(-theta[0])), rel=1e-13, abs=1e-15)


def test_near_the_minimum_every_step_doubles_the_number_of_right_digits():
    evaluate, seen = watched(exponential)
    theta_hat, loss, converged = minimize(evaluate, start(1), as_it_is, 1e-16)
    assert len(seen) == 6 and abs(theta_hat[0]) < 1e-8 and loss == 1 and converged is True
    for theta, following in zip(seen[1:], seen[2:], strict=False):
        assert abs(following[0]) <= 0.6 * theta[0]**2


def test_the_lowest_point_of_a_paraboloid_solves_its_linear_system():
    rng = numpy.random.default_rng(0)
    A = rng.standard_normal((5, 5))
    A, b = A @ A.T + numpy.eye(5), rng.standard_normal(5)
    theta_hat, loss, converged = minimize(
        lambda theta: (float(theta @ A @ theta / 2 - b @ theta), A @ theta - b, lambda v: A @ v),
        numpy.zeros(5), as_it_is, 1e-16)
    expected = numpy.linalg.solve(A, b)
    numpy.testing.assert_allclose(theta_hat, expected, atol=1e-7)
    assert loss == pytest.approx(-b @ expected / 2, rel=1e-12) and converged


def test_a_step_that_goes_too_far_is_halved_until_the_loss_falls():
    evaluate, seen = watched(hyperbola)
    theta_hat, _, converged = minimize(evaluate, start(2), as_it_is, 1e-16)
    numpy.testing.assert_allclose(numpy.ravel(seen[:4]), [2, -8, -3, -0.5], rtol=1e-12)
    assert seen[4] == pytest.approx(0.5**3) and abs(theta_hat[0]) < 1e-8 and converged


@pytest.mark.parametrize("whole, half, expected", [
    (1 - 1.5e-4, 0, 0.0),                                   # at most 1 - 10⁻⁴: the whole step
    (1 - 1e-4, 0, 0.0),
    (1 - 0.9e-4, 1 - 0.6e-4, 0.5),                          # at most 1 - ½ 10⁻⁴ only
    (1 - 0.9e-4, 1 - 0.4e-4, 0.75),
])
def test_a_step_must_lower_the_loss_by_a_share_of_what_it_promises(whole, half, expected):
    """From θ = 1 with the loss 1, the gradient 1 and the second derivative 1: it promises 1."""
    losses = {1.0: 1.0, 0.0: whole, 0.5: half, 0.75: 0.5}
    theta_hat, loss, _ = minimize(
        lambda theta: (losses[theta[0]], start(theta[0] == 1), as_it_is), start(1), as_it_is, 1e-16)
    assert theta_hat == [expected] and loss == losses[expected]


# The end

@pytest.mark.parametrize("loss, tol, ends", [
    (100.0, 0.011, True), (100.0, 0.009, False), (0.1, 1.0, True), (0.1, 0.99, False),
])
def test_the_end_is_a_promise_of_at_most_tol_times_the_loss_or_one(loss, tol, ends):
    """θ = 1, gradient 1, second derivative 1: a promise of g · s = 1."""
    evaluate, seen = watched(lambda theta: (loss + theta[0]**2 - 1, theta, as_it_is))
    minimize(evaluate, start(1), as_it_is, tol)
    assert (len(seen) == 1) is ends


@pytest.mark.parametrize("max_steps", [0, 1, 2])
def test_when_the_steps_run_out_the_last_theta_and_its_loss_are_returned(max_steps):
    evaluate, seen = watched(exponential)
    theta, loss, converged = minimize(evaluate, start(1), as_it_is, 1e-16, max_steps)
    assert len(seen) == max_steps + 1 and converged is False
    assert theta == seen[-1] and loss == exponential(theta)[0]


def test_a_hundred_steps_are_taken_unless_others_are_asked_for():
    evaluate, seen = watched(lambda theta: (-float(theta[0]), start(-1), as_it_is))
    _, loss, converged = minimize(evaluate, start(0), as_it_is, 0)      # falls for ever
    assert len(seen) == 101 and loss == -100 and not converged


@pytest.mark.parametrize("slope, converged", [(1e-5, True), (1.0, False)])
def test_where_rounding_hides_every_decrease_the_steps_come_to_their_end(slope, converged):
    """g · s = slope²: 1e-10 may be hidden beside a loss of 1, but where 1 is, g is no gradient."""
    evaluate, seen = watched(lambda theta: (1.0, start(slope), as_it_is))
    theta, loss, found = minimize(evaluate, start(3), as_it_is, 1e-16)
    assert abs(theta[0] - 3) <= 2e-5 and loss == 1 and found is converged
    assert len(seen) < 42


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
def test_a_start_without_a_finite_loss_is_refused(bad):
    with pytest.raises(ValueError, match=f"the loss at the start is {bad}: .* a finite one"):
        minimize(lambda theta: (bad, theta, as_it_is), start(1), as_it_is, 1e-16)


def test_a_gradient_that_is_not_finite_is_refused():
    with pytest.raises(ValueError, match=r"r · M⁻¹ r must lie in \[0, inf\), got nan"):
        minimize(lambda theta: (1.0, theta * math.nan, as_it_is), start(1), as_it_is, 1e-16)


def test_steps_go_on_without_a_visible_decrease_as_long_as_their_promises_fall():
    """Beside 10⁹ nobody sees θ²/2 fall from 10⁻⁸ on, but the gradient knows."""
    def evaluate(theta):
        return 1e9 + float(theta @ theta + theta @ theta**3) / 2, theta + 2 * theta**3, (
            lambda v: (1 + 6 * theta**2) * v)

    theta, _, converged = minimize(evaluate, start(1e-4), as_it_is, 0)
    assert converged and abs(theta[0]) < 1e-30


def test_steps_into_losses_that_are_nan_are_halved():
    """√θ - θ/4 turns into NaN below 0, where the first whole step leads to."""
    def evaluate(theta):
        root = numpy.sqrt(theta) if theta > 0 else theta * math.nan
        return float((root**3 - root**2).sum()), 1.5 * root - 1, lambda v: 0.75 / root * v

    evaluate, seen = watched(evaluate)
    theta_hat, _, converged = minimize(evaluate, start(0.05), as_it_is, 1e-16)
    assert converged and theta_hat[0] == pytest.approx(4 / 9, abs=1e-7)


@pytest.mark.parametrize("curvature", [-1.0, 0.0, math.nan])
def test_a_loss_that_curves_downwards_or_not_at_all_is_refused(curvature):
    with pytest.raises(ValueError, match="must curve upwards .* for the first direction"):
        minimize(lambda theta: (-float(theta @ theta) / 2, -theta, lambda v: curvature * v),
                 start(1, 2), as_it_is, 1e-16)


def test_a_preconditioner_that_points_uphill_is_refused():
    with pytest.raises(ValueError, match=r"r · M⁻¹ r must lie in \[0, inf\), got -"):
        minimize(exponential, start(1), lambda r: -r, 1e-16)


def test_look_sees_each_step_before_it_is_taken_and_may_refuse_it():
    steps = []

    def note(step):
        steps.append(step)
        return True

    evaluate, seen = watched(exponential)
    minimize(evaluate, start(1), as_it_is, 1e-16, look=note)
    numpy.testing.assert_allclose(numpy.ravel(steps)[:-1], -numpy.diff(numpy.ravel(seen)),
                                  rtol=1e-9, atol=1e-15)

    def refuse(step):
        raise ValueError(f"no step of {step[0]:.2f}")

    evaluate, seen = watched(exponential)
    with pytest.raises(ValueError, match="no step of 0.63"):
        minimize(evaluate, start(1), as_it_is, 1e-16, look=refuse)
    assert len(seen) == 1


def test_the_end_waits_until_look_finds_the_step_small():
    """g · s = s² <= 0.01 would do, but steps of 10⁻⁵ are asked for."""
    theta, _, converged = minimize(exponential, start(1), as_it_is, 0.01)
    assert converged and 1e-3 < theta[0] < 0.1
    theta, _, converged = minimize(exponential, start(1), as_it_is, 0.01,
                                   look=lambda step: abs(step[0]) < 1e-5)
    assert converged and abs(theta[0]) < 1e-5


def valleys(theta):
    """Σ w (exp(θ) - θ) with weights w from 1 to 10⁻¹⁰, whose curvatures fall by as much again."""
    w, e = 10.0**-numpy.arange(0, 11, 2), numpy.exp(-theta)
    return float((w * (e + theta - 1)).sum()), w * (1 - e), lambda v: w * e * v


def test_the_preconditioner_is_renewed_where_the_hessian_has_changed():
    """With an M of another θ the first of conjugate directions already seem small enough."""
    there, renewed = numpy.full(6, -3.0), []

    def renew(theta):
        renewed.append(theta)
        w = 10.0**-numpy.arange(0, 11, 2)
        return lambda r: r / (w * numpy.exp(-theta))

    old, _, _ = minimize(valleys, there, as_it_is, 1e-14)
    new, _, converged = minimize(valleys, there, as_it_is, 1e-14, renew=renew, worth=6)
    assert abs(old).max() > 1e-3 and converged
    assert 1e-10 * new[-1]**2 <= 2e-14 and len(renewed) > 1
    assert (renewed[-1] == new).all()                       # once more before the end


def test_the_preconditioner_is_kept_as_long_as_products_by_the_hessian_are_cheaper():
    renewed = []
    minimize(exponential, start(1, -1), as_it_is, 1e-16, renew=renewed.append, worth=1000)
    assert not renewed


def test_the_start_is_only_read():
    theta = start(1, -1)
    theta.flags.writeable = False
    assert abs(minimize(exponential, theta, as_it_is, 1e-16)[0]).max() < 1e-7


# Conjugate gradients

def system(seed=0, n=8):
    """A symmetric A with positive eigenvalues, an M like it, and a vector, of n dimensions."""
    rng = numpy.random.default_rng(seed)
    A = rng.standard_normal((n, n))
    A = A @ A.T + numpy.eye(n)
    return A, numpy.diag(A.diagonal()), rng.standard_normal(n)


def best_in_krylov_space(A, M, b, k):
    """Of all v in the span of M⁻¹b, (M⁻¹A) M⁻¹b, ..., k vectors: that of the least ½ v·Av - b·v."""
    vectors = [numpy.linalg.solve(M, b)]
    for _ in range(k - 1):
        vectors.append(numpy.linalg.solve(M, A @ vectors[-1]))
    Q, _ = numpy.linalg.qr(numpy.array(vectors[:k]).T.reshape(len(b), -1))
    return Q @ numpy.linalg.solve(Q.T @ A @ Q, Q.T @ b) if k else 0 * b


def counted(A):
    """v -> A v, and a list as long as the number of products asked for."""
    products = []

    def product(v):
        products.append(1)
        return A @ v

    return product, products


@pytest.mark.parametrize("seed", range(3))
def test_a_linear_system_is_solved(seed):
    A, M, b = system(seed)
    b *= 1e-9                                               # near the end of Newton's method
    v = conjugate_gradient(lambda v: A @ v, b, lambda r: r / M.diagonal())
    r = b - A @ v
    assert r @ (r / M.diagonal()) <= 1e-12 * (b @ (b / M.diagonal()))


@pytest.mark.parametrize("size, eta", [(1e6, 0.1), (1.0, 0.1), (1e-4, 1e-2), (1e-20, 1e-6)])
def test_the_first_best_vector_of_krylov_spaces_that_is_small_enough_is_returned(size, eta):
    """Small is a residual of r · M⁻¹r <= η² b · M⁻¹b, with η = √(b · M⁻¹b), from 10⁻⁶ to 0.1."""
    A, M, b = system()
    b *= math.sqrt(size / (b @ numpy.linalg.solve(M, b)))
    product, products = counted(A)
    v = conjugate_gradient(product, b, lambda r: r / M.diagonal())
    k = len(products)
    numpy.testing.assert_allclose(v, best_in_krylov_space(A, M, b, k), rtol=1e-6,
                                  atol=1e-9 * abs(v).max())

    def share(v):
        r = b - A @ v
        return math.sqrt(r @ numpy.linalg.solve(M, r) / size)

    assert share(v) <= eta < share(best_in_krylov_space(A, M, b, k - 1))


def test_as_many_products_as_the_matrix_has_different_eigenvalues_are_enough():
    rng = numpy.random.default_rng(1)
    Q, _ = numpy.linalg.qr(rng.standard_normal((20, 20)))
    A = Q * rng.choice([1.0, 3.0, 10.0], 20) @ Q.T
    product, products = counted(A)
    b = 1e-9 * rng.standard_normal(20)
    v = conjugate_gradient(product, b, as_it_is)
    assert len(products) == 3
    numpy.testing.assert_allclose(A @ v, b, atol=1e-20)


def test_with_the_inverse_itself_one_product_is_enough():
    A, _, b = system()
    product, products = counted(A)
    v = conjugate_gradient(product, b, lambda r: numpy.linalg.solve(A, r))
    assert len(products) == 1
    numpy.testing.assert_allclose(A @ v, b, rtol=1e-10)


def test_a_direction_that_adds_too_little_is_the_last_whatever_the_preconditioner_is():
    """What direction k adds to b · v is the difference that it makes to b · v."""
    A, M, b = system()
    for scale in (1.0, 1e-8):                               # of M, which then is like A no more
        gains = numpy.diff([b @ best_in_krylov_space(A, M, b, k) for k in range(5)])
        for k in (1, 2, 3):
            product, products = counted(A)
            conjugate_gradient(product, b, lambda r, s=scale: r / (s * M.diagonal()),
                               enough=1.001 * gains[k - 1])
            assert len(products) == min(i + 1 for i in range(4) if gains[i] <= 1.001 * gains[k - 1])


def test_a_right_side_of_0_needs_no_product():
    product, products = counted(numpy.eye(3))
    assert (conjugate_gradient(product, numpy.zeros(3), as_it_is) == 0).all() and not products


def test_a_direction_that_changes_nothing_is_left_alone():
    """A has the eigenvector (1, 1, 1) of eigenvalue 0; b is at right angles to it, as v must be."""
    A = numpy.eye(3) - 1 / 3
    b = 1e-9 * start(1, 1, -2)
    v = conjugate_gradient(lambda v: A @ v, b, as_it_is)
    numpy.testing.assert_allclose(A @ v, b, atol=1e-20)
    assert abs(v.sum()) < 1e-20


def test_where_rounding_spoils_the_directions_twice_as_many_as_dimensions_are_tried():
    n = 12
    hilbert = 1 / (1 + numpy.arange(n)[:, None] + numpy.arange(n))
    product, products = counted(hilbert)
    conjugate_gradient(product, 1e-9 * numpy.ones(n), as_it_is)
    assert len(products) == 2 * n


def test_the_right_side_is_only_read():
    A, _, b = system()
    b.flags.writeable = False
    conjugate_gradient(lambda v: A @ v, b, as_it_is)


def test_the_start_is_not_given_back_as_the_result():
    start = numpy.ones(2)
    found, *_ = minimize(lambda q: (float(q @ q), 2 * q, lambda v: 2 * v), start, lambda r: r, 1e9)
    found[:] = 7
    assert (start == 1).all()

"""Maximum likelihood estimation: θ̂ = argmax_θ ℓ(θ|X) = argmin_θ -ℓ(θ|X).

Why: likelihood ranks the members of a family, and the natural wish is the best of them. Idea: there
are three roads to it, from the best to the most general, and a family says which it offers:

    closed form   family.mle(X)                        box, normal, histogram
    em            θ ← M step(E step(θ))                mixtures, see expectation_maximization.py
    gradient      θ ← optimizer(θ, ∂(-ℓ/n))            any family with log_prob(theta, X)

The box has no such road as the last: ℓ is -∞ on one side of θ̂ and climbs towards it on the other, a
cliff. For the three points 1, 2, 4 on the line the best box is [1, 4], and ℓ = -3 log 3:

>>> from gdl_numpy.probability.family import BoxFamily
>>> print(maximum_likelihood(BoxFamily(1), [[1.0], [2.0], [4.0]]))
[1. 4.]

Erratum E07: the maximum is over θ, not over x (test_e07). Erratum E31: it minimises -ℓ/n, which
estimates H(p_data) + KL(p_data‖p_θ), and the first term does not depend on θ; so it minimises the
divergence as n → ∞, and for finite n an estimate of it (test_e31). Erratum E30: what counts is the
likelihood of data not seen in training (test_e30). Erratum E12: the smallest rectangle around the
data is the estimate for closed, axis-parallel boxes of positive area; it always lies inside the box
that made the data, a share ((n-1)/(n+1))^d of it in the mean (test_e12).
"""

from gdl_numpy.numerics import checks
from gdl_numpy.numerics.optimizer import Adam, Step, half_cosine
from gdl_numpy.probability.expectation_maximization import expectation_maximization
from gdl_numpy.probability.likelihood import mean_loss
from gdl_numpy.probability.normal_family import MixtureFamily


def maximum_likelihood(family, X, rng=None, method=None, theta=None, tol=1e-6, max_steps=2000):
    """θ̂ for the rows of X, shape (n_θ,).

    `method` is "closed form", "em" or "gradient"; by default the first of them that the family
    offers. The last two start at `theta`, or where `rng` puts them; EM stops when a step raises ℓ/n
    by less than `tol` nats; the gradient road always takes `max_steps` steps of Adam, the last ones
    small. ValueError where the family or the data have no such estimate.
    """
    X = checks.data_set(X, getattr(family, "d", None))
    offers = {"closed form": hasattr(family, "mle"), "em": isinstance(family, MixtureFamily),
              "gradient": hasattr(family, "log_prob")}
    roads = [name for name, offered in offers.items() if offered]
    if method is None and roads:
        method = roads[0]
    checks.choice(method, f"method of a {type(family).__name__}", roads)
    if method == "closed form":
        return family.mle(X)
    if theta is None and rng is None:
        raise ValueError(f"method {method!r} starts somewhere: pass theta or rng")
    if method == "em":
        steps = expectation_maximization(family, X, rng, theta, tol, max_steps)
    else:
        theta = family.initial_theta(rng, X.dtype) if theta is None else theta
        steps = descend(family, X, theta, max_steps=max_steps)
    for step in steps:
        theta = step.theta
    return theta


def descend(family, X, theta, optimizer=None, max_steps=2000):
    """Minimise -ℓ(θ|X)/n from theta on; an iterator of Steps, `loss` in nats per row.

    By default Adam with η = 0.1 at first, falling to 0 as half a cosine wave, and β2 = β1, a short
    memory for squares, since these gradients have no noise. Then |m| <= √v, and no coordinate of θ
    moves farther than the sum of all η, 0.05 (max_steps + 1): bring data on a large scale, or the
    start, nearer.
    """
    X, theta = checks.data_set(X, getattr(family, "d", None)), checks.real_array(theta, "theta")
    theta = checks.theta_shape(theta, getattr(family, "n_parameters", theta.size))
    max_steps = checks.whole_number(max_steps, "max_steps", least=1)
    optimizer, falling = optimizer or Adam(0.1, beta2=0.9), optimizer is None

    def steps(theta):
        for t in range(max_steps):
            if falling:
                optimizer.learning_rate = 0.1 * half_cosine(t, max_steps)
            loss, dtheta = mean_loss(family, theta, X)
            theta = optimizer(theta, dtheta)
            yield Step(t, loss, theta)

    return steps(theta)                                     # a wrong argument is refused before

"""Maximum likelihood estimation: of all θ, the one that gives the data the highest density.

Fifty points of the map are given, and every box that holds them could have made them: the box of
the whole map, one with some room on each side, one that fits tightly. Which should be the model?
The likelihood (likelihood.py) ranks them, and the natural choice is the one that it ranks first.
Its θ is written θ̂, and argmax_θ ℓ means the θ at which ℓ is largest:

    ℓ(θ|X) = Σ_i log p_θ(x_i)                           over the n rows x_i of X
    θ̂      = argmax_θ ℓ(θ|X) = argmin_θ -ℓ(θ|X)/n       -ℓ/n is the loss: nats per row

How θ̂ is found depends on the family. There are three methods. The first is exact, the last one the
most general, and a family offers those that it can:

    closed form    θ̂ = family.mle(X)                    a formula: box, normal, histogram       (1)
    em             θ ← M step of the E step of θ        mixtures: expectation_maximization.py   (2)
    gradient       θ ← optimizer(θ, ∂(-ℓ/n)/∂θ)         all families that have ∂log p/∂θ        (3)

The formula of the box. A box of volume V has the density 1/V inside and 0 outside. If one point is
outside, one term of ℓ is log 0 and ℓ = -∞. If all are inside, ℓ = -n log V, the larger the smaller
the box. So the smallest box that holds all points wins: each side moves inward until it touches the
outermost point. For the fifty points that is θ̂ = (-89.9, -142.6, 78.1, 175.5) with V = 53,422
square degrees, and ℓ = -50 log 53,422 = -544.3 nats. The gradient method fails here: ℓ rises while
a side moves inward, and is -∞ as soon as the side has passed a point. For the points 1, 2 and 4 on
a line the best box is [1, 4], of length 3; a longer one is worse, and a shorter one loses a point:

>>> from gdl_numpy.probability.family import BoxFamily
>>> from gdl_numpy.probability.likelihood import log_likelihood
>>> family, X = BoxFamily(1), [[1.0], [2.0], [4.0]]
>>> print(maximum_likelihood(family, X))
[1. 4.]
>>> [round(float(log_likelihood(family, theta, X)), 3) for theta in ([1, 4], [0, 4], [1.5, 4])]
[-3.296, -4.159, -inf]

What does θ̂ tend to with more and more data? For each θ, -ℓ/n is the mean of -log p_θ(x) over the
data. By the law of large numbers it tends to the mean under p_data as n → ∞, and with
log p_θ = log p_data - log(p_data/p_θ) this is a sum of two terms:

    -ℓ(θ|X)/n → -∫ p_data log p_θ = -∫ p_data log p_data + ∫ p_data log(p_data/p_θ)

The first, the entropy of p_data, does not depend on θ. The second is KL(p_data‖p_θ), which says how
far p_θ is from p_data (divergence.py). So with many data θ̂ is nearly the θ for which it is least.

See figure_1_05_box (θ̂), figure_1_06_cliff (ℓ against one side of the box) and
tests/probability/test_mle.py (that it holds).

Errata.
E07 (tests/probability/test_mle.py)  the maximum is over θ, not over x
E12 (tests/probability/test_mle.py)  θ̂ is the smallest box if boxes are closed, axis-parallel and of
    positive area; it lies inside the box that made the data, of whose volume it has on average the
    share ((n-1)/(n+1))^d
E30 (tests/probability/test_mle.py)  what counts is the likelihood of data not seen in training
E31 (tests/probability/test_mle.py)  generative modeling need not be maximum likelihood, which
    minimizes KL(p_data‖p_θ) only as n → ∞, and for finite n an estimate of it
"""

import math

from gdl_numpy.numerics import checks
from gdl_numpy.numerics.optimizer import Adam, Step, half_cosine
from gdl_numpy.probability.expectation_maximization import expectation_maximization
from gdl_numpy.probability.likelihood import mean_loss
from gdl_numpy.probability.normal_family import MixtureFamily


def maximum_likelihood(family, X, rng=None, method=None, theta=None, tol=1e-6, max_steps=2000):
    """θ̂ for the rows of X, shape (n_θ,).

    `method` is "closed form", "em" or "gradient"; by default the first of them that the family
    offers. The last two start at `theta`, or where `rng` puts them; EM stops when a step raises ℓ/n
    by less than `tol` nats; the gradient method always takes `max_steps` steps of Adam, the last
    ones small. ValueError where the family or the data have no such estimate.
    """
    checks.rng(rng, optional=True)
    tol = checks.number(tol, "tol", "[-inf, inf)")
    max_steps = checks.whole_number(max_steps, "max_steps", least=1)
    X = checks.data_set(X, getattr(family, "d", None))
    offers = {"closed form": hasattr(family, "mle"), "em": isinstance(family, MixtureFamily),
              "gradient": hasattr(family, "log_prob")}
    methods = [name for name, offered in offers.items() if offered]
    if isinstance(family, type) or not methods:
        raise TypeError(f"family must offer mle(X) or log_prob(theta, X), got {family!r:.80}")
    if theta is not None:
        theta = checks.theta_shape(checks.real_array(theta, "theta", like=X),
                                   getattr(family, "n_parameters", None))
    if method is None and methods:
        method = methods[0]
    checks.choice(method, f"method of a {type(family).__name__}", methods)
    if method == "closed form":
        return family.mle(X)                                                    # (1)
    if theta is None and rng is None:
        raise ValueError(f"method {method!r} starts somewhere: pass theta or rng")
    if method == "em":
        steps = expectation_maximization(family, X, rng, theta, tol, max_steps)         # (2)
    else:
        theta = family.initial_theta(rng, X.dtype) if theta is None else theta
        steps = descend(family, X, theta, max_steps=max_steps)
    for step in steps:
        theta = step.theta
    if not math.isfinite(step.loss):
        raise ValueError(f"-ℓ/n is {float(step.loss)} at the last θ that was tried: rows of X have "
                         f"the density 0 there, or their squares leave the range of {X.dtype}")
    return theta


def descend(family, X, theta, optimizer=None, max_steps=2000):
    """Minimize -ℓ(θ|X)/n by its gradient, from theta on; an iterator of Steps, loss in nats a row.

    By default with Adam, whose learning rate starts at 0.1 and falls to 0 as half a cosine wave.
    β2 is 0.9, as β1 is: a short memory for squares is enough, since all rows enter each gradient
    and it has no noise. Then Adam's two means m̂, of the gradient, and v̂, of its square, have the
    same weights, and |m̂| <= √v̂, because the square of a mean is at most the mean of the squares.
    So no coordinate of θ moves farther than the sum of all learning rates, 0.05 (max_steps + 1). If
    θ̂ is farther away, rescale the data or start nearer.
    """
    checks.offers(family, "family", "log_prob")
    X, theta = checks.data_set(X, getattr(family, "d", None)), checks.real_array(theta, "theta")
    theta = checks.theta_shape(theta, getattr(family, "n_parameters", theta.size))
    max_steps = checks.whole_number(max_steps, "max_steps", least=1)
    falling = optimizer is None
    optimizer = Adam(0.1, beta2=0.9) if falling else checks.function(optimizer, "optimizer")

    def steps(theta):
        for t in range(max_steps):
            if falling:
                optimizer.learning_rate = 0.1 * half_cosine(t, max_steps)
            loss, dtheta = mean_loss(family, theta, X)
            theta = optimizer(theta, dtheta)                                    # (3)
            yield Step(t, loss, theta.copy())

    return steps(theta)                                     # a wrong argument is refused before

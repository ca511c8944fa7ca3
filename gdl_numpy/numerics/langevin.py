"""Langevin: a Markov chain whose stationary density is exp(-E) in a box, for any energy E.

Why: of a density known only up to a constant, p(x) ∝ exp(-E(x)), one cannot draw directly. Idea:
walk. Let a point roll downhill in E and shake it at the same time; after many steps it is found at
x as often as p says. The shaking is exactly right only for infinitely short steps, so a step is
proposed first, and then accepted or not, in such a way that p is left as it is. With h (d,) the
length of a step,

    x' = x - h²/2 ∂E(x) + h ε,   ε ~ N(0, I)          now and then instead  x' ~ uniform on the box
    ε' = h/2 (∂E(x) + ∂E(x')) - ε                     the noise of the way back from x' to x
    accept x' with probability min(1, exp(E(x) - E(x') + (|ε|² - |ε'|²)/2)),  else stay

The last line (Metropolis and others 1953; Hastings 1970; for Langevin's steps Roberts and Tweedie
1996) makes p exactly stationary; for uniform x' only E(x) - E(x') remains. Beyond the border the
box goes on as its mirror image, and E with it; ∂E changes its sign in mirrored coordinates. So x'
is reflected, and the rule stays exact.
"""


from gdl_numpy.numerics import checks
from gdl_numpy.numerics.backend import array_module


def walk(energy, X, low, high, rng, steps, step=0.02, jump=0.1, metropolis=True):
    """Where `steps` steps of the Markov chain lead from each row of X (n, d), shape (n, d).

    `energy(X)` gives E (n,) and ∂E (n, d); the box has the corners low and high, both (d,). h is
    `step` times the sides of the box; a row's x' is uniform with probability `jump`. Without
    `metropolis` every x' is accepted: p is stationary only without uniform x', `jump` = 0, and in
    the limit h = 0. Uniform x' are then restarts, between which short steps lead nowhere.
    """
    xp, dtype = array_module(X), low.dtype
    steps = checks.whole_number(steps, "steps")
    step, jump = checks.number(step, "step", "(0, inf)"), checks.number(jump, "jump", "[0, 1]")
    h = step * (high - low)
    E, dE = energy(X)
    for _ in range(steps):
        eps = rng.standard_normal(X.shape, dtype=dtype)
        proposal, sign = reflect(X - 0.5 * h**2 * dE + h * eps, low, high)
        jumps = rng.random(len(X), dtype=dtype) < jump
        proposal = xp.where(jumps[:, None], uniform(len(X), low, high, rng), proposal)
        E_new, dE_new = energy(proposal)
        if metropolis:
            eps_back = 0.5 * h * (dE + sign * dE_new) - eps
            log_ratio = 0.5 * (eps**2 - eps_back**2).sum(axis=1)
            log_ratio = E - E_new + xp.where(jumps, 0, log_ratio)
            accepted = xp.log1p(-rng.random(len(X), dtype=dtype)) < log_ratio   # of 1 - u > 0
            X = xp.where(accepted[:, None], proposal, X)
            E = xp.where(accepted, E_new, E)
            dE = xp.where(accepted[:, None], dE_new, dE)
        else:
            X, E, dE = proposal, E_new, dE_new
    return X


def uniform(n, low, high, rng):
    """n uniform draws from the box with the corners low and high (d,), in their precision."""
    return low + (high - low) * rng.random((n, len(low)), dtype=low.dtype)


def reflect(X, low, high):
    """X (n, d) mirrored into the box, and signs (n, d), -1 after an odd number of mirrorings.

    low + k (high - low) is a mirror for every whole k: box and image take turns for ever.
    """
    xp, side = array_module(X), high - low
    u = (X - low) % (2 * side)
    sign = xp.where(u > side, -1, 1).astype(X.dtype)
    return xp.minimum(low + xp.minimum(u, 2 * side - u), high), sign

"""Expectation maximization: the best mixture, without a formula and without a derivative.

Why: were it known which component made which row, each component would be fitted to its own rows by
formula. And were the components known, so would be, up to chance, which of them made a row. Neither
is known. Idea (Dempster, Laird and Rubin 1977): begin anywhere and take turns. Given θ, row x_i
belongs to component k with the responsibility r_ik; given these, each component has a closed form,
in which row i counts r_ik times:

    E step   r_ik = w_k N(x_i; µ_k, Σ_k) / p_θ(x_i)
    M step   N_k = Σ_i r_ik      w_k = N_k / n      µ_k = Σ_i r_ik x_i / N_k
             Σ_k = S_k = Σ_i r_ik (x_i - µ_k)(x_i - µ_k)ᵀ / N_k

No step lowers ℓ. But ℓ has no maximum: a component that shrinks onto one observation makes it as
large as you like. So the eigenvalues of Σ_k are raised to a floor. That is the exact M step among
those covariances Σ whose eigenvalues are at least the floor, in units in which each column of X has
variance 1: the M step minimises log det Σ + tr Σ⁻¹ S, that is log λ + s/λ for each eigenvalue s of
S, and the best λ not below the floor is max(s, floor).

The start matters, for EM finds a maximum nearby: k-means++ draws means that lie far apart.

The two steps as they stand above come first; `expectation_maximization` takes the same ones faster:

    log w_k N(x; µ_k, Σ_k) is linear in φ(x) = (1, x_i, x_i x_j), say C_k · φ(x);
    so the E step is Φ Cᵀ, a softmax, and Rᵀ Φ: two matrix products for each block of rows

Four points, two clouds around 0 and 9, and a start that is wrong about both:

>>> import numpy
>>> from gdl_numpy.probability.normal_family import MixtureFamily
>>> X, family = numpy.array([[-1.0], [1.0], [8.0], [10.0]]), MixtureFamily(2, 1)
>>> mu, L = numpy.array([[0.0], [5.0]]), 4 * numpy.ones((2, 1, 1))
>>> theta = family.theta(numpy.array([0.5, 0.5]), mu, L)
>>> for step in range(5):
...     theta = weighted_estimate(family, responsibilities(family, theta, X), X)
...     print([round(float(p.mu[0]), 1) + 0 for p in family(theta).components])
[1.2, 6.7]
[0.6, 7.2]
[0.0, 7.8]
[0.0, 8.7]
[0.0, 9.0]
"""

import math

from gdl_numpy.numerics import checks
from gdl_numpy.numerics.backend import array_module
from gdl_numpy.numerics.blocks import in_blocks
from gdl_numpy.numerics.elementary import log_softmax, softmax
from gdl_numpy.numerics.moments import moments
from gdl_numpy.numerics.neighbours import nearest
from gdl_numpy.numerics.optimizer import Step
from gdl_numpy.probability.density import LOG_2_PI, categorical
from gdl_numpy.probability.normal_family import cut_normals


def responsibilities(family, theta, X, rows=2**13):
    """The E step: r_ik, the probability that component k made row i, (n, K); a row sums to 1.

    `rows` rows are computed at a time.
    """
    p_theta, xp = family(theta), array_module(theta)
    X = checks.observations(X, p_theta.components[0].mu)
    log_w = log_softmax(family.cut(xp.asarray(theta))[0])
    R = xp.empty((len(X), family.n_components), dtype=X.dtype)
    for i in range(0, len(X), rows):
        log_joint = xp.stack([log_w[k] + p_k.log_prob(X[i:i + rows])    # log w_k N(x_i; µ_k, Σ_k)
                              for k, p_k in enumerate(p_theta.components)], axis=1)
        R[i:i + rows] = softmax(log_joint, axis=1)
    return R


def weighted_estimate(family, R, X):
    """The M step, without a floor: θ of the mixture in which row i counts R[i, k] times for
    component k; shape (n_θ,). R (n, K), X (n, d)."""
    X = checks.data_set(X, family.d)
    R = checks.paired(R, "R", X, of="X").astype(float)
    N = R.sum(axis=0)
    w = N / N.sum()                                                 # of which the sum is n
    mu = R.T @ X / N[:, None]
    S = array_module(R).stack([(r[:, None] * (X - mu_k)).T @ (X - mu_k) / N_k       # a component
                               for r, mu_k, N_k in zip(R.T, mu, N, strict=True)])   # at a time
    return family.theta(w, mu, array_module(S).linalg.cholesky(S)).astype(X.dtype)


def expectation_maximization(family, X, rng=None, theta=None, tol=1e-6, max_steps=2000, floor=1e-6):
    """EM for a MixtureFamily from theta, or from a k-means++ start with rng; an iterator of Steps.

    Stops when the loss, in nats per row, fell by less than `tol` between two steps; the theta
    yielded last is one M step further. In units in which each column of X has variance 1, variances
    are kept above `floor`; a theta that starts below it is raised, which may lower ℓ in the first
    step, and only there.
    """
    X = checks.data_set(X, family.d)
    if len(X) < family.n_components:
        raise ValueError(f"X has {len(X)} rows, too few for {family.n_components} components")
    checks.varying(X)                                       # else the likelihood has no maximum
    floor = checks.number(floor, "floor", "(0, inf)")
    tol = checks.number(tol, "tol", "[-inf, inf]")
    max_steps = checks.whole_number(max_steps, "max_steps", least=1)
    centre, C = moments(X)
    unit = C.diagonal()**0.5
    X64 = (X - centre) / unit                               # φ(x) holds squares: small and float64
    if theta is not None:
        theta = checks.real_array(theta, "theta", like=X64)
        family(theta)                                       # refuses one of another length
        theta = _rescaled(family, theta, 1 / unit, -centre / unit)
    elif rng is not None:
        theta = _start(family, X64, checks.rng(rng), floor)
    else:
        raise ValueError("EM starts somewhere: pass theta or rng")
    return _steps(family, X64, theta, tol, max_steps, floor, unit, centre, X.dtype)


def _steps(family, X, theta, tol, max_steps, floor, unit, centre, dtype):
    """Yields the steps on data of mean 0 and variance 1, in the unit of the data as they were."""
    log_volume = float(array_module(X).log(unit).sum())     # of one unit: what log p(x) loses by it
    last = math.inf
    for t in range(max_steps):
        statistics, log_likelihood = _e_step(family, theta, X)
        loss = log_volume - float(log_likelihood) / len(X)
        theta = _m_step(family, statistics, theta, floor)
        yield Step(t, loss, _rescaled(family, theta, unit, centre).astype(dtype))
        if not last - loss >= tol:
            return
        last = loss


def _start(family, X, rng, floor):
    """θ of the M step in which each row of X belongs to the nearest of k-means++'s centres."""
    xp, K, rows = array_module(X), family.n_components, _rows_of_a_block(family)
    number = nearest(X, k_means_plus_plus(X, K, rng))[1][:, 0]
    statistics = sum(xp.eye(K)[:, number[i:i + rows]] @ _features(X[i:i + rows]).T
                     for i in range(0, len(X), rows))
    return _m_step(family, statistics, None, floor)


def k_means_plus_plus(X, k, rng):
    """k rows of X as starting centres, (k, d), each drawn in proportion to its squared distance to
    the nearest centre chosen before (Arthur and Vassilvitskii 2007)."""
    X, k, xp = checks.data_set(X), checks.whole_number(k, "k", least=1), array_module(X)
    checks.rng(rng)
    chosen = [rng.integers(0, len(X), size=1)]
    distance = xp.full(len(X), math.inf, dtype=X.dtype)
    while len(chosen) < k:
        centre = X[chosen[-1]]
        distance = xp.minimum(distance, in_blocks(
            lambda i, j, c=centre: ((X[i:j] - c)**2).sum(axis=1), len(X)))
        chosen.append(categorical(distance, 1, rng))
    return X[xp.concatenate(chosen)]


def _features(X):
    """φ(x) = (1, x_i, x_i x_j for i <= j) for each row of X (n, d), one a column: (f, n)."""
    xp, x = array_module(X), X.T
    i, j = xp.triu_indices(X.shape[1])
    return xp.concatenate([xp.ones((1, len(X))), x, x[i] * x[j]])


def _coefficients(family, theta):
    """C with log w_k N(x; µ_k, Σ_k) = φ(x) · C_k, shape (K, f)."""
    xp, d = array_module(theta), family.d
    logits, blocks = family.cut(theta)
    mu, log_diagonal, L = cut_normals(blocks, d)
    L_inverse = xp.linalg.inv(L)
    precision = L_inverse.swapaxes(1, 2) @ L_inverse                # Σ⁻¹
    linear = (precision @ mu[:, :, None])[:, :, 0]                  # Σ⁻¹ µ
    constant = (log_softmax(logits) - 0.5 * (linear * mu).sum(axis=1) - log_diagonal.sum(axis=1)
                - 0.5 * d * LOG_2_PI)
    i, j = xp.triu_indices(d)
    quadratic = precision[:, i, j] * xp.where(i == j, -0.5, -1)     # x_i x_j stands for x_j x_i too
    return xp.concatenate([constant[:, None], linear, quadratic], axis=1)


def _rows_of_a_block(family, entries=2**17):
    """As many that φ and r of them stay in the cache."""
    return max(64, entries // (family.n_components + (family.d + 1) * (family.d + 2) // 2))


def _e_step(family, theta, X):
    """Σ_i r_ik φ(x_i), shape (K, f), and ℓ(θ|X), from the rows of X (n, d)."""
    C = _coefficients(family, theta)
    xp = array_module(X)
    statistics, log_likelihood = xp.zeros_like(C), 0.0
    rows = _rows_of_a_block(family)
    for start in range(0, len(X), rows):
        features = _features(X[start:start + rows])
        joint = C @ features                                        # log w_k N(x_i; µ_k, Σ_k)
        m = joint.max(axis=0)                                       # logsumexp, in place for speed
        joint -= m
        xp.exp(joint, out=joint)
        total = joint.sum(axis=0)
        statistics += joint @ (features / total).T                  # r_ik φ(x_i)
        log_likelihood = log_likelihood + (m + xp.log(total)).sum()
    return statistics, log_likelihood


def _m_step(family, statistics, theta, floor):
    """θ of the largest expected log-likelihood; a component without rows stays as it was."""
    xp, d = array_module(statistics), family.d
    N = statistics[:, 0]
    alive = N > 1e-12 * N.sum()
    share = xp.where(alive, N, 1)[:, None]
    mu = statistics[:, 1:1 + d] / share
    i, j = xp.triu_indices(d)
    covariance = xp.zeros((len(N), d, d))
    covariance[:, i, j] = statistics[:, 1 + d:] / share - mu[:, i] * mu[:, j]
    covariance[:, j, i] = covariance[:, i, j]
    eigenvalues, V = xp.linalg.eigh(covariance)
    raised = (V * xp.maximum(eigenvalues, floor)[:, None]) @ V.swapaxes(1, 2)
    normals = family.normal.theta(mu, xp.linalg.cholesky(raised))
    if theta is not None:
        normals = xp.where(alive[:, None], normals, family.cut(theta)[1])
    weights = xp.where(alive, N, 1e-12 * N.sum())
    return xp.concatenate([xp.log(weights / weights.sum()), normals.ravel()])


def _rescaled(family, theta, unit, origin):
    """The θ of the density of unit · x + origin, where x has the density p_θ."""
    logits, blocks = family.cut(theta)
    mu, _, L = cut_normals(blocks, family.d)
    normals = family.normal.theta(mu * unit + origin, unit[:, None] * L)
    return array_module(theta).concatenate([logits, normals.ravel()])

"""Expectation maximization: to fit a mixture, ask in turn who made which row, and fit again.

One normal density has one hill, and there are several continents. A mixture of K normals can follow
the land: p_θ(x) = Σ_k w_k N(x; µ_k, Σ_k), where the weights w_k sum to 1. But its θ̂ has no formula.
If it were known which component made which row, each would be fitted to its own rows, as a normal
is: by their share, their mean and their covariance. And if the components were known, Bayes' rule
would say how probable it is that component k made row i. Neither is known. So begin anywhere and
alternate (Dempster et al. 1977). The E step computes those probabilities, the responsibilities
r_ik. In the M step each row counts for every component, but only as much as that component is
responsible for it. For the n rows x_i:

    E step   r_ik = w_k N(x_i; µ_k, Σ_k) / p_θ(x_i)           sums to 1 over k                  (1)
    M step   n_k  = Σ_i r_ik                                  expected number of rows of k      (2)
             w_k  = n_k / n                                                                     (3)
             µ_k  = Σ_i r_ik x_i / n_k                                                          (4)
             Σ_k  = S_k = Σ_i r_ik (x_i - µ_k)(x_i - µ_k)ᵀ / n_k                                (5)

No such step lowers ℓ, as `expectation_maximization` proves, but ℓ has many local maxima and no
largest one: a component that shrinks onto a single observation makes it as large as you like. So
the start matters: k-means++ draws means that lie far apart. And no covariance may have an
eigenvalue below a floor, in units in which each column of X has variance 1:

    λ = max(s, floor)          takes the place of each eigenvalue s of S_k: the best allowed    (6)

So the floor is relative to the spread of all data. 10⁻⁶ makes each component at least 1/1000 as
wide; narrow clusters that lie farther apart, in their widths, need a lower one.

By hand: two pairs of points, around 0 and 9, and a start with wide components, µ = (0, 5) and both
standard deviations 4. For x = -1 the quotient r_2/r_1 is exp(-(6² - 1²)/32) = 0.335, so r_1 is
1/1.335 = 0.749. The new µ_1 is (-0.749 + 0.615 + 8 · 0.152 + 10 · 0.088)/1.604 = 1.2, drawn to the
far points at first:

>>> import numpy
>>> from gdl_numpy.probability.normal_family import MixtureFamily
>>> X, family = numpy.array([[-1.0], [1.0], [8.0], [10.0]]), MixtureFamily(2, 1)
>>> mu, L = numpy.array([[0.0], [5.0]]), 4 * numpy.ones((2, 1, 1))
>>> theta = family.theta(numpy.array([0.5, 0.5]), mu, L)
>>> print(responsibilities(family, theta, X)[:, 0].round(3))
[0.749 0.615 0.152 0.088]
>>> means = []
>>> for step in range(5):
...     theta = weighted_estimate(family, responsibilities(family, theta, X), X)
...     means.append([round(float(p.mu[0]), 1) + 0 for p in family(theta).components])
>>> print(means)                                                        # + 0 makes 0 of -0
[[1.2, 6.7], [0.6, 7.2], [0.0, 7.8], [0.0, 8.7], [0.0, 9.0]]

`responsibilities` and `weighted_estimate` are the two steps as they stand here;
`expectation_maximization` takes the same ones faster, see `_e_step`, unless a component is so
narrow that squares of its distance from the origin would hide its width (`_own_moments`). See
figure_1_06_densities (a mixture on the map) and
tests/probability/test_expectation_maximization.py (that it holds).
"""

import math

from gdl_numpy.numerics import checks
from gdl_numpy.numerics.backend import array_module
from gdl_numpy.numerics.blocks import in_blocks
from gdl_numpy.numerics.elementary import log_softmax, softmax
from gdl_numpy.numerics.moments import moments, varies
from gdl_numpy.numerics.neighbors import nearest
from gdl_numpy.numerics.optimizer import Step
from gdl_numpy.probability.density import LOG_2_PI, categorical, cholesky
from gdl_numpy.probability.normal_family import MixtureFamily, cut_normals

EPSILON = 2.0**-52                                          # of float64, in which all is computed


def responsibilities(family, theta, X, rows=2**13):
    """The E step: r_ik, the probability that component k made row i, (n, K); a row sums to 1.

    `rows` rows are computed at a time.
    """
    checks.instance(family, "family", MixtureFamily)
    rows, theta = checks.whole_number(rows, "rows", least=1), checks.real_array(theta, "theta")
    p_theta, xp = family(theta), array_module(theta)
    X = checks.observations(X, p_theta.components[0].mu)
    log_w = log_softmax(family.cut(theta)[0])
    R = xp.empty((len(X), family.n_components), dtype=X.dtype)
    for i in range(0, len(X), rows):
        log_joint = xp.stack([log_w[k] + p_k.log_prob(X[i:i + rows])    # log w_k N(x_i; µ_k, Σ_k)
                              for k, p_k in enumerate(p_theta.components)], axis=1)
        R[i:i + rows] = softmax(log_joint, axis=1)                  # (1)
    return R


def weighted_estimate(family, R, X):
    """The M step, without a floor: θ of the mixture in which row i counts R[i, k] times for
    component k; shape (n_θ,). R (n, K), X (n, d).

    It is the θ of the largest bound Σ_ik r_ik (log w_k + log N(x_i; µ_k, Σ_k)) + a constant:

        ∂/∂w_k = n_k/w_k                           equal for all k, else weight could be moved to
                                                   the larger one with profit: w_k = n_k/n
        ∂/∂µ_k = (Σ_k)⁻¹ (Σ_i r_ik (x_i - µ_k))    0 for the weighted mean
        Σ_k                                        the weighted covariance, see `_m_step`

    ValueError if the rows of a component lie, to rounding, in a plane of fewer than d dimensions.
    """
    checks.instance(family, "family", MixtureFamily)
    X = checks.in_range(checks.data_set(X, family.d))
    R = checks.paired(R, "R", X, of="X").astype(float)
    if R.shape[1] != family.n_components or not ((R >= 0).all() and (R.sum(axis=0) > 0).all()):
        raise ValueError(f"R must have a column for each of the {family.n_components} components, "
                         f"none negative and none all 0, got shape {R.shape}")
    n_k = R.sum(axis=0)                                             # (2)
    w = n_k / n_k.sum()                                             # the sum is n, (3)
    mu = R.T @ X / n_k[:, None]                                     # (4)
    S = array_module(R).stack([(r[:, None] * (X - m)).T @ (X - m) / count           # (5)
                               for r, m, count in zip(R.T, mu, n_k, strict=True)])
    L = array_module(S).stack([_triangle(*component, X.dtype) for component in zip(mu, S,
                                                                                 strict=True)])
    return family.theta(w, mu, L).astype(X.dtype)


def _triangle(mu, S, dtype):
    """L with L Lᵀ = S, the covariance of a component around mu, of rows of this dtype."""
    try:
        if not varies(mu, S.diagonal(), dtype).all():
            raise ValueError(f"a column has the variance {S.diagonal().min()}")
        return cholesky(S)
    except ValueError as error:
        raise ValueError("X has a singular covariance in a component, so its likelihood has no "
                         "maximum: its rows lie, to rounding, in a plane of fewer than "
                         f"{len(mu)} dimensions") from error


def expectation_maximization(family, X, rng=None, theta=None, tol=1e-6, max_steps=2000, floor=1e-6):
    """EM for a MixtureFamily from theta, or from a k-means++ start with rng; an iterator of Steps.

    Stops when the loss, in nats per row, fell by less than `tol` between two steps; the theta
    yielded last is one M step further. In units in which each column of X has variance 1, variances
    are kept above `floor`, and above what float64 can tell: (8 ε)² times the largest square of X in
    these units, ε being its rounding, and 16 d ε times the largest variance of the same component.
    A theta that starts below is raised, which may lower ℓ in the first step; so may the last of
    these bounds where the rows of a component lie in a plane, as it moves with the component.

    Nothing else lowers it. The logarithm of a mean is at least the mean of the logarithms, since
    log is concave (Jensen's inequality). So for all r_ik > 0 that sum to 1 over k

        log p_θ(x_i) = log Σ_k r_ik (w_k N(x_i; µ_k, Σ_k)/r_ik)
                    >= Σ_k r_ik log(w_k N(x_i; µ_k, Σ_k)/r_ik)

    Summed over i the last line is a lower bound of ℓ. With the r_ik of the E step the quotient is
    p_θ(x_i) for all k, so the bound equals ℓ. The M step keeps these r_ik and takes, of all θ whose
    variances are above the floor, the one of the largest bound (`weighted_estimate`, `_m_step`). ℓ
    of this θ is at least its bound, and its bound at least the old one, which was the old ℓ.
    """
    checks.rng(rng, optional=True), checks.instance(family, "family", MixtureFamily)
    tol = checks.number(tol, "tol", "[-inf, inf)")
    max_steps = checks.whole_number(max_steps, "max_steps", least=1)
    X = checks.data_set(X, family.d)
    if len(X) < family.n_components:
        raise ValueError(f"X has {len(X)} rows, too few for {family.n_components} components")
    checks.varying(X)                                       # else the likelihood has no maximum
    floor = checks.number(floor, "floor", "(0, inf)")
    center, C = moments(X)
    unit = C.diagonal()**0.5
    X64 = (X - center) / unit                               # φ(x) holds squares: small and float64
    floor = max(floor, (8 * EPSILON * _largest(X64))**2)
    if theta is not None:
        theta = checks.real_array(theta, "theta", like=X64)
        family(theta)                                       # refuses one of another length
        theta = _rescaled(family, theta, 1 / unit, -center / unit)
    elif rng is not None:
        theta = _start(family, X64, checks.rng(rng), floor)
    else:
        raise ValueError("EM starts somewhere: pass theta or rng")
    return _steps(family, X64, theta, tol, max_steps, floor, unit, center, X.dtype)


def _steps(family, X, theta, tol, max_steps, floor, unit, center, dtype):
    """Yields the steps on data of mean 0 and variance 1, in the unit of the data as they were."""
    log_volume = float(array_module(X).log(unit).sum())     # of one unit: what log p(x) loses by it
    last, plain = math.inf, _cancels(family, theta, X)
    for t in range(max_steps):
        old = theta
        if not plain:
            statistics, log_likelihood = _e_step(family, old, X)
            theta = _m_step(family, *_about_0(statistics, family.d), old, floor)
            plain = _cancels(family, theta, X)
        if plain:
            log_likelihood = family(old).log_prob(X).sum()
            theta = _m_step(family, *_own_moments(family, lambda i, j, theta=old: responsibilities(
                family, theta, X[i:j]), X), old, floor)
            plain = _cancels(family, theta, X)
        loss = log_volume - float(log_likelihood) / len(X)
        yield Step(t, loss, _rescaled(family, theta, unit, center).astype(dtype))
        if not last - loss >= tol:
            return
        last = loss


def _start(family, X, rng, floor):
    """θ of the M step in which each row of X belongs to the nearest of k-means++'s centers."""
    xp, K, rows = array_module(X), family.n_components, _rows_of_a_block(family)
    number = nearest(X, k_means_plus_plus(X, K, rng))[1][:, 0]
    statistics = sum(xp.eye(K)[:, number[i:i + rows]] @ _features(X[i:i + rows]).T
                     for i in range(0, len(X), rows))
    theta = _m_step(family, *_about_0(statistics, family.d), None, floor)
    if not _cancels(family, theta, X):
        return theta
    return _m_step(family, *_own_moments(family, lambda i, j: xp.eye(K)[number[i:j]], X), None,
                   floor)


def k_means_plus_plus(X, k, rng):
    """k rows of X as starting centers, (k, d), each drawn in proportion to its squared distance to
    the nearest center chosen before (Arthur and Vassilvitskii 2007)."""
    X, k, xp = checks.data_set(X), checks.whole_number(k, "k", least=1), array_module(X)
    checks.rng(rng)
    if k > len(X):
        raise ValueError(f"X must have at least k = {k} different rows, got {len(X)} rows")
    unit = math.ldexp(1.0, math.frexp(float(abs(X).max()))[1] - 1)  # a power of 2 rounds nothing
    chosen = [rng.integers(0, len(X), size=1)]
    distance = xp.full(len(X), math.inf, dtype=X.dtype)
    while len(chosen) < k:
        center = X[chosen[-1]] / unit
        distance = xp.minimum(distance, in_blocks(
            lambda i, j, c=center: ((X[i:j] / unit - c)**2).sum(axis=1), len(X)))
        if not distance.max() > 0:
            raise ValueError(f"X must have at least k = {k} different rows, got {len(chosen)}")
        chosen.append(categorical(distance, 1, rng))
    return X[xp.concatenate(chosen)]


def _features(X):
    """Φ (f, n), whose column i is φ(x) of row i of X (n, d): 1, all x_a, and x_a x_b for a <= b."""
    xp, x = array_module(X), X.T
    a, b = xp.triu_indices(X.shape[1])
    return xp.concatenate([xp.ones((1, len(X))), x, x[a] * x[b]])


def _coefficients(family, theta):
    """C with log w_k N(x; µ_k, Σ_k) = φ(x) · C_k, shape (K, f). With Σ = L Lᵀ and P = Σ⁻¹,

        log w N(x; µ, Σ) = log w - ½ (x - µ)ᵀ P (x - µ) - log det L - d/2 log 2π
                         = Σ_a (P µ)_a x_a - ½ Σ_a P_aa x_a² - Σ_{a<b} P_ab x_a x_b
                           + log w - ½ µᵀ P µ - log det L - d/2 log 2π
    """
    xp, d = array_module(theta), family.d
    logits, blocks = family.cut(theta)
    mu, log_diagonal, L = cut_normals(blocks, d)
    L_inverse = xp.linalg.inv(L)
    precision = L_inverse.swapaxes(1, 2) @ L_inverse                # P
    linear = (precision @ mu[:, :, None])[:, :, 0]                  # P µ
    constant = (log_softmax(logits) - 0.5 * (linear * mu).sum(axis=1) - log_diagonal.sum(axis=1)
                - 0.5 * d * LOG_2_PI)
    a, b = xp.triu_indices(d)
    quadratic = precision[:, a, b] * xp.where(a == b, -0.5, -1)     # x_a x_b stands for x_b x_a too
    return xp.concatenate([constant[:, None], linear, quadratic], axis=1)


def _rows_of_a_block(family, entries=2**17):
    """How many rows, so that their φ and r stay in the cache."""
    return max(64, entries // (family.n_components + (family.d + 1) * (family.d + 2) // 2))


def _e_step(family, theta, X):
    """The statistics Σ_i r_ik φ(x_i), shape (K, f), and ℓ(θ|X), from the rows of X (n, d).

    All that the M step needs are sums over i of r_ik times 1, x_i and x_i x_iᵀ, so the numbers of
    φ(x_i), the columns of Φ; and log w_k N(x_i; µ_k, Σ_k) is linear in them. So both are matrix
    products, for a block of rows at a time:

        joint      = C Φ                           log w_k N(x_i; µ_k, Σ_k), (K, n)
        R          = softmax of joint over k       r_ik, here (K, n)
        statistics = R Φᵀ                          row k is (n_k, n_k µ_k, n_k (S_k + µ_k µ_kᵀ))
    """
    C = _coefficients(family, theta)
    xp = array_module(X)
    statistics, log_likelihood = xp.zeros_like(C), 0.0
    rows = _rows_of_a_block(family)
    for start in range(0, len(X), rows):
        features = _features(X[start:start + rows])
        joint = C @ features
        m = joint.max(axis=0)                                       # logsumexp, in place for speed
        joint -= m
        xp.exp(joint, out=joint)
        total = joint.sum(axis=0)
        statistics += joint @ (features / total).T                  # r_ik φ(x_i)
        log_likelihood = log_likelihood + (m + xp.log(total)).sum()
    return statistics, log_likelihood


def _about_0(statistics, d):
    """n_k (K,), µ_k (K, d) and S_k (K, d, d) from the statistics: divided by n_k, without µ_k µ_kᵀ.
    """
    xp, n_k = array_module(statistics), statistics[:, 0]
    divisor = xp.where(n_k > 0, n_k, 1)[:, None]
    mu = statistics[:, 1:1 + d] / divisor
    a, b = xp.triu_indices(d)
    S = xp.zeros((len(n_k), d, d))
    S[:, a, b] = statistics[:, 1 + d:] / divisor - mu[:, a] * mu[:, b]
    S[:, b, a] = S[:, a, b]
    return n_k, mu, S


def _cancels(family, theta, X):
    """Whether a component is so narrow that too few digits are left of a difference of squares.

    Of the terms P_ab x_a x_b of log w N(x; µ, Σ) and of S_k = (S_k + µ_k µ_kᵀ) - µ_k µ_kᵀ the share
    ε P_ab x_a x_b is lost, where ε is the rounding. Eight digits are to be left, and mostly more.
    """
    squares = _coefficients(family, theta)[:, 1 + family.d:]
    return not float(abs(squares).max()) * _largest(X)**2 <= 1e7


def _largest(X):
    return max(float(X.max()), -float(X.min()))


def _own_moments(family, of_rows, X):
    """n_k, µ_k and S_k as (2), (4) and (5) have them: nothing is squared but x - µ_k.

    `of_rows(i, j)` gives r for the rows from i to j. They are asked for twice, for µ_k and for S_k.
    """
    xp, n, rows = array_module(X), len(X), _rows_of_a_block(family)
    n_k, total, S = 0.0, 0.0, 0.0
    for i in range(0, n, rows):
        R = of_rows(i, min(i + rows, n))
        n_k, total = n_k + R.sum(axis=0), total + R.T @ X[i:i + rows]
    divisor = xp.where(n_k > 0, n_k, 1)
    mu = total / divisor[:, None]
    for i in range(0, n, rows):
        R, x = of_rows(i, min(i + rows, n)), X[i:i + rows]
        S = S + xp.stack([(r[:, None] * (x - m)).T @ (x - m)
                          for r, m in zip(R.T, mu, strict=True)])
    return n_k, mu, S / divisor[:, None, None]


def _m_step(family, n_k, mu, S, theta, floor):
    """θ of the M step from the moments; a component without rows stays as it was.

    Eigenvalues of S are raised to the floor. Of the bound of ℓ, the part that depends on Σ is
    -n_k/2 (log det Σ + tr Σ⁻¹ S), as vᵀ Σ⁻¹ v = tr Σ⁻¹ v vᵀ. For given eigenvalues λ of Σ the trace
    is least where Σ has the eigenvectors of S, the largest λ for the largest eigenvalue s of S, and
    so on (von Neumann's trace inequality). Then the bracket is the sum of log λ + s/λ. Each term
    falls until λ = s and rises from there: so λ = s without a floor, which is Σ = S, and
    λ = max(s, floor) with one.
    """
    xp, alive = array_module(S), n_k > 1e-12 * n_k.sum()
    s, V = xp.linalg.eigh(S)
    floor = xp.maximum(floor, 16 * family.d * EPSILON * s[:, -1:])
    raised = (V * xp.maximum(s, floor)[:, None]) @ V.swapaxes(1, 2)                 # (6)
    normals = family.normal.theta(mu, xp.linalg.cholesky(raised))
    if theta is not None:
        normals = xp.where(alive[:, None], normals, family.cut(theta)[1])
    weights = xp.where(alive, n_k, 1e-12 * n_k.sum())
    return xp.concatenate([xp.log(weights / weights.sum()), normals.ravel()])


def _rescaled(family, theta, unit, origin):
    """The θ of the density of unit · x + origin, where x has the density p_θ."""
    logits, blocks = family.cut(theta)
    mu, _, L = cut_normals(blocks, family.d)
    normals = family.normal.theta(mu * unit + origin, unit[:, None] * L)
    return array_module(theta).concatenate([logits, normals.ravel()])

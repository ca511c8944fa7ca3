"""Leading coordinates: a model of a few numbers becomes a density of the whole picture.

Why: a mixture of normals in the 1,024 dimensions of a picture has half a million numbers for each
covariance, and most of these dimensions are noise. Idea: turn the coordinate system so that its
first k axes are the principal components, let any model describe these k numbers, and call the rest
normal noise. A rotation changes no volume, so this is a density on R^d again, and can be compared
with others.

    z = (x - µ) U/s            k leading coordinates, each in the unit s_i                       (1)
    r = x - µ - U (s z)        what is left, at right angles to U: d - k numbers
    |r|² = |x - µ|² - |s z|²                               by Pythagoras: r is never needed      (2)
    σ² = Σ_i |r_i|²/(n (d - k))                                                                  (3)

    log p(x) = log p_z(z) - Σ_i log s_i + log N(r; 0, σ² I)                                      (4)
    x = µ + U (s z) + r,   r = (I - U Uᵀ) σ ε,   ε from N(0, I)                                  (5)

Σ log s_i is the logarithm of the volume that a unit cube of z fills in x. A lower bound of log p_z,
where a model knows no more, gives one of log p. The units s_i are the standard deviations of the
coordinates, so that each z_i has variance 1, or all the same, so that the shape of the data is kept
and the mean variance is 1. With p_z = N(0, I) in units of their own,

    p(x) = N(x; µ, U Λ Uᵀ + σ² (I - U Uᵀ))         the maximum of probabilistic PCA

>>> import numpy
>>> from gdl_numpy.probability.density import Normal
>>> X = numpy.random.default_rng(0).standard_normal((500, 3)) * [9, 3, 1]
>>> p = InLeadingCoordinates(LeadingCoordinates.fit(X, 1), Normal(numpy.zeros(1), numpy.eye(1)))
>>> round(float(p.coordinates.encode(X).std()), 6)
1.0
>>> p.sample(4, numpy.random.default_rng(1)).shape
(4, 3)
"""

import math

from gdl_numpy.numerics import checks
from gdl_numpy.numerics.backend import array_module
from gdl_numpy.numerics.described import Described
from gdl_numpy.probability.density import LOG_2_PI
from gdl_numpy.representation.principal_components import PrincipalComponents, principal_axes


class LeadingCoordinates(Described):
    """`axes`, PrincipalComponents of k of d dimensions, units `s` (k,), and σ, a float."""

    def __init__(self, axes, s, sigma):
        self.d, self.k = axes.components.shape
        self.axes, self.s = axes, checks.vector(s, "s", self.k, like=axes.mu).copy()
        if not (self.s > 0).all():
            raise ValueError(f"s must be positive, got {float(self.s.min())}")
        self.sigma = checks.number(sigma, "sigma", "(0, inf)")
        self.n_parameters = axes.components.size + self.d + self.k + 1

    @classmethod
    def fit(cls, X, k, own_units=True):
        """From the rows of X (n, d): each coordinate in a unit of its own, or all in the same one.

        ValueError unless 1 <= k < d, or if X lies in a plane of k dimensions: σ would be 0.
        """
        X = checks.data_set(X)
        k = checks.whole_number(k, "k", least=1, most=min(len(X), X.shape[1] - 1))
        mu, eigenvalues, U = principal_axes(X)
        xp, total, kept = array_module(X), eigenvalues.sum(), eigenvalues[:k]
        left = eigenvalues[k:].sum()                        # Σ_i |r_i|²/n
        if not left > 100 * xp.finfo(X.dtype).eps * total:
            raise ValueError(f"X lies in a plane of {k} dimensions or fewer, so nothing is left "
                             "beside them: take a smaller k")
        s = xp.sqrt(kept if own_units else xp.full(k, float(kept.mean()), dtype=X.dtype))
        return cls(PrincipalComponents(mu, U[:, :k], kept / total), s,
                   math.sqrt(left / (X.shape[1] - k)))                                      # (3)

    def encode(self, X):
        """z for each row of X (n, d), shape (n, k)."""
        return self.axes.encode(X) / self.s                                                 # (1)

    def decode(self, Z, rng):
        """x for each row of Z (n, k), with a random r, shape (n, d)."""
        U = self.axes.components
        x_hat = self.axes.decode(checks.observations(Z, self.s, name="Z") * self.s)
        noise = self.sigma * checks.rng(rng).standard_normal((len(x_hat), self.d))
        noise -= noise @ U @ U.T                            # r, at right angles to all columns of U
        return (x_hat + noise).astype(U.dtype)                                              # (5)

    def log_prob(self, X, log_p_z):
        """log p(x) for each row of X (n, d), shape (n,), where `log_p_z` gives log p_z for rows z.

        It may as well be a lower bound; then so is the result.
        """
        X = checks.observations(X, self.axes.mu)
        Z = self.axes.encode(X)
        rest = ((X - self.axes.mu)**2).sum(axis=1) - (Z**2).sum(axis=1)
        return (log_p_z(Z / self.s) - array_module(X).log(self.s).sum()
                - 0.5 * rest / self.sigma**2
                - (self.d - self.k) * (math.log(self.sigma) + 0.5 * LOG_2_PI))              # (4)

    def jittered(self, Z, noise, rng):
        """The codes (n, k) of observations with codes Z, after each of their d numbers is moved.

        The moves are independent, of mean 0 and standard deviation `noise`. If they are normal, so
        is what they do to a code, exactly, and nearly so if they are not, but many. Thus a model of
        codes can be trained on more data than there are.
        """
        Z = checks.observations(Z, self.s, finite=False, name="Z")
        eps = checks.rng(rng).standard_normal(Z.shape, dtype=Z.dtype)
        return Z + (checks.number(noise, "noise", "[0, inf)") / self.s) * eps


class InLeadingCoordinates(Described):
    """The density on R^d of a density p_z of leading coordinates.

    If p_z has no log_prob but only a bound of it, then `coordinates.log_prob` takes that bound, and
    then this class can only sample.
    """

    def __init__(self, coordinates, p_z):
        self.coordinates, self.p_z = coordinates, p_z

    def log_prob(self, X):
        """log p(x) for each row of X (n, d), shape (n,), in nats."""
        return self.coordinates.log_prob(X, self.p_z.log_prob)

    def sample(self, n, rng):
        """x from z ~ p_z and the noise beside it, (n, d)."""
        return self.coordinates.decode(self.p_z.sample(checks.draws(n, rng), rng), rng)

"""Leading coordinates: a density of a few numbers becomes a density of the whole image.

A mixture of normals is a good model of two or ten numbers. For an image of 1,024 pixels each of its
covariances would have half a million numbers, most of which describe noise. The idea: turn the
coordinate system so that its first k axes are the principal components. Let any model describe
these k coordinates, and let the other d - k, at right angles to them, be normal noise. Turning
changes no volume, so the product of the two densities is a density on R^d again. It can be compared
with any other by the likelihood of new images.

Let µ be the mean of the data, U (d, k) their principal axes and λ_i the variances along these
(principal_components.py), and s_i a unit for each coordinate. Then

    σ²   = (λ_{k+1} + ... + λ_d)/(d - k)       variance of each number that is left              (1)
    z    = (x - µ) U / s                       the k leading coordinates                         (2)
    r    = x - µ - (s z) Uᵀ                    what is left, at right angles to U
    x    = µ + (s z) Uᵀ + r                    a sample, with r = σ ε (I - U Uᵀ), ε ~ N(0, I)    (3)
    |r|² = Σ_i r_i²                            not |x - µ|² - |s z|², whose digits may cancel    (4)
    log p(x) = log p_z(z) - Σ_i log s_i - ½ |r|²/σ² - (d - k) (log σ + ½ log 2π)                 (5)

The last two terms are the logarithm of N(r; 0, σ² I) in its d - k dimensions. A cube of side 1 in z
is a box of sides s_i in x, of volume Π_i s_i, so the same probability is spread over Π_i s_i times
the volume: hence - Σ_i log s_i. Where only a lower bound of log p_z is known, (5) gives one of
log p.

The units s_i are either the standard deviations of the coordinates, so that each z_i has variance
1, or all the same, so that the shape of the data is kept and the mean variance is 1. With
p_z = N(0, I) and units of their own, p is the maximum likelihood estimate of probabilistic PCA.

By hand: (±2, 0) and (0, ±1) have the variances 2 and ½ along their axes. With k = 1, s = √2 and
σ = √½, so the point (2, 1) has z = ±2/√2, |r| = 1, and with p_z = N(0, 1) the density
log p = -½ · 2 - ½ log 2π - log √2 - ½ · 1/½ - log √½ - ½ log 2π = -2 - log 2π:

>>> import numpy
>>> from gdl_numpy.probability.density import Normal
>>> cross = numpy.array([[2.0, 0.0], [-2.0, 0.0], [0.0, 1.0], [0.0, -1.0]])
>>> coordinates = LeadingCoordinates.fit(cross, 1)
>>> print(abs(coordinates.encode([[2.0, 1.0]])).round(3))
[[1.414]]
>>> p = InLeadingCoordinates(coordinates, Normal(numpy.zeros(1), numpy.eye(1)))
>>> print((p.log_prob([[2.0, 1.0]]) + numpy.log(2 * numpy.pi)).round(9))
[-2.]

See tests/representation/test_leading_coordinates.py (that it holds).
"""

import math

import numpy

from gdl_numpy.numerics import checks
from gdl_numpy.numerics.backend import array_module
from gdl_numpy.numerics.described import Described
from gdl_numpy.probability.density import LOG_2_PI
from gdl_numpy.representation.principal_components import PrincipalComponents, principal_axes


class LeadingCoordinates(Described):
    """`axes`, PrincipalComponents of k of d dimensions, units `s` (k,), and σ, a float."""

    def __init__(self, axes, s, sigma):
        self.axes = checks.instance(axes, "axes", PrincipalComponents)
        self.d, self.k = axes.components.shape
        s = checks.real_array(s, "s", like=axes.mu)
        self.s = checks.one_axis(s, self.k, "s").copy()
        if not (self.s > 0).all():
            raise ValueError(f"s must be positive, got {float(self.s.min())}")
        self.sigma = checks.number(sigma, "sigma", "(0, inf)")
        self.n_parameters = axes.components.size + self.d + self.k + 1

    @classmethod
    def fit(cls, X, k, own_units=True):
        """From the rows of X (n, d): each coordinate in a unit of its own, or all in the same one.

        ValueError unless 1 <= k < d, or if X lies in a plane of k dimensions: σ would be 0.
        """
        X, own_units = checks.data_set(X), checks.truth(own_units, "own_units")
        k = checks.whole_number(k, "k", least=1, most=min(len(X), X.shape[1] - 1))
        mu, eigenvalues, U = principal_axes(X)
        xp, total, kept = array_module(X), eigenvalues.sum(), eigenvalues[:k]
        left = eigenvalues[k:].sum()                        # the mean of |r|²
        if not left > 100 * float(xp.finfo(X.dtype).eps) * total:
            raise ValueError(f"X lies in a plane of {k} dimensions or fewer, so nothing is left "
                             "beside them: take a smaller k")
        s = xp.sqrt(kept if own_units else xp.full(k, float(kept.mean())))
        return cls(PrincipalComponents(mu, U[:, :k], kept / total), s,
                   math.sqrt(left / (X.shape[1] - k)))                                      # (1)

    def encode(self, X):
        """z for each row of X (n, d), shape (n, k)."""
        return self.axes.encode(X) / self.s                                                 # (2)

    def decode(self, Z, rng):
        """x for each row of Z (n, k), with a random r, shape (n, d)."""
        U = self.axes.components
        x_hat = self.axes.decode(checks.observations(Z, self.s, name="Z") * self.s)
        noise = self.sigma * checks.rng(rng).standard_normal((len(x_hat), self.d))
        noise -= noise @ U @ U.T                            # r, at right angles to all columns of U
        return (x_hat + noise).astype(U.dtype)                                              # (3)

    @numpy.errstate(over="ignore")                          # -inf is meant, far out
    def log_prob(self, X, log_p_z):
        """log p(x) for each row of X (n, d), shape (n,), where `log_p_z` gives log p_z for rows z.

        It may as well be a lower bound; then so is the result.
        """
        X, _ = checks.observations(X, self.axes.mu), checks.function(log_p_z, "log_p_z")
        Z = self.axes.encode(X)                             # s z
        R = X - self.axes.mu - Z @ self.axes.components.T
        rest = ((R / self.sigma)**2).sum(axis=1)            # in this unit, squares are in range (4)
        return (log_p_z(Z / self.s) - array_module(X).log(self.s).sum()
                - 0.5 * rest
                - (self.d - self.k) * (math.log(self.sigma) + 0.5 * LOG_2_PI))              # (5)

    def jittered(self, Z, noise, rng):
        """The codes (n, k) that the observations would have if noise were added to their d numbers,
        drawn from their codes Z alone. So a model of codes can be trained on more data than given.

        Let the noise ε on each number be independent, of mean 0 and standard deviation `noise`. It
        adds ε U / s to a code, and as the columns of U have length 1 and right angles between them,
        the numbers of ε U have this standard deviation again and no covariance. They are normal if
        ε is, and nearly so if it is not, being sums of many terms.
        """
        Z = checks.observations(Z, self.s, finite=False, name="Z")
        unit = checks.number(noise, "noise", "[0, inf)") / self.s
        return Z + unit * checks.rng(rng).standard_normal(Z.shape, dtype=Z.dtype)


class InLeadingCoordinates(Described):
    """The density on R^d of a density p_z of leading coordinates.

    If p_z has a bound of log p_z instead of a log_prob, only `sample` works; hand the bound to
    `coordinates.log_prob` then.
    """

    def __init__(self, coordinates, p_z):
        self.coordinates = checks.instance(coordinates, "coordinates", LeadingCoordinates)
        self.p_z = checks.density(p_z, "p_z")

    def log_prob(self, X):
        """log p(x) for each row of X (n, d), shape (n,), in nats."""
        return self.coordinates.log_prob(X, self.p_z.log_prob)

    def sample(self, n, rng):
        """x from z ~ p_z and the noise beside it, (n, d)."""
        return self.coordinates.decode(self.p_z.sample(checks.draws(n, rng), rng), rng)

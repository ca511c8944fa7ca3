r"""The trained families once more, as one would write them in PyTorch.

Why: whoever knows PyTorch can read a family here first, and then how gdl_numpy does without it. And
benchmark_models.py needs a peer: the same architecture and the same θ, but gradients by autograd.

Idea: a family with its θ becomes an nn.Module. Its `loss` is the forward pass alone: the pullbacks
that gdl_numpy writes beside each value are what autograd derives from it. The classes stand in the
order of gdl_numpy/models; all are constructed as Module(family, θ), from our family and our θ.

    gdl_numpy                                here
    family(theta), a density p               Module(family, theta)
    one vector theta                         module.parameters(), cut out of theta and copied
    W (d_in, d_out), b of a layer            weight = W.T and bias of an nn.Linear
    family.loss(theta, X, rng): value,       loss(X, draws): the value; the gradient comes with
      gradient                                 .backward()
    rng                                      loss is given its draws, sample makes its own
    p.sample(n, rng)                         sample(n)
    Adam(rate)(theta, dtheta): a new θ       torch.optim.Adam(parameters, rate).step(), in place
    log_prob, elbo, energy ... (n,)          inside loss, before its mean over the rows

The only difference in method: ours computes a gradient by a function that it returns with the
value, theirs from a graph that the forward pass leaves behind. All is in float32.

Only this file needs PyTorch, not benchmark_models.py, which calls `training` and `sampling` at the
end, and gives and gets NumPy's arrays.
"""

import math

import command  # noqa: F401, it says what is missing
import numpy as np
import torch
from torch import nn
from torch.nn.functional import binary_cross_entropy_with_logits, linear, pad, softplus

from gdl_numpy.networks.rational_quadratic import SMALLEST, ZERO_IS_ONE

# --- what all are made of ---

ACTIVATIONS = {"tanh": nn.Tanh, "relu": nn.ReLU, "softplus": nn.Softplus}


class MLP(nn.Module):
    """Network of gdl_numpy.networks.network: a perceptron, with its Fourier features and bound."""

    def __init__(self, network, theta):
        super().__init__()
        layers = []
        for W, b in network.cut(theta):
            layers += [loaded(nn.Linear(*W.shape), W, b), ACTIVATIONS[network.activation]()]
        self.layers = nn.Sequential(*layers[:-1])           # the last layer is linear
        self.waves, self.bound = tensor(network.waves), network.bound
        self.max_slope = network.max_slope

    def forward(self, X):
        if self.waves is not None:
            angle = X @ self.waves
            waves = [angle.sin(), angle.cos()]
            if self.max_slope is not None:
                a = (self.max_slope / self.waves.norm(dim=0)).clamp(max=1)
                waves = [a * wave for wave in waves]
            X = torch.cat([X, *waves], dim=1)
        Y = self.layers(X)
        return Y if self.bound is None else self.bound * torch.tanh(Y / self.bound)


def loaded(layer, W, b):
    """The linear layer with our weights, which PyTorch holds transposed, and biases."""
    layer.weight.data, layer.bias.data = torch.tensor(W.T.copy()), torch.tensor(b.copy())
    return layer


def tensor(array):
    """A constant, such as wave vectors, in float32; None stays None."""
    return None if array is None else torch.tensor(np.asarray(array, np.float32))


# --- models/autoregressive.py ---


class Autoregressive(nn.Module):
    """AutoregressiveFamily: p(x) = Π_i p(x_i | x_1 ... x_{i-1}), a histogram of each coordinate."""

    def __init__(self, family, theta):
        super().__init__()
        self.d, self.order, self.log_cell_volume = family.d, family.order, family.log_cell_volume
        self.bins = [family.bins[i] for i in family.order]
        first, *rest = family.parts(theta)
        self.first = nn.Parameter(torch.tensor(first.copy()))
        self.networks = nn.ModuleList(map(MLP, family.networks, rest))

    def logits(self, before):
        """Of the bins of the next coordinate, given those before it (n, i)."""
        if before.shape[1] == 0:
            return self.first.expand(len(before), -1)
        return self.networks[before.shape[1] - 1](before)

    def loss(self, X):
        X, K = X[:, self.order], self.bins
        k = [((X[:, i] + 1) * (0.5 * K[i])).long().clamp(max=K[i] - 1) for i in range(self.d)]
        log_p = torch.log_softmax(self.first, 0)[k[0]] - self.log_cell_volume
        for i in range(1, self.d):
            log_share = torch.log_softmax(self.logits(X[:, :i]), 1)
            log_p = log_p + log_share.gather(1, k[i][:, None])[:, 0]
        return -log_p.mean()

    def sample(self, n):
        X, K = torch.empty(n, self.d), self.bins
        for i in range(self.d):
            cdf = torch.softmax(self.logits(X[:, :i]), 1).cumsum(1)     # quicker than multinomial
            u = torch.rand(n, 1) * cdf[:, -1:]
            k = torch.searchsorted(cdf, u, right=True)[:, 0].clamp(max=K[i] - 1)
            X[:, i] = (k + torch.rand(n)) * (2 / K[i]) - 1
        return X[:, [self.order.index(i) for i in range(self.d)]]


class MaskedLinear(nn.Linear):
    """A layer some of whose weights are 0 and stay 0."""

    def __init__(self, mask, b):
        super().__init__(*mask.shape)
        self.mask = tensor(mask.T.copy())

    def forward(self, X):
        return linear(X, self.weight * self.mask, self.bias)


class MaskedAutoregressive(nn.Module):
    """MaskedAutoregressiveFamily: of pixels 0 or 1, all conditionals by one masked network."""

    def __init__(self, family, theta):
        super().__init__()
        self.d, self.order, layers = family.d, family.order, []
        mask = family.mask(np).astype(float)
        cut = family.network.cut
        for (W, b), (kept, _) in zip(cut(theta), cut(mask), strict=True):
            layers += [loaded(MaskedLinear(kept, b), W, b), ACTIVATIONS[family.activation]()]
        self.logits = nn.Sequential(*layers[:-1])

    def loss(self, X):
        return binary_cross_entropy_with_logits(self.logits(X), X, reduction="none").sum(1).mean()

    def sample(self, n):
        X = torch.zeros(n, self.d)
        for i in self.order:
            X[:, i] = torch.bernoulli(torch.sigmoid(self.logits(X)[:, i]))
        return X


# --- models/normalizing_flow.py, networks/rational_quadratic.py ---


def affine(x, raw):
    """y, and log |∂y/∂x|."""
    return x * raw[:, 0].exp() + raw[:, 1], raw[:, 0]


def inverse_affine(y, raw):
    return (y - raw[:, 1]) * (-raw[:, 0]).exp()


def spline(x, raw):
    """y, and log |∂y/∂x|."""
    x0, w, y0, h, s, d0, d1 = in_bin(x, raw, inverse=False)
    xi = (x - x0) / w
    zeta = xi * (1 - xi)
    D = s + (d0 + d1 - 2 * s) * zeta
    y = y0 + h * (s * xi**2 + d0 * zeta) / D
    M = d1 * xi**2 + 2 * s * zeta + d0 * (1 - xi)**2
    return y.clamp(-1, 1), (M * (s / D)**2).log()


def inverse_spline(y, raw):
    x0, w, y0, h, s, d0, d1 = in_bin(y, raw, inverse=True)
    u, eta = y - y0, d0 + d1 - 2 * s
    alpha, beta, gamma = h * (s - d0) + u * eta, h * d0 - u * eta, -s * u
    xi = -2 * gamma / (beta + (beta**2 - 4 * alpha * gamma).clamp(min=0).sqrt())
    return (x0 + xi * w).clamp(-1, 1)


def in_bin(x, raw, inverse):
    """x_j, w, y_j, h, h/w, δ_j, δ_{j+1} of the bin of each x, or of each y for the inverse."""
    K = raw.shape[1] // 3

    def knots(logits):
        shares = SMALLEST + (1 - K * SMALLEST) * torch.softmax(logits, 1)
        return 2 * pad(shares.cumsum(1), (1, 0)) - 1

    knots_x, knots_y = knots(raw[:, :K]), knots(raw[:, K:2 * K])
    slopes = SMALLEST + softplus(raw[:, 2 * K:] + ZERO_IS_ONE)
    j = torch.searchsorted((knots_y if inverse else knots_x)[:, 1:-1].contiguous(),
                           x[:, None].contiguous(), right=True)
    x0, x1, y0, y1, d0, d1 = (values.gather(1, i)[:, 0] for values in (knots_x, knots_y, slopes)
                              for i in (j, j + 1))
    w, h = x1 - x0, y1 - y0
    return x0, w, y0, h, h / w, d0, d1


class NormalizingFlow(nn.Module):
    """NormalizingFlowFamily in two dimensions, where each layer moves one of two columns."""

    def __init__(self, family, theta):
        super().__init__()
        self.affine = family.transform == "affine"
        self.networks = nn.ModuleList(map(MLP, family.networks, family.parts(theta)))

    def raw(self, i, columns):
        """What layer i makes of the column that stays: the numbers of the other's map."""
        return self.networks[i](columns[1 - i % 2][:, None])

    def loss(self, X):
        columns, log_det = list(X.unbind(1)), 0
        for i in range(len(self.networks)):
            g = affine if self.affine else spline
            columns[i % 2], log_slope = g(columns[i % 2], self.raw(i, columns))
            log_det = log_det + log_slope
        if self.affine:
            log_p_z = -0.5 * (columns[0]**2 + columns[1]**2) - math.log(2 * math.pi)
        else:
            log_p_z = -2 * math.log(2)
        return -(log_p_z + log_det).mean()

    def sample(self, n):
        Z = torch.randn(n, 2) if self.affine else 2 * torch.rand(n, 2) - 1
        columns, inverse = list(Z.unbind(1)), inverse_affine if self.affine else inverse_spline
        for i in reversed(range(len(self.networks))):
            columns[i % 2] = inverse(columns[i % 2], self.raw(i, columns))
        return torch.stack(columns, 1)


# --- models/variational_autoencoder.py ---


class VariationalAutoencoder(nn.Module):
    """VariationalAutoencoderFamily with a noise that the decoder says."""

    def __init__(self, family, theta):
        super().__init__()
        self.d, self.k, self.floor = family.d, family.k, family.floor
        decoder, _, encoder = family.parts(theta)
        self.decoder, self.encoder = MLP(family.decoder, decoder), MLP(family.encoder, encoder)

    def encode(self, X):
        H = self.encoder(X)
        return H[:, :self.k], H[:, self.k:]                 # µ, log σ

    def decode(self, Z):
        H = self.decoder(Z)
        return H[:, :self.d], self.floor + H[:, self.d:].exp()

    def loss(self, X, eps):
        """With the draws eps (m, n, k) of z: for m > 1 the bound of importance weighting."""
        m, n, k = eps.shape
        mu, log_sigma = self.encode(X)
        Z = mu + log_sigma.exp() * eps
        X_hat, s = (part.reshape(m, n, self.d) for part in self.decode(Z.reshape(m * n, k)))
        log_w = (0.5 * (eps**2 - Z**2).sum(2) + log_sigma.sum(1)
                 - (0.5 * ((X - X_hat) / s)**2 + s.log()).sum(2)
                 - 0.5 * self.d * math.log(2 * math.pi))
        return math.log(m) - torch.logsumexp(log_w, 0).mean()

    def sample(self, n):
        X_hat, s = self.decode(torch.randn(n, self.k))
        return X_hat + s * torch.randn(n, self.d)


# --- models/energy_based.py ---


class EnergyBased(nn.Module):
    """EnergyBasedFamily: p(x) = exp(-E(x))/Z on a box."""

    def __init__(self, family, theta):
        super().__init__()
        self.d, self.log_volume = family.d, family.log_volume
        self.network = MLP(family.network, theta)
        self.low, self.high = tensor(family.space.low), tensor(family.space.high)

    def energy(self, X):
        return self.network(X)[:, 0]

    def loss(self, X, u):
        """With draws u (m, d) in [0, 1), at which Z is estimated."""
        log_z = (self.log_volume - math.log(len(u))
                 + torch.logsumexp(-self.energy(self.low + (self.high - self.low) * u), 0))
        return self.energy(X).mean() + log_z

    def energy_and_slope(self, X):
        with torch.enable_grad():
            X.requires_grad_(True)
            E = self.energy(X)
            slope, = torch.autograd.grad(E.sum(), X)
        return E.detach(), slope

    def sample(self, n, steps, step, jumps):
        """Uniform jumps, then the Metropolis-adjusted Langevin algorithm between mirrors."""
        low, high, side = self.low, self.high, self.high - self.low
        X, h = low + side * torch.rand(n, self.d), step * side
        E = self.energy(X)
        for _ in range(jumps):
            proposal = low + side * torch.rand(n, self.d)
            E_new = self.energy(proposal)
            accepted = torch.log1p(-torch.rand(n)) < E - E_new
            X = torch.where(accepted[:, None], proposal, X)
            E = torch.where(accepted, E_new, E)
        E, dE = self.energy_and_slope(X)
        for _ in range(steps):
            eps = torch.randn(n, self.d)
            u = (X - 0.5 * h**2 * dE + h * eps - low) % (2 * side)
            mirrored = torch.where(u > side, -1.0, 1.0)
            proposal = torch.minimum(low + torch.minimum(u, 2 * side - u), high)
            E_new, dE_new = self.energy_and_slope(proposal)
            eps_back = 0.5 * h * (dE + mirrored * dE_new) - eps
            log_ratio = E - E_new + 0.5 * (eps**2 - eps_back**2).sum(1)
            accepted = torch.log1p(-torch.rand(n)) < log_ratio
            X = torch.where(accepted[:, None], proposal, X)
            E = torch.where(accepted, E_new, E)
            dE = torch.where(accepted[:, None], dE_new, dE)
        return X


# --- models/diffusion.py ---


class Diffusion(nn.Module):
    """DiffusionFamily with λ, the logarithm of the signal-to-noise ratio, that falls evenly."""

    def __init__(self, family, theta):
        super().__init__()
        self.d, self.n_levels, (self.highest, self.lowest) = (family.d, family.n_levels,
                                                              family.log_snr)
        self.network, self.focus = MLP(family.network, theta), family.focus
        self.waves = tensor(family.waves)
        self.lengths = (self.waves**2).sum(0)
        self.rates = (math.pi / (self.highest - self.lowest)
                      * 2.0**torch.arange(family.n_waves))

    def eps_hat(self, X, log_snr):
        """The noise in rows X (n, d) at λ of shape (n, 1) or (1, 1)."""
        alpha, sigma = alpha_sigma(log_snr)
        angle, g = X @ self.waves, (-0.5 * sigma**2 * self.lengths).exp()
        times = (log_snr - self.lowest) * self.rates
        tau = torch.cat([times.sin(), times.cos()], 1).expand(len(X), -1)
        phi = torch.cat([X, g * angle.sin(), g * angle.cos(), tau], 1)
        return sigma * X + alpha * self.network(phi)

    def loss(self, X, u, eps):
        """With one draw u (1,) that sets the λ of all rows, and noise eps (n, d)."""
        n = len(X)
        u = ((u + torch.arange(n, device=u.device) / n) % 1)**self.focus
        log_snr = (self.highest + (self.lowest - self.highest) * u).float()[:, None]
        alpha, sigma = alpha_sigma(log_snr)
        return ((self.eps_hat(alpha * X + sigma * eps, log_snr) - eps)**2).sum() / n

    def sample(self, n, n_steps=64):
        """SDE-DPM-Solver++(2M), by equal steps in λ."""
        log_snr = torch.linspace(self.lowest, self.highest, n_steps + 1)
        alpha, sigma = alpha_sigma(log_snr)
        r = -torch.expm1(log_snr[:-1] - log_snr[1:])
        X, before = torch.randn(n, self.d), None
        for t in range(n_steps + 1):
            X_hat = (X - sigma[t] * self.eps_hat(X, log_snr[t].reshape(1, 1))) / alpha[t]
            if t < n_steps:
                ahead = X_hat if before is None else X_hat + 0.5 * (X_hat - before)
                X = alpha[t + 1] * ((1 - r[t]) / alpha[t] * X + r[t] * ahead)
                X = X + r[t].sqrt() * sigma[t + 1] * torch.randn(n, self.d)
                before = X_hat
        return X_hat


def alpha_sigma(log_snr):
    """α and σ, α² + σ² = 1 and log α²/σ² = λ."""
    return torch.sigmoid(log_snr).sqrt(), torch.sigmoid(-log_snr).sqrt()


# --- models/adversarial.py ---


class Adversarial(nn.Module):
    """AdversarialFamily: a generator against a discriminator, each with a loss of its own."""

    def __init__(self, family, theta):
        super().__init__()
        self.k, (theta_g, phi) = family.k, family.parts(theta)
        self.rejection = family.rejection
        self.generator = MLP(family.generator, theta_g)
        self.discriminator = MLP(family.discriminator, phi)

    def discriminator_loss(self, X, Z, eps, penalty, delta):
        """Of rows X against those made of Z, as many; a slope along eps (2n, d) is penalized."""
        n = len(X)
        with torch.no_grad():
            made = self.generator(Z)
        rows = torch.cat([X, made])
        logits = self.discriminator(torch.cat([rows, rows + delta * eps]))[:, 0]
        slope = (logits[2 * n:] - logits[:2 * n]) / delta
        return (softplus(-logits[:n]).sum() + softplus(logits[n:2 * n]).sum()
                + 0.5 * penalty * (slope**2).sum()) / n

    def generator_loss(self, Z):
        return softplus(-self.discriminator(self.generator(Z))[:, 0]).mean()

    def sample(self, n):
        """The draws of g, or, with a rejection, those of them that D lets pass."""
        if self.rejection is None:
            return self.generator(torch.randn(n, self.k))
        kept, log_m = [], None
        while sum(map(len, kept)) < n:
            X = self.generator(torch.randn(2**13, self.k))
            logits = self.discriminator(X)[:, 0]
            log_m = torch.quantile(logits, self.rejection) if log_m is None else log_m
            kept.append(X[torch.rand(len(X)).log() <= logits - log_m])
        return torch.cat(kept)[:n]


# --- what benchmark_models.py measures ---

REFERENCES = {"autoregressive": Autoregressive, "masked_autoregressive": MaskedAutoregressive,
              "spline_flow": NormalizingFlow, "affine_flow": NormalizingFlow,
              "variational_autoencoder": VariationalAutoencoder, "energy_based": EnergyBased,
              "diffusion": Diffusion, "adversarial": Adversarial}


def training(name, family, theta, X, batches, rate):
    """A function that trains from theta on: a step for each of `batches`, tuples of the numbers of
    rows and of draws, and returns the losses of all steps."""
    X = torch.from_numpy(X)
    batches = [[torch.from_numpy(part) for part in batch] for batch in batches]

    def run():
        model = REFERENCES[name](family, theta)
        adam = torch.optim.Adam(model.parameters(), rate)
        return np.array([stepped(adam, model.loss(X[rows], *draws)) for rows, *draws in batches])
    return run


def adversarial_training(family, theta, X, batches, rate, penalty, delta):
    """The same for both sides in turn: the discriminator's loss of each step, the generator's."""
    X = torch.from_numpy(X)
    batches = [[torch.from_numpy(part) for part in batch] for batch in batches]

    def run():
        model, losses = Adversarial(family, theta), []
        generator_adam, discriminator_adam = (
            torch.optim.Adam(side.parameters(), rate, (0.5, 0.99))
            for side in (model.generator, model.discriminator))
        for rows, Z, eps, Z_new in batches:
            loss = model.discriminator_loss(X[rows], Z, eps, penalty, delta)
            losses.append(stepped(discriminator_adam, loss))
            model.discriminator.requires_grad_(False)
            losses.append(stepped(generator_adam, model.generator_loss(Z_new)))
            model.discriminator.requires_grad_(True)
        return np.array(losses)
    return run


def stepped(adam, loss):
    """The loss as a number, after a step down its gradient."""
    adam.zero_grad()
    loss.backward()
    adam.step()
    return loss.item()


def sampling(name, family, theta, n, times, seed, **options):
    """A function that draws n samples `times` times, and returns them."""
    model = REFERENCES[name](family, theta)
    torch.manual_seed(seed)

    def run():
        with torch.no_grad():
            return [model.sample(n, **options).numpy() for _ in range(times)]
    return run

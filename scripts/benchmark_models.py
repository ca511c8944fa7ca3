r"""Time training steps and samplers of the model families against PyTorch, eager, on one thread.

    pip install -e '.[benchmark,figures]' && pip install torch==2.13.0
    env -u OPENBLAS_CORETYPE -u OPENBLAS_L2_SIZE OMP_NUM_THREADS=1 \
        python scripts/benchmark_models.py
    (the same) python scripts/benchmark_models.py --scaling

The first run writes figures/benchmark_models.json, the second adds to it how the cost of our
training step grows with the batch, the width and the depth. How it is measured stands in
benchmark.py. The models are those of scoreboard.py, on points of the world map, and beside them a
masked autoregressive model of tins of 32 x 32 pixels in black and white. Each has a reference below
in PyTorch as one would write it there: the same architecture and the same θ in float32, gradients
by autograd, PyTorch's Adam.

A training step is the loss of a batch, its gradient and Adam, for the adversarial family one such
step of each side. Both sides take the same steps with the same rows and the same random numbers,
drawn before, and the losses of all steps are compared, relative where they exceed 1. They may
differ by 1e-4: rounding, 1e-7 at first, grows as θ moves, because Adam divides even a gradient that
is all rounding by its own size. Steps ten times as long would let it grow beyond 1e-3.

Samplers draw their own random numbers, from a model after WARM_UP steps of training. Compared are
the means over the samples of 32 sines and 32 cosines, which are values of the characteristic
function, in units of the standard error of their difference. Beyond 6 the largest is no chance: of
64 normal numbers one is in one of 8 million cases.
"""

import json
import math
import sys
import time
from functools import partial

import numpy as np
from benchmark import FIGURES, PAUSE, Case, deviation, machine, main
from scoreboard import NETWORKS, UNIT, waves
from style import write_whole

from gdl_numpy.models.autoregressive import MaskedAutoregressiveFamily
from gdl_numpy.models.diffusion import DiffusionFamily
from gdl_numpy.models.normalizing_flow import NormalizingFlowFamily
from gdl_numpy.networks.fourier import wave_vectors
from gdl_numpy.networks.network import cut
from gdl_numpy.networks.rational_quadratic import SMALLEST, ZERO_IS_ONE
from gdl_numpy.numerics.optimizer import Adam
from gdl_numpy.pictures.biscuit_tins import BiscuitTins
from gdl_numpy.world.world_map import WorldMap

N, WARM_UP, RATE, FILE = 20_000, 200, 1e-5, "benchmark_models.json"
STEPS = {"autoregressive": 100, "masked_autoregressive": 50, "spline_flow": 60, "affine_flow": 60,
         "variational_autoencoder": 200, "energy_based": 60, "diffusion": 150, "adversarial": 25}
SAMPLES = {                                                 # at once; how often in a run
    "autoregressive": (8192, 8), "masked_autoregressive": (32, 1), "spline_flow": (8192, 8),
    "affine_flow": (8192, 8), "variational_autoencoder": (8192, 50), "energy_based": (512, 2),
    "diffusion": (512, 2), "adversarial": (8192, 80)}
BATCH = {"masked_autoregressive": 128, "variational_autoencoder": 128, "energy_based": 1024}
POINTS, PENALTY, DELTA = 2048, 0.003, 0.01                  # energy-based; adversarial
CHAIN_STEPS, STEP, JUMP = 100, 0.02, 0.25                   # of the energy-based model's sampler


class Given:
    """A random generator whose draws were made before; it gives them out in turn."""

    def __init__(self, draws):
        self.draws = iter(draws)

    def standard_normal(self, shape, dtype=float):
        return next(self.draws)

    random = standard_normal


def problem(name):
    """The family, its data X, a first θ, and the rows and random numbers of each step."""
    rng, batch, f = np.random.default_rng(0), BATCH.get(name, 512), np.float32
    if name == "masked_autoregressive":
        family = MaskedAutoregressiveFamily(1024, (500,))
        X = (BiscuitTins(2000, rng).images > 0.5).astype(f)
    else:
        family, X = NETWORKS[name].family(np), (WorldMap().sample(N, rng) / UNIT).astype(f)
    normal = partial(rng.standard_normal, dtype=f)
    draws = {
        "variational_autoencoder": lambda: [normal((samples(name), batch, family.k))],
        "energy_based": lambda: [rng.random((POINTS, family.d), f)],
        "diffusion": lambda: [rng.random(1), normal((batch, family.d))],
        "adversarial": lambda: [normal((batch, family.k)), normal((2 * batch, family.d)),
                                normal((batch, family.k))],
    }.get(name, list)
    theta = family.initial_theta(rng, f)
    return family, X, theta, [(rng.integers(0, len(X), batch), draws())
                              for _ in range(STEPS[name])]


def samples(name):
    """The draws of z for each row, of the variational autoencoder."""
    return NETWORKS[name].options.get("n_samples", 1)


def training_ours(name):
    family, X, first, batches = problem(name)
    options = {"variational_autoencoder": lambda: {"n_samples": samples(name)},
               "energy_based": lambda: {"points": POINTS}}.get(name, dict)()

    def run():
        theta, adam, losses = first, Adam(RATE), []
        for rows, draws in batches:
            rng = [Given(draws)] if draws else []
            loss, dtheta = family.loss(theta, X[rows], *rng, **options)
            theta = adam(theta, dtheta)
            losses.append(float(loss))
        return np.array(losses)

    def play():
        (theta_g, phi), losses = family.cut(first), []
        g_step, d_step = (Adam(RATE, beta1=0.5, beta2=0.99) for _ in range(2))
        for rows, (Z, eps, Z_new) in batches:
            made, _ = family.generate(theta_g, Z)
            loss, dphi = family.discriminator_loss(phi, X[rows], made, Given([eps]), PENALTY, DELTA)
            phi = d_step(phi, dphi)
            g_loss, dtheta_g = family.generator_loss(np.concatenate([theta_g, phi]), Z_new)
            theta_g = g_step(theta_g, dtheta_g)
            losses += [float(loss), float(g_loss)]
        return np.array(losses)

    return play if name == "adversarial" else run


def training_torch(name):
    import torch
    family, X, first, batches = problem(name)
    X = torch.from_numpy(X)
    batches = [[torch.from_numpy(part) for part in (rows, *draws)] for rows, draws in batches]

    def step(adam, loss):
        adam.zero_grad()
        loss.backward()
        adam.step()
        return loss.item()

    def run():
        parameters, loss, _ = REFERENCES[name](family, first)
        adam = torch.optim.Adam(parameters, RATE)
        return np.array([step(adam, loss(X[rows], *draws)) for rows, *draws in batches])

    def play():
        (theta_g, phi), d_loss, g_loss, _ = adversarial(family, first)
        g_adam, d_adam = (torch.optim.Adam(parameters, RATE, (0.5, 0.99))
                          for parameters in (theta_g, phi))
        losses = []
        for rows, Z, eps, Z_new in batches:
            losses.append(step(d_adam, d_loss(X[rows], Z, eps)))
            for parameter in phi:
                parameter.requires_grad_(False)
            losses.append(step(g_adam, g_loss(Z_new)))
            for parameter in phi:
                parameter.requires_grad_(True)
        return np.array(losses)

    return play if name == "adversarial" else run


def warmed_up(name):
    """The family, and θ after some steps of training."""
    family, X, theta, _ = problem(name)
    for step in family.train(X, np.random.default_rng(1), max_steps=WARM_UP, theta=theta,
                             averaging=0.0, batch=BATCH.get(name, 512)):
        theta = step.theta                                  # a list of all would fill the memory
    return family, theta


def sampling_ours(name):
    family, theta = warmed_up(name)
    p, (n, times), rng, options = family(theta), SAMPLES[name], np.random.default_rng(2), {}
    if name == "energy_based":
        options = {"steps": CHAIN_STEPS, "step": STEP, "jump": JUMP}
    return lambda: [p.sample(n, rng, **options) for _ in range(times)]


def sampling_torch(name):
    import torch
    (*_, sample), (n, times) = REFERENCES[name](*warmed_up(name)), SAMPLES[name]
    torch.manual_seed(2)

    def run():
        with torch.no_grad():
            return [sample(n).numpy() for _ in range(times)]
    return run


def standard_errors(ours, theirs):
    """By how many standard errors the means of sines and cosines of X K differ at most, for two
    lists of arrays of rows."""
    means, variances = [], []
    for X in map(np.concatenate, (ours, theirs)):
        angle = X @ wave_vectors(X.shape[1], 16, (2, 6), np.random.default_rng(0)) / X.shape[1]**0.5
        parts = np.concatenate([np.sin(angle), np.cos(angle)], axis=1)
        means.append(parts.mean(axis=0))
        variances.append(parts.var(axis=0) / len(X))
    return (abs(means[0] - means[1]) / np.sqrt(sum(variances))).max()


# --- the references in PyTorch: family, θ -> the parameters, loss(X, *draws), and sample(n) ---


def torch_layers(theta, sizes):
    """Weights as PyTorch's linear layers hold them, which is transposed, and biases."""
    import torch
    return [tuple(torch.tensor(part.copy(), requires_grad=True) for part in (W.T, b))
            for W, b in cut(theta, sizes)]


def torch_mlp(layers, H, activation, F=None):
    """The network of H (n, d), or of its Fourier features."""
    import torch
    bend = {"tanh": torch.tanh, "relu": torch.relu,
            "softplus": torch.nn.functional.softplus}[activation]
    if F is not None:
        angle = H @ F
        H = torch.cat([H, angle.sin(), angle.cos()], dim=1)
    for i, (W, b) in enumerate(layers):
        H = torch.nn.functional.linear(H, W, b)
        if i + 1 < len(layers):
            H = bend(H)
    return H


def wave_tensor(F):
    import torch
    return None if F is None else torch.tensor(np.asarray(F, np.float32))


def flat(layers):
    return [parameter for layer in layers for parameter in layer]


def autoregressive(family, theta):
    import torch
    F, ends, K, B = (wave_tensor(family.frequencies), family.ends,
                     [family.bins[i] for i in family.order], family.bound)
    first = torch.tensor(theta[:ends[0]].copy(), requires_grad=True)
    networks = [torch_layers(theta[a:b], sizes)
                for a, b, sizes in zip(ends[:-1], ends[1:], family.sizes, strict=True)]

    def logits(before):
        i = before.shape[1]
        a = torch_mlp(networks[i - 1], before, family.activation,
                      None if F is None else F[family.order[:i]])
        return a if B is None else B * torch.tanh(a / B)

    def loss(X):
        X = X[:, family.order]
        k = [((X[:, i] + 1) * (0.5 * K[i])).long().clamp(max=K[i] - 1) for i in range(family.d)]
        log_p = torch.log_softmax(first, 0)[k[0]] - family.log_cell_volume
        for i in range(1, family.d):
            log_share = torch.log_softmax(logits(X[:, :i]), 1)
            log_p = log_p + log_share.gather(1, k[i][:, None])[:, 0]
        return -log_p.mean()

    def sample(n):
        X = torch.empty(n, family.d)
        for i in range(family.d):
            a = first.expand(n, -1) if i == 0 else logits(X[:, :i])
            cdf = torch.softmax(a, 1).cumsum(1)             # quicker than torch.multinomial
            u = torch.rand(n, 1) * cdf[:, -1:]
            k = torch.searchsorted(cdf, u, right=True)[:, 0].clamp(max=K[i] - 1)
            X[:, i] = (k + torch.rand(n)) * (2 / K[i]) - 1
        return X[:, [family.order.index(i) for i in range(family.d)]]

    return [first, *(p for layers in networks for p in flat(layers))], loss, sample


def masked_autoregressive(family, theta):
    import torch
    from torch.nn.functional import binary_cross_entropy_with_logits
    layers = torch_layers(theta, family.sizes)
    masks = [mask for mask, _ in torch_layers(family.mask(np).astype(np.float32), family.sizes)]
    for mask in masks:
        mask.requires_grad_(False)

    def logits(X):
        return torch_mlp([(W * mask, b) for (W, b), mask in zip(layers, masks, strict=True)], X,
                         family.activation)

    def loss(X):
        return binary_cross_entropy_with_logits(logits(X), X, reduction="none").sum(1).mean()

    def sample(n):
        X = torch.zeros(n, family.d)
        for i in family.order:
            X[:, i] = torch.bernoulli(torch.sigmoid(logits(X)[:, i]))
        return X

    return flat(layers), loss, sample


def torch_affine(x, raw):
    return x * raw[:, 0].exp() + raw[:, 1], raw[:, 0]


def torch_inverse_affine(y, raw):
    return (y - raw[:, 1]) * (-raw[:, 0]).exp()


def torch_bin(x, raw, inverse):
    """x_j, w, y_j, h, h/w, δ_j, δ_{j+1} of the bin of each x, or of each y for the inverse."""
    import torch
    from torch.nn.functional import pad, softplus
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


def torch_spline(x, raw):
    x0, w, y0, h, s, d0, d1 = torch_bin(x, raw, inverse=False)
    xi = (x - x0) / w
    zeta = xi * (1 - xi)
    D = s + (d0 + d1 - 2 * s) * zeta
    y = y0 + h * (s * xi**2 + d0 * zeta) / D
    M = d1 * xi**2 + 2 * s * zeta + d0 * (1 - xi)**2
    return y.clamp(-1, 1), (M * (s / D)**2).log()


def torch_inverse_spline(y, raw):
    x0, w, y0, h, s, d0, d1 = torch_bin(y, raw, inverse=True)
    u, eta = y - y0, d0 + d1 - 2 * s
    alpha, beta, gamma = h * (s - d0) + u * eta, h * d0 - u * eta, -s * u
    xi = -2 * gamma / (beta + (beta**2 - 4 * alpha * gamma).clamp(min=0).sqrt())
    return (x0 + xi * w).clamp(-1, 1)


def flow(family, theta):
    """In two dimensions, where each layer moves one of two columns."""
    import torch
    F, affine, B = wave_tensor(family.frequencies), family.transform == "affine", family.bound
    networks = [torch_layers(theta[place], sizes) for *_, sizes, place in family._layers]
    g, inverse = ((torch_affine, torch_inverse_affine) if affine
                  else (torch_spline, torch_inverse_spline))

    def raw(i, columns):
        stays = 1 - i % 2
        a = torch_mlp(networks[i], columns[stays][:, None], family.activation,
                      None if F is None else F[stays:stays + 1])
        return B * torch.tanh(a / B)

    def loss(X):
        columns, log_det = list(X.unbind(1)), 0
        for i in range(family.n_layers):
            columns[i % 2], log_slope = g(columns[i % 2], raw(i, columns))
            log_det = log_det + log_slope
        if affine:
            log_p_z = -0.5 * (columns[0]**2 + columns[1]**2) - math.log(2 * math.pi)
        else:
            log_p_z = -2 * math.log(2)
        return -(log_p_z + log_det).mean()

    def sample(n):
        Z = torch.randn(n, 2) if affine else 2 * torch.rand(n, 2) - 1
        columns = list(Z.unbind(1))
        for i in reversed(range(family.n_layers)):
            columns[i % 2] = inverse(columns[i % 2], raw(i, columns))
        return torch.stack(columns, 1)

    return [p for layers in networks for p in flat(layers)], loss, sample


def variational_autoencoder(family, theta):
    """With a noise that the decoder says."""
    import torch
    F, G, d, k = (wave_tensor(family.frequencies), wave_tensor(family.latent_frequencies),
                  family.d, family.k)
    theta_decoder, _, theta_encoder = family.cut(theta)
    decoder = torch_layers(theta_decoder, family.decoder)
    encoder = torch_layers(theta_encoder, family.encoder)

    def decode(Z):
        H = torch_mlp(decoder, Z, family.activation, G)
        return H[:, :d], family.floor + H[:, d:].exp()

    def loss(X, eps):
        m, n, _ = eps.shape
        H = torch_mlp(encoder, X, family.activation, F)
        mu, log_sigma = H[:, :k], H[:, k:]
        Z = mu + log_sigma.exp() * eps
        X_hat, s = (part.reshape(m, n, d) for part in decode(Z.reshape(m * n, k)))
        log_w = (0.5 * (eps**2 - Z**2).sum(2) + log_sigma.sum(1)
                 - (0.5 * ((X - X_hat) / s)**2 + s.log()).sum(2) - 0.5 * d * math.log(2 * math.pi))
        return math.log(m) - torch.logsumexp(log_w, 0).mean()

    def sample(n):
        X_hat, s = decode(torch.randn(n, k))
        return X_hat + s * torch.randn(n, d)

    return flat(decoder + encoder), loss, sample


def energy_based(family, theta):
    import torch
    F, B = wave_tensor(family.frequencies), family.bound
    layers = torch_layers(theta, family.sizes)
    low, high = (torch.tensor(corner, dtype=torch.float32)
                 for corner in (family.space.low, family.space.high))

    def energy(X):
        A = torch_mlp(layers, X, family.activation, F)[:, 0]
        return A if B is None else B * torch.tanh(A / B)

    def loss(X, u):
        log_z = (family.log_volume - math.log(len(u))
                 + torch.logsumexp(-energy(low + (high - low) * u), 0))
        return energy(X).mean() + log_z

    def energy_and_slope(X):
        with torch.enable_grad():
            X.requires_grad_(True)
            E = energy(X)
            slope, = torch.autograd.grad(E.sum(), X)
        return E.detach(), slope

    def sample(n):
        side = high - low
        X, h = low + side * torch.rand(n, family.d), STEP * side
        E, dE = energy_and_slope(X)
        for _ in range(CHAIN_STEPS):
            eps = torch.randn(n, family.d)
            u = (X - 0.5 * h**2 * dE + h * eps - low) % (2 * side)
            mirrored = torch.where(u > side, -1.0, 1.0)
            proposal = torch.minimum(low + torch.minimum(u, 2 * side - u), high)
            jump = torch.rand(n) < JUMP
            proposal = torch.where(jump[:, None], low + side * torch.rand(n, family.d), proposal)
            E_new, dE_new = energy_and_slope(proposal)
            eps_back = 0.5 * h * (dE + mirrored * dE_new) - eps
            log_ratio = 0.5 * (eps**2 - eps_back**2).sum(1)
            log_ratio = E - E_new + torch.where(jump, 0.0, log_ratio)
            accepted = torch.log1p(-torch.rand(n)) < log_ratio
            X = torch.where(accepted[:, None], proposal, X)
            E = torch.where(accepted, E_new, E)
            dE = torch.where(accepted[:, None], dE_new, dE)
        return X

    return flat(layers), loss, sample


def diffusion(family, theta):
    """With λ that falls evenly."""
    import torch
    F, (highest, lowest), d = wave_tensor(family.frequencies), family.log_snr, family.d
    layers = torch_layers(theta, family.sizes)
    lengths = (F**2).sum(0)
    rates = math.pi / (highest - lowest) * 2.0**torch.arange(family.n_waves)

    def eps_hat(X, log_snr):
        """For rows X (n, d) at λ of shape (n, 1) or (1, 1)."""
        alpha, sigma = torch.sigmoid(log_snr).sqrt(), torch.sigmoid(-log_snr).sqrt()
        angle, g = X @ F, (-0.5 * sigma**2 * lengths).exp()
        times = (log_snr - lowest) * rates
        tau = torch.cat([times.sin(), times.cos()], 1).expand(len(X), -1)
        phi = torch.cat([X, g * angle.sin(), g * angle.cos(), tau], 1)
        return sigma * X + alpha * torch_mlp(layers, phi, family.activation)

    def loss(X, u, eps):
        n = len(X)
        u = (u + torch.arange(n) / n) % 1
        log_snr = (highest + (lowest - highest) * u).float()[:, None]
        alpha, sigma = torch.sigmoid(log_snr).sqrt(), torch.sigmoid(-log_snr).sqrt()
        return ((eps_hat(alpha * X + sigma * eps, log_snr) - eps)**2).sum() / n

    def sample(n):
        T = family.n_levels
        log_snr = torch.linspace(highest, lowest, T)
        alpha, sigma = torch.sigmoid(log_snr).sqrt(), torch.sigmoid(-log_snr).sqrt()
        alpha_below = torch.cat([torch.ones(1), alpha[:-1]])
        r = torch.cat([torch.ones(1), -torch.expm1(log_snr[1:] - log_snr[:-1])])
        X = torch.randn(n, d)
        for t in reversed(range(T)):
            X_hat = (X - sigma[t] * eps_hat(X, log_snr[t].reshape(1, 1))) / alpha[t]
            X = alpha_below[t] * ((1 - r[t]) / alpha[t] * X + r[t] * X_hat)
            X = X + r[t].sqrt() * sigma[t] * torch.randn(n, d)
        return X

    return flat(layers), loss, sample


def adversarial(family, theta):
    """The parameters of both sides, the losses of both sides, and sample(n)."""
    import torch
    from torch.nn.functional import softplus
    theta_g, phi = family.cut(theta)
    F, G = wave_tensor(family.frequencies), wave_tensor(family.latent_frequencies)
    generator = torch_layers(theta_g, family.generator)
    discriminator = torch_layers(phi, family.discriminator)

    def generate(Z):
        return torch_mlp(generator, Z, family.activation, G)

    def logit(X):
        return torch_mlp(discriminator, X, family.activation, F)[:, 0]

    def discriminator_loss(X, Z, eps):
        n = len(X)
        with torch.no_grad():
            made = generate(Z)
        rows = torch.cat([X, made])
        logits = logit(torch.cat([rows, rows + DELTA * eps]))
        slope = (logits[2 * n:] - logits[:2 * n]) / DELTA
        return (softplus(-logits[:n]).sum() + softplus(logits[n:2 * n]).sum()
                + 0.5 * PENALTY * (slope**2).sum()) / n

    def generator_loss(Z):
        return softplus(-logit(generate(Z))).mean()

    return ((flat(generator), flat(discriminator)), discriminator_loss, generator_loss,
            lambda n: generate(torch.randn(n, family.k)))


REFERENCES = {"autoregressive": autoregressive, "masked_autoregressive": masked_autoregressive,
              "spline_flow": flow, "affine_flow": flow,
              "variational_autoencoder": variational_autoencoder, "energy_based": energy_based,
              "diffusion": diffusion, "adversarial": adversarial}


def per_second(name, seconds):
    """Samples in a second, of both sides."""
    n, _ = SAMPLES[name]
    return {"samples_per_second": {side: round(n / s) for side, s in seconds.items()}}


CASES = [case for name in REFERENCES for case in (
    Case(name, {"batch": BATCH.get(name, 512), "steps": STEPS[name]}, "float32", "torch",
         f"training step, batch {BATCH.get(name, 512)}", 1.5, 1e-4, deviation,
         partial(training_ours, name), partial(training_torch, name), STEPS[name]),
    Case(name, dict(zip(("samples", "times"), SAMPLES[name], strict=True)), "float32", "torch",
         f"{SAMPLES[name][0]} samples", 1.0, 6, standard_errors, partial(sampling_ours, name),
         partial(sampling_torch, name), SAMPLES[name][1], partial(per_second, name)))]


# --- how the cost of our training step grows ---

GROWING = {"batch": (64, 128, 256, 512, 1024, 2048, 4096), "width": (32, 64, 128, 256, 512),
           "depth": (1, 2, 3, 4, 6, 8)}
USUAL = {"batch": 512, "width": 128, "depth": 2}
SECONDS, REPEATS = 0.1, 5                                  # of a run at least; runs
SCALED = {
    "affine_flow": lambda hidden: NormalizingFlowFamily(2, 8, hidden, "affine",
                                                        frequencies=waves(np, (1, 3), 16)),
    "diffusion": lambda hidden: DiffusionFamily(2, hidden,
                                                frequencies=waves(np, (2, 6, 20), 24)),
}


def step_seconds(family, batch):
    """The median of the seconds of a training step, over REPEATS runs."""
    X = np.random.default_rng(0).random((N, 2), np.float32)
    steps = family.train(X, np.random.default_rng(1), max_steps=10**6, batch=batch)

    def seconds(n):
        start = time.perf_counter()
        for _ in range(n):
            next(steps)
        return (time.perf_counter() - start) / n

    seconds(2)
    n = max(2, math.ceil(SECONDS / seconds(2)))
    runs = []
    for _ in range(REPEATS):
        time.sleep(PAUSE)
        runs.append(seconds(n))
    return float(np.median(runs))


def operations(family, batch):
    """The floating point operations of a step in matrix products, see benchmark_network.py."""
    networks = ([sizes for *_, sizes, _ in family._layers] if hasattr(family, "_layers")
                else [family.sizes])
    products = [[a * b for a, b in zip(sizes[:-1], sizes[1:], strict=True)] for sizes in networks]
    return 2 * batch * sum(3 * sum(each) - each[0] for each in products)


def scaling():
    """For each family and each size that grows, seconds and operations of a step, the other sizes
    as usual."""
    report = {"usual": USUAL, "growing": GROWING, "repeats": REPEATS, "seconds": {},
              "operations": {}}
    for name, make in SCALED.items():
        for results in (report["seconds"], report["operations"]):
            results[name] = {growing: [] for growing in GROWING}
        for growing, values in GROWING.items():
            for value in values:
                size = USUAL | {growing: value}
                family = make((size["width"],) * size["depth"])
                report["seconds"][name][growing].append(step_seconds(family, size["batch"]))
                report["operations"][name][growing].append(operations(family, size["batch"]))
            print(name, growing, dict(zip(values, report["seconds"][name][growing], strict=True)),
                  flush=True)
    return report


def add_scaling(folder=FIGURES):
    """Measure it, and put it into the file that the first run wrote."""
    file = folder / FILE
    report = json.loads(file.read_text(encoding="utf-8"))
    report["scaling"] = scaling() | {"machine": machine(("numpy",))}
    write_whole(file, lambda partial: partial.write_text(json.dumps(report, indent=1) + "\n",
                                                         encoding="utf-8"))


if __name__ == "__main__":
    if "--scaling" in sys.argv:
        add_scaling()
    else:
        main(CASES, __doc__, FILE, ("numpy", "torch"))

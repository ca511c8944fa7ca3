"""Compare models of growing strength on faces (Figure 1-3), in bits per pixel, on three seeds.

    env -u OPENBLAS_CORETYPE -u OPENBLAS_L2_SIZE OMP_NUM_THREADS=2 python scripts/compare_faces.py

Each is fitted to 20,000 faces of 32 x 32 pixels and judged on 500 others. A pixel has one of L = 16
levels of grey, so that a picture has a probability and not a density:

    bits per pixel = -log2 P(k)/d,  d = 1,024,  k in {0, ..., L - 1}^d          log2 L = 4 if even

Where a model is a density, P(k) is its integral over the cell [k/L, (k+1)/L)^d of all pictures that
are rounded down to k. A mean of log p over points drawn evenly from the cell bounds it, by Jensen's
inequality (Theis, van den Oord and Bethge 2016); one point for each face is enough:

    log P(k) = log (L^-d E_u p((k + u)/L)) >= E_u log p((k + u)/L) - d log L,   u ~ uniform [0, 1)^d

For a smooth density the gap does not vanish: even if a face is known, a normal density loses 0.25
bits per pixel to its cell. It writes figures/faces.json and, for Figure 1-3, some faces made by
each model on seed 0 to figures/faces.npz. After Ctrl-C the seeds that are finished stay.
"""

import argparse
import json
import math
import sys
import time
from functools import partial
from pathlib import Path

import numpy as np
from style import write_whole
from tqdm import tqdm

from gdl_numpy.labels.discriminative import NetworkClassifierFamily
from gdl_numpy.models.diffusion import DiffusionFamily
from gdl_numpy.models.variational_autoencoder import VariationalAutoencoderFamily
from gdl_numpy.networks.training import train
from gdl_numpy.numerics.blocks import in_blocks
from gdl_numpy.pictures.faces import Faces
from gdl_numpy.probability.density import LOG_2_PI
from gdl_numpy.probability.family import MixtureFamily
from gdl_numpy.probability.mle import maximum_likelihood
from gdl_numpy.representation.principal_components import (
    PrincipalComponents,
    ProbabilisticPCAFamily,
)

N, N_HELD_OUT, N_SAMPLES, SIDE, LEVELS, SEEDS = 20_000, 500, 6, 32, 16, (0, 1, 2)
FIGURES = Path(__file__).parent.parent / "figures"
PPCA = 200                                                  # columns of W
MIXTURE = {"coordinates": 150, "components": 5, "steps": 40}
VAE = {"coordinates": 200, "latent": 20, "hidden": (512, 256), "draws": 500,
       "train": {"max_steps": 20_000, "batch": 128, "learning_rate": 1e-3}}
DIFFUSION = {"coordinates": 200, "hidden": (768, 768), "log_snr": (9.0, -6.0),
             "train": {"max_steps": 10_000, "batch": 256, "learning_rate": 2e-3}}
WINDOW = {"family": {"reach": 12, "rows": 6, "hidden": (256, 256)},
          "train": {"max_steps": 6000, "batch": 64, "learning_rate": 2e-3, "averaging": 0.999}}


def quantised(images):
    """Grey levels 0, ..., LEVELS - 1 of pictures in [0, 1]."""
    return np.minimum((images * LEVELS).astype(int), LEVELS - 1)


def dequantised(K, rng):
    """A random point (n, d), float32, of the cell of each picture K."""
    return ((K + rng.random(K.shape)) / LEVELS).astype(np.float32)


def levels(mass, u):
    """The level of each u in [0, 1), (..., 1), by the inverse of the CDF of mass (..., L)."""
    return (mass.cumsum(axis=-1)[..., :-1] <= u).sum(axis=-1)


class IndependentPixels:
    """P(k) = Π_i P(k_i): counts of the levels in each pixel, and one more of each."""

    def __init__(self, K):
        counts = np.stack([(K == level).sum(axis=0) for level in range(LEVELS)], axis=1) + 1
        self.mass = counts / counts.sum(axis=1, keepdims=True)

    def log_mass(self, K, rng):
        """log P(k) for each picture, (n,)."""
        return np.log(self.mass[np.arange(K.shape[1]), K]).sum(axis=1)

    def sample(self, n, rng):
        return levels(self.mass, rng.random((n, len(self.mass), 1)))


class Dequantised:
    """P(k) by a density p on R^d: `log_p(X, rng)` is log p(x), or what bounds it from below."""

    def __init__(self, p, log_p):
        self.p, self.log_p = p, log_p

    def log_mass(self, K, rng):
        """A bound of log P(k) for each picture, (n,), from one draw of u."""
        return self.log_p(dequantised(K, rng), rng) - K.shape[1] * math.log(LEVELS)

    def sample(self, n, rng):
        return quantised(self.p.sample(n, rng).clip(0, 1))


class Rotated:
    """The density of x = µ + U (s z) + r, with z ~ p_z, and r from N(0, σ² I) at right angles to U.

    z are the k leading principal coordinates of x, each in a unit s_i of its own, in which its
    variance is 1, or all in one unit, in which their mean variance is 1. As rotations keep volumes,
    log p(x) = log p_z(z) - Σ log s_i + log N(r; 0, σ² I), where r counts as d - k numbers.
    """

    def __init__(self, X, k, own_units):
        self.axes, (self.d, self.k) = PrincipalComponents.fit(X, k), (X.shape[1], k)
        Z = self.axes.encode(X)
        self.s = Z.std(axis=0) if own_units else np.full(k, Z.std(), dtype=Z.dtype)
        self.sigma = math.sqrt((((X - self.axes.mu)**2).sum() - (Z**2).sum()) / (X.size - Z.size))
        self.n_parameters = self.axes.components.size + self.d + k + 1

    def encode(self, X):
        """z for each row of X, (n, k)."""
        return self.axes.encode(X) / self.s

    def log_prob(self, X, log_p_z):
        """log p(x) for each row of X, (n,), where `log_p_z` gives log p_z for rows z."""
        Z = self.axes.encode(X)
        rest = ((X - self.axes.mu)**2).sum(axis=1) - (Z**2).sum(axis=1)
        return (log_p_z(Z / self.s) - np.log(self.s).sum() - 0.5 * rest / self.sigma**2
                - (self.d - self.k) * (math.log(self.sigma) + 0.5 * LOG_2_PI))

    def decode(self, Z, rng):
        """x for each row of Z, with a random r, (n, d)."""
        eps = self.sigma * rng.standard_normal((len(Z), self.d))
        eps -= eps @ self.axes.components @ self.axes.components.T
        return self.axes.decode(Z * self.s) + eps

    def redrawn(self, Z, rng):
        """Codes of points drawn evenly from the cells whose centres have the codes Z: many pixels
        make the noise of a code nearly normal."""
        noise = (1 / (LEVELS * math.sqrt(12)) / self.s).astype(Z.dtype)
        return Z + noise * rng.standard_normal(Z.shape, dtype=Z.dtype)


class InLeadingCoordinates:
    """The density on R^d of a model p_z of the leading coordinates; `log_p_z(p_z, Z, rng)`."""

    def __init__(self, rotated, p_z, log_p_z):
        self.rotated, self.p_z, self.log_p_z = rotated, p_z, log_p_z

    def log_prob(self, X, rng):
        """log p(x) (n,), or a bound of it where log p_z is one."""
        return self.rotated.log_prob(X, lambda Z: self.log_p_z(self.p_z, Z, rng))

    def sample(self, n, rng):
        return self.rotated.decode(self.p_z.sample(n, rng), rng)


class WindowFamily:
    """P(k) = Π_i P(k_i | window before i): each pixel is a label, given by one classifier for all.

    The window are `reach` pixels to the left and the `rows` rows above from `reach` to the left to
    `reach` to the right; what lies outside of the picture counts as 0. The classifier also gets the
    row and the column of the pixel, and may so treat an eye otherwise than a mouth.
    """

    def __init__(self, side, levels, reach, rows, hidden):
        self.side, self.levels, self.reach, self.rows = side, levels, reach, rows
        offsets = [(r, c) for r in range(-rows, 1) for c in range(-reach, reach + 1)
                   if r < 0 or c < 0]
        self.width = side + 2 * reach                       # of the picture with its margins
        shift = np.array([r * self.width + c for r, c in offsets])
        row, column = np.divmod(np.arange(side**2), side)
        self.index = ((row + rows) * self.width + column + reach)[:, None] + shift
        self.place = np.concatenate([np.eye(side)[row], np.eye(side)[column]], axis=1,
                                    dtype=np.float32)
        self.classifier = NetworkClassifierFamily(
            (len(offsets) + 2 * side, *hidden, levels))
        self.n_parameters = self.classifier.n_parameters

    def inputs(self, K, pixels):
        """What the classifier sees (n·m, w) before the `pixels` (n, m) of pictures K (n, d)."""
        n, m = pixels.shape
        values = np.zeros((n, self.side + self.rows, self.width), dtype=np.float32)
        values[:, self.rows:, self.reach:self.width - self.reach] = (
            (2 * K + 1) / self.levels - 1).reshape(n, self.side, self.side)
        window = np.take_along_axis(values.reshape(n, -1), self.index[pixels].reshape(n, -1), 1)
        return np.concatenate([window.reshape(n * m, -1), self.place[pixels].reshape(n * m, -1)],
                              axis=1)

    def loss(self, theta, K, rng, m=64):
        """The mean of -log P(k_i|window) over m random pixels of each picture, and its gradient."""
        pixels = rng.integers(0, K.shape[1], size=(len(K), m))
        y = np.take_along_axis(K, pixels, 1).ravel().astype(int)
        return self.classifier.loss(theta, self.inputs(K, pixels), y)

    def train(self, K, rng, **options):
        theta = self.classifier.initial_theta(rng, np.float32)
        return train(lambda theta, rows: self.loss(theta, rows, rng), theta,
                     [K.astype(np.float32)], rng, **options)


class Window:
    """P(k) of one θ, exact."""

    def __init__(self, family, theta):
        self.family, self.p = family, family.classifier(theta)

    def log_mass(self, K, rng, faces=8):
        """log P(k) for each picture, (n,)."""
        every = np.arange(K.shape[1])[None]

        def of_rows(i, j):
            k = K[i:j]
            log_p = self.p.log_posterior(self.family.inputs(k, every.repeat(len(k), axis=0)))
            return log_p[np.arange(k.size), k.ravel()].reshape(k.shape).sum(axis=1)

        return in_blocks(of_rows, len(K), faces).astype(float)

    def sample(self, n, rng):
        """n pictures, pixel by pixel."""
        K = np.zeros((n, self.family.side**2), dtype=int)
        for i in range(K.shape[1]):
            log_p = self.p.log_posterior(self.family.inputs(K, np.full((n, 1), i)))
            K[:, i] = levels(np.exp(log_p), rng.random((n, 1)))
        return K


def independent_pixels(K, rng):
    model = IndependentPixels(K)
    return model, model.mass.size - len(model.mass)


def probabilistic_pca(K, rng):
    family = ProbabilisticPCAFamily(K.shape[1], PPCA)
    p = family(family.mle(dequantised(K, rng)))
    return Dequantised(p, lambda X, rng: p.log_prob(X)), family.n_parameters


def mixture(K, rng):
    def fit(Z, redrawn):
        family = MixtureFamily(MIXTURE["components"], Z.shape[1])
        return family, maximum_likelihood(family, redrawn(Z, rng).astype(float), rng, "em",
                                          max_steps=MIXTURE["steps"])

    return in_leading_coordinates(K, rng, MIXTURE["coordinates"], True, fit,
                                  lambda p, Z, rng: p.log_prob(Z))


def variational_autoencoder(K, rng):
    def fit(Z, redrawn):
        family = VariationalAutoencoderFamily(Z.shape[1], VAE["latent"], VAE["hidden"])
        return family, last(family.train(Z, rng, augment=redrawn, **VAE["train"]), VAE)

    return in_leading_coordinates(
        K, rng, VAE["coordinates"], False, fit,
        lambda p, Z, rng: p.importance_weighted(Z, rng, VAE["draws"]))


def diffusion(K, rng):
    def fit(Z, redrawn):
        family = DiffusionFamily(Z.shape[1], DIFFUSION["hidden"], log_snr=DIFFUSION["log_snr"])
        return family, last(family.train(Z, rng, augment=redrawn, **DIFFUSION["train"]), DIFFUSION)

    return in_leading_coordinates(K, rng, DIFFUSION["coordinates"], True, fit,
                                  lambda p, Z, rng: p.elbo(Z, rng))


def autoregressive(K, rng):
    family = WindowFamily(SIDE, LEVELS, **WINDOW["family"])
    theta = last(family.train(K, rng, **WINDOW["train"]), WINDOW)
    return Window(family, theta), family.n_parameters


def in_leading_coordinates(K, rng, k, own_units, fit, log_p_z):
    """A model of k coordinates, and a normal density of what is left.

    `fit(Z, redrawn) -> family, theta` gets the codes of the centres of cells, and what draws codes
    of other points of these cells.
    """
    rotated = Rotated(dequantised(K, rng), k, own_units)
    centres = ((K + 0.5) / LEVELS).astype(np.float32)
    family, theta = fit(rotated.encode(centres), rotated.redrawn)
    p = InLeadingCoordinates(rotated, family(theta), log_p_z)
    return Dequantised(p, p.log_prob), family.n_parameters + rotated.n_parameters


def last(steps, settings):
    """θ after all steps of a training."""
    for step in tqdm(steps, total=settings["train"]["max_steps"], leave=False, disable=None):
        theta = step.theta
    return theta


MODELS = {fit.__name__: fit for fit in (            # faces, rng -> model, number of its parameters
    independent_pixels, probabilistic_pca, mixture, diffusion, variational_autoencoder,
    autoregressive)}


def compare(seed):
    """For each model its numbers on one seed, and the levels of some faces that it made."""
    rng = np.random.default_rng(seed)
    K, held_out = (quantised(Faces(n, rng, SIDE).images) for n in (N, N_HELD_OUT))
    results, made = {}, {"faces": held_out[:N_SAMPLES].astype(np.uint8)}
    for name, fit in MODELS.items():
        start = time.perf_counter()
        model, parameters = fit(K, rng)
        seconds = time.perf_counter() - start
        bits = -model.log_mass(held_out, rng) / (K.shape[1] * math.log(2))
        results[name] = {"bits_per_pixel": float(bits.mean()),
                         "error": float(bits.std() / math.sqrt(len(bits))),
                         "bound": isinstance(model, Dequantised), "parameters": parameters,
                         "seconds": seconds}
        made[name] = model.sample(N_SAMPLES, rng).astype(np.uint8)
        print(seed, name, results[name], flush=True)
    return results, made


def reported(seeds, runs):
    """What faces.json holds: all numbers, and their means over the seeds."""
    mean = {}
    for name in MODELS:
        bits = [run[name]["bits_per_pixel"] for run in runs]
        mean[name] = {key: float(np.mean([run[name][key] for run in runs]))
                      for key in ("bits_per_pixel", "error", "parameters", "seconds")}
        mean[name] |= {"bits_per_pixel_spread": max(abs(b - np.mean(bits)) for b in bits),
                       "bound": runs[0][name]["bound"]}
    return {"n": N, "n_held_out": N_HELD_OUT, "side": SIDE, "levels": LEVELS,
            "even": math.log2(LEVELS), "seeds": seeds, "mean": mean, "runs": runs}


def write_arrays(path, arrays):
    with path.open("wb") as file:
        np.savez_compressed(file, **arrays)


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", nargs="+", type=int, default=SEEDS, metavar="SEED")
    parser.add_argument("--output", type=Path, default=FIGURES, metavar="DIR")
    options = parser.parse_args(arguments)
    options.output.mkdir(parents=True, exist_ok=True)
    runs = []
    for seed in options.seeds:
        try:
            results, made = compare(seed)
        except KeyboardInterrupt:
            print(f"interrupted in seed {seed}; the seeds before it are written", file=sys.stderr)
            return 130
        runs.append(results)
        if seed == 0:
            write_whole(options.output / "faces.npz", partial(write_arrays, arrays=made))
        report = reported(list(options.seeds[:len(runs)]), runs)
        write_whole(options.output / "faces.json", lambda path, report=report: path.write_text(
            json.dumps(report, indent=1, allow_nan=False) + "\n", encoding="utf-8"))
    return 0


if __name__ == "__main__":
    sys.exit(main())

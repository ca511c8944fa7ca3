"""Compare models of growing strength on faces (Figure 1-3), in bits per pixel, on three seeds.

    env -u OPENBLAS_CORETYPE -u OPENBLAS_L2_SIZE OMP_NUM_THREADS=2 python scripts/compare_faces.py

Each is fitted to 20,000 faces of 32 x 32 pixels and judged on 500 others. A pixel has one of L = 16
levels of grey, so that a picture has a probability and not a density:

    bits per pixel = -log2 P(k)/d,  d = 1,024,  k in {0, ..., L - 1}^d          log2 L = 4 if even

A model that is a density is known by a bound of P(k), from one point drawn from the cell of each
face (pixels.py). It writes figures/faces.json and, for Figure 1-3, some faces made by each model on
seed 0 to figures/faces.npz. After Ctrl-C the seeds that are finished stay.
"""

import json
import math
import sys
import time
from pathlib import Path

import command
import numpy as np
from files import FIGURES, write_text, write_whole
from progress import bar

from gdl_numpy.models.diffusion import DiffusionFamily
from gdl_numpy.models.variational_autoencoder import VariationalAutoencoderFamily
from gdl_numpy.networks.network import Network
from gdl_numpy.pictures.faces import Faces
from gdl_numpy.pictures.pixels import Dequantised, IndependentPixels, dequantise, quantise
from gdl_numpy.pictures.window import WindowFamily
from gdl_numpy.probability.mle import maximum_likelihood
from gdl_numpy.probability.normal_family import MixtureFamily
from gdl_numpy.representation.leading_coordinates import InLeadingCoordinates, LeadingCoordinates
from gdl_numpy.representation.principal_components import ProbabilisticPCAFamily

N, N_HELD_OUT, N_SAMPLES, SIDE, LEVELS, SEEDS = 20_000, 500, 6, 32, 16, (0, 1, 2)
PPCA = 200                                                  # columns of W
MIXTURE = {"coordinates": 150, "components": 5, "steps": 40}
VAE = {"coordinates": 200, "latent": 20, "hidden": (512, 256), "draws": 500,
       "train": {"max_steps": 20_000, "batch": 128, "learning_rate": 1e-3}}
DIFFUSION = {"coordinates": 200, "hidden": (768, 768), "log_snr": (9.0, -6.0),
             "train": {"max_steps": 10_000, "batch": 256, "learning_rate": 2e-3}}
WINDOW = {"family": {"reach": 12, "rows": 6, "hidden": (256, 256)},
          "train": {"max_steps": 6000, "batch": 64, "learning_rate": 2e-3, "averaging": 0.999}}


def independent_pixels(K, rng):
    model = IndependentPixels.fit(K, LEVELS)
    return model, model.mass.size - len(model.mass)


def probabilistic_pca(K, rng):
    family = ProbabilisticPCAFamily(K.shape[1], PPCA)
    theta = family.mle(dequantise(K, LEVELS, rng, "float32"))
    return Dequantised(family(theta), LEVELS, dtype="float32"), family.n_parameters


def mixture(K, rng):
    def fit(Z, redrawn):
        family = MixtureFamily(MIXTURE["components"], Z.shape[1])
        return family, maximum_likelihood(family, redrawn(Z, rng).astype(float), rng, "em",
                                          max_steps=MIXTURE["steps"])

    return in_leading_coordinates(K, rng, MIXTURE["coordinates"], True, fit,
                                  lambda p, Z, rng: p.log_prob(Z))


def variational_autoencoder(K, rng):
    def fit(Z, redrawn):
        d, k, hidden = Z.shape[1], VAE["latent"], VAE["hidden"]
        family = VariationalAutoencoderFamily(Network((d, *hidden, 2 * k)),
                                              Network((k, *hidden[::-1], d)))
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
    return family(last(family.train(K, rng, **WINDOW["train"]), WINDOW)), family.n_parameters


def in_leading_coordinates(K, rng, k, own_units, fit, log_p_z):
    """A model of k coordinates, and a normal density of what is left.

    `fit(Z, redrawn) -> family, theta` gets the codes of the centres of cells, and what draws codes
    of other points of these cells; `log_p_z(p_z, Z, rng)` gives log p_z or a bound of it.
    """
    coordinates = LeadingCoordinates.fit(dequantise(K, LEVELS, rng, "float32"), k, own_units)
    centres = ((K + 0.5) / LEVELS).astype("float32")
    noise = 1 / (LEVELS * math.sqrt(12))                    # standard deviation in a cell's side
    family, theta = fit(coordinates.encode(centres),
                        lambda Z, rng: coordinates.jittered(Z, noise, rng))
    p = InLeadingCoordinates(coordinates, family(theta))

    def log_p(X, rng):
        return coordinates.log_prob(X, lambda Z: log_p_z(p.p_z, Z, rng))

    return (Dequantised(p, LEVELS, log_p, "float32"),
            family.n_parameters + coordinates.n_parameters)


def last(steps, settings):
    """θ after all steps of a training."""
    for step in bar(steps, settings["train"]["max_steps"]):
        theta = step.theta
    return theta


MODELS = {fit.__name__: fit for fit in (            # faces, rng -> model, number of its parameters
    independent_pixels, probabilistic_pca, mixture, diffusion, variational_autoencoder,
    autoregressive)}


def compare(seed):
    """For each model its numbers on one seed, and the levels of some faces that it made."""
    rng = np.random.default_rng(seed)
    K, held_out = (quantise(Faces(n, rng, SIDE).images, LEVELS) for n in (N, N_HELD_OUT))
    results, made = {}, {"faces": held_out[:N_SAMPLES].astype(np.uint8)}
    for name, fit in MODELS.items():
        start = time.perf_counter()
        model, parameters = fit(K, rng)
        seconds = time.perf_counter() - start
        bound = isinstance(model, Dequantised)
        log_mass = (model.lower_bound(held_out, rng) if bound
                    else model.log_mass(held_out).astype(float))
        bits = -log_mass / (K.shape[1] * math.log(2))
        results[name] = {"bits_per_pixel": float(bits.mean()),
                         "error": float(bits.std() / math.sqrt(len(bits))),
                         "bound": bound, "parameters": parameters,
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


def main(arguments=None):
    parser = command.Parser(__doc__, epilog="Both files in the folder are overwritten, the "
                            "committed ones without --output.")
    parser.add_argument("--seeds", nargs="+", type=command.whole(0), default=SEEDS, metavar="SEED",
                        help="of all random numbers")
    parser.add_argument("--output", type=Path, default=FIGURES, metavar="DIR",
                        help="where they are written")
    options = parser.parse_args(arguments)
    parser.folder(options.output, "faces.json", "faces.npz")
    runs = []
    for seed in options.seeds:
        try:
            results, made = compare(seed)
        except KeyboardInterrupt:
            print(f"interrupted in seed {seed}; the seeds before it are written", file=sys.stderr)
            return 130
        runs.append(results)
        if seed == 0:
            write_whole(options.output / "faces.npz",
                        lambda file, made=made: np.savez_compressed(file, **made))
        report = reported(list(options.seeds[:len(runs)]), runs)
        write_text(options.output / "faces.json",
                   json.dumps(report, indent=1, allow_nan=False) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""Compare models of faces (Figure 1-3), in bits per pixel, on three seeds.

    env -u OPENBLAS_CORETYPE -u OPENBLAS_L2_SIZE OMP_NUM_THREADS=1 python scripts/compare_faces.py

Each is fitted to 20,000 faces of 32 x 32 pixels and judged on 500 others. A pixel has one of L = 16
levels of gray, so that a picture has a probability and not a density:

    bits per pixel = -log2 P(k)/d,  d = 1,024,  k in {0, ..., L - 1}^d          log2 L = 4 if even

Independent pixels and the autoregressive model give masses. The four others are densities of the
same 150 codes of a picture, which one decoder turns into masses of gray levels (discretized.py).
Their bits are a bound, at most so many are needed, from one draw of q for each face, the same draws
for all four. Measured is also

    paid          what the bound is known to pay for the cells of levels: what it falls by where not
                  a draw but the end of a Markov chain of T = 64 or 256 temperatures is taken, for
                  the longer chain on the first 100 faces. The chain leads to the points that suit
                  probabilistic PCA, so that for the others it shows less; 0 if it shows nothing
    dequantized   probabilistic PCA as a density of pixels, from one point drawn from the cell of
                  each face (pixels.py), which pays for each pixel

What is paid beyond that is unknown; to the bounds of diffusion model and autoencoder come their
own gaps. It writes figures/faces.json and, for Figure 1-3, some faces made by each model on seed 0
to figures/faces.npz. After Ctrl-C the seeds that are finished stay.
"""

import json
import math
import sys
import time
from functools import partial
from itertools import pairwise

import command
import numpy as np
from files import FIGURES, write_text
from progress import bar

from gdl_numpy.models.diffusion import DiffusionFamily
from gdl_numpy.models.variational_autoencoder import VariationalAutoencoderFamily
from gdl_numpy.networks.network import Network
from gdl_numpy.networks.storage import write_whole
from gdl_numpy.numerics.memory import keep_freed_memory
from gdl_numpy.pictures.discretized import Discretized, LogisticDecoder
from gdl_numpy.pictures.faces import Faces
from gdl_numpy.pictures.pixels import Dequantized, IndependentPixels, dequantize, quantize
from gdl_numpy.pictures.window import WindowFamily
from gdl_numpy.probability.change_of_units import InUnits
from gdl_numpy.probability.density import Normal
from gdl_numpy.probability.mle import maximum_likelihood
from gdl_numpy.probability.normal_family import MixtureFamily
from gdl_numpy.representation.principal_components import (
    PrincipalComponents,
    ProbabilisticPCAFamily,
)

N, N_HELD_OUT, N_LONGER, N_SAMPLES, SIDE, LEVELS, SEEDS = 20_000, 500, 100, 6, 32, 16, (0, 1, 2)
CODES, NOISE = 150, 0.35 / LEVELS                           # k and τ
CHAIN = {"T": 64, "steps": 4, "h": 0.5}
MIXTURE = {"components": 5, "steps": 40}
VAE = {"latent": 20, "hidden": (512, 256), "draws": 500,
       "train": {"max_steps": 20_000, "batch": 128, "learning_rate": 1e-3}}
DIFFUSION = {"hidden": (768, 768), "log_snr": (9.0, -6.0),
             "train": {"max_steps": 10_000, "batch": 256, "learning_rate": 2e-3}}
WINDOW = {"family": {"reach": 12, "rows": 6, "hidden": (256, 256)},
          "train": {"max_steps": 6000, "batch": 64, "learning_rate": 2e-3, "averaging": 0.999}}


def independent_pixels(K, rng):
    model = IndependentPixels.fit(K, LEVELS)
    return model, model.mass.size - len(model.mass)


def autoregressive(K, rng):
    family = WindowFamily(SIDE, LEVELS, **WINDOW["family"])
    return family(last(family.train(K, rng, **WINDOW["train"]), WINDOW)), family.n_parameters


def probabilistic_pca(Z, decoder, rng):
    return Discretized(Normal(np.zeros(CODES, Z.dtype), np.eye(CODES, dtype=Z.dtype)), decoder), 0


def mixture(Z, decoder, rng):
    family = MixtureFamily(MIXTURE["components"], CODES)
    theta = maximum_likelihood(family, decoder.redrawn(Z, rng).astype(float), rng, "em",
                               max_steps=MIXTURE["steps"])
    p = family(theta)
    return (Discretized(p, decoder, lambda Z, rng: p.log_prob(Z.astype(float))),
            family.n_parameters)


def variational_autoencoder(Z, decoder, rng):
    """It learns u = z/unit, as bright in the picture as z: each code in the same unit."""
    k, hidden = VAE["latent"], VAE["hidden"]
    unit = np.sqrt((decoder.u**2).mean()) / decoder.u
    family = VariationalAutoencoderFamily(Network((CODES, *hidden, 2 * k)),
                                          Network((k, *hidden[::-1], CODES)))
    theta = last(family.train(Z / unit, rng, augment=lambda rows, rng: decoder.redrawn(
        rows * unit, rng) / unit, **VAE["train"]), VAE)
    p = InUnits(family(theta), unit)
    return (Discretized(p, decoder, lambda Z, rng: p.importance_weighted(Z, rng, VAE["draws"])),
            family.n_parameters)


def diffusion(Z, decoder, rng):
    family = DiffusionFamily(CODES, DIFFUSION["hidden"], log_snr=DIFFUSION["log_snr"])
    p = family(last(family.train(Z, rng, augment=decoder.redrawn, **DIFFUSION["train"]), DIFFUSION))
    p.sample = partial(p.sample, n_steps=None)              # the chain, whose density elbo bounds
    return Discretized(p, decoder, p.elbo), family.n_parameters


def fitted_decoder(K, rng):
    """The decoder that all densities of codes share."""
    axes = PrincipalComponents.fit(((K + 0.5) / LEVELS).astype("float32"), CODES)
    return LogisticDecoder.fit(axes, K, LEVELS, NOISE, rng)


def dequantized_bits(K, held_out, rng):
    """Bits per pixel of probabilistic PCA as a density of the pixels themselves, a bound."""
    family = ProbabilisticPCAFamily(K.shape[1], CODES)
    theta = family.mle(dequantize(K, LEVELS, rng, "float32"))
    return in_bits(Dequantized(family(theta), LEVELS, dtype="float32").lower_bound(held_out, rng))


def last(steps, settings):
    """θ after all steps of a training."""
    for step in bar(steps, settings["train"]["max_steps"]):
        theta = step.theta
    return theta


MASSES = {fit.__name__: fit for fit in (independent_pixels, autoregressive)}
DENSITIES = {fit.__name__: fit for fit in (         # of codes
    probabilistic_pca, mixture, diffusion, variational_autoencoder)}
MODELS = (*MASSES, *DENSITIES)


def in_bits(log_mass):
    """Bits per pixel of each picture."""
    return -log_mass.astype(float) / (SIDE**2 * math.log(2))


def compare(seed):
    """For each model its numbers on one seed, and the levels of some faces that it made."""
    rng = np.random.default_rng(seed)
    K, held_out = (quantize(Faces(n, rng, SIDE).images, LEVELS) for n in (N, N_HELD_OUT))
    results, made = {}, {"faces": held_out[:N_SAMPLES].astype(np.uint8)}

    def note(name, model, parameters, seconds, bits, **measured):
        results[name] = {"bits_per_pixel": float(bits.mean()), "bound": name in DENSITIES,
                         "parameters": parameters, "seconds": seconds} | measured
        made[name] = model.sample(N_SAMPLES, rng).astype(np.uint8)
        print(seed, name, results[name], flush=True)

    for name, fit in MASSES.items():
        start = time.process_time()
        model, parameters = fit(K, rng)
        seconds = time.process_time() - start
        note(name, model, parameters, seconds, in_bits(model.log_mass(held_out)))
    start = time.process_time()
    decoder = fitted_decoder(K, rng)
    Z, shared = decoder.encode(K), time.process_time() - start
    longer = CHAIN | {"T": 4 * CHAIN["T"]}
    at_q, at_end, at_longer = (decoder.points(pictures, rng, **chain) for pictures, chain in (
        (held_out, {"T": 1}), (held_out, CHAIN), (held_out[:N_LONGER], longer)))
    for name, fit in DENSITIES.items():
        start = time.process_time()
        model, parameters = fit(Z, decoder, rng)
        seconds = shared + time.process_time() - start
        bits, chain, least = (in_bits(model.lower_bound(*points, rng))
                              for points in (at_q, at_end, at_longer))
        saved = float(bits.mean() - chain.mean())
        longer = saved + float((chain[:N_LONGER] - least).mean())
        note(name, model, parameters + decoder.n_parameters, seconds, bits,
             saved_by_chain=saved, saved_by_longer_chain=longer, paid=max(0.0, saved, longer))
    results["probabilistic_pca"]["dequantized"] = float(
        dequantized_bits(K, held_out, rng).mean())
    return results, made


def reported(seeds, runs):
    """What faces.json holds: all numbers, their means over the seeds, and which models tie.

    Two that follow each other tie if their means differ by no more than both spread over the seeds.
    """
    mean = {}
    for name in MODELS:
        bits = [run[name]["bits_per_pixel"] for run in runs]
        mean[name] = {key: float(np.mean([run[name][key] for run in runs]))
                      for key in runs[0][name] if key != "bound"}
        mean[name] |= {"bits_per_pixel_spread": float(max(abs(b - np.mean(bits)) for b in bits)),
                       "bound": runs[0][name]["bound"]}
    order = sorted(MODELS, key=lambda name: -mean[name]["bits_per_pixel"])
    ties = [[one, other] for one, other in pairwise(order)
            if mean[one]["bits_per_pixel"] - mean[other]["bits_per_pixel"]
            <= mean[one]["bits_per_pixel_spread"] + mean[other]["bits_per_pixel_spread"]]
    return {"n": N, "n_held_out": N_HELD_OUT, "n_longer": N_LONGER, "side": SIDE, "levels": LEVELS,
            "even": math.log2(LEVELS), "codes": CODES, "chain": CHAIN, "seeds": seeds,
            "order": order, "ties": ties, "mean": mean, "runs": runs}


def main(arguments=None):
    parser = command.Parser(__doc__, epilog="Both files in the folder are overwritten, the "
                            "committed ones without --output.")
    parser.add_argument("--seeds", nargs="+", type=command.whole(0), default=SEEDS, metavar="SEED",
                        help="of all random numbers")
    parser.add_argument("--output", type=command.folder, default=FIGURES, metavar="DIR",
                        help="where they are written")
    options = parser.parse_args(arguments)
    parser.folder(options.output, "faces.json", "faces.npz")
    keep_freed_memory()                                     # training is faster with it
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

"""Compare PCA, probabilistic PCA and an autoencoder as encoders of biscuit tins, on three seeds.

    OMP_NUM_THREADS=1 python scripts/compare_encoders.py

Each is fitted to 5,000 tins of 32 x 32 pixels and judged on 2,000 others: the mean squared error of
their reconstruction per pixel, and how well the two numbers of the code determine height and width
(R² of the mean over the 10 nearest codes). Last, for Erratum E39: how far from the nearest tin of
a dense grid are pictures decoded from N(0, I), which has the mean and the covariance of the data's
codes, and from a mixture of normals fitted to these? It is the rare ones that differ. The training
takes half a minute a seed on one core. It overwrites figures/encoders.json after each seed; after
Ctrl-C the seeds that are finished stay.
"""

import json
import sys
import time

import command
import numpy as np
from files import FIGURES, write_text
from latent_planes import (
    COMPONENTS,
    DENSE,
    SIDES,
    STEPS,
    N,
    lattice,
    nearest_picture,
    trained,
)
from tqdm import tqdm

from gdl_numpy.numerics.memory import keep_freed_memory
from gdl_numpy.pictures.biscuit_tins import BiscuitTins, render
from gdl_numpy.probability.mle import maximum_likelihood
from gdl_numpy.probability.normal_family import MixtureFamily
from gdl_numpy.representation.manifold import determination, neighbor_regression
from gdl_numpy.representation.principal_components import (
    PrincipalComponents,
    ProbabilisticPCAFamily,
)

N_HELD_OUT, N_MADE, SEEDS = 2000, 2000, (0, 1, 2)


def probabilistic_pca(images):
    family = ProbabilisticPCAFamily(images.shape[1], 2)
    return family(family.mle(images))


def compare(seed, steps=STEPS):
    """The numbers of one seed for each encoder."""
    rng = np.random.default_rng(seed)
    tins, held_out = BiscuitTins(N, rng), BiscuitTins(N_HELD_OUT, rng)
    fits = {"pca": lambda: PrincipalComponents.fit(tins.images, 2),
            "ppca": lambda: probabilistic_pca(tins.images),
            "autoencoder": lambda: trained(tins.images, rng, SIDES, steps)}
    models, results = {}, {}
    for name, fit in fits.items():
        start = time.perf_counter()
        models[name] = model = fit()
        seconds = time.perf_counter() - start
        Z, Z_held_out = model.encode(tins.images), model.encode(held_out.images)
        error = float(((model.decode(Z_held_out) - held_out.images)**2).mean())
        r2 = determination(held_out.latent, neighbor_regression(Z, tins.latent, Z_held_out))
        results[name] = {"error": error, "r2_height": float(r2[0]), "r2_width": float(r2[1]),
                         "seconds": seconds}
    model, grid = models["autoencoder"], lattice(np, DENSE)
    pictures = render(grid).reshape(DENSE**2, -1)
    Z, codes = model.encode(tins.images), MixtureFamily(COMPONENTS, 2)
    fitted = codes(maximum_likelihood(codes, Z.astype(float), rng, method="em"))
    for name, drawn in {"normal": rng.standard_normal((N_MADE, 2)),
                        "fitted": fitted.sample(N_MADE, rng)}.items():
        off, _ = nearest_picture(model.decode(drawn), grid, pictures)
        results["autoencoder"] |= {f"{name}_median": float(np.median(off)),
                                   f"{name}_99": float(np.quantile(off, 0.99))}
    return results


def reported(runs):
    """What encoders.json holds of the first seeds: all numbers, and their means."""
    means = {name: {key: float(np.mean([run[name][key] for run in runs])) for key in runs[0][name]}
             for name in runs[0]}
    return {"n": N, "n_held_out": N_HELD_OUT, "n_made": N_MADE, "sizes": SIDES, "steps": STEPS,
            "seeds": SEEDS[:len(runs)], "mean": means, "runs": runs}


def main(arguments=None):
    parser = command.Parser(__doc__)
    parser.add_argument("--output", type=command.folder, default=FIGURES, metavar="DIR",
                        help="where encoders.json is written")
    options = parser.parse_args(arguments)
    parser.folder(options.output, "encoders.json")
    keep_freed_memory()                                     # training is faster with it
    runs = []
    with tqdm(SEEDS, unit="seed", disable=None) as progress:
        for seed in progress:
            try:
                runs.append(compare(seed))
            except KeyboardInterrupt:
                progress.close()
                print(f"interrupted in seed {seed}; the seeds before it are written",
                      file=sys.stderr)
                return 130
            report = reported(runs)
            write_text(options.output / "encoders.json", json.dumps(report, indent=1) + "\n")
            if progress.disable:                            # no terminal: a line instead of a bar
                print(f"seed {seed} is written", file=sys.stderr)
    for name, numbers in report["mean"].items():
        print(f"{name:12}", "  ".join(f"{key} {value:.3g}" for key, value in numbers.items()))
    return 0


if __name__ == "__main__":
    sys.exit(main())

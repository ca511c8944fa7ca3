"""Compare how the energy-based model and the diffusion model draw samples, by cost and by quality.

    OMP_NUM_THREADS=1 python scripts/compare_samplers.py

Both can take many steps or few. Of the committed models it draws samples in several ways and counts
what a sample costs: how often the network is computed, how often also its slope, and how many
samples a second of one processor gives. Quality is the share in the sea, the land reached, and the
divergence of a histogram from that of true draws, as in the scoreboard; for the energy-based model
also that from exact draws of its own density, by a fine grid, so that only the sampler's fault is
seen. Each comes with its floor, what as many exact draws would show. The ways take turns in rounds
of 20,000 samples. It overwrites figures/samplers.json after each round; after Ctrl-C the rounds
that are finished stay.
"""

import json
import sys
import time

import command
import numpy as np
from benchmark import processor
from files import FIGURES, write_text
from judgment import N_SAMPLES, beside, histogram_js
from recipes import UNIT, committed
from tqdm import tqdm

from gdl_numpy.world.world_map import WorldMap

ROUNDS, GRID = 5, (360, 720)                                # cells of half a degree


def long_walk(p, n, rng):
    """100 steps of Langevin's chain from a uniform start, a quarter of them jumps."""
    start = p.family.uniform(n, rng, like=p.theta)
    return p.family.walk(p.theta, start, rng, 100, jump=0.25)


WAYS = {                                                    # way: how p draws n samples
    "energy_based": {
        "100 steps, a quarter of them jumps": long_walk,
        "24 jumps, 8 steps": lambda p, n, rng: p.sample(n, rng),
        "24 jumps": lambda p, n, rng: p.sample(n, rng, steps=0),
        "12 jumps": lambda p, n, rng: p.sample(n, rng, steps=0, jumps=12)},
    "diffusion": {
        "the chain": lambda p, n, rng: p.sample(n, rng, n_steps=None),
        "64 steps": lambda p, n, rng: p.sample(n, rng),
        "32 steps": lambda p, n, rng: p.sample(n, rng, n_steps=32),
        "16 steps": lambda p, n, rng: p.sample(n, rng, n_steps=16)}}


class Counted:
    """A network that counts for how many rows it is computed, and for how many its slope."""

    def __init__(self, network):
        self.network, self.rows, self.slopes = network, 0, 0

    def __call__(self, theta, X):
        Y, backward = self.network(theta, X)
        self.rows += len(X)

        def counted(*arguments, **options):
            self.slopes += len(X)
            return backward(*arguments, **options)

        return Y, counted


class ExactDraws:
    """Draws of a density p with an energy, without a chain: a cell of GRID by its mass, and an even
    place in it. `largest` is M of `langevin.jump`."""

    def __init__(self, p):
        self.centers, _ = p.space.grid(GRID)
        density = np.exp(-p.energy(self.centers.astype(p.theta.dtype)).astype(float))
        self.masses, self.sides = density.cumsum(), (p.space.high - p.space.low) / GRID
        self.largest = float(density.max() / density.mean())

    def __call__(self, n, rng):
        cells = np.searchsorted(self.masses, self.masses[-1] * rng.random(n), side="right")
        return self.centers[cells] + self.sides * (rng.random((n, 2)) - 0.5)


def judged(X, truth, own):
    """Sea, land reached and divergences of the samples X, in degrees."""
    numbers = beside(X, truth, WorldMap())
    return numbers if own is None else numbers | {"js_own": histogram_js(X, own)}


def compare(name, round_, n, exact):
    """The numbers of one round: for each way of drawing, and for draws that have no fault."""
    p, rng = committed(name, np.zeros(1)).p, np.random.default_rng([round_, len(name)])
    truth, again = (WorldMap().sample(n, rng) for _ in range(2))
    own, results = None, {"true draws": judged(again, truth, None)}
    if hasattr(p, "energy"):
        own = exact(n, rng) * UNIT
        results["exact draws"] = judged(exact(n, rng) * UNIT, truth, own)
    for way, draw in WAYS[name].items():
        p.family.network = counted = Counted(p.family.network)
        start = time.process_time()
        X = draw(p, n, rng)
        seconds = time.process_time() - start
        p.family.network = counted.network
        results[way] = judged(X * UNIT, truth, own) | {
            "samples_per_second": n / seconds, "evaluations": counted.rows / n,
            "slopes": counted.slopes / n}
    return results


def reported(rounds, n, M):
    """What samplers.json holds of the first rounds: the mean of each number and its error."""
    summary = {}
    for name in rounds[0]:
        summary[name] = {}
        for way, numbers in rounds[0][name].items():
            rows = {key: [round_[name][way][key] for round_ in rounds] for key in numbers}
            summary[name][way] = {key: float(np.mean(values)) for key, values in rows.items()} | {
                f"{key}_error": float(np.std(values, ddof=1) / len(values)**0.5)
                for key, values in rows.items() if len(values) > 1}
    return {"n": n, "rounds": len(rounds), "processor": processor(), "largest_density": M,
            "summary": summary}


def main(arguments=None):
    parser = command.Parser(__doc__)
    parser.add_argument("--output", type=command.folder, default=FIGURES, metavar="DIR",
                        help="where samplers.json is written")
    parser.add_argument("--rounds", type=command.whole(1), default=ROUNDS, metavar="N",
                        help="how often each way takes its turn")
    parser.add_argument("--n", type=command.whole(100), default=N_SAMPLES, metavar="N",
                        help="samples in a round")
    options = parser.parse_args(arguments)
    parser.folder(options.output, "samplers.json")
    rounds, exact = [], ExactDraws(committed("energy_based", np.zeros(1)).p)
    with tqdm(range(options.rounds), unit="round", disable=None) as progress:
        for round_ in progress:
            try:
                rounds.append({name: compare(name, round_, options.n, exact) for name in WAYS})
            except KeyboardInterrupt:
                progress.close()
                print(f"interrupted in round {round_ + 1}; those before it are written",
                      file=sys.stderr)
                return 130
            report = reported(rounds, options.n, exact.largest)
            write_text(options.output / "samplers.json", json.dumps(report, indent=1) + "\n")
            if progress.disable:                            # no terminal: a line instead of a bar
                print(f"round {round_ + 1} is written", file=sys.stderr)
    for name, ways in report["summary"].items():
        for way, numbers in ways.items():
            print(f"{name:12}  {way:34}  " + "  ".join(
                f"{key} {value:.3g}" for key, value in numbers.items() if "_error" not in key))
    return 0


if __name__ == "__main__":
    sys.exit(main())

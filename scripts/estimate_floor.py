"""Bound what is lost because a model sees no more than 20,000 points of land.

    OMP_NUM_THREADS=1 python scripts/estimate_floor.py

A model loses nats for two reasons: because it is not as good as it could be, and because so few
points do not tell where each coast is. What is lost for the second reason nobody knows exactly, as
it would take the best of all models. One number bounds it from above, another says what that means:

    a committee       the mean of the densities of two good models that have seen the same points,
                      and learned from them in different ways. The luck that one of them has and
                      the other has not is halved in the mean. A committee is a model, too: the
                      floor is as low as what it loses, or lower.
    a blurred map     the true map, shaken by normal steps: who has it knows each coast, but only to
                      the width of the step. Which width loses as much as the committee?

The two are the energy-based model of figures/parameters/ and the recalibrated kernel density of the
first training set. Half of what the former learned from are draws of the latter, half the points
themselves: so they share much of their luck, and the bound is not tight. Other networks saw such
draws only, and would add less. It overwrites figures/floor.json.
"""

import json
import math
import sys

import command
import numpy as np
from files import FIGURES, write_text
from judgment import known_log_prob
from recipes import committed, fit_model
from training_sets import N_TEST, NEW_POINTS, SEEDS, TRAINING, generator, training_set

from gdl_numpy.numerics.elementary import logsumexp
from gdl_numpy.world.world_map import WORLD, WorldMap

COMMITTEE = "energy_based", "recalibrated_kernel_density"
GRID = (900, 1800)                                          # cells of a fifth of a degree
WIDTHS = tuple(round(0.2 * k, 1) for k in range(1, 11))     # of the blur, in degrees


def committee(X):
    """log p of each member, of the first training set, at the rows of X, (members, n)."""
    log_p, seed = [], SEEDS[0]
    for name in COMMITTEE:
        p = (fit_model(name, training_set(seed), generator(seed, TRAINING))
             if name == "recalibrated_kernel_density" else committed(name, np.zeros(1)))
        log_p.append(known_log_prob(p, generator(seed, TRAINING))[1](X).astype(float))
    return np.stack(log_p)


def mixed(log_p):
    """log of the mean of the densities in the rows of log_p, (n,)."""
    return logsumexp(log_p, axis=0) - math.log(len(log_p))


def blurred(mass, width):
    """A map of masses (rows, columns) whose points are moved by normal steps of `width` cells; what
    would leave the map is lost, and the rest has the mass 1 again."""
    reach = math.ceil(5 * width)
    steps = np.exp(-0.5 * (np.arange(-reach, reach + 1) / max(width, 1e-9))**2)
    for _ in range(2):                                      # along one axis, then the other
        padded = np.pad(mass, ((reach, reach), (0, 0)))
        mass = sum(step * padded[i:i + len(mass)] for i, step in enumerate(steps)).T
    return mass / mass.sum()


def nats_lost_by_blur(p_data, X, widths=WIDTHS, shape=GRID):
    """KL(p_data‖blurred map) at the rows of X, for each of the widths in degrees."""
    centers, _ = WORLD.grid(shape)
    land, cell = p_data.contains(centers).reshape(shape).astype(float), WORLD.cell(X, shape)
    degrees = (WORLD.high - WORLD.low)[0] / shape[0]
    return [float(-np.log(blurred(land, width / degrees).ravel()[cell]).mean()
                  + WORLD.log_cell_volume(shape) - p_data.entropy) for width in widths]


def main(arguments=None):
    parser = command.Parser(__doc__)
    parser.add_argument("--output", type=command.folder, default=FIGURES, metavar="DIR",
                        help="where floor.json is written")
    parser.add_argument("--n", type=command.whole(100), default=N_TEST, metavar="N",
                        help="points that nobody has seen")
    options = parser.parse_args(arguments)
    parser.folder(options.output, "floor.json")
    p_data, seed = WorldMap(), SEEDS[0]
    X = p_data.sample(options.n, generator(seed, NEW_POINTS))
    log_p = committee(X)
    kl = dict(zip(COMMITTEE, (-log_p.mean(axis=1) - p_data.entropy).tolist(), strict=True))
    together = mixed(log_p)
    lost = nats_lost_by_blur(p_data, X)
    floor = float(-together.mean() - p_data.entropy)
    if not lost[0] < floor < lost[-1]:
        raise ValueError(f"none of the widths loses {floor:.3f} nats, only {lost[0]:.3f} to "
                         f"{lost[-1]:.3f}")
    report = {"seed": seed, "n": options.n, "members": kl, "committee": floor,
              "error": float(together.std() / math.sqrt(options.n)),
              "blur": dict(zip(map(str, WIDTHS), lost, strict=True)),
              "width": float(np.interp(floor, lost, WIDTHS))}
    write_text(options.output / "floor.json", json.dumps(report, indent=1) + "\n")
    print(json.dumps(report, indent=1))
    return 0


if __name__ == "__main__":
    sys.exit(main())

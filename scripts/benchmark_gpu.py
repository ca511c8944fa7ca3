r"""Time a graphics card: CuPy against NumPy on the same machine, and PyTorch on the same card.

    pip install -e '.[benchmark,figures,gpu]' && pip install torch==2.13.0
    env -u OPENBLAS_CORETYPE -u OPENBLAS_L2_SIZE python scripts/benchmark_gpu.py

It writes figures/benchmark_gpu.json, which names the card, its driver and the processor. Without
PyTorch, or where it sees no card, its columns are left out. What is measured, all in float32 but
one of the kernel densities:

    training steps      a perceptron's, and one of each model of scoreboard.py, with 65,536 rows:
                        the loss, its gradient and Adam; for the adversarial family both losses
    kernel density      20,000 points, asked for the density at 20,000 places of the map
    samplers            of these models, with the committed parameters

On a processor each side has a process of its own (benchmark.py). Here both share one, and with it
the card: they run in turn, pair by pair, after a run each to warm up, in which CuPy compiles what
it needs. With t the seconds of a run,

    ratio = median over the pairs of  t(peer) / t(CuPy).

A card works through a list of tasks while the program goes on, so a run ends only when the card has
done all that it was told, and then the clock is read. What a side needs is on the card before. The
two variables above, where set, make NumPy choose an older and slower kernel.

Both sides of a training take the same STEPS steps, with the same rows and the same random numbers,
and all losses are compared; samples are compared as in benchmark_models.py. The exit status is 1,
and nothing is written, if two results differ by more than their bound.

The peers of PyTorch are those of torch_references.py. Where they make numbers of their own, these
lie on the card because a default device is set. Neither CuPy nor PyTorch rounds float32 products to
TF32, which both do only where they are told to.
"""

import json
import math
import os
import sys
import time
from functools import partial
from importlib.util import find_spec

import command
import numpy as np
from benchmark import PAUSE, Case, deviation, machine
from check_gpu import card
from files import FIGURES, write_text
from problems import (
    BANDWIDTH,
    CHAIN,
    DELTA,
    N_DATA,
    PENALTY,
    RATE,
    drawn,
    land_and_queries,
    options,
    standard_errors,
    start,
)
from recipes import NETWORKS, PARAMETERS, UNIT

from gdl_numpy.networks.network import Network
from gdl_numpy.networks.storage import load
from gdl_numpy.numerics.backend import random_generator, to_numpy
from gdl_numpy.numerics.blocks import mean_over_blocks
from gdl_numpy.numerics.memory import keep_freed_memory
from gdl_numpy.numerics.optimizer import Adam
from gdl_numpy.probability.density import LOG_2_PI
from gdl_numpy.probability.kernel_density import KernelDensity
from gdl_numpy.world.world_map import WorldMap

FILE, CARD = "benchmark_gpu.json", "cuda"                   # the second is PyTorch's name for it
BATCH, STEPS, SIZES = 2**16, 5, (2, 128, 128, 2)            # the last of the perceptron
SAMPLES = {"energy_based": 2**14, "diffusion": 2**14}       # of long chains
MODELS = [name for name in NETWORKS if (PARAMETERS / f"{name}.npz").exists()]
QUERIES = 2000                                              # at once, where all pairs are formed


def waited_for(prepare, wait):
    """A side of a case: what `prepare` returns, over only when the card has done all of it."""
    def side():
        run = prepare()

        def to_its_end():
            result = run()
            wait()
            return result
        return to_its_end
    return side


# --- training steps ---


class GivenRows:
    """A random generator whose draws were made before: a block of rows gets the next ones."""

    def __init__(self, draws):
        self.draws = list(draws)

    def standard_normal(self, shape, dtype=float):
        draws = self.draws.pop(0)
        if draws.ndim > 1 and draws.shape[-2] > shape[-2]:
            self.draws.insert(0, draws[..., shape[-2]:, :])
            draws = draws[..., :shape[-2], :]
        return draws

    random = integers = standard_normal


def problem(name):
    """A first θ of a model, and for each step rows of data and random numbers, on the host."""
    rng, family = np.random.default_rng(0), NETWORKS[name].family(np)
    X = (WorldMap().sample(N_DATA, rng) / UNIT).astype(np.float32)
    return family.initial_theta(rng, np.float32), [
        (X[rng.integers(0, len(X), BATCH)], *drawn(name, family, BATCH, rng)) for _ in range(STEPS)]


def loss_of(name, family):
    """The loss of a family and its gradient: theta, rows, draws -> loss, dtheta."""
    settings = options(name)

    def loss(theta, X, *draws):
        rng = [GivenRows(draws)] if draws else []
        return family.loss(theta, X, *rng, **settings)

    def both_losses(theta, X, Z, eps, Z_new):
        theta_g, phi = family.parts(theta)
        made, _ = family.generate(theta_g, Z)
        loss, dphi = family.discriminator_loss(phi, X, made, GivenRows([eps]), PENALTY, DELTA)
        g_loss, dtheta_g = family.generator_loss(theta, Z_new)
        return loss + g_loss, family.parts.join(dtheta_g, dphi)

    return both_losses if name == "adversarial" else loss


def steps(xp, loss, first, batches):
    """A function that takes a step for each of `batches` from θ = first on; it gives the losses."""
    first = xp.asarray(first)
    batches = [[xp.asarray(part) for part in batch] for batch in batches]

    def run():
        theta, adam, losses = first, Adam(RATE), []
        for batch in batches:
            value, dtheta = loss(theta, *batch)
            theta = adam(theta, dtheta)
            losses.append(xp.asarray(value))
        return xp.stack(losses)
    return run


def steps_torch(model, loss, batches):
    """The same of a module of PyTorch."""
    import torch
    first = [parameter.detach().clone() for parameter in model.parameters()]
    batches = [[torch.from_numpy(part).to(CARD) for part in batch] for batch in batches]

    def run():
        with torch.no_grad():
            for parameter, value in zip(model.parameters(), first, strict=True):
                parameter.copy_(value)
        adam, losses = torch.optim.Adam(model.parameters(), RATE), []
        for batch in batches:
            adam.zero_grad()
            value = loss(*batch)
            value.backward()
            adam.step()
            losses.append(value.detach())
        return torch.stack(losses)
    return run


def on_card(reference, *arguments):
    """A module of torch_references.py, made on the card."""
    import torch
    with torch.device(CARD):
        return reference(*arguments)


def perceptron(xp):
    network, (first, X, T) = Network(SIZES, "relu"), start(SIZES, BATCH)

    def squared_error(theta, X, T):
        Y, backward = network(theta, X)
        Y -= T
        return (Y * Y).mean(), backward(2 / Y.size * Y, inputs=False)[0]

    return steps(xp, partial(mean_over_blocks, squared_error), first, STEPS * [(X, T)])


def perceptron_torch():
    import torch
    import torch_references
    first, X, T = start(SIZES, BATCH)
    model = on_card(torch_references.MLP, Network(SIZES, "relu"), first)
    return steps_torch(model, lambda X, T: torch.nn.functional.mse_loss(model(X), T),
                       STEPS * [(X, T)])


def training(xp, name):
    return steps(xp, loss_of(name, NETWORKS[name].family(xp)), *problem(name))


def training_torch(name):
    import torch_references
    first, batches = problem(name)
    model = on_card(torch_references.REFERENCES[name], NETWORKS[name].family(np), first)

    def both_losses(X, Z, eps, Z_new):
        loss = model.discriminator_loss(X, Z, eps, PENALTY, DELTA)
        model.discriminator.requires_grad_(False)           # held fixed in the generator's loss
        loss = loss + model.generator_loss(Z_new)
        model.discriminator.requires_grad_(True)
        return loss

    return steps_torch(model, both_losses if name == "adversarial" else model.loss, batches)


# --- kernel density ---


def kernel_density(xp, dtype):
    X, queries = map(xp.asarray, land_and_queries(dtype))
    p = KernelDensity(X, BANDWIDTH)
    return lambda: p.log_prob(queries)


def kernel_density_torch(dtype):
    """All pairs, so many queries at a time."""
    import torch
    X, queries = (torch.from_numpy(points).to(CARD) for points in land_and_queries(dtype))
    constant = math.log(len(X)) + 2 * math.log(BANDWIDTH) + LOG_2_PI

    def log_p(queries):
        distances = torch.cdist(queries, X, compute_mode="donot_use_mm_for_euclid_dist")
        return torch.logsumexp(-0.5 * (distances / BANDWIDTH)**2, 1) - constant

    return lambda: torch.cat([log_p(some) for some in queries.split(QUERIES)])


# --- samplers ---


def trained(name, xp):
    """The family of that name, and its committed θ."""
    family = NETWORKS[name].family(xp)
    return family, load(PARAMETERS / f"{name}.npz", family, like=xp.zeros(1))


def n_samples(name):
    return SAMPLES.get(name, BATCH)


def sampling(xp, name):
    family, theta = trained(name, xp)
    p, rng = family(theta), random_generator(2, "cpu" if xp is np else "gpu")
    return lambda: p.sample(n_samples(name), rng, **CHAIN.get(name, {}))


def sampling_torch(name):
    import torch
    import torch_references
    model = on_card(torch_references.REFERENCES[name], *trained(name, np))
    torch.manual_seed(2)

    def run():
        with torch.device(CARD), torch.no_grad():
            return model.sample(n_samples(name), **CHAIN.get(name, {}))
    return run


# --- all of them ---


def on_host(result):
    """An array of NumPy, CuPy or PyTorch as one of NumPy."""
    return result.numpy(force=True) if hasattr(result, "numpy") else to_numpy(result)


def of_numbers(ours, theirs):
    return deviation(on_host(ours), on_host(theirs))


def of_samples(ours, theirs):
    return standard_errors([on_host(ours)], [on_host(theirs)])


def cases(xp, peers):
    """All cases of the module xp, with each of `peers`, "numpy" and "torch", that can do it."""
    batch = {"batch": BATCH, "steps": STEPS}
    step, pairs = f"training step, batch {BATCH:,}", {"training": N_DATA, "queries": N_DATA}
    measured = [
        ("perceptron", {"sizes": list(SIZES), **batch}, "float32", step, 1e-4, of_numbers,
         perceptron, perceptron_torch, STEPS),
        *((name, batch, "float32", step, 1e-4, of_numbers, partial(training, name=name),
           partial(training_torch, name), STEPS) for name in MODELS),
        *(("kernel_density", pairs, dtype, f"{N_DATA:,} points and queries", bound, of_numbers,
           partial(kernel_density, dtype=dtype), partial(kernel_density_torch, dtype), 1)
          for dtype, bound in (("float64", 1e-6), ("float32", 1e-4))),
        *((name, {"samples": n_samples(name)}, "float32", f"{n_samples(name):,} samples", 6,
           of_samples, partial(sampling, name=name), partial(sampling_torch, name), 1)
          for name in MODELS)]
    wait = {"cupy": xp.cuda.Device().synchronize}
    if "torch" in peers:
        import torch
        wait["torch"] = torch.cuda.synchronize

    def case(peer, name, sizes, dtype, settings, bound, difference, ours, theirs, parts):
        return Case(name, sizes, dtype, peer, settings, 0, bound, difference,
                    waited_for(partial(ours, xp), wait["cupy"]),
                    waited_for(theirs, wait["torch"]) if peer == "torch" else partial(ours, np),
                    parts)

    return [case(peer, *each) for each in measured for peer in peers]


ROW = ("{name:25}{dtype:9}{settings:34}{peer:8}{seconds[ours]:11.5f}{seconds[peer]:11.5f}"
       "{ratio[median]:8.1f}{ratio[min]:8.1f}{ratio[max]:8.1f}{difference:12.1e}{bound:8.0e}")
HEADER = (f"{'case':25}{'dtype':9}{'settings':34}{'peer':8}{'s: CuPy':>11}{'s: peer':>11}"
          f"{'ratio':>8}{'min':>8}{'max':>8}{'difference':>12}{'bound':>8}")


def measure(case, repeats):
    """Seconds of both sides, (repeats, 2), in turn after a warm-up, and how the results differ."""
    sides = case.ours(), case.theirs()
    difference = case.difference(*(run() for run in sides))
    seconds = np.empty((repeats, 2))
    for pair in seconds:
        for i, run in enumerate(sides):
            time.sleep(PAUSE)
            begin = time.perf_counter()
            run()
            pair[i] = time.perf_counter() - begin
    return seconds / case.parts, float(difference)


def record(case, repeats):
    """What the JSON file holds of a case."""
    seconds, difference = measure(case, repeats)
    ratio = seconds[:, 1] / seconds[:, 0]
    medians = dict(zip(("ours", "peer"), np.median(seconds, axis=0), strict=True))
    return {"name": case.name, "sizes": case.sizes, "dtype": case.dtype, "peer": case.peer,
            "settings": case.settings, "seconds": medians,
            "ratio": {"median": np.median(ratio), "min": ratio.min(), "max": ratio.max()},
            "difference": difference, "bound": case.bound}


def without_pytorch():
    """Why PyTorch cannot be measured on the card; None if it can."""
    if find_spec("torch") is None:
        return "PyTorch is not installed"
    import torch
    return None if torch.cuda.is_available() else f"PyTorch {torch.__version__} sees no card"


def main(arguments=None):
    parser = command.Parser(__doc__, epilog=f"{FILE} in the folder is overwritten, the committed "
                            "one without --output.")
    parser.add_argument("--output", type=command.folder, default=FIGURES, metavar="DIR",
                        help="where it is written")
    parser.add_argument("--repeats", type=command.whole(1), default=5, help="number of pairs")
    parser.add_argument("--only", nargs="+", choices=["perceptron", "kernel_density", *MODELS],
                        metavar="CASE", help="print these and write nothing: %(choices)s")
    args = parser.parse_args(arguments)
    try:
        random_generator(0, "gpu")
    except RuntimeError as error:
        parser.error(str(error))
    parser.folder(args.output, FILE)
    keep_freed_memory()                                     # on the host, for NumPy
    import cupy
    why_not = without_pytorch()
    about = machine(("numpy",)) | {"OMP_NUM_THREADS": os.environ.get("OMP_NUM_THREADS"),
                                   "cupy": cupy.__version__} | card(cupy)
    if why_not is None:
        import torch
        about |= {"torch": torch.__version__}
    print("\n".join(f"{name}: {value}" for name, value in about.items()))
    if why_not:
        print(f"{why_not}, so its columns are left out.")
    records = []
    print(HEADER)
    for case in cases(cupy, ["numpy"] if why_not else ["numpy", "torch"]):
        if args.only is None or case.name in args.only:
            records.append(record(case, args.repeats))
            print(ROW.format(**records[-1]), flush=True)
            cupy.get_default_memory_pool().free_all_blocks()        # which each library would keep
            if why_not is None:                                     # from the other
                torch.cuda.empty_cache()
    if not all(row["difference"] <= row["bound"] for row in records):       # NaN is none of these
        print("The results of a case differ by more than their bound.", file=sys.stderr)
        return 1
    if args.only:
        print("Nothing written: that takes all cases.")
    else:
        report = {"machine": about, "repeats": args.repeats, "cases": records}
        write_text(args.output / FILE, json.dumps(report, indent=1) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())

r"""Time a training step of the multilayer perceptron against PyTorch, on one thread and on two.

    pip install -e '.[benchmark]' && pip install torch==2.13.0
    env -u OPENBLAS_CORETYPE -u OPENBLAS_L2_SIZE OMP_NUM_THREADS=2 \
        python scripts/benchmark_network.py

It writes figures/benchmark_network.json. How it is measured stands in benchmark.py. A step is the
network forwards, the mean squared error, its gradient in θ, and Adam; both sides take the same
steps on the same rows from the same start, and the loss of the last step is compared. Every case
sets the threads of both sides. The process starts with two, for NumPy's OpenBLAS cannot have more
than at its start; without PyTorch all cases are skipped.

Nearly all arithmetic is in the matrix products, H W forwards, Hᵀ ∂A and, except for the inputs,
∂A Wᵀ backwards. For n rows these are

    2 n (3 Σ_i d_{i-1} d_i - d_0 d_1)  floating point operations.

Divided by the seconds of a step and by what the same library reaches on as many threads in a
product of two large square matrices, they give the share of the peak. So it can be seen which
part of a ratio is due to the library's matrix product, and which to all the rest.
"""

import time
from functools import cache, partial

import command
import numpy as np
from benchmark import PAUSE, Case, main, relative

from gdl_numpy.networks.network import cut, initial_theta, mlp
from gdl_numpy.numerics.blocks import mean_over_blocks
from gdl_numpy.numerics.optimizer import Adam

RATE = 1e-4                                                 # rounding stays rounding
SIDE, TRIALS = 2048, 8                                      # of the square product, best of so many


def start(sizes, batch):
    """θ, X and noisy targets T, from a fixed seed."""
    rng = np.random.default_rng(0)
    X, eps = (rng.standard_normal((batch, d), np.float32) for d in (sizes[0], sizes[-1]))
    return initial_theta(sizes, rng, "relu", np.float32), X, np.sin(X) + 0.5 * eps


def threads_of_numpy(threads):
    """A context in which NumPy's BLAS has that many threads."""
    from threadpoolctl import threadpool_limits
    return threadpool_limits(threads, user_api="blas")


def steps_numpy(sizes, batch, steps, threads):
    first, X, T = start(sizes, batch)

    def squared_error(theta, X, T):
        Y, backward = mlp(theta, X, sizes, "relu")
        dY = Y - T
        loss = np.vdot(dY, dY) / dY.size
        dY *= 2 / dY.size
        return loss, backward(dY, inputs=False)[0]

    mean_loss = squared_error if batch <= 2**11 else partial(mean_over_blocks, squared_error)

    def run():
        with threads_of_numpy(threads):
            theta, adam = first, Adam(RATE)
            for _ in range(steps):
                loss, dtheta = mean_loss(theta, X, T)
                theta = adam(theta, dtheta)
        return float(loss)
    return run


def steps_torch(sizes, batch, steps, threads):
    """The same in PyTorch, eager; its linear layers hold the transpose of W."""
    import torch
    from torch.nn import Linear, ReLU, Sequential
    theta, X, T = start(sizes, batch)
    X, T = torch.from_numpy(X), torch.from_numpy(T)
    first = [torch.from_numpy(part.copy()) for W, b in cut(theta, sizes) for part in (W.T, b)]
    layers = [part for a, b in zip(sizes[:-1], sizes[1:], strict=True)
              for part in (Linear(a, b), ReLU())]
    net = Sequential(*layers[:-1])

    def run():
        torch.set_num_threads(threads)
        with torch.no_grad():
            for parameter, value in zip(net.parameters(), first, strict=True):
                parameter.copy_(value)
        adam = torch.optim.Adam(net.parameters(), lr=RATE)
        for _ in range(steps):
            adam.zero_grad()
            loss = torch.nn.functional.mse_loss(net(X), T)
            loss.backward()
            adam.step()
        return loss.item()
    return run


@cache
def peak(threads):
    """GFLOP/s of a square matrix product in float32, NumPy's and PyTorch's, the best of TRIALS."""
    import torch
    torch.set_num_threads(threads)
    A = np.random.default_rng(0).random((SIDE, SIDE), np.float32)
    seconds = np.empty((2, TRIALS))
    with threads_of_numpy(threads):
        for M, trials in zip((A, torch.from_numpy(A)), seconds, strict=True):
            time.sleep(PAUSE)
            for i in range(TRIALS):
                begin = time.perf_counter()
                M @ M
                trials[i] = time.perf_counter() - begin
    return 2e-9 * SIDE**3 / seconds.min(axis=1)


def matrix_products(sizes, batch, threads, seconds):
    """What both sides reach in GFLOP/s of matrix products, given the seconds of a step."""
    products = [a * b for a, b in zip(sizes[:-1], sizes[1:], strict=True)]
    gflop = 2e-9 * batch * (3 * sum(products) - products[0])
    reached = gflop / np.array([seconds["ours"], seconds["peer"]])

    def both(values, digits):
        return dict(zip(("ours", "peer"), values.round(digits).tolist(), strict=True))

    return {"MFLOP_per_step": round(1e3 * gflop, 1), "GFLOP_per_s": both(reached, 1),
            "peak_GFLOP_per_s": both(peak(threads), 1),
            "share_of_peak": both(reached / peak(threads), 3)}


def case(sizes, batch, steps, threads):
    inputs = sizes, batch, steps, threads
    return Case("training_step",
                {"sizes": list(sizes), "batch": batch, "steps": steps, "threads": threads},
                "float32", "torch.nn", f"batch {batch}, {threads} thread" + "s" * (threads > 1),
                2, 1e-3, relative, partial(steps_numpy, *inputs), partial(steps_torch, *inputs),
                steps, partial(matrix_products, sizes, batch, threads))


CASES = [case(*net, threads)
         for net in [((2, 128, 128, 2), 512, 600), ((2, 128, 128, 2), 8192, 50),
                     ((1024, 256, 64, 2, 64, 256, 1024), 128, 150)]
         for threads in (1, 2)]


def two_threads():
    """WrongUse if NumPy's BLAS has not started with two threads."""
    from threadpoolctl import threadpool_info
    if {pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "blas"} != {2}:
        raise command.WrongUse(
            "NumPy's BLAS has not started with two threads: run env -u OPENBLAS_CORETYPE -u "
            "OPENBLAS_L2_SIZE OMP_NUM_THREADS=2 python scripts/benchmark_network.py")


if __name__ == "__main__":
    main(CASES, __doc__, "benchmark_network.json", ("numpy", "torch"), two_threads)

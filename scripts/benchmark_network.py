r"""Time a training step of the multilayer perceptron against PyTorch and JAX, with 1 and 2 threads.

    pip install -e '.[benchmark]' && pip install torch==2.13.0 jax
    python scripts/benchmark_network.py

It writes its report into figures/benchmark_network.json. How it is measured stands in benchmark.py.
A step is the network forwards, the mean squared error, its gradient in θ, and Adam; all sides take
the same steps on the same rows from the same start, and the loss of the last step is compared:

    torch.nn            PyTorch, eager
    torch.compile       the network and its loss compiled, and PyTorch's fused Adam
    jax.jit             one step compiled, called in a loop of Python
    jax.lax.fori_loop   the loop compiled as well

PyTorch must be there, torch.compile needs a C++ compiler. Beside them stands what ours takes if the
C library gives freed memory back to the system, as it does by habit (numerics/memory.py).

Nearly all arithmetic is in the matrix products, H W forwards, Hᵀ ∂A and, except for the inputs,
∂A Wᵀ backwards. For n rows these are

    2 n (3 Σ_i d_{i-1} d_i - d_0 d_1)  floating point operations.

Divided by the seconds of a step and by what the same library reaches with as many threads in a
product of two large square matrices, they give the share of the peak. So it can be seen which
part of a ratio is due to the library's matrix product, and which to all the rest.
"""

from functools import partial
from itertools import pairwise

import command  # noqa: F401, it says what is missing
import numpy as np
from benchmark import Case, main, relative
from problems import start

from gdl_numpy.networks.network import cut, mlp
from gdl_numpy.numerics.blocks import mean_over_blocks
from gdl_numpy.numerics.optimizer import Adam

RATE = 1e-4                                                 # rounding stays rounding


def steps_numpy(sizes, batch, steps):
    first, X, T = start(sizes, batch)

    def squared_error(theta, X, T):
        Y, backward = mlp(theta, X, sizes, "relu")
        dY = Y - T
        loss = np.vdot(dY, dY) / dY.size
        dY *= 2 / dY.size
        return loss, backward(dY, inputs=False)[0]

    mean_loss = squared_error if batch <= 2**11 else partial(mean_over_blocks, squared_error)

    def run():
        theta, adam = first, Adam(RATE)
        for _ in range(steps):
            loss, dtheta = mean_loss(theta, X, T)
            theta = adam(theta, dtheta)
        return float(loss)
    return run


def steps_torch(sizes, batch, steps, compiled=False):
    """The same in PyTorch; its linear layers hold the transpose of W."""
    import torch
    from torch.nn import Linear, ReLU, Sequential
    theta, X, T = start(sizes, batch)
    X, T = torch.from_numpy(X), torch.from_numpy(T)
    first = [torch.from_numpy(part.copy()) for W, b in cut(theta, sizes) for part in (W.T, b)]
    net = Sequential(*[part for d_in, d_out in pairwise(sizes)
                       for part in (Linear(d_in, d_out), ReLU())][:-1])

    def squared_error():
        return torch.nn.functional.mse_loss(net(X), T)

    mean_loss = torch.compile(squared_error) if compiled else squared_error

    def run():
        with torch.no_grad():
            for parameter, value in zip(net.parameters(), first, strict=True):
                parameter.copy_(value)
        adam = torch.optim.Adam(net.parameters(), lr=RATE, fused=compiled)
        for _ in range(steps):
            adam.zero_grad()
            loss = mean_loss()
            loss.backward()
            adam.step()
        return loss.item()
    return run


def steps_jax(sizes, batch, steps, loop=False):
    """The same in JAX: one step compiled, or with `loop` all of them."""
    import jax
    from jax import numpy as jnp
    theta, X, T = start(sizes, batch)
    X, T = jnp.asarray(X), jnp.asarray(T)
    layers = [(jnp.asarray(W), jnp.asarray(b)) for W, b in cut(theta, sizes)]
    zeros = jax.tree.map(jnp.zeros_like, layers)
    first = layers, zeros, zeros, jnp.zeros(()), jnp.zeros(())

    def squared_error(layers):
        *hidden, (W_last, b_last) = layers
        H = X
        for W, b in hidden:
            H = jax.nn.relu(H @ W + b)
        return ((H @ W_last + b_last - T)**2).mean()

    def step(state):
        layers, m, v, t, _ = state
        loss, slope = jax.value_and_grad(squared_error)(layers)
        t += 1
        m = jax.tree.map(lambda m, g: 0.9 * m + 0.1 * g, m, slope)
        v = jax.tree.map(lambda v, g: 0.999 * v + 0.001 * g**2, v, slope)
        layers = jax.tree.map(lambda part, m, v: part - RATE * (m / (1 - 0.9**t)) / (
            jnp.sqrt(v / (1 - 0.999**t)) + 1e-8), layers, m, v)
        return layers, m, v, t, loss

    one = jax.jit(step)
    all_steps = jax.jit(lambda state: jax.lax.fori_loop(0, steps, lambda i, s: step(s), state))

    def run():
        if loop:
            return float(all_steps(first)[-1])
        state = first
        for _ in range(steps):
            state = one(state)
        return float(state[-1])
    return run


def operations(sizes, batch):
    """Those of the matrix products of a step."""
    products = [d_in * d_out for d_in, d_out in pairwise(sizes)]
    return 2 * batch * (3 * sum(products) - products[0])


def case(sizes, batch, steps, threads):
    inputs = sizes, batch, steps
    others = {"torch.compile": (partial(steps_torch, *inputs, compiled=True), None),
              "jax.jit": (partial(steps_jax, *inputs), 1.0),
              "jax.lax.fori_loop": (partial(steps_jax, *inputs, loop=True), None)}
    return Case("training_step", {"sizes": list(sizes), "batch": batch, "steps": steps},
                "float32", "torch.nn", f"batch {batch}", 1.6 if threads == 1 else 1.4, 1e-3,
                relative, partial(steps_numpy, *inputs), partial(steps_torch, *inputs), steps,
                threads=threads, operations=operations(sizes, batch), others=others,
                given_back=True)


CASES = [case(*net, threads)
         for net in [((2, 128, 128, 2), 512, 600), ((2, 128, 128, 2), 8192, 50),
                     ((1024, 256, 64, 2, 64, 256, 1024), 128, 150)]
         for threads in (1, 2)]


if __name__ == "__main__":
    main(CASES, __doc__, "benchmark_network.json", ("numpy", "torch", "jax"))

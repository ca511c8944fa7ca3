"""A hand-written gradient against central differences: (f(x + h v) - f(x - h v)) / 2h.

    check_gradient(f, *args, rng=rng)       f(*args) -> value, backward

`backward` takes a cotangent c of the value's shape and gives one gradient, or a tuple of one for
each of args. Both sides of the check are the derivative of Σ c · value along the unit vector v; c
and v are random. They may differ by rtol times the length of the gradient, the largest such
derivative. An f that draws random numbers makes its own generator, the same in each call.
"""

import math


def check_gradient(f, *args, rng, rtol=1e-6, directions=3):
    """AssertionError unless the gradients of `f` at args, float64 arrays, are right."""
    value, backward = f(*args)
    cotangent = rng.standard_normal(value.shape)
    gradients = backward(cotangent)
    gradients = gradients if isinstance(gradients, tuple) else (gradients,)
    assert len(gradients) == len(args), f"{len(gradients)} gradients for {len(args)} arguments"
    for i, (x, dx) in enumerate(zip(args, gradients, strict=True)):
        assert dx.shape == x.shape and dx.dtype == x.dtype, f"gradient {i}: {dx.shape}, {dx.dtype}"
        length = math.sqrt(float((dx**2).sum()))
        for _ in range(directions):
            v = rng.standard_normal(x.shape)
            v /= math.sqrt(float((v**2).sum()))
            h = 1e-5 * (1 + float(abs(x).max()))
            ahead, behind = (f(*args[:i], x + step * v, *args[i + 1:])[0] for step in (h, -h))
            difference = float((cotangent * (ahead - behind)).sum()) / (2 * h)
            derivative = float((dx * v).sum())
            assert abs(derivative - difference) <= rtol * length, (
                f"gradient {i}: {derivative} along v, but central differences give {difference}")

"""Optimizer: gradient descent and Adam on one vector.

To minimise a loss, move θ a little against its gradient, again and again:

    gradient descent   θ ← θ - η ∂θ

Adam (Kingma and Ba 2015, arXiv 1412.6980) keeps running means of the gradient and of its square,
and so takes steps of about the same length η in every coordinate, whatever the scale of the loss
there:

    m ← β1 m + (1 - β1) ∂θ             v ← β2 v + (1 - β2) ∂θ²
    θ ← θ - η  m/(1 - β1^t) / (√(v/(1 - β2^t)) + δ)

The divisors undo the start at m = v = 0. The code keeps M = m/(1 - β1) and V = v/(1 - β2) instead,
which need fewer passes over memory, the chief cost of a step with many parameters:

    M ← β1 M + ∂θ      V ← β2 V + ∂θ²      θ ← θ - η (a/b) M / (√V + δ/b)
    with  a = (1 - β1)/(1 - β1^t)  and  b = √((1 - β2)/(1 - β2^t))

An optimizer holds no θ: one writes `theta = optimizer(theta, dtheta)`. η may be changed between
steps by setting `learning_rate`. Everywhere in this book ∂θ stands for ∂loss/∂θ, and has the shape
and the dtype of θ, float32 or float64: in float16 δ would be 0.
"""

import math
from dataclasses import dataclass

from gdl_numpy.numerics import checks
from gdl_numpy.numerics.backend import array_module


@dataclass(frozen=True)
class Step:
    """One step of a training: its number, the loss of the theta before it, the theta after it."""
    step: int
    loss: object
    theta: object


def half_cosine(t, steps):
    """A factor for η that falls from 1 at t = 0 to 0 at t = steps, as half a cosine wave."""
    steps = checks.whole_number(steps, "steps", least=1)
    return 0.5 * (1 + math.cos(math.pi * checks.number(t, "t") / steps))


class GradientDescent:
    """θ ← θ - η ∂θ with η = `learning_rate`."""

    def __init__(self, learning_rate=0.1):
        self.learning_rate = checks.number(learning_rate, "learning_rate", "(0, inf)")

    def __call__(self, theta, dtheta):
        """θ after one step, a new array (n_θ,)."""
        dtheta = checks.gradient(dtheta, checks.theta_shape(theta))
        return theta - checks.number(self.learning_rate, "learning_rate", "[0, inf)") * dtheta


class Adam:
    """Adam with η = `learning_rate`, β1, β2 and δ as above; it keeps M, V and t between steps."""

    def __init__(self, learning_rate=1e-3, beta1=0.9, beta2=0.999, delta=1e-8):
        self.learning_rate = checks.number(learning_rate, "learning_rate", "(0, inf)")
        self.beta1 = checks.number(beta1, "beta1", "[0, 1)")
        self.beta2 = checks.number(beta2, "beta2", "[0, 1)")
        self.delta = checks.number(delta, "delta", "(0, inf)")
        self.t, self.M, self.V = 0, None, None

    def __call__(self, theta, dtheta):
        """θ after one step, a new array (n_θ,)."""
        xp, dtheta = array_module(theta), checks.gradient(dtheta, checks.theta_shape(theta))
        rate = checks.number(self.learning_rate, "learning_rate", "[0, inf)")
        if self.t == 0:
            self.M, self.V = xp.zeros_like(theta), xp.zeros_like(theta)
        checks.gradient(theta, self.M, "theta", "the step before")
        self.t += 1
        a = (1 - self.beta1) / (1 - self.beta1**self.t)
        b = math.sqrt((1 - self.beta2) / (1 - self.beta2**self.t))
        step = dtheta * dtheta                              # this array becomes the new theta
        self.M *= self.beta1
        self.M += dtheta
        self.V *= self.beta2
        self.V += step
        xp.sqrt(self.V, out=step)
        step += self.delta / b
        xp.divide(self.M, step, out=step)
        step *= -rate * a / b
        step += theta
        return step

"""Optimizer: gradient descent and Adam, which move one vector θ until a loss is small.

Most models of this book have no formula for their best θ. What they have is a loss, one number that
should be small, and its gradient ∂θ (short for ∂loss/∂θ, and of the shape of θ): the direction in
which the loss grows fastest. The idea: move θ a little against it, again and again. η, the learning
rate, says how far:

    θ ← θ - η ∂θ                                            gradient descent                    (1)

One η must serve all coordinates, although the loss may be steep in one and flat in another. Adam
(Kingma and Ba 2015, arXiv 1412.6980) measures how large the gradient usually is in each coordinate
and divides by it. It keeps a running mean m of ∂θ and a running mean v of its square, both 0 at
first. All operations are coordinate by coordinate, and t is the number of steps, this one included:

    m ← β1 m + (1 - β1) ∂θ             v ← β2 v + (1 - β2) ∂θ²
    θ ← θ - η m̂ / (√v̂ + δ)             m̂ = m/(1 - β1^t),  v̂ = v/(1 - β2^t)

The weights of the gradients in m sum to 1 - β1^t only; after division m̂ is a proper mean, and v̂
too. If the gradients agree, m̂/√v̂ is about 1 in size and the coordinate moves by η; if they are
noise around 0, m̂ is small and so is the step. δ is tiny and keeps the quotient finite. The code
does the same in fewer passes over memory, which take most of the time when θ is long. With
M = m/(1 - β1) and V = v/(1 - β2):

    M ← β1 M + ∂θ                                                                               (2)
    V ← β2 V + ∂θ²                                                                              (3)
    a = (1 - β1)/(1 - β1^t)            so that m̂ = a M                                          (4)
    b = √((1 - β2)/(1 - β2^t))         so that √v̂ = b √V                                        (5)
    θ ← θ - η (a/b) M / (√V + δ/b)                                                              (6)

An optimizer holds no θ: one writes `theta = optimizer(theta, dtheta)`. Towards the end of training
steps should be small, so that θ comes to rest. For that one sets `learning_rate` before each step
to η times a factor that falls from 1 to 0:

    factor = ½ (1 + cos(π t/T))        when t of T steps have been taken                        (7)

Two steps down the parabola θ², whose gradient is 2θ, with η = 0.1, and a first step of Adam, which
has the length η however steep the loss is:

>>> import numpy
>>> theta, descent = numpy.array([1.0]), GradientDescent(0.1)
>>> for step in range(2):
...     theta = descent(theta, 2 * theta)
...     print(theta.round(6))
[0.8]
[0.64]
>>> print(Adam(0.1)(numpy.array([1.0, 1.0]), numpy.array([2.0, -5000.0])).round(6))
[0.9 1.1]

θ and ∂θ have one dtype, float32 or float64: in float16 δ would be 0. See
tests/numerics/test_optimizer.py (that it holds).
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


class GradientDescent:
    """θ ← θ - η ∂θ with η = `learning_rate`."""

    def __init__(self, learning_rate=0.1):
        self.learning_rate = checks.number(learning_rate, "learning_rate", "(0, inf)")

    def __call__(self, theta, dtheta):
        """θ after one step, a new array (n_θ,)."""
        dtheta = checks.gradient(dtheta, checks.theta_shape(theta))
        rate = checks.number(self.learning_rate, "learning_rate", "[0, inf)")
        return theta - rate * dtheta                        # (1)


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
        step = dtheta * dtheta                              # this array becomes the new theta
        self.M *= self.beta1
        self.M += dtheta                                    # (2)
        self.V *= self.beta2
        self.V += step                                      # (3)
        a = (1 - self.beta1) / (1 - self.beta1**self.t)     # (4)
        b = math.sqrt((1 - self.beta2) / (1 - self.beta2**self.t))                  # (5)
        xp.sqrt(self.V, out=step)
        step += self.delta / b
        xp.divide(self.M, step, out=step)
        step *= -rate * a / b
        step += theta                                       # (6)
        return step


def half_cosine(t, steps):
    """The factor for η after t of T = `steps` steps, a number: half a cosine wave, from 1 to 0."""
    steps = checks.whole_number(steps, "steps", least=1)
    return 0.5 * (1 + math.cos(math.pi * checks.number(t, "t") / steps))            # (7)

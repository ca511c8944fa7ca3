"""Optimizer: gradient descent and Adam, which move one vector θ until a loss is small.

Most models of this book have no formula for their best θ. What they have is a loss, one number that
should be small, and its gradient ∂θ (short for ∂loss/∂θ, and of the shape of θ): the direction in
which the loss grows fastest. The idea: move θ a little against it, again and again. η, the learning
rate, says how far:

    θ ← θ - η ∂θ                                            gradient descent                    (1)

One η must serve all coordinates, although the loss may be steep in one and flat in another. Adam
(Kingma and Ba 2015) divides by the usual size of the gradient in each coordinate. It keeps a
running mean m of ∂θ and a running mean v of its square, both 0 at first. All operations are
coordinate by coordinate, and this is step t, counted from 1:

    m ← β1 m + (1 - β1) ∂θ             v ← β2 v + (1 - β2) (∂θ)²
    θ ← θ - η m̂ / (√v̂ + δ)             m̂ = m/(1 - β1^t),  v̂ = v/(1 - β2^t)

In m the weights of all gradients so far sum to (1 - β1)(1 + β1 + ... + β1^(t-1)) = 1 - β1^t, which
is less than 1; divided by it, m becomes a proper mean, m̂, and v likewise v̂. If the gradients agree,
m̂/√v̂ is about 1 in size and the coordinate moves by η; if they are noise around 0, m̂ is small and
so is the step. δ is tiny and keeps the quotient finite. When θ is long, passes over memory take
most of the time. So the code does the same in fewer passes, and a piece of θ at a time, which stays
in the processor's cache from pass to pass. With M = m/(1 - β1) and V = v/(1 - β2):

    a = (1 - β1)/(1 - β1^t)            so that m̂ = a M, by the new M                            (2)
    b = √((1 - β2)/(1 - β2^t))         so that √v̂ = b √V                                        (3)
    M ← β1 M + ∂θ                                                                               (4)
    V ← β2 V + (∂θ)²                                                                            (5)
    θ ← θ - η (a/b) M / (√V + δ/b)                                                              (6)

An optimizer holds no θ: one writes `theta = optimizer(theta, dtheta)`. Toward the end of training
steps should be small, so that θ comes to rest. So a training (training.py) sets `learning_rate`
before step t of T to η times a factor that falls from 1 to 0:

    factor = ½ (1 + cos(π (t - 1)/T))  as t - 1 of T steps have been taken                      (7)

By hand: down the parabola θ², whose gradient is 2θ, with η = 0.1: 1 - 0.1 · 2 = 0.8. And a first
step of Adam, which moves each coordinate by η however steep the loss is, as m̂ = ∂θ and √v̂ = |∂θ|:

>>> import numpy
>>> theta = numpy.array([1.0])
>>> print(GradientDescent(0.1)(theta, 2 * theta))
[0.8]
>>> print(Adam(0.1)(numpy.array([1.0, 1.0]), numpy.array([2.0, -5000.0])).round(6))
[0.9 1.1]

See tests/numerics/test_optimizer.py (that it holds).
"""

import math
from dataclasses import dataclass

import numpy

from gdl_numpy.numerics import checks
from gdl_numpy.numerics.backend import array_module

PIECE = 2**18                                               # numbers of θ; of five arrays 5 MB


@dataclass(frozen=True)
class Step:
    """One step of a training: its number, the loss of the theta before it, the theta after it."""
    step: int
    loss: object
    theta: object


class GradientDescent:
    """θ ← θ - η ∂θ with η = `learning_rate`."""

    def __init__(self, learning_rate=0.1):
        self.learning_rate = checks.number(learning_rate, "learning_rate", "(0, 1e30]")

    def __call__(self, theta, dtheta):
        """θ after one step, a new array (n_θ,)."""
        dtheta = checks.gradient(dtheta, checks.theta_shape(theta))
        rate = checks.number(self.learning_rate, "learning_rate", "[0, 1e30]")
        return theta - rate * dtheta                        # (1)


class Adam:
    """Adam with η = `learning_rate`, β1, β2 and δ as above; it keeps M, V and t between steps.

    theta and dtheta have one dtype, float32 or float64: in float16 δ would be 0. A derivative above
    1e19 in float32, or 1e154 in float64, has a square beyond the largest number: then V is infinite
    and this coordinate rests for good, so cut such gradients first (`clip` in training.py).
    """

    def __init__(self, learning_rate=1e-3, beta1=0.9, beta2=0.999, delta=1e-8):
        self.learning_rate = checks.number(learning_rate, "learning_rate", "(0, 1e30]")
        self.beta1 = checks.number(beta1, "beta1", "[0, 1)")
        self.beta2 = checks.number(beta2, "beta2", "[0, 1)")
        self.delta = checks.number(delta, "delta", "[1e-30, 1e30]")
        self.t, self.M, self.V = 0, None, None

    def __call__(self, theta, dtheta):
        """θ after one step, a new array (n_θ,)."""
        xp, dtheta = array_module(theta), checks.gradient(dtheta, checks.theta_shape(theta))
        rate = checks.number(self.learning_rate, "learning_rate", "[0, 1e30]")
        if self.t == 0:
            self.M, self.V = xp.zeros_like(theta), xp.zeros_like(theta)
        checks.gradient(theta, self.M, "theta", "the step before")
        self.t += 1
        a = (1 - self.beta1) / (1 - self.beta1**self.t)                             # (2)
        b = math.sqrt((1 - self.beta2) / (1 - self.beta2**self.t))                  # (3)
        new, n = xp.empty_like(theta), len(theta)
        length = PIECE if xp is numpy else max(1, n)        # a device has no such cache
        for i in range(0, n, length):                       # `step` becomes a piece of the new θ
            g, M, V, old, step = (x[i:i + length] for x in (dtheta, self.M, self.V, theta, new))
            M *= self.beta1
            M += g                                          # (4)
            V *= self.beta2
            V += xp.multiply(g, g, out=step)                # (5)
            xp.sqrt(V, out=step)
            step += self.delta / b
            xp.divide(M, step, out=step)
            step *= -rate * a / b
            step += old                                     # (6)
        return new


def half_cosine(t, steps):
    """The factor for η after t of T = `steps` steps, a number: half a cosine wave, from 1 to 0.

    This t counts the steps that have been taken, and is t - 1 in (7). ValueError unless it lies in
    [0, T]: beyond, the rate would rise again.
    """
    steps = checks.whole_number(steps, "steps", least=1, most=2**53)
    t = checks.number(t, "t", f"[0, {steps}]")
    return 0.5 * (1 + math.cos(math.pi * t / steps))                                # (7)

"""Newton's method: the minimum of a smooth convex loss in some ten steps.

Why: gradient descent goes down a long valley in many small steps, and how many depends on the units
of θ. Idea: near θ the loss is nearly a paraboloid, given by its gradient g and its matrix of second
derivatives, the Hessian H. The lowest point of a paraboloid is known, so go there, and again from
there. Near the minimum every step doubles the number of right digits.

    loss(θ - s) ≈ loss(θ) - g · s + ½ s · H s           is least where
    H s = g                                                                                     (1)
    θ ← θ - t s          with the first t of 1, ½, ¼, ... for which                             (2)
    loss(θ - t s) <= loss(θ) - 10⁻⁴ t g · s             (Armijo 1966)                           (3)
    until g · s <= tol · max(1, loss)                                                           (4)

A whole step may go too far where the loss is no paraboloid; (3) shortens it then. g · s is twice
the decrease that the paraboloid promises.

H has n_θ² entries, and nobody writes them down: (1) is solved by the method of conjugate gradients
(Hestenes and Stiefel 1952), which only multiplies by H. It goes along directions p, each at right
angles to the one before in the sense p · H p' = 0, so that no length has to be corrected later. A
matrix M that is like H but easy to invert makes a few directions enough, in whatever units θ is:

    v = 0, r = g, z = M⁻¹ r, p = z         and then, until r · z is small,
    α = r · z / p · H p                                                                         (5)
    v ← v + α p        r ← r - α H p                                                            (6)
    z = M⁻¹ r          p ← z + (r · z / the r · z before) p                                     (7)

Far from the minimum the paraboloid is a guess, and its lowest point not worth many digits: `small`
means η² times the first r · z, with η = √(r · z) there, but not above 0.1 and not below 10⁻⁶
(Dembo, Eisenstat and Steihaug 1982).

H changes with θ, and an M that is no longer like it makes many directions necessary and `small` a
measure of nothing. M is made anew at θ whenever more products by H have been taken since than one M
is worth, and once more before the end is believed.

>>> import numpy
>>> def evaluate(theta):                                    # Σ exp(θ_i) - θ_i, least at 0
...     e = numpy.exp(theta)
...     return float((e - theta).sum()), e - 1, lambda v: e * v
>>> theta_hat, loss, converged = minimize(evaluate, numpy.array([1.0, -1.0]), lambda r: r, 1e-16)
>>> print(abs(theta_hat).max() < 1e-8, loss, converged)
True 2.0 True
"""

import math

from gdl_numpy.numerics.backend import array_module


def minimize(evaluate, theta, precondition, tol, max_steps=100, enough=0.0, look=None, renew=None,
             worth=0):
    """θ̂ (n_θ,) from a start theta, the loss there, and whether the steps have come to their end.

    `evaluate(theta)` gives the loss, a float, its gradient (n_θ,), and the function v -> H v.
    `precondition` is r -> M⁻¹ r, `enough` what a direction must add to g · s for another one to be
    worth its product. `look(step)` sees every step s before it is taken, says whether s is small
    enough for an end, and may raise an error where going on along -s would never end.
    `renew(theta)` makes another r -> M⁻¹ r, of an M like H there, and costs as much as `worth`
    products by H. The end is (4), or that rounding hides every decrease and the steps no longer
    become smaller. ValueError where the loss is NaN or infinite, or curves downwards.
    """
    rounding, products, used = float(array_module(theta).finfo(theta.dtype).eps), 0, 0

    def counted(v):
        nonlocal products
        products += 1
        return product(v)

    def step_from_here():
        step = conjugate_gradient(counted, gradient, precondition, enough)                  # (1)
        promised = float((step * gradient).sum())
        small = look is None or look(step)
        return step, promised, small, small and promised <= tol * max(1.0, loss)            # (4)

    loss, gradient, product = evaluate(theta)
    if not math.isfinite(loss):
        raise ValueError(f"the loss at the start is {loss}: Newton's method needs a finite one")
    last, blind = math.inf, 0                               # promise before; steps unseen by loss
    for _ in range(max_steps):
        if renew and products - used > worth:
            precondition, used = renew(theta), products
        before = products
        step, promised, small, ended = step_from_here()
        if ended and renew and used < before and products > worth:      # M is of a θ before this
            precondition, used = renew(theta), products
            step, promised, small, ended = step_from_here()
        if ended:
            return theta, loss, True
        blur = 8 * rounding * max(1.0, abs(loss))           # of the difference of two losses
        for halvings in range(40):
            shorter = theta - 0.5**halvings * step                                          # (2)
            new_loss, gradient, product = evaluate(shorter)
            if new_loss <= loss - 1e-4 * 0.5**halvings * promised + blur:                   # (3)
                break
        hidden = promised <= 1e5 * blur                     # what (3) asks for cannot be seen
        blind += not new_loss < loss
        if not new_loss < loss and not (
                hidden and (promised < 0.5 * last or not small and blind < 500)):
            return theta, loss, hidden                      # else g is not the loss's gradient
        theta, loss, last = shorter, new_loss, promised
    return theta, loss, False


def conjugate_gradient(product, b, precondition, enough=0.0):
    """A v (n_θ,) with product(v) ≈ b, the closer the smaller b is.

    `product` multiplies by a symmetric matrix without negative eigenvalues, `precondition` by
    something like its inverse, M⁻¹. It stops once r · M⁻¹ r, the size of the residual r, is small,
    or a direction has added no more than `enough` to b · v, whatever M is. ValueError if b is not
    finite, M⁻¹ has a negative eigenvalue, or the first direction no positive curvature.
    """
    v = 0 * b
    residual, z = b, precondition(b)
    direction, size = z, float((b * z).sum())
    if not 0 <= size < math.inf:
        raise ValueError(f"r · M⁻¹ r must lie in [0, inf), got {size} for the right side r")
    small, added = size * min(0.1, max(1e-6, math.sqrt(abs(size))))**2, math.inf
    for i in range(2 * len(b)):                             # rounding makes it more than n_θ
        if not (size > small and added > enough):
            break
        image = product(direction)
        curvature = float((direction * image).sum())
        if not curvature > 0:                               # from the second on this is rounding
            if i == 0:
                raise ValueError("the matrix must curve upwards along every direction, got "
                                 f"p · A p = {curvature:.3g} for the first direction p")
            break
        length = size / curvature                                                           # (5)
        added = length * size
        v = v + length * direction                                                          # (6)
        residual = residual - length * image
        z = precondition(residual)                                                          # (7)
        old, size = size, float((residual * z).sum())
        direction = z + size / old * direction
    return v

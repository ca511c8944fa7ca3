"""Newton's method: the minimum of a smooth convex loss in some ten steps.

Gradient descent goes down a long valley in many small steps, and how many depends on the units of
θ. The idea: near θ the loss is nearly a paraboloid, given by its gradient g and its matrix H of
second derivatives, the Hessian. The lowest point of a paraboloid has a formula, so go there, and do
the same again. Near the minimum every step doubles the number of right digits. For a step s

    loss(θ - s) ≈ loss(θ) - g · s + ½ s · H s

whose derivative in s is H s - g. Where it is 0, the right side is loss(θ) - ½ g · s. So

    H s = g                                         the step to the lowest point                 (1)
    end if  g · s <= tol · max(1, loss)             the step would gain half of g · s            (2)
    θ ← θ - t s                                     t is 1, or ½, ¼, ... until (4) holds,        (3)
    loss(θ - t s) <= loss(θ) - 10⁻⁴ t g · s         as a whole step may go too far (Armijo 1966) (4)

H has n_θ² entries and is never written down. (1) is solved by the method of conjugate gradients
(Hestenes and Stiefel 1952), which only multiplies by H. It looks for the lowest point v of the
paraboloid ½ v · H v - b · v, here with b = g, along one direction p after the other; r = b - H v is
minus its gradient. Directions with p · H p' = 0 do not disturb each other: what was gained along
one stays gained along the next, so n_θ of them would do. With a matrix M that is like H but easy to
invert, a few will do, whatever the units of θ; if M is H, the first p = M⁻¹ b is the solution. From
v = 0, r = b and p = z = M⁻¹ r on, until r · z is small,

    α = (r · z)/(p · H p)                           the lowest point along p                     (5)
    v ← v + α p        r ← r - α H p                                                             (6)
    z ← M⁻¹ r          p ← z + (r · z)/(r · z before) p         so that p · H p' = 0             (7)

Far from the minimum the paraboloid is only a guess, and its lowest point is not worth many digits.
So the steps along p end early there: once √(r · z) is down to a share ρ of its first value, where ρ
is that first value itself, but at most 0.1 and at least 10⁻⁶ (Dembo et al. 1982).

By hand: exp(θ) - θ is least at θ = 0. With g = exp(θ) - 1 and H = exp(θ) a step leads from θ to
θ - 1 + exp(-θ), near 0 about ½ θ²: each step leaves half the square of the distance to 0.

>>> import numpy
>>> def evaluate(theta):
...     e = numpy.exp(theta)
...     return float((e - theta).sum()), e - 1, lambda v: e * v
>>> [f"{minimize(evaluate, numpy.array([1.0]), lambda r: r, 1e-30, n)[0][0]:.0e}" for n in range(6)]
['1e+00', '4e-01', '6e-02', '2e-03', '2e-06', '1e-12']

See tests/numerics/test_newton.py (that it holds).
"""

import math

from gdl_numpy.numerics import checks
from gdl_numpy.numerics.backend import array_module


def minimize(evaluate, theta, precondition, tol, max_steps=100, enough=0.0, look=None, renew=None,
             worth=0):
    """θ̂ (n_θ,) from a start theta, the loss there, and whether the steps have come to their end.

    `evaluate(theta)` gives the loss, a float, its gradient (n_θ,), and the function v -> H v.
    `precondition` is r -> M⁻¹ r. The end is (2), or that rounding hides every decrease and the
    steps no longer become smaller. ValueError where the loss is NaN, infinite or curves downward.

    What follows may be ignored at first. `enough` is what a direction must add to g · s for another
    one to be worth its product. `look(step)` sees every step s before it is taken, says whether s
    is small enough for an end, and may raise an error where going on along -s would never end.
    As θ moves, M may no longer be like H; then many directions are needed, and a small r · z says
    nothing. `renew(theta)` makes another r -> M⁻¹ r, of an M like H at θ, and costs as much as
    `worth` products by H. It is called when more products than that were taken since the last M,
    and once more before the end is believed.
    """
    theta = checks.one_axis(checks.real_array(theta, "theta"), None, "theta").copy()
    checks.function(evaluate, "evaluate"), checks.function(precondition, "precondition")
    checks.function(look, "look", optional=True), checks.function(renew, "renew", optional=True)
    tol, enough = checks.number(tol, "tol"), checks.number(enough, "enough")
    max_steps = checks.whole_number(max_steps, "max_steps")
    worth = checks.number(worth, "worth", "[0, inf)")
    rounding, products, used = float(array_module(theta).finfo(theta.dtype).eps), 0, 0

    def counted(v):
        nonlocal products
        products += 1
        return product(v)

    def step_from_here():
        step = conjugate_gradient(counted, gradient, precondition, enough)                  # (1)
        promised = float((step * gradient).sum())
        small = look is None or look(step)
        return step, promised, small, small and promised <= tol * max(1.0, loss)            # (2)

    loss, gradient, product = evaluate(theta)
    if not math.isfinite(loss):
        raise ValueError(f"the loss at the start is {loss}: Newton's method needs a finite one")
    last, blind = math.inf, 0                               # promise before; steps without a gain
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
            shorter = theta - 0.5**halvings * step                                          # (3)
            new_loss, gradient, product = evaluate(shorter)
            if new_loss <= loss - 1e-4 * 0.5**halvings * promised + blur:                   # (4)
                break
        hidden = promised <= 1e5 * blur                     # what (4) asks for cannot be seen
        blind += not new_loss < loss
        if not new_loss < loss and not (
                hidden and (promised < 0.5 * last or not small and blind < 500)):
            return theta, loss, hidden                      # if not hidden, g is not the gradient
        theta, loss, last = shorter, new_loss, promised
    return theta, loss, False


def conjugate_gradient(product, b, precondition, enough=0.0):
    """A v (n_θ,) with product(v) ≈ b; the smaller b is, the more of its digits are right.

    `product` multiplies by a symmetric matrix without negative eigenvalues, `precondition` by
    something like its inverse, M⁻¹. It stops once r · M⁻¹ r, the size of the residual r, is small,
    or a direction has added no more than `enough` to b · v. ValueError if b is not finite, M⁻¹ has
    a negative eigenvalue, or the matrix does not curve upward along the first direction.

    Why the factors are those of (5) and (7). r is orthogonal to all directions before, since the
    lowest points along them have been reached. So p · r = z · r by (7), and the new r is orthogonal
    to p if p · (r - α H p) = 0, which is (5). Let α', p', r' and z' be those of the step before.
    Then α' H p' = r' - r by (6), and z · r' = z' · r = 0, as z' is made of directions. So

        α' z · H p' = -z · r        α' p' · H p' = r' · z'        α' p · H p' = 0 for the p of (7)
    """
    v = 0 * b
    residual, z = b, precondition(b)                        # r, z
    direction, size = z, float((b * z).sum())               # p, r · z
    if not 0 <= size < math.inf:
        raise ValueError(f"r · M⁻¹ r must lie in [0, inf), got {size} for the right side r")
    small, added = size * min(0.1, max(1e-6, math.sqrt(abs(size))))**2, math.inf
    for i in range(2 * len(b)):                             # rounding makes it more than n_θ
        if not (size > small and added > enough):
            break
        image = product(direction)                          # H p
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

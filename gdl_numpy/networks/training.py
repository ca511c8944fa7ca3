"""Training: minimise a loss by steps on rows drawn at random, for models without a formula for θ̂.

The loss is a mean over the rows of the data; a mean over a few of them, drawn at random, has the
same expectation and costs little. Its gradient is noisy, and the noise is averaged away in two
ways: the steps become smaller towards the end, and θ itself may be averaged over the last steps
(Polyak and Juditsky 1992, here with weights that fade):

    rows ~ uniform, `batch` of them         η_t = η ½ (1 + cos(π t / max_steps))
    θ ← Adam(θ, ∂loss(θ; rows))             θ̄ = Σ_s a^(t-s) θ_s / Σ_s a^(t-s)

More data than there are can be had by changing those drawn a little: `augment`.
"""

from gdl_numpy.numerics import checks
from gdl_numpy.numerics.optimizer import Adam, Step, half_cosine


def starting_theta(family, theta, rng, X):
    """The θ at which a training on X begins, (n_θ,), in the module and precision of X: a random one
    if theta is None, else a copy of it."""
    checks.rng(rng), checks.offers(family, "family", "initial_theta")
    X = checks.real_array(X, "X", finite=False)
    if theta is None:
        return family.initial_theta(rng, X.dtype)
    theta = checks.real_array(theta, "theta", like=X)
    return checks.theta_shape(theta, family.n_parameters).copy()


class Average:
    """θ̄ of all θ that it has been called with, the last ones counting most; for a = 0 the last.

    ValueError unless 0 <= a < 1.
    """

    def __init__(self, a):
        self.a, self.sum, self.weight = checks.number(a, "averaging", "[0, 1)"), 0.0, 0.0

    def __call__(self, theta):
        checks.theta_shape(theta)
        if self.weight > 0:
            checks.gradient(theta, self.sum, "theta", "the one before")
        if self.a == 0:
            return theta
        self.sum, self.weight = self.a * self.sum + theta, self.a * self.weight + 1
        return self.sum / self.weight


def minibatches(data, rng, batch, max_steps, augment=None):
    """For each of `max_steps` steps its number t and `batch` random rows of each array in `data`.

    `augment(rows, rng)` changes those of the first array; that they stay finite and in the model's
    space nobody checks, as this would wait for a device.
    """
    checks.rng(rng), checks.function(augment, "augment", optional=True)
    batch = checks.whole_number(batch, "batch", least=1)
    max_steps = checks.whole_number(max_steps, "max_steps", least=1)
    batch = min(batch, len(checks.equally_many(data)[0]))

    def drawn():
        for t in range(max_steps):
            i = rng.integers(0, len(data[0]), size=batch)
            rows = [array[i] for array in data]
            if augment is not None:
                rows[0] = augment(rows[0], rng)
            yield t, rows

    return drawn()                                          # a wrong argument is refused before


def train(loss, theta, data, rng, learning_rate=1e-3, batch=512, max_steps=2000, averaging=0.0,
          augment=None, optimizer=None):
    """Yields a Step after each step: its number, the loss of its rows, and θ̄, usable at any time.

    `loss(theta, *rows)` gives the loss and its gradient (n_θ,) for rows of the arrays in `data`;
    `augment` is that of `minibatches`, `averaging` is a, 0 for no average. An `optimizer` brings
    its own η, which then stays as it is.
    """
    average, batches = Average(averaging), minibatches(data, rng, batch, max_steps, augment)
    adam, falling = Adam(learning_rate), optimizer is None
    optimizer = checks.function(adam if falling else optimizer, "optimizer")
    checks.function(loss, "loss")
    theta = checks.theta_shape(checks.real_array(theta, "theta", like=data[0]).copy())

    def steps(theta):
        for t, rows in batches:
            if falling:
                optimizer.learning_rate = learning_rate * half_cosine(t, max_steps)
            value, dtheta = loss(theta, *rows)
            theta = optimizer(theta, dtheta)
            yield Step(t, checks.one_number(value, "loss"), average(theta))

    return steps(theta)

"""Training: minimize a loss by steps on a few rows at a time, for models without a formula for θ̂.

A network that is to learn the land of the map needs thousands of steps, and there are thousands of
points to learn from. To pass all of them through it in every step is a waste. A loss is a mean over
rows, and so is its gradient. So a few rows, drawn at random, give nearly the same gradient, and on
average exactly the same. What they add is noise, which never lets θ come to rest.

Two things calm this noise. The steps become smaller towards the end. And θ itself is averaged over
the last steps, since noise that pushes θ to and fro cancels in a mean; the weights of the average
fade into the past (those of Polyak and Juditsky 1992 are equal).

One more thing helps where a single point can upset a training: as an option, a gradient that is
longer than a number c is cut to that length (Pascanu et al. 2013). At the steps t = 0, ..., T - 1,
where T is `max_steps`, with a learning rate that begins as η, and a factor a < 1 for the fading,

    rows = `batch` rows of the data, each one drawn uniformly                                (1)
    ∂θ   = ∂loss(θ; rows)/∂θ                        of the length |∂θ|; with a c,
    ∂θ   ← ∂θ min(1, c/|∂θ|)                                                                 (2)
    η_t  = η ½ (1 + cos(π t/T))                     from η down to nearly 0                  (3)
    θ    ← Adam(θ, ∂θ) with η_t                     θ_t is θ after this step                 (4)
    θ̄_t  = (θ_t + a θ_{t-1} + ... + a^t θ_0)/(1 + a + ... + a^t)                             (5)

The numerator and the denominator of θ̄ are sums s and w that are kept from step to step:

    s ← a s + θ_t,   w ← a w + 1                    both 0 at first                          (6)
    θ̄_t = s/w                                                                                (7)

By hand: with a = ½, the average of θ_0 = 0 and θ_1 = 3 is (3 + ½ 0)/(1 + ½) = 2. And the mean of
½ (θ - x)² over the rows 1, 2 and 6 is least at 3, which steps on one row each nearly find:

>>> import numpy
>>> average = Average(0.5)
>>> print(average(numpy.array([0.0])), average(numpy.array([3.0])))
[0.] [2.]
>>> def loss(theta, X):
...     return (0.5 * (theta - X)**2).mean(), (theta - X).mean(axis=0)
>>> X, rng = numpy.array([[1.0], [2.0], [6.0]]), numpy.random.default_rng(0)
>>> *_, step = train(loss, numpy.zeros(1), (X,), rng, 0.1, batch=1, averaging=0.99)
>>> print(step.theta.round())
[3.]

How can a point upset a training? If the model thinks it nearly impossible, its gradient may be a
thousand times as long as usual. The square is a million times the usual one. Of that, Adam's mean
of squares v takes the share 1 - β2 = 0.001 (optimizer.py), so that v grows a thousandfold. As Adam
divides by √v, the next steps are √1000 = 32 times too short. v falls by a factor e in 1/(1 - β2)
steps, 1000 with Adam's usual β2 = 0.999 and 50 with 0.98. The price of a cut: the mean of cut
gradients is no longer quite the gradient of the loss.

`augment` changes the rows that are drawn a little, so that a network seldom sees one twice.

See figure_1_10_taxonomy (what models trained so draw) and tests/networks/test_training.py (that it
holds).
"""

from gdl_numpy.numerics import checks
from gdl_numpy.numerics.backend import array_module
from gdl_numpy.numerics.optimizer import Adam, Step, half_cosine


def minibatches(data, rng, batch, max_steps, augment=None):
    """For each of `max_steps` steps its number t and `batch` random rows of each array in `data`.

    The arrays have equally many rows, and the same ones are drawn of each. `augment(rows, rng)`
    changes those of the first. Whether they stay finite and in the model's space is not checked:
    that would wait for a device.
    """
    checks.rng(rng), checks.function(augment, "augment", optional=True)
    batch = checks.whole_number(batch, "batch", least=1)
    max_steps = checks.whole_number(max_steps, "max_steps", least=1)
    batch = min(batch, len(checks.equally_many(data)[0]))

    def drawn():
        for t in range(max_steps):
            i = rng.integers(0, len(data[0]), size=batch)                                   # (1)
            rows = [array[i] for array in data]
            if augment is not None:
                rows[0] = augment(rows[0], rng)
            yield t, rows

    return drawn()                                          # a wrong argument is refused before


def train(loss, theta, data, rng, learning_rate=1e-3, batch=512, max_steps=2000, averaging=0.0,
          augment=None, optimizer=None, clip=None, beta2=0.999):
    """Yields a Step after each step: t, the loss of its rows, and θ̄_t, usable at any time.

    `loss(theta, *rows)` gives the loss and its gradient (n_θ,) for rows of the arrays in `data`;
    `theta` (n_θ,) is where it starts, or a function of nothing that draws it, which is called when
    all other arguments have been found right: what is refused leaves rng as it was. `averaging` is
    a, 0 for no average; `augment` is that of `minibatches`; `clip` is c, None for gradients as they
    are; `beta2` is Adam's β2. An `optimizer` takes the place of Adam; then its own learning rate
    stays as it is, and `beta2` is not used.
    """
    average, batches = Average(averaging), minibatches(data, rng, batch, max_steps, augment)
    adam, falling = Adam(learning_rate, beta2=beta2), optimizer is None
    clip = checks.number(clip, "clip", "[1e-30, 1e30]", optional=True)      # of a float32
    optimizer = checks.function(adam if falling else optimizer, "optimizer")
    checks.function(loss, "loss")
    start = theta() if callable(theta) else theta
    theta = checks.theta_shape(checks.real_array(start, "theta", like=data[0]).copy())
    xp = array_module(theta)

    def steps(theta):
        for t, rows in batches:
            value, dtheta = loss(theta, *rows)
            if clip is not None:
                dtheta = checks.gradient(dtheta, theta)
                length = xp.sqrt(xp.vdot(dtheta, dtheta))   # on a device nothing waits for it
                dtheta = dtheta * (clip / xp.maximum(length, clip))                         # (2)
            if falling:
                optimizer.learning_rate = learning_rate * half_cosine(t, max_steps)         # (3)
            theta = optimizer(theta, dtheta)                                                # (4)
            yield Step(t, checks.one_number(value, "loss"), average(theta))                 # (5)

    return steps(theta)


class Average:
    """θ̄ of all θ that it has been called with, the last ones counting most; for a = 0 the last.

    ValueError unless a lies in [0, 1).
    """

    def __init__(self, a):
        self.a, self.sum, self.weight = checks.number(a, "averaging", "[0, 1)"), None, 0.0

    def __call__(self, theta):
        checks.theta_shape(theta)
        if self.sum is not None:
            checks.gradient(theta, self.sum, "theta", "the one before")
        if self.a == 0:
            return theta.copy()
        if self.sum is None:
            self.sum = array_module(theta).zeros_like(theta)
        self.sum *= self.a
        self.sum += theta
        self.weight = self.a * self.weight + 1                                              # (6)
        return self.sum / self.weight                                                       # (7)


def starting_theta(family, theta, rng, X):
    """The θ at which a family's training on X begins, (n_θ,), in the module and precision of X: a
    random one if theta is None, else a copy of it."""
    checks.rng(rng), checks.offers(family, "family", "initial_theta")
    X = checks.real_array(X, "X", finite=False)
    if theta is None:
        return family.initial_theta(rng, X.dtype)
    theta = checks.real_array(theta, "theta", like=X)
    return checks.theta_shape(theta, family.n_parameters).copy()

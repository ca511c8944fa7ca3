"""Time the classifiers against scikit-learn and PyTorch.

    pip install -e '.[benchmark]' && pip install torch==2.13.0
    python scripts/benchmark_discriminative.py

It writes its report into figures/benchmark_discriminative.json. How it is measured stands in
benchmark.py. Softmax regression is fitted from start to end, each side to its own stopping rule,
both within 1e-7 nats of the minimum of the loss; the difference is by how much our loss is larger.
The network classifier takes the same steps as PyTorch on the same batches from the same start, by
Adam; scikit-learn's has its own start and batches, so there only the cost of a step compares.
"""

from itertools import pairwise

import command  # noqa: F401, it says what is missing
import numpy as np
from benchmark import Case, main, relative

from gdl_numpy.labels.discriminative import NetworkClassifierFamily
from gdl_numpy.labels.logistic import SoftmaxFamily
from gdl_numpy.networks.network import cut
from gdl_numpy.numerics.optimizer import Adam

N, D, K, L2 = 100_000, 50, 10, 1e-4                         # softmax regression
SIZES, BATCH, STEPS, RATE = (50, 128, 128, 10), 512, 300, 1e-3          # network classifier


def data(dtype=float):
    rng = np.random.default_rng(0)
    X = rng.standard_normal((N, D))
    a = X @ (0.5 * rng.standard_normal((D, K)))
    return X.astype(dtype), (a + rng.gumbel(size=a.shape)).argmax(axis=1)      # y ~ softmax(a)


def softmax():
    X, y = data()
    family = SoftmaxFamily(D, K, L2)

    def run():
        return family.loss(family.mle(X, y, tol=1e-8), X, y)[0]
    return run


def softmax_sklearn():
    from sklearn.linear_model import LogisticRegression
    X, y = data()
    model = LogisticRegression(C=1 / (N * L2), tol=1e-5, max_iter=1000)
    family = SoftmaxFamily(D, K, L2)

    def run():
        model.fit(X, y)
        return family.loss(np.concatenate([model.coef_.T.ravel(), model.intercept_]), X, y)[0]
    return run


def no_worse(ours, theirs):
    """By how many nats per row our loss is larger, 0 if it is not."""
    return max(0.0, ours - theirs)


def network_start():
    X, y = data(np.float32)
    family = NetworkClassifierFamily(SIZES)
    rng = np.random.default_rng(1)
    return X, y, family, family.initial_theta(rng, np.float32), rng.integers(0, N, (STEPS, BATCH))


def network():
    X, y, family, start, batches = network_start()

    def run():
        theta, adam = start, Adam(RATE)
        for rows in batches:
            _, dtheta = family.loss(theta, X[rows], y[rows])
            theta = adam(theta, dtheta)
        return family.loss(theta, X, y)[0]
    return run


def network_torch():
    """The same network, batches and optimizer in PyTorch, eager."""
    import torch
    from torch.nn import Linear, ReLU, Sequential
    X, y, family, start, batches = network_start()
    X_t, y_t, batches = torch.from_numpy(X), torch.from_numpy(y), torch.from_numpy(batches)

    def run():
        net = Sequential(Linear(50, 128), ReLU(), Linear(128, 128), ReLU(), Linear(128, 10))
        layers = [layer for layer in net if isinstance(layer, Linear)]
        with torch.no_grad():
            for layer, (W, b) in zip(layers, cut(start, SIZES), strict=True):
                layer.weight.copy_(torch.from_numpy(W.T.copy()))
                layer.bias.copy_(torch.from_numpy(b.copy()))
        adam = torch.optim.Adam(net.parameters(), lr=RATE)
        for rows in batches:
            adam.zero_grad()
            torch.nn.functional.cross_entropy(net(X_t[rows]), y_t[rows]).backward()
            adam.step()
        with torch.no_grad():
            theta = torch.cat([p for layer in layers
                               for p in (layer.weight.T.reshape(-1), layer.bias)]).numpy()
        return family.loss(theta, X, y)[0]
    return run


def network_sklearn():
    """scikit-learn's own start and batches, as many rows: its loss may differ a little."""
    from sklearn.neural_network import MLPClassifier
    X, y, family, _, _ = network_start()
    X_seen, y_seen = X[:STEPS * BATCH // 2], y[:STEPS * BATCH // 2]

    def run():
        import warnings
        model = MLPClassifier(SIZES[1:-1], batch_size=BATCH, max_iter=2, learning_rate_init=RATE,
                              alpha=0, random_state=0)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")                 # it did not converge: it was not to
            model.fit(X_seen, y_seen)
        theta = np.concatenate([part.ravel() for W, b in
                                zip(model.coefs_, model.intercepts_, strict=True)
                                for part in (W, b)]).astype(np.float32)
        return family.loss(theta, X, y)[0]
    return run


SOFTMAX = {"rows": N, "features": D, "classes": K, "l2": L2}
PRODUCTS = [d_in * d_out for d_in, d_out in pairwise(SIZES)]
OPERATIONS = 2 * BATCH * (3 * sum(PRODUCTS) - PRODUCTS[0])  # of a step, see benchmark_network.py
NETWORK = {"sizes": list(SIZES), "batch": BATCH, "steps": STEPS}
CASES = [
    Case("softmax_regression", SOFTMAX, "float64", "sklearn.LogisticRegression", "lbfgs, tol 1e-5",
         1, 1e-7, no_worse, softmax, softmax_sklearn),
    Case("network_classifier", NETWORK, "float32", "torch.nn", "eager, Adam, same steps", 1,
         1e-3, relative, network, network_torch, STEPS, operations=OPERATIONS),
    Case("network_classifier", NETWORK, "float32", "sklearn.MLPClassifier", "adam, as many rows", 1,
         0.1, relative, network, network_sklearn, STEPS, operations=OPERATIONS),
]

if __name__ == "__main__":
    main(CASES, __doc__, "benchmark_discriminative.json",
         ("numpy", "scipy", "scikit-learn", "torch"))

"""Two guards for a package that must run on CuPy and is tested where there is none.

The first reads the source, of the package and of the scripts that make figures: each
`xp.name(...)` and `rng.name(...)` must be there in CuPy and be called with parameters it has. The
second is the stand-in for CuPy, under which the other tests run; here it is shown to refuse what it
promises to refuse. What it promises of CuPy itself is asked of CuPy too, where a GPU is found
(fixture `device`); what is stricter than CuPy, or counts, is asked of the stand-in alone (fixture
`stand_in`).
"""

import ast
import copy
import math
import sys
from pathlib import Path

import numpy
import pytest
import snapshot_cupy
import stand_in_cupy
from stand_in_cupy import NAMES, check_call, counted

from gdl_numpy.numerics.backend import array_module, random_generator, to_numpy

ROOT = Path(__file__).resolve().parent.parent
ON_HOST = "benchmark_", "check_gpu"                         # scripts that use NumPy alone as well
REFUSED = (TypeError, AttributeError, NotImplementedError, ValueError, IndexError)


# The static check

ROOTS = {"xp": "", "rng": "random.Generator."}
METHODS = {name.removeprefix("ndarray.") for name in NAMES if name.startswith("ndarray.")}


def gives_module(node):
    """Whether `node` is a call of array_module."""
    return (isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
            and node.func.id == "array_module")


def path_of(node):
    """The name in the snapshot: linalg.inv for `xp.linalg.inv` or `array_module(X).linalg.inv`,
    random.Generator.random for `rng.random`; None for what begins otherwise."""
    words = []
    while isinstance(node, ast.Attribute):
        words.append(node.attr)
        node = node.value
    root = "xp" if gives_module(node) else getattr(node, "id", None)
    return ROOTS[root] + ".".join(reversed(words)) if words and root in ROOTS else None


def exists(path):
    """Whether CuPy has `path`; of what is NumPy's own (xp.float64) every attribute exists."""
    heads = [path[:i] for i, letter in enumerate(path) if letter == "."]
    return (path in NAMES or path == "__name__" or any(n.startswith(path + ".") for n in NAMES)
            or any(NAMES.get(head) == "numpy" for head in heads))


def call_complaint(call):
    """What CuPy would say to the arguments of `call`, None if nothing."""
    path = path_of(call.func)
    keywords = {k.arg: None for k in call.keywords if k.arg}
    if path is None:
        method = isinstance(call.func, ast.Attribute) and call.func.attr in METHODS
        if method and keywords.keys() & {"where", "initial"}:
            return f".{call.func.attr}() of a CuPy array has neither where= nor initial="
    elif NAMES.get(path) not in (None, "numpy"):
        stars = (any(isinstance(x, ast.Starred) for x in call.args)
                 or len(keywords) < len(call.keywords))
        values = [x for x in call.args if not isinstance(x, ast.Starred)]
        receiver = [None] if path.startswith(ROOTS["rng"]) else []
        try:
            check_call(path, receiver + values, keywords, partial=stars)
        except TypeError as error:
            return str(error)


def blind_spots(tree):
    """Where the result of array_module gets another name than xp, so that its use is not seen."""
    for node in (n for n in ast.walk(tree) if isinstance(n, ast.Assign)):
        for target in node.targets:
            pairs = [(target, node.value)]
            if isinstance(target, ast.Tuple) and isinstance(node.value, ast.Tuple):
                pairs = zip(target.elts, node.value.elts, strict=False)
            for name, value in pairs:
                if gives_module(value) and getattr(name, "id", None) != "xp":
                    yield value


def complaints(source):
    """What CuPy would refuse in `source`, one line for each."""
    tree = ast.parse(source)
    found = [(node, "the result of array_module must be named xp") for node in blind_spots(tree)]
    for node in ast.walk(tree):
        path = path_of(node)
        if path and not exists(path):
            found.append((node, f"CuPy has no {path}"))
        if isinstance(node, ast.Call) and (complaint := call_complaint(node)):
            found.append((node, complaint))
    return [f"line {node.lineno}: {complaint}" for node, complaint in found]


@pytest.mark.parametrize("module", [
    *sorted((ROOT / "gdl_numpy").rglob("*.py")),
    *(path for path in sorted((ROOT / "scripts").glob("*.py")) if not path.stem.startswith(ON_HOST))
], ids=lambda path: str(path.relative_to(ROOT)))
def test_package_and_scripts_call_only_what_cupy_has(module):
    assert complaints(module.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize("source", [
    "xp.geomspace(1, 2, 3)",
    "f = xp.vecdot",
    "xp.linalg.vector_norm(X)",
    "xp.random.sobol(3)",
    "with xp.errstate(all='ignore'): pass",
    "xp.maximum.reduce(X)",
    "xp.logaddexp.reduce(X)",
    "rng.normal(0, 1, 10)",
    "rng.choice(10)",
    "array_module(X).geomspace",
    "rng.permutation(10)",
])
def test_a_name_that_cupy_lacks_is_reported(source):
    assert len(complaints(source)) == 1


@pytest.mark.parametrize("source", [
    "xp.sum(X, where=X > 0)",
    "array_module(X).sum(X, where=X > 0)",
    "xp.max(X, initial=0)",
    "xp.log(X, where=X > 0)",
    "X.sum(axis=0, where=X > 0)",
    "(X - mu).max(initial=0.0)",
    "xp.clip(X, min=0)",
    "xp.clip(X, 0)",
    "xp.linalg.cholesky(S, upper=True)",
    "xp.linalg.solve(S)",
    "xp.searchsorted(c, u, right=True)",
    "xp.exp(X, Y, Z)",
    "xp.sqrt(*X, order='C')",
    "xp.add.at(a, i, v, 1)",
    "rng.random(3, size=3)",
    "rng.standard_normal(loc=0)",
    "rng.integers()",
])
def test_arguments_that_cupy_does_not_take_are_reported(source):
    assert len(complaints(source)) == 1


@pytest.mark.parametrize("source", [
    "module = array_module(X)",
    "self.module = array_module(X)",
    "k, xp = array_module(X), 1",
])
def test_a_module_that_is_not_called_xp_is_reported(source):
    assert len(complaints(source)) == 1


@pytest.mark.parametrize("source", [
    "xp, k = array_module(X), self.k",
    "xp = array_module(x)\nxp.exp(x, out=x)",
    "xp.add.at(a, i, -v)",
    "exp = array_module(X).exp",
    "array_module(cdf).searchsorted(cdf, u, side='right').clip(0, k - 1)",
    "xp.zeros((n, d), dtype=xp.float64)",
    "xp.finfo(X.dtype).eps + xp.pi",
    "xp.float64.itemsize",
    "xp.concatenate([*parts], axis=1)",
    "xp.meshgrid(*axes, indexing='ij')",
    "xp.sum(X, **options)",
    "xp.copyto(X, 0, where=mask)",
    "rng.random((n, d)) + rng.standard_normal(n, dtype=X.dtype)",
    "numpy.geomspace(1, 2, 3)",
    "train(theta, initial=2)",
    "isinstance(rng, xp.random.Generator)",
])
def test_what_cupy_has_is_not_reported(source):
    assert complaints(source) == []


# The snapshot of CuPy's names that both guards read

def test_the_snapshot_script_needs_cupy_and_says_so(monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "cupy", None)
    assert snapshot_cupy.main([]) == 2
    assert capsys.readouterr().err.count("\n") == 1


def test_parameters_are_written_as_they_were_declared():
    def function(a, /, b, *rest, c: int = 1, d=float, **others):
        """_base.function(self, Py_ssize_t a, int b=-1, order='C') -> _base"""

    assert snapshot_cupy.parameters(function) == "a, /, b, *rest, c=1, d=..., **others"
    assert snapshot_cupy.parameters(lambda *, a, b=None: a) == "*, a, b=None"
    assert snapshot_cupy.from_docstring(function) == "self, a, b=-1, order='C'"
    assert snapshot_cupy.from_docstring(snapshot_cupy.main) is None


# The stand-in: what it refuses

@pytest.fixture
def stand_in(monkeypatch):
    monkeypatch.setitem(sys.modules, "cupy", stand_in_cupy)
    return stand_in_cupy


def refused(action, *arguments):
    with pytest.raises(REFUSED):
        action(*arguments)
    return True


HOST = numpy.arange(3.0)


@pytest.mark.parametrize("action", [
    lambda xp, x: numpy.asarray(x),
    lambda xp, x: numpy.array([x, x]),
    lambda xp, x: HOST + x,
    lambda xp, x: x * HOST,
    lambda xp, x: x @ HOST,
    lambda xp, x: x < HOST,
    lambda xp, x: x + numpy.array(1.0),
    lambda xp, x: x.__iadd__(HOST),
    lambda xp, x: HOST.copy().__iadd__(x),
    lambda xp, x: x + [1.0, 2.0, 3.0],
    lambda xp, x: xp.exp(HOST),
    lambda xp, x: xp.exp([1.0, 2.0]),
    lambda xp, x: xp.sum([1.0, 2.0]),
    lambda xp, x: xp.maximum(x, HOST),
    lambda xp, x: xp.where(x > 1, HOST, x),
    lambda xp, x: xp.where(True, x, x),
    lambda xp, x: xp.concatenate([x, HOST]),
    lambda xp, x: xp.lexsort((x, x)),
    lambda xp, x: xp.linalg.inv(numpy.eye(2)),
    lambda xp, x: xp.asarray([x[0], 1.0]),
    lambda xp, x: x.__setitem__(slice(2), HOST[:2]),
    lambda xp, x: x.__setitem__(slice(2), [1.0, 2.0]),
])
def test_mixing_host_and_device_arrays_is_refused(device, action):
    assert refused(action, device, device.asarray(HOST))


@pytest.mark.parametrize("action", [
    lambda xp, x: numpy.sum(x),
    lambda xp, x: numpy.exp(x),
    lambda xp, x: numpy.concatenate([x, x]),
    lambda xp, x: numpy.linalg.norm(x),
    lambda xp, x: x == numpy.array(1.0),
    lambda xp, x: x[numpy.array([0, 1])],
    lambda xp, x: x[numpy.array([True, False, True])],
    lambda xp, x: x.__setitem__(x > 1, HOST[:1]),
    lambda xp, x: x.__setitem__(xp.asarray([0, 0]), xp.asarray([1.0, 2.0])),
    lambda xp, x: xp.add.at(x, xp.asarray([0]), HOST[:1]),
    lambda xp, x: xp.add.at(xp.arange(3), xp.asarray([0]), 1),
    lambda xp, x: x[:xp.asarray(2)],
    lambda xp, x: xp.zeros(xp.asarray(3)),
])
def test_what_cupy_forgives_but_the_package_avoids_is_refused(stand_in, action):
    assert refused(action, stand_in, stand_in.asarray(HOST))


@pytest.mark.parametrize("action", [
    lambda xp, x: xp.sum(x, where=x > 1),
    lambda xp, x: xp.log(x, where=x > 1),
    lambda xp, x: x.max(initial=0),
    lambda xp, x: x.sum(where=x > 1),
    lambda xp, x: xp.clip(x, min=0),
    lambda xp, x: xp.maximum.reduce(x),
    lambda xp, x: xp.maximum.accumulate(x),
    lambda xp, x: xp.logaddexp.reduce(x),
    lambda xp, x: xp.multiply.at(x, xp.asarray([0]), 2.0),
    lambda xp, x: xp.subtract.at(x, xp.asarray([0]), 2.0),
    lambda xp, x: xp.errstate(all="ignore"),
    lambda xp, x: xp.geomspace(1, 2, 3),
    lambda xp, x: xp.block([x, x]),
    lambda xp, x: xp.vecdot(x, x),
    lambda xp, x: xp.linalg.vector_norm(x),
    lambda xp, x: x.setflags(write=False),
    lambda xp, x: xp.random.default_rng(0).normal(),
    lambda xp, x: xp.random.default_rng(0).choice(3),
    lambda xp, x: xp.random.default_rng(0).permutation(3),
    lambda xp, x: xp.random.default_rng(0).shuffle(x),
    lambda xp, x: xp.random.default_rng(0).multivariate_normal(x, x),
    lambda xp, x: xp.random.default_rng(0).integers(0, x.astype(int) + 1),
    lambda xp, x: xp.searchsorted(x, [1.0]),
    lambda xp, x: xp.searchsorted(x, numpy.float32(1)),
    lambda xp, x: xp.stack([x, x])[:, :2].sort(axis=1),
    lambda xp, x: xp.stack([x, x]).T.sort(axis=0),
])
def test_names_and_keywords_that_cupy_lacks_are_refused(device, action):
    assert refused(action, device, device.asarray(HOST))


@pytest.mark.parametrize("action", [
    lambda xp, x: range(xp.asarray(3)),
    lambda xp, x: hash(x),
    lambda xp, x: bool(x),
    lambda xp, x: iter(xp.asarray(1.0)),
    lambda xp, x: len(xp.asarray(1.0)),
    lambda xp, x: xp.asarray(["a"]),
    lambda xp, x: xp.linalg.solve(xp.zeros((2, 3, 3)), xp.zeros((1, 3, 1))),
])
def test_a_device_array_is_no_number_or_size_on_the_host(device, action):
    assert refused(action, device, device.asarray(HOST))


def test_the_legacy_random_functions_with_hidden_state_are_not_imitated(stand_in):
    assert refused(lambda: stand_in.random.normal(size=3))


# The stand-in: what it does as CuPy does

def test_the_back_end_finds_the_device(device):
    x = random_generator(0, "gpu").random(3)
    assert array_module(HOST, x) is device
    assert type(to_numpy(x)) is numpy.ndarray


def test_python_and_numpy_numbers_combine_with_device_arrays(device):
    x = device.asarray(HOST)
    for number in (2, 2.0, True, numpy.float64(2), numpy.int64(2), numpy.float32(2)):
        for y in (x * number, number * x, number - x, x**number, number < x,
                  device.maximum(x, number), device.where(x > 1, x, number)):
            assert isinstance(y, device.ndarray)
    assert to_numpy(numpy.float64(2) - x).tolist() == [2, 1, 0]


def test_dtypes_are_promoted_as_in_numpy_2(device):
    x = device.asarray(HOST.astype("float32"))
    assert (x * 2.0).dtype == (device.exp(x) / 3).dtype == x.mean().dtype == numpy.float32
    assert (x * numpy.float64(2)).dtype == (x * device.asarray(2.0)).dtype == numpy.float64
    assert device.where(x > 1, x, -device.inf).dtype == numpy.float32
    assert refused(device.arange(3).__iadd__, 0.5)


def test_reductions_give_0d_arrays(device):
    x = device.asarray(numpy.eye(3))
    for y in (x.sum(), x.max(), x.argmax(), x.all(), device.sum(x), device.count_nonzero(x),
              device.allclose(x, x), device.array_equal(x, x), device.linalg.norm(x),
              device.linalg.slogdet(x)[1], x[0, 0], x[0].dot(x[0]), device.exp(1.0)):
        assert isinstance(y, device.ndarray) and y.shape == ()


def test_a_0d_array_is_mutable_and_shared(device):
    loss = device.asarray(HOST).sum()
    best = loss
    loss += 1
    assert best is loss and float(best) == 4


def test_slices_and_entries_are_views(device):
    theta = device.zeros(5)
    theta[:2] = device.asarray([1.0, 2.0])
    theta[2:][:2] += 5
    theta[4][...] = 9
    theta.reshape(5, 1).T[0, 1] *= 10
    assert to_numpy(theta).tolist() == [1, 20, 5, 5, 9]
    assert [float(t) for t in theta] == [1, 20, 5, 5, 9]


def test_out_is_filled_and_returned(device):
    x, y = device.asarray(HOST), device.empty(3)
    assert device.multiply(x, x, out=y) is y
    assert to_numpy(y).tolist() == [0, 1, 4]


def test_indices_out_of_range_wrap_around(device):
    x = device.asarray(HOST)
    far = device.asarray([3, -4, 7])
    assert to_numpy(x[far]).tolist() == to_numpy(x.take(far)).tolist() == [0, 2, 1]
    assert to_numpy(device.stack([x, x])[:, far][..., 0]).tolist() == [0, 0]
    device.add.at(x, far, 10.0)
    assert to_numpy(x).tolist() == [10, 11, 12]
    x[device.asarray([5])] = 0
    assert to_numpy(x).tolist() == [10, 11, 0]
    with pytest.raises(IndexError):
        x[3]


def test_masks_and_index_arrays_read_and_write_as_in_numpy(device):
    X, Y = numpy.arange(12.0).reshape(3, 4), device.asarray(numpy.arange(12.0).reshape(3, 4))
    i, j, mask = numpy.array([2, 0]), numpy.array([1, 3]), X > 4
    i_, j_, mask_ = (device.asarray(x) for x in (i, j, mask))
    for x, y in [(X[i], Y[i_]), (X[i, j], Y[i_, j_]), (X[:, j], Y[:, j_]), (X[mask], Y[mask_]),
                 (X[mask[:, 0]], Y[mask_[:, 0]]), (X[None, 1], Y[None, 1]), (X[..., 1], Y[..., 1]),
                 (X[-1, ::2], Y[-1, ::2]), (X[[0, 2]], Y[[0, 2]]), (X[i[0]], Y[i_[0]])]:
        assert numpy.array_equal(x, to_numpy(y))
    X[mask], Y[mask_] = -1, -1
    X[i, j], Y[i_, j_] = i, i_
    assert numpy.array_equal(X, to_numpy(Y))


def test_a_remainder_of_floats_may_lie_just_below_zero(device):
    x, y = numpy.nextafter(5 * 0.7, 0), 0.7                 # x/y is 5 when rounded, and x < 5 y
    on_device = device.asarray([x])
    for remainder in (on_device % y, device.remainder(on_device, y), device.mod(on_device, y)):
        assert -1e-15 < float(remainder[0]) < 0 < x % y
    assert float((on_device // y)[0]) == 5 > x // y
    on_device %= y
    assert float(on_device[0]) < 0
    assert to_numpy(device.asarray([-3, 3]) % 2).tolist() == [1, 1]
    assert to_numpy(device.asarray([-3, 3]) // 2).tolist() == [-2, 1]


def test_linear_algebra_never_raises_on_bad_matrices(device):
    good, bad = numpy.eye(2), numpy.array([[1.0, 2.0], [2.0, 1.0]])
    L = to_numpy(device.linalg.cholesky(device.asarray(numpy.stack([good, bad]))))
    assert numpy.array_equal(L[0], good) and not numpy.allclose(L[1] @ L[1].T, bad)
    singular, b = device.ones((2, 2)), device.ones(2)
    assert device.linalg.inv(singular).shape == (2, 2)
    assert device.linalg.solve(singular, b).shape == (2,)
    assert type(device.linalg.eigh(singular)) is type(device.linalg.slogdet(singular)) is tuple


def test_linear_algebra_gives_nan_on_bad_matrices_in_the_stand_in(stand_in):
    zero = stand_in.zeros((4, 2, 2), dtype="float32")
    for x in (stand_in.linalg.cholesky(zero[0]), stand_in.linalg.cholesky(zero),
              stand_in.linalg.inv(zero), stand_in.linalg.solve(zero, zero[..., :1]),
              stand_in.linalg.solve(zero, zero[0, 0])):
        assert x.dtype == numpy.float32 and numpy.isnan(to_numpy(x)).all()
    with pytest.raises(numpy.linalg.LinAlgError):
        stand_in.linalg.cholesky(stand_in.zeros((2, 3)))


def test_nothing_warns(device):
    x = device.asarray([-1.0, 0.0, 1e308])
    with numpy.errstate(all="raise"):
        for y in (device.log(x), x / 0, x * 1e308, x[:0].mean(), x.astype("float32"), abs(x)**-1):
            assert isinstance(y, device.ndarray)


def test_arrays_copy_as_objects_do(device):
    x = device.asarray(HOST)
    copies = copy.copy(x), copy.deepcopy(x), device.array(x), x.copy()
    x += 1
    assert all(to_numpy(y).tolist() == [0, 1, 2] for y in copies)
    assert device.asarray(x) is x


def test_upload_and_download_copy(device):
    host = HOST.copy()
    x = device.asarray(host)
    host[:] = 7
    to_numpy(x)[:] = 8
    assert to_numpy(x).tolist() == [0, 1, 2]


def test_a_copy_that_is_sorted_lies_in_one_piece(device):
    X = device.asarray(numpy.arange(6.0)[::-1].reshape(2, 3))
    assert to_numpy(device.sort(X[:, :2], axis=1)).tolist() == [[4, 5], [1, 2]]
    assert to_numpy(device.sort(X.T, axis=0)).tolist() == [[3, 0], [4, 1], [5, 2]]


def test_the_state_of_a_generator_stays_on_the_device(device):
    assert callable(random_generator(0, "gpu").bit_generator.state)


def test_the_device_says_what_it_is(device):
    runtime, card = device.cuda.runtime, device.cuda.Device()
    card.synchronize()
    properties = runtime.getDeviceProperties(card.id)
    assert properties["name"].decode() and properties["totalGlobalMem"] >= 0
    assert runtime.driverGetVersion() >= 12000 and runtime.runtimeGetVersion() >= 12000
    assert int(device.__version__.split(".")[0]) >= 14


def test_the_stream_of_random_numbers_is_not_numpys(device):
    mine, again, numpys = (random_generator(3, where).random(4) for where in ("gpu", "gpu", "cpu"))
    assert numpy.array_equal(to_numpy(mine), to_numpy(again))
    assert not numpy.array_equal(to_numpy(mine), numpys)


# The stand-in: what it counts

def test_views_cost_nothing_and_each_computation_a_launch(stand_in):
    x = stand_in.asarray(numpy.eye(4))
    with counted() as n:
        _ = x.T, x[1:], x[0, 0], x.reshape(2, 8), x.ravel(), x.shape, len(x), stand_in.ndim(x)
        _ = stand_in.broadcast_to(x, (2, 4, 4)), x[:, None], stand_in.empty(3), stand_in.asarray(x)
    assert (n.launches, n.waits) == (0, 0)
    with counted() as n:
        y = x + 1
        y *= x
        y[0] = 0
        y.sum()
        stand_in.exp(y, out=y)
        y.T.ravel()
        y[stand_in.arange(2)]
        stand_in.random.default_rng(0).random(3)
    assert (n.launches, n.waits) == (9, 0)


@pytest.mark.parametrize("action", [
    lambda xp, x: float(x[0]),
    lambda xp, x: int(x[0]),
    lambda xp, x: bool(x[0]),
    lambda xp, x: x[0].item(),
    lambda xp, x: x.tolist(),
    lambda xp, x: x.get(),
    lambda xp, x: xp.asnumpy(x),
    lambda xp, x: to_numpy(x),
    lambda xp, x: f"{x[0]:.2f}",
    lambda xp, x: str(x),
    lambda xp, x: math.log(x[1]),
    lambda xp, x: x.nonzero(),
    lambda xp, x: xp.nonzero(x),
    lambda xp, x: xp.where(x > 0),
    lambda xp, x: xp.unique(x),
    lambda xp, x: x[x > 0],
    lambda xp, x: x.__setitem__(x > 0, 0.0),
    lambda xp, x: xp.bincount(x.astype(int)),
    lambda xp, x: xp.tril_indices(3),
    lambda xp, x: xp.linspace(x[0], 1, 3),
    lambda xp, x: x.repeat(x.astype(int)),
    lambda xp, x: max(x[0], x[1]),
])
def test_what_the_host_needs_to_know_counts_as_a_wait(stand_in, action):
    x = stand_in.asarray(HOST)
    with counted() as n:
        action(stand_in, x)
    assert n.waits == 1


def test_a_training_step_can_be_shown_not_to_wait(stand_in):
    X, y, theta = stand_in.asarray(numpy.eye(4)), stand_in.arange(4.0), stand_in.zeros(4)

    def step():
        nonlocal theta
        residual = X @ theta - y
        theta -= 0.1 * (X.T @ residual)
        return (residual**2).mean()

    with counted() as n:
        losses = [step() for _ in range(3)]
    assert n.waits == 0 and n.launches == 3 * 7
    with counted() as n:
        assert float(losses[-1]) < float(losses[0])
    assert n.waits == 2


def test_counters_nest(stand_in):
    with counted() as outer:
        x = stand_in.zeros(3)
        with counted() as inner:
            float(x.sum())
    assert (inner.launches, inner.waits, outer.launches, outer.waits) == (1, 1, 2, 1)
    float(x.sum())
    assert (outer.launches, outer.waits) == (2, 1)


# The fixtures

def test_each_back_end_runs_the_same_code(xp, make_rng):
    rng = make_rng(0)
    low, high = xp.asarray([0.0, 1.0]), xp.asarray([2.0, 4.0])
    X = low + (high - low) * rng.random((50, len(low)))
    inside = ((low <= X) & (X <= high)).all(axis=1)
    log_prob = xp.where(inside, -xp.log(high - low).sum(), -xp.inf)
    assert array_module(X, log_prob) is xp
    assert numpy.allclose(to_numpy(log_prob), -math.log(6))
    assert ("cupy" in sys.modules) == (xp is not numpy)

"""Families: what each promises, and its members, asked of all of them on every array module."""

import inspect
import pickle
from concurrent.futures import ThreadPoolExecutor

import numpy
import pytest
import stand_in_cupy
from register_of_families import FAMILIES, SHARED, every_family

from gdl_numpy.networks.storage import load, save
from gdl_numpy.numerics.backend import array_module, to_numpy

OF_ROWS = {                                                 # what a member may do with rows X
    "log_prob": lambda p, X, rng: p.log_prob(X), "log_mass": lambda p, X, rng: p.log_mass(X),
    "elbo": lambda p, X, rng: p.elbo(X, rng), "energy": lambda p, X, rng: p.energy(X),
    "importance_weighted": lambda p, X, rng: p.importance_weighted(X, rng, 3),
    "log_posterior": lambda p, X, rng: p.log_posterior(X),
    "encode": lambda p, X, rng: p.encode(X), "to_latent": lambda p, X, rng: p.to_latent(X),
    "flow_log_prob": lambda p, X, rng: p.flow_log_prob(X, n_steps=3)}
EXACT = {"log_prob", "log_mass", "energy", "log_posterior", "encode", "to_latent", "flow_log_prob"}


class Moved:
    """NumPy's stream of random numbers, where the arrays of `xp` live."""

    def __init__(self, xp, seed):
        self.xp, self.rng = xp, numpy.random.default_rng(seed)

    def __getattr__(self, name):
        method = getattr(self.rng, name)
        return lambda *args, **kwargs: self.xp.asarray(method(*args, **kwargs))


def offering(*methods):
    """Parametrizes over the entries whose families have one of these methods."""
    names = [name for name, entry in FAMILIES.items()
             if any(hasattr(entry.built(), method) for method in methods)]
    return pytest.mark.parametrize("entry", [FAMILIES[name] for name in names], ids=names)


every_entry = pytest.mark.parametrize("entry", FAMILIES.values(), ids=FAMILIES)


def abilities(p):
    return {name: call for name, call in OF_ROWS.items() if hasattr(p, name)}


def drawn(p, n, rng):
    """n samples, and of a chain, which has no other shape or place after more steps, after five."""
    few = {"steps": 5} if "steps" in inspect.signature(p.sample).parameters else {}
    return p.sample(n, rng, **few)


def results(p, X, rng):
    """What a member makes of the rows X, by name, and some samples."""
    made = {name: call(p, X, rng) for name, call in abilities(p).items()}
    if "encode" in made and hasattr(p, "decode"):
        made["decode"] = p.decode(made["encode"])
    if "to_latent" in made:
        made["to_data"] = p.to_data(made["to_latent"])
    if hasattr(p, "chain"):
        made |= {f"chain, state {i}": X for i, X in enumerate(p.chain(7, rng))}
    if hasattr(p, "sample_deterministic"):
        made["sample_deterministic"] = p.sample_deterministic(7, rng, n_steps=3)
    return made | ({"sample": drawn(p, 7, rng)} if hasattr(p, "sample") else {})


def value_and_gradient(family, theta, data, rng):
    """log p_θ for each row, or the loss, and its gradient in θ."""
    if hasattr(family, "log_prob"):
        value, backward = family.log_prob(theta, *data)
        return value, backward(array_module(theta).ones_like(value))
    takes_rng = "rng" in inspect.signature(family.loss).parameters
    return family.loss(theta, *data, *([rng] if takes_rng else []))


def trained(family, data, rng, **options):
    """θ after three steps, and the losses."""
    steps = list(family.train(*data, rng, **({"max_steps": 3, "batch": 8} | options)))
    return [step.loss for step in steps], steps[-1].theta


def test_every_family_is_in_the_register():
    assert {name.partition(",")[0] for name in FAMILIES} | set(SHARED) == set(every_family())


# Where results live, and in which precision

@every_entry
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_what_a_member_makes_lives_where_theta_lives_and_has_its_precision(
        xp, make_rng, entry, dtype):
    family, theta = entry.built(xp, dtype), entry.theta_of(xp, dtype)
    X = entry.data_of(6, xp, dtype)[0]
    for name, made in results(family(theta), X, make_rng(2)).items():
        assert array_module(made) is xp, name
        assert made.dtype == dtype or made.dtype.kind == "i", name      # gray levels are whole


@offering("log_prob", "loss")
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_values_and_gradients_live_where_theta_lives_and_have_its_precision(
        xp, make_rng, entry, dtype):
    family, theta = entry.built(xp, dtype), entry.theta_of(xp, dtype)
    value, dtheta = value_and_gradient(family, theta, entry.data_of(6, xp, dtype), make_rng(2))
    assert array_module(value, dtheta) is xp and dtheta.shape == theta.shape
    assert value.dtype == dtheta.dtype == dtype


@offering("train")
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_training_stays_where_the_data_are_and_in_their_precision(xp, make_rng, entry, dtype):
    family, data = entry.built(xp, dtype), entry.data_of(20, xp, dtype)
    dtype = "float32" if "WindowFamily" in type(family).__name__ else dtype     # of whole numbers
    losses, theta = trained(family, data, make_rng(3))
    assert array_module(theta) is xp and theta.dtype == dtype and len(losses) == 3
    assert theta.shape == (family.n_parameters,)


@every_entry
def test_a_start_lives_where_its_generator_does(xp, make_rng, entry):
    family = entry.built(xp)
    if not hasattr(family, "initial_theta"):
        pytest.skip("is not searched by steps")
    one, two, other = (family.initial_theta(make_rng(seed)) for seed in (0, 0, 1))
    assert array_module(one) is xp and one.shape == (family.n_parameters,)
    assert to_numpy(one == two).all() and not to_numpy(one == other).all()


@every_entry
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("built", ["float32", "float64"])
def test_a_start_has_the_precision_that_is_asked_for(xp, make_rng, entry, built, dtype):
    family = entry.built(xp, built)
    if hasattr(family, "initial_theta"):
        assert family.initial_theta(make_rng(0), dtype).dtype == dtype
        assert family.initial_theta(make_rng(0)).dtype == float
        for wrong in ("float16", int, None):
            with pytest.raises(TypeError, match="dtype must be float32 or float64"):
                family.initial_theta(make_rng(0), wrong)


@every_entry
def test_a_device_agrees_with_numpy(device, entry):
    here, there = (entry.built(module)(entry.theta_of(module)) for module in (numpy, device))
    ours = results(here, entry.data_of(6)[0], Moved(numpy, 4))
    theirs = results(there, entry.data_of(6, device)[0], Moved(device, 4))
    for name, made in ours.items():
        numpy.testing.assert_allclose(to_numpy(theirs[name]), made, rtol=1e-9, atol=1e-12,
                                      err_msg=name)


@offering("log_prob", "loss")
def test_values_and_gradients_on_a_device_agree_with_numpy(device, entry):
    ours, theirs = (value_and_gradient(entry.built(xp), entry.theta_of(xp), entry.data_of(20, xp),
                                       Moved(xp, 4)) for xp in (numpy, device))
    for here, there in zip(ours, theirs, strict=True):
        numpy.testing.assert_allclose(to_numpy(there), here, rtol=1e-9, atol=1e-12)


@offering("train")
def test_a_device_takes_the_same_steps_as_numpy(device, entry):
    ours, theirs = (trained(entry.built(module), entry.data_of(20, module), Moved(module, 5))
                    for module in (numpy, device))
    numpy.testing.assert_allclose([float(x) for x in theirs[0]], ours[0], rtol=1e-6)
    numpy.testing.assert_allclose(to_numpy(theirs[1]), ours[1], rtol=1e-4, atol=1e-6)


@offering("train")
def test_a_step_of_training_never_waits_for_the_device(device, entry):
    steps = entry.built(device).train(*entry.data_of(20, device), device.random.default_rng(0),
                                      max_steps=3, batch=8)
    next(steps)
    with stand_in_cupy.counted() as n:
        next(steps)
    assert n.waits == 0 and n.launches > 0


@offering("log_prob")
def test_log_p_and_its_gradient_never_wait_for_the_device(device, entry):
    if entry.waits:
        pytest.skip(entry.waits)
    family, theta, data = entry.built(device), entry.theta_of(device), entry.data_of(6, device)
    with stand_in_cupy.counted() as n:
        value_and_gradient(family, theta, data, None)
    assert n.waits == 0


@every_entry
def test_host_and_device_do_not_mix(device, entry):
    here, there = (entry.built(module)(entry.theta_of(module)) for module in (numpy, device))
    rng = numpy.random.default_rng(0)
    for name, call in abilities(here).items():
        for p, X in ((here, entry.data_of(6, device)[0]), (there, entry.data_of(6)[0])):
            with pytest.raises(TypeError):
                call(p, X, rng)
                pytest.fail(f"{name} mixes")


@offering("log_prob", "loss", "train", "mle")
def test_theta_rows_and_labels_on_two_devices_are_refused(device, entry):
    theta, data = entry.theta_of(), entry.data_of(20)
    there, moved = entry.theta_of(device), entry.data_of(20, device)
    family, rng = entry.built(), numpy.random.default_rng(0)
    calls = []
    if hasattr(family, "log_prob") or hasattr(family, "loss"):
        calls += [(lambda t, *data: value_and_gradient(family, t, data, rng), (theta, *data),
                   (there, *moved))]
    if hasattr(family, "train"):
        calls += [(lambda t, *data: trained(family, data, rng, theta=t), (theta, *data),
                   (there, *moved))]
    if hasattr(family, "mle"):
        calls += [(family.mle, data, moved)] if len(data) > 1 else []
    for call, ours, theirs in calls:
        for i in range(len(ours)):                          # all but one are here
            with pytest.raises(TypeError):
                call(*ours[:i], theirs[i], *ours[i + 1:])


@offering("mle")
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_an_estimate_lives_where_the_data_live_and_has_their_precision(xp, entry, dtype):
    family, data = entry.built(xp, dtype), entry.data_of(20, xp, dtype)
    theta_hat = family.mle(*data)
    assert array_module(theta_hat) is xp and theta_hat.dtype == dtype
    assert theta_hat.shape == (family.n_parameters,)
    X, *y = data
    wide = entry.built().mle(X.tolist(), *(labels.tolist() for labels in y))
    numpy.testing.assert_allclose(to_numpy(theta_hat), wide, rtol=2e-3, atol=2e-3)


# What is read and what is kept

def read_only(x):
    x = numpy.array(x)
    x.flags.writeable = False
    return x


@every_entry
def test_inputs_are_only_read(entry):
    family, theta, data = entry.built(), read_only(entry.theta_of()), entry.data_of(20)
    data, rng = tuple(map(read_only, data)), numpy.random.default_rng(0)
    results(family(theta), data[0], rng)
    if hasattr(family, "log_prob") or hasattr(family, "loss"):
        value_and_gradient(family, theta, data, rng)
    if hasattr(family, "train"):
        trained(family, data, rng)
        trained(family, data, rng, theta=theta)
    if hasattr(family, "mle"):
        family.mle(*data)


@every_entry
def test_a_member_keeps_a_theta_of_its_own(xp, entry):
    theta, X = entry.theta_of(xp), entry.data_of(6, xp)[0]
    p = entry.built(xp)(theta)
    before = {name: call(p, X, Moved(xp, 0)) for name, call in abilities(p).items()}
    theta += 1
    for name, call in abilities(p).items():
        assert to_numpy(call(p, X, Moved(xp, 0)) == before[name]).all(), name


@every_entry
def test_the_seed_fixes_the_samples(entry):
    p = entry.built()(entry.theta_of())
    if not hasattr(p, "sample"):
        pytest.skip("cannot sample")
    one, two, other = (p.sample(50, numpy.random.default_rng(seed)) for seed in (0, 0, 1))
    assert (one == two).all() and not (one == other).all()


@offering("train")
def test_the_seed_fixes_a_training_and_only_the_generator_is_drawn_from(entry):
    before = numpy.random.get_state()[1].tolist()  # noqa: NPY002
    one, two, other = (trained(entry.built(), entry.data_of(20), numpy.random.default_rng(seed))[1]
                       for seed in (0, 0, 1))
    assert (one == two).all() and not (one == other).all()
    assert numpy.random.get_state()[1].tolist() == before  # noqa: NPY002


@offering("train")
@pytest.mark.parametrize("option", [
    {"max_steps": 0}, {"batch": -1}, {"learning_rate": "fast"}, {"averaging": 1.0}, {"clip": 0},
    {"beta2": 2}, {"augment": 3}, {"optimizer": "Adam"}, {"theta": [0.0]}, {"maxsteps": 3}])
def test_a_training_that_refuses_an_option_has_drawn_nothing(entry, option):
    rng, (name,) = numpy.random.default_rng(0), option
    before = str(rng.bit_generator.state)
    with pytest.raises((ValueError, TypeError), match=rf"\b{name}\b"):
        entry.built().train(*entry.data_of(20), rng, **option)
    assert str(rng.bit_generator.state) == before


@offering("train")
def test_what_a_step_gave_is_not_changed_by_the_next(entry):
    steps = entry.built().train(*entry.data_of(20), numpy.random.default_rng(0), max_steps=3)
    first = next(steps).theta
    kept = first.copy()
    list(steps)
    assert (first == kept).all()


@offering("train")
def test_what_a_reader_does_to_the_theta_of_a_step_does_not_reach_the_next(entry):
    ends = []
    for change in (1, 0):
        for step in entry.built().train(*entry.data_of(20), numpy.random.default_rng(0),
                                        max_steps=3):
            ends.append(step.theta.copy())
            step.theta[...] *= change
    assert all((left == right).all() for left, right in zip(ends[:3], ends[3:], strict=True))


@offering("train")
def test_a_training_goes_on_from_a_theta_of_any_kind(entry):
    """An array of another precision or a list: it is trained in the precision of the data."""
    family, data = entry.built(numpy, "float32"), entry.data_of(20, numpy, "float32")
    theta = entry.theta_of(numpy, "float32")
    starts = [theta, theta.astype(float), theta.tolist()]
    ends = [trained(family, data, numpy.random.default_rng(0), theta=start)[1] for start in starts]
    assert all(end.dtype == numpy.float32 and (end == ends[0]).all() for end in ends)
    assert not (ends[0] == trained(family, data, numpy.random.default_rng(0))[1]).all()


@offering("log_prob")
def test_a_log_prob_may_be_overwritten_before_it_is_pulled_back(xp, entry):
    family, theta, data = entry.built(xp), entry.theta_of(xp), entry.data_of(6, xp)
    log_p, backward = family.log_prob(theta, *data)
    cotangent = xp.arange(6) - 1.5
    before = backward(cotangent)
    log_p -= log_p.max()
    log_p[...] = 3.0
    assert to_numpy(backward(cotangent) == before).all()


@offering("loss")
def test_the_losses_that_a_training_gave_may_be_overwritten(entry):
    """Nor does a gradient share memory with theta."""
    family, theta, data = entry.built(), entry.theta_of(), entry.data_of(6)
    value, dtheta = value_and_gradient(family, theta, data, numpy.random.default_rng(0))
    assert not numpy.shares_memory(theta, value) and not numpy.shares_memory(theta, dtheta)


# Rows

@every_entry
def test_one_row_equals_many(entry):
    p, X = entry.built()(entry.theta_of()), entry.data_of(6)[0]
    for name in EXACT & abilities(p).keys():
        call = OF_ROWS[name]
        alone = numpy.concatenate([call(p, X[i:i + 1], None) for i in range(len(X))])
        numpy.testing.assert_allclose(call(p, X, None), alone, rtol=1e-10, atol=1e-12)


@every_entry
def test_no_rows_give_no_results(xp, make_rng, entry):
    p, X = entry.built(xp)(entry.theta_of(xp)), entry.data_of(6, xp)[0]
    for name, call in abilities(p).items():
        assert call(p, X[:0], make_rng(0)).shape == (0, *call(p, X, make_rng(0)).shape[1:]), name
    if hasattr(p, "sample"):
        assert drawn(p, 0, make_rng(0)).shape == (0, *drawn(p, 2, make_rng(0)).shape[1:])


@every_entry
def test_rows_may_be_lists(entry):
    p, X = entry.built()(entry.theta_of()), entry.data_of(6)[0]
    for name, call in abilities(p).items():
        rows = X.astype(int).tolist() if name == "log_mass" else X.tolist()
        assert (call(p, rows, Moved(numpy, 0)) == call(p, X, Moved(numpy, 0))).all(), name


@every_entry
def test_theta_may_be_a_list(entry):
    family, theta, X = entry.built(), entry.theta_of(), entry.data_of(6)[0]
    for name, call in abilities(family(theta)).items():
        ours, listed = (call(p, X, Moved(numpy, 0))
                        for p in (family(theta), family(theta.tolist())))
        assert (ours == listed).all(), name


# Copies

@every_entry
def test_a_pickled_family_and_member_are_the_same(entry):
    family, theta, X = entry.built(), entry.theta_of(), entry.data_of(6)[0]
    p, q = family(theta), pickle.loads(pickle.dumps(family(theta)))
    r = pickle.loads(pickle.dumps(family))(theta)
    for made, again, anew in zip(*(results(m, X, Moved(numpy, 0)).values() for m in (p, q, r)),
                                 strict=True):
        assert (made == again).all() and (made == anew).all()


@every_entry
def test_what_was_saved_is_loaded_bit_by_bit(tmp_path, entry):
    if type(entry.built()).__name__ == "RecalibratedFamily":
        pytest.skip("has a density among its arguments, and is refitted in no time")
    theta = entry.theta_of(dtype="float32")
    save(tmp_path / "theta.npz", entry.built(), theta)
    again = load(tmp_path / "theta.npz", entry.built())
    assert again.dtype == theta.dtype and (again == theta).all()


@every_entry
def test_two_threads_may_ask_one_member(entry):
    p, X = entry.built()(entry.theta_of()), entry.data_of(50)[0]
    with ThreadPoolExecutor(2) as pool:
        both = pool.map(lambda _: results(p, X, Moved(numpy, 0)), range(2))
    for one, two in zip(*(made.values() for made in both), strict=True):
        assert (one == two).all()


@every_entry
def test_families_and_members_say_what_they_are(entry):
    family = entry.built()
    p = family(entry.theta_of())
    for thing in (family, p):
        assert repr(thing).startswith(f"{type(thing).__name__}(") and len(repr(thing)) < 500


# What is refused

@every_entry
def test_a_theta_of_another_length_is_refused(entry):
    family, theta, data = entry.built(), entry.theta_of(), entry.data_of(20)
    rng, n = numpy.random.default_rng(0), entry.built().n_parameters
    calls = [lambda: family(theta[1:])]
    if hasattr(family, "log_prob") or hasattr(family, "loss"):
        calls.append(lambda: value_and_gradient(family, theta[1:], data, rng))
    if hasattr(family, "train"):
        calls.append(lambda: trained(family, data, rng, theta=theta[1:]))
    for call in calls:
        with pytest.raises(ValueError, match=rf"shape \({n},\), got \({n - 1},\)"):
            call()


@every_entry
def test_a_theta_that_is_not_finite_makes_no_member(entry):
    theta = entry.theta_of()
    theta[-1] = numpy.nan
    with pytest.raises(ValueError, match="theta holds nan"):
        entry.built()(theta)


@every_entry
def test_rows_of_another_length_and_rows_that_are_not_finite_are_refused(entry):
    p, X = entry.built()(entry.theta_of()), entry.data_of(6)[0]
    for name, call in abilities(p).items():
        with pytest.raises(ValueError, match="X has|K has|K must"):
            call(p, numpy.concatenate([X, X], axis=1), Moved(numpy, 0))
            pytest.fail(name)
        with pytest.raises((ValueError, TypeError), match="holds nan|whole numbers"):
            call(p, numpy.where(X == X[0, 0], numpy.nan, X), Moved(numpy, 0))
            pytest.fail(name)


@offering("train")
def test_what_cannot_be_trained_on_is_refused(entry):
    family, data, rng = entry.built(), entry.data_of(20), numpy.random.default_rng(0)
    no_rows = tuple(x[:0] for x in data)
    with pytest.raises(ValueError, match="is empty"):
        trained(family, no_rows, rng)
    if hasattr(family, "loss"):
        takes_rng = "rng" in inspect.signature(family.loss).parameters
        with pytest.raises(ValueError, match="is empty"):
            family.loss(entry.theta_of(), *no_rows, *([rng] if takes_rng else []))
    for options, message in [
            ({"max_steps": 0}, "max_steps must be at least 1, got 0"),
            ({"batch": 0}, "batch must be at least 1, got 0"),
            ({"learning_rate": -1.0}, r"learning_rate must lie in \(0, 1e30\], got -1.0"),
            ({"averaging": 1.0}, r"averaging must lie in \[0, 1\), got 1.0")]:
        taken = inspect.signature(family.train).parameters
        if options.keys() <= taken.keys() or "options" in taken:
            with pytest.raises(ValueError, match=message):
                trained(family, data, rng, **options)


@every_entry
@pytest.mark.parametrize("rng", [None, 3, numpy.random, numpy.random.RandomState(0)])  # noqa: NPY002
def test_what_is_no_generator_is_refused_in_one_sentence(entry, rng):
    family, p = entry.built(), entry.built()(entry.theta_of())
    if hasattr(p, "sample"):
        with pytest.raises(TypeError, match="rng must be a generator of random numbers"):
            p.sample(3, rng)
    if hasattr(family, "initial_theta"):
        with pytest.raises(TypeError, match="rng must be a generator of random numbers"):
            family.initial_theta(rng)
    if hasattr(family, "train"):
        with pytest.raises(TypeError, match="rng must be a generator of random numbers"):
            trained(family, entry.data_of(20), rng)


@every_entry
def test_what_is_no_number_of_samples_is_refused(entry):
    p = entry.built()(entry.theta_of())
    for n, error in ((-1, ValueError), (2.5, TypeError), (None, TypeError)):
        if hasattr(p, "sample"):
            with pytest.raises(error, match="n must be"):
                p.sample(n, numpy.random.default_rng(0))

"""The pages that compute, over HTTP: answers are the package's, and strangers get none."""

import contextlib
import http.client
import json
import math
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
import types
from pathlib import Path
from urllib.parse import quote, urlencode

import numpy as np
import pytest
import style
import train_explorer
from explorer import bayes, box, families, learned, noise, panels, questions, sail, tin
from explorer.server import LONGEST, STATIC, serving
from fifty_points import training_points
from files import FIGURES
from recipes import MODELS, committed, fit_model
from training_sets import SEEDS, training_set

from gdl_numpy.agents.chart import Chart
from gdl_numpy.agents.planning import expected_steps, value_iteration
from gdl_numpy.agents.sailing import Log, trade_winds
from gdl_numpy.agents.world_model import journey, learn
from gdl_numpy.models.energy_based import GridNormalized
from gdl_numpy.networks.storage import load
from gdl_numpy.numerics.neighbors import nearest
from gdl_numpy.pictures.biscuit_tins import BiscuitTins, extent, render
from gdl_numpy.probability.change_of_units import InUnits
from gdl_numpy.probability.divergence import jensen_shannon, kl_divergence
from gdl_numpy.probability.family import BoxFamily
from gdl_numpy.probability.likelihood import likelihood, log_likelihood
from gdl_numpy.representation.latent import directions
from gdl_numpy.world.evaluation import accuracy, kl_to_data, verdict
from gdl_numpy.world.world_map import WORLD, WorldMap, continent_of

ROOT = Path(__file__).parent.parent.parent
FAMILY, P_DATA, X = BoxFamily(2), WorldMap(), training_points(np.random.default_rng(0))
THETA_HAT = FAMILY.mle(X).tolist()
BOXES = [THETA_HAT, [-90, -180, 90, 180], [-90.0, -142.6, 78.1, 110.3], [10, 10, 11, 11.5]]
posix = pytest.mark.skipif(os.name != "posix", reason="signals as POSIX has them")


@pytest.fixture(scope="module")
def server():
    with serving(0) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def sent(server, path, method="GET", body=None, headers=None, host=None):
    """The status, the headers and the content of a response."""
    connection = http.client.HTTPConnection("127.0.0.1", server.server_port, timeout=30)
    with contextlib.closing(connection):
        connection.request(method, path, body,
                           ({"Host": host} if host is not None else {}) | (headers or {}))
        response = connection.getresponse()
        return response.status, response.headers, response.read()


def ask(server, question, **values):
    """The answer to a question, as the page gets it."""
    query = urlencode({name: json.dumps(value) for name, value in values.items()})
    status, _, content = sent(server, f"/api/{question}?{query}")
    assert status == 200, content
    return json.loads(content)


def refused(server, path, status, **how):
    """The sentence with which a request is refused."""
    got, headers, content = sent(server, path, **how)
    assert got == status, content
    assert headers["Content-Type"] == "application/json; charset=utf-8"
    said = json.loads(content)
    assert list(said) == ["error"] and "Traceback" not in said["error"]
    return said["error"]


def number(value):
    return value if np.isfinite(value) else str(float(value))


# Answers are those of the package, to the last bit

@pytest.mark.parametrize("theta", BOXES)
def test_the_numbers_of_a_box_are_those_of_the_package(server, theta):
    answer, p = ask(server, "box/answer", theta=theta, side=3), FAMILY(theta)
    inside = p.space.contains(X)
    assert answer["inside"] == inside.tolist()
    assert answer["likelihood"] == likelihood(FAMILY, theta, X)
    assert answer["log_likelihood"] == number(log_likelihood(FAMILY, theta, X))
    assert (answer["likelihood"] == 0) == (not inside.all())
    assert answer["p"] == math.exp(p.log_prob([p.low])[0])
    assert answer["missed_land"] == 1 - P_DATA.mass(p.space)
    assert answer["in_the_sea"] == 1 - P_DATA.mass(p.space) * P_DATA.area * answer["p"]
    corners = np.concatenate(P_DATA.rings).astype(float)
    assert answer["kl_data_model"] == number(kl_to_data(p, P_DATA, corners)[0])
    assert answer["kl_model_data"] == number(kl_divergence(p, P_DATA, p.space, box.GRID))
    outside = 0.5 * answer["missed_land"] * math.log(2)     # where p_data is twice the mixture
    assert answer["jensen_shannon"] == jensen_shannon(P_DATA, p, p.space, box.GRID) + outside


def test_the_shares_of_the_smallest_box_are_exact(server):
    for south, west in ((20, 10), (-75.3, -0.7), (60.3, 100.3)):        # all of it is land
        theta = [south, west, south + 1.01 * box.LEAST, west + 1.01 * box.LEAST]
        assert abs(ask(server, "box/answer", theta=theta, side=0)["in_the_sea"]) < 1e-10


def test_a_divergence_is_infinite_as_soon_as_a_strip_of_land_is_missed(server):
    whole = ask(server, "box/answer", theta=[-90, -180, 83.7, 180], side=0)
    missed = ask(server, "box/answer", theta=[-90, -180, 83.6, 180], side=0)
    assert whole["kl_data_model"] == pytest.approx(math.log(173.7 * 360) - P_DATA.entropy)
    assert missed["kl_data_model"] == "inf" and 0 < missed["missed_land"] < 1e-3
    assert ask(server, "box/answer", theta=[10, 10, 11, 11.5], side=0)["kl_model_data"] == (
        pytest.approx(P_DATA.entropy - math.log(1.5)))      # the Sahara: no sea in it


@pytest.mark.parametrize("theta", BOXES)
def test_the_share_in_the_sea_and_the_missed_land_are_those_of_a_million_draws(server, theta):
    """5 standard deviations."""
    answer, p = ask(server, "box/answer", theta=theta, side=0), FAMILY(theta)
    rng, n = np.random.default_rng(0), 1_000_000
    sea, missed = answer["in_the_sea"], answer["missed_land"]
    for value, drawn in ((sea, 1 - accuracy(p, P_DATA, n, rng)),
                         (missed, 1 - p.space.contains(P_DATA.sample(n, rng)).mean())):
        assert abs(value - drawn) <= 5 * (max(value * (1 - value), 0) / n)**0.5 + 1e-9


@pytest.mark.parametrize("theta", BOXES)
def test_the_divergence_of_jensen_and_shannon_is_right_to_0_001(server, theta):
    """Both are uniform: in the land of the box p and q, elsewhere one of them alone."""
    answer, volume = ask(server, "box/answer", theta=theta, side=0), FAMILY(theta).space.volume
    p, q, held = 1 / P_DATA.area, 1 / volume, 1 - answer["missed_land"]
    both = held * math.log(2 * p / (p + q)) + held * q / p * math.log(2 * q / (p + q))
    alone = (1 - held + answer["in_the_sea"]) * math.log(2)
    assert abs(answer["jensen_shannon"] - (both + alone) / 2) < 1e-3


@pytest.mark.parametrize("side", range(4))
def test_the_curve_is_the_log_likelihood_of_boxes_of_which_one_side_moves(server, side):
    answer, theta = ask(server, "box/answer", theta=THETA_HAT, side=side), list(THETA_HAT)
    best = max(float(value) for value in answer["values"])
    for place, value in zip(answer["places"], answer["values"], strict=True):
        theta[side] = place
        assert value == number(log_likelihood(FAMILY, theta, X))
    assert answer["places"] == sorted(answer["places"]) and THETA_HAT[side] in answer["places"]
    assert best == log_likelihood(FAMILY, THETA_HAT, X)
    assert {answer["places"][-(side < 2)], answer["places"][0]} & {-90, -180, 90, 180} or side > 1


@pytest.mark.parametrize("x", [[60.3, 100.3], [0, 0], [-80, -175], [30, 30.5]])
def test_the_verdict_is_that_of_the_package(server, x):
    answer = ask(server, "box/judge", theta=THETA_HAT, x=x)
    assert {key: answer[key] for key in ("p_data", "p_model", "kind")} == vars(
        verdict(FAMILY(THETA_HAT), P_DATA, x))


def test_the_box_begins_with_the_fifty_points_of_the_figures_and_the_smallest_box(server):
    scene = ask(server, "box/scene")
    assert scene["points"] == X.tolist() and scene["theta_hat"] == THETA_HAT
    assert ask(server, "world/land")["rings"] == [ring.tolist() for ring in P_DATA.rings]


def test_a_level_of_the_chain_is_that_of_the_diffusion_model(server, monkeypatch):
    monkeypatch.setattr(noise, "CHAINS", 40)
    monkeypatch.setattr(noise, "states", questions.once(noise.states.__wrapped__))
    p = committed("diffusion", np.zeros(1))
    chain = [U * p.unit for U in p.p.chain(40, np.random.default_rng(0))]
    assert ask(server, "noise/scene")["levels"] == len(chain) - 1 == 256
    for step in (0, 100, 256):
        answer = ask(server, "noise/answer", step=step)
        assert answer["points"] == chain[step].tolist() and answer["level"] == 256 - step
        assert answer["land"] == P_DATA.contains(chain[step]).tolist()
        assert answer["on_land"] == P_DATA.contains(chain[step]).mean()
        assert answer["sigma"] == p.p.sigma[256 - step]


@pytest.mark.parametrize("name", ["box", "normal", "mixture", "histogram", "autoregressive",
                                  "variational_autoencoder", "adversarial", "spline_flow"])
def test_draws_of_a_family_are_those_of_its_model_and_others_with_another_seed(server, name):
    answer = ask(server, "families/draws", name=name, seed=7)
    drawn = families.model(name).sample(families.DRAWS, np.random.default_rng(7))
    assert answer["points"] == drawn.tolist()
    assert answer["land"] == P_DATA.contains(drawn).tolist()
    assert answer["in_the_sea"] == 1 - P_DATA.contains(drawn).mean()
    assert ask(server, "families/draws", name=name, seed=8)["points"] != answer["points"]


def test_a_model_that_is_fitted_here_is_that_of_the_scoreboard():
    here = families.model("histogram")
    there = fit_model("histogram", training_set(SEEDS[0]), None)
    assert (here.log_prob(X) == there.log_prob(X)).all()


@pytest.mark.parametrize("name, log_prob", [
    ("box", lambda p: p.log_prob), ("affine_flow", lambda p: p.log_prob),
    ("energy_based", lambda p: InUnits(GridNormalized(p.p, (180, 360)), p.unit).log_prob),
    ("diffusion", lambda p: lambda X: p.flow_log_prob(X, families.ODE_STEPS)),
    ("variational_autoencoder", lambda p: lambda X: p.importance_weighted(
        X, np.random.default_rng(0), families.IMPORTANCE))])
def test_the_density_of_a_family_is_that_of_its_model(server, name, log_prob, monkeypatch):
    monkeypatch.setattr(families, "PICTURE", (6, 12))
    monkeypatch.setattr(families, "picture", questions.once(families.picture.__wrapped__))
    answer = ask(server, "families/density", name=name)
    log_p = log_prob(families.model(name))(WORLD.grid((6, 12))[0])
    assert answer["values"] == (np.exp(log_p.astype(float)) * P_DATA.area).tolist()


def test_an_implicit_model_has_no_density_and_all_of_the_scoreboard_are_offered(server):
    answer = ask(server, "families/density", name="adversarial")
    assert answer["values"] is None and "implicit" in answer["how"]
    offered = ask(server, "families/scene")["families"]
    assert [family["name"] for family in offered] == list(MODELS)
    summary = json.loads((FIGURES / "scoreboard.json").read_text())["summary"]
    for family in offered:
        assert all(value == summary[family["name"]][key] for key, value in family.items()
                   if key != "name")


@pytest.mark.parametrize("z", [[0, 0], [1.5, -0.5], [3, 3]])
def test_a_decoded_tin_is_that_of_the_autoencoder_and_no_true_tin_is_nearer(server, z):
    answer = ask(server, "tin/answer", z=z)
    decoded = learned.stored("tins").decode(np.array([z], dtype="float32"))
    assert answer["decoded"] == decoded[0].tolist()
    assert answer["nearest"] == render([answer["latent"]])[0].ravel().tolist()
    distance = nearest(decoded.astype(float), [answer["nearest"]])[0][0, 0] / 32
    assert abs(answer["distance"] - distance) < 1e-6
    tins = BiscuitTins(1000, np.random.default_rng(1)).images
    assert answer["distance"] < nearest(decoded.astype(float), tins)[0][0, 0] / 32


def test_taller_is_a_step_along_the_direction_of_the_package(server):
    images = BiscuitTins(learned.TINS, np.random.default_rng(0)).images
    Z = learned.stored("tins").encode(images.astype("float32")).astype(float)
    scene = ask(server, "tin/scene")
    assert scene["codes"] == Z[:tin.SHOWN].tolist()
    z = np.array(scene["start"])
    step = directions(Z, extent(images), z, tin.NEIGHBORS)[0] / 32
    up = ask(server, "tin/taller", z=z.tolist(), rows=1)["z"]
    assert up == (z + step).tolist()
    assert ask(server, "tin/taller", z=z.tolist(), rows=-1)["z"] == (z - step).tolist()
    rows = [extent(learned.stored("tins").decode(np.array([code], dtype="float32")))[0, 0] * 32
            for code in (z, z + 4 * step)]
    assert 3 < rows[1] - rows[0] < 5                        # 4 rows, to first order


@pytest.mark.parametrize("x", [[48, 60], [0, 0], [-80.5, 10.25], [41, -74]])
def test_both_sides_of_a_point_are_those_of_the_package(server, x):
    answer, p = ask(server, "bayes/answer", x=x), bayes.conditional()
    of_network = learned.stored("continents").log_posterior(np.array([x]) / [45, 90])[0]
    assert answer["network"] == np.exp(of_network).tolist()
    assert answer["bayes"] == np.exp(p.log_posterior([x])[0]).tolist()
    assert answer["priors"] == p.priors.tolist()
    joint = np.array(answer["priors"]) * answer["p_of_x"]
    assert np.allclose(joint / joint.sum(), answer["bayes"], rtol=1e-9, atol=1e-300)
    number = continent_of([x])[0]
    assert answer["truth"] == ("sea" if number < 0 else bayes.continents()[number])


def test_the_map_shows_the_most_probable_continent_of_both_sides(server):
    scene, centers = ask(server, "bayes/scene"), WORLD.grid(bayes.PICTURE)[0]
    assert len(scene["labels"]) == 7 and "Africa" in scene["labels"]
    assert scene["bayes"] == bayes.conditional().log_posterior(centers).argmax(axis=1).tolist()
    for side in ("network", "bayes"):
        truth = continent_of(centers)
        land = np.isin(truth, bayes.SEVEN)
        guess = np.array(bayes.SEVEN)[scene[side]]
        assert (guess == truth)[land].mean() > 0.95


CHART = Chart()
ATLANTIC = trade_winds(CHART)


def sailed(seed, headings):
    """The cells of a voyage, by the steps of the package."""
    rng, cells = np.random.default_rng([sail.OF_VOYAGE, seed]), [CHART.departs]
    for letter in headings:
        if cells[-1] == CHART.arrives:
            break
        cells.append(int(ATLANTIC.step([cells[-1]], ["NESW".index(letter)], rng)[0]))
    return cells


def arriving():
    """A seed and headings by which the ship arrives, the plan of the best one, and some more."""
    plan, cells, headings = journey(ATLANTIC, ATLANTIC).plan, [CHART.departs], ""
    rng = np.random.default_rng([sail.OF_VOYAGE, 3])
    while cells[-1] != CHART.arrives:
        headings += "NESW"[plan[cells[-1]]]
        cells.append(int(ATLANTIC.step([cells[-1]], [plan[cells[-1]]], rng)[0]))
    return 3, headings, cells


def test_the_sea_and_what_a_voyage_takes_are_those_of_the_package(server):
    scene, blind = ask(server, "sail/scene"), trade_winds(CHART, wind=0.0)
    assert scene["cells"] == CHART.cells.tolist()
    assert (scene["departs"], scene["arrives"]) == (CHART.departs, CHART.arrives)
    for name, model in (("optimum", ATLANTIC), ("blind", blind)):
        _, plan = value_iteration(model.table, CHART.arrives)
        steps = expected_steps(ATLANTIC.table, plan, CHART.arrives, 400)
        assert scene[name] == steps[CHART.departs]


def test_a_voyage_is_that_of_the_steps_of_the_package_and_goes_on_as_it_began(server):
    headings = "WSSSWWWWNNESW"
    for n in (0, 1, 6, 13):
        answer = ask(server, "sail/voyage", seed=5, headings=headings[:n])
        assert answer["track"] == sailed(5, headings)[:n + 1]
        assert not answer["arrived"] and not answer["ended"]
    assert ask(server, "sail/voyage", seed=6, headings=headings)["track"] != answer["track"]


def test_a_voyage_ends_at_the_goal_or_at_its_limit(server):
    seed, headings, cells = arriving()
    for more in ("", "W", "EEE"):
        answer = ask(server, "sail/voyage", seed=seed, headings=headings + more)
        assert answer["track"] == cells and answer["arrived"] and answer["ended"]
    before = ask(server, "sail/voyage", seed=seed, headings=headings[:-1])
    assert not before["arrived"] and not before["ended"]
    lost = ask(server, "sail/voyage", seed=0, headings=sail.LIMIT * "E")
    assert not lost["arrived"] and lost["ended"] and len(lost["track"]) == sail.LIMIT + 1


@pytest.mark.parametrize("steps, voyages", [
    (0, []), (0, [[1, "WWSS"]]), (100, []), (500, [[1, "WWSSS"], [2, ""], [2, "SWN"]]), (5000, [])])
def test_a_model_and_its_ships_are_those_of_the_package(server, steps, voyages):
    answer = ask(server, "sail/answer", steps=steps, seed=9, voyages=voyages)
    rng = np.random.default_rng([sail.OF_MODEL, 9])
    parts = [list(part) for part in ATLANTIC.explore(steps, rng)]
    for seed, headings in voyages:
        cells = sailed(seed, headings)
        for part, more in zip(parts, (cells[:-1], map("NESW".index, headings), cells[1:]),
                              strict=True):
            part.extend(more)
    log = Log(*(np.array(part, dtype=int) for part in parts))
    model = learn(CHART, log)
    dreamt, needed, plan = journey(model, ATLANTIC)
    assert (answer["dreamt"], answer["sailed"]) == (dreamt, needed)
    assert answer["plan"] == plan.tolist()
    assert answer["logged"] == len(log.cells) == steps + answer["own"]
    assert answer["own"] == sum(len(headings) for _, headings in voyages)
    tracks = ATLANTIC.sail(plan, sail.SHIPS, rng)
    assert answer["arrived"] == (tracks[:, -1] == CHART.arrives).sum()
    for way, track in zip(answer["tracks"], tracks, strict=True):
        first = list(track).index(CHART.arrives) if CHART.arrives in track else 400
        assert len(way) == first + 1
        apart = np.array(way) - CHART.cells[track[:first + 1]]
        assert np.ptp(apart, axis=0).max() < 1e-9 and abs(apart).max() <= 1


def test_without_a_log_a_plan_is_blind_and_with_a_long_one_nearly_the_best(server):
    scene = ask(server, "sail/scene")
    nothing = ask(server, "sail/answer", steps=0, seed=0, voyages=[])
    assert nothing["sailed"] == scene["blind"] and nothing["dreamt"] == pytest.approx(11 / 0.85)
    much = ask(server, "sail/answer", steps=sail.EXPLORED, seed=0, voyages=[])
    assert scene["optimum"] <= much["sailed"] < 1.1 * scene["optimum"]
    other = ask(server, "sail/answer", steps=500, seed=1, voyages=[])
    assert other["dreamt"] != ask(server, "sail/answer", steps=500, seed=2, voyages=[])["dreamt"]


def test_the_wind_blows_as_the_package_says(server):
    answer = ask(server, "sail/wind")
    north = CHART.cells[:, 0] > 30
    assert answer["toward"] == np.where(north, 1, 3).tolist() and answer["probability"] == 0.75


def test_the_longest_log_of_a_reader_fits_into_an_address(server):
    """All voyages, all steps, all numbers as long as they can be."""
    lengths = [sail.LIMIT, sail.LIMIT] + (sail.VOYAGES - 2) * [7]
    voyages = [[2**32 - 1 - i, n * "E"] for i, n in enumerate(lengths)]
    assert 990 < sum(lengths) <= sail.STEPS
    answer = ask(server, "sail/answer", steps=sail.EXPLORED, seed=2**32 - 1, voyages=voyages)
    assert answer["own"] == sum(lengths)


# Every answer says which functions gave it, and how long it took

def test_answers_name_functions_of_the_package_and_pages_of_the_book(server):
    asked = {"box/answer": {"theta": THETA_HAT, "side": 0}, "bayes/answer": {"x": [0, 0]},
             "box/judge": {"theta": THETA_HAT, "x": [0, 0]}, "tin/answer": {"z": [0, 0]},
             "tin/taller": {"z": [0, 0], "rows": 1}, "world/land": {}, "box/scene": {},
             "sail/scene": {}, "sail/wind": {}, "sail/voyage": {"seed": 0, "headings": "W"},
             "sail/answer": {"steps": 100, "seed": 0, "voyages": []},
             **{f"families/{question}": {"name": name, **more} for name in ("box", "autoregressive")
                for question, more in (("draws", {"seed": 0}), ("density", {}))}}
    for question, values in asked.items():
        answer = ask(server, question, **values)
        assert 0 <= answer["seconds"] < 60 and answer["answered_by"]
        for source in answer["answered_by"]:
            page, anchor = re.fullmatch(r"/book/([\w/]+)\.html#([\w.]+)", source["link"]).groups()
            thing = sys.modules["gdl_numpy." + page.replace("/", ".")]
            for part in anchor.split("."):
                assert not part.startswith("_")
                thing = getattr(thing, part)
            assert source["name"] == f"{page.rpartition('/')[2]}.{anchor}"
    assert questions.source(likelihood)["link"] == "/book/probability/likelihood.html#likelihood"


# What is refused, and how

@pytest.mark.parametrize("question, message", [
    ("box/answer?theta=[1,2]&side=0", "theta must be an array of shape (4,), got (2,)"),
    ("box/answer?theta=[9,0,1,1]&side=0", "low must be below high"),
    ('box/answer?theta="abcd"&side=0', "theta"), ("box/answer?theta=[1,2,3,4]&side=4", "side"),
    ("box/answer?theta=[1,2,3,4]&side=1.5", "side must be a whole number"),
    ("box/answer?theta=[1,2,3,1e999]&side=0", "finite"), ("box/answer?theta=null&side=0", "theta"),
    ("box/answer?theta=[1,2,3,NaN]&side=0", "theta must be JSON"),
    ("box/answer?theta=[1,2,3,4]&side=true", "side must be a whole number"),
    ("box/answer?theta=[1,2,3,4]", "the arguments must be theta and side, got theta"),
    ("box/answer?theta=[1,2,3,4]&side=0&more=1", "got theta and side and more"),
    ("box/answer?side=0&theta=1&theta=2", "each argument must be given once"),
    ("box/answer?theta", "bad query field"), ("box/answer", "got none"),
    ("box/answer?side=0&theta=" + 600 * "[", "theta must be JSON"),
    ("box/answer?side=0&theta=%FF", "can't decode byte"),
    ("box/judge?theta=[1,2,3,4]&x=[1]", "1 columns"), ("noise/answer?step=-1", "step"),
    ("noise/answer?step=257", "step"), ('families/draws?name="boxx"&seed=0', "name must be one of"),
    ('families/draws?name="box"&seed=-1', "seed"), ('families/draws?name=[]&seed=1', "name"),
    ("tin/answer?z=[1]", "z must be a list of 2 numbers"), ("tin/answer?z=[1e60,0]", "Z"),
    ('families/density?name=3', "name must be one of"), ("bayes/answer?x=[1e999,0]", "x"),
    ("box/answer?theta=[-1e308,0,1e308,1]&side=0", "high - low must be finite"),
    ("box/answer?theta=[1e154,0,1e155,1e155]&side=0", "theta"),
    ("box/answer?theta=[0,0,1,181]&side=0", "theta"),
    ("box/answer?theta=[0,0,5e-324,5e-324]&side=0", "a side of theta must lie in [0.001, inf)"),
    ("box/judge?theta=[0,0,5e-324,1]&x=[0,0]", "a side of theta must lie in [0.001, inf)"),
    ("tin/taller?z=[0,0]&rows=1e9", "rows must lie in"), ("bayes/answer?x=[1,2,3]", "x must be"),
    ('sail/voyage?seed=-1&headings="W"', "seed must be at least 0"),
    ('sail/voyage?seed=[]&headings="W"', "seed must be a whole number"),
    ('sail/voyage?seed=0&headings="WX"', "of the letters N, E, S and W, got 'WX'"),
    ("sail/voyage?seed=0&headings=[3]", "letters N, E, S and W, got [3]"),
    (f'sail/voyage?seed=0&headings="{401 * "W"}"', "headings must be at most 400"),
    ("sail/answer?steps=5001&seed=0&voyages=[]", "steps must be at most 5000"),
    ("sail/answer?steps=1.5&seed=0&voyages=[]", "steps must be a whole number"),
    ("sail/answer?steps=0&seed=4294967296&voyages=[]", "seed must be at most"),
    ("sail/answer?steps=0&seed=0&voyages=3", "voyages must be at most 30 pairs of a seed"),
    ("sail/answer?steps=0&seed=0&voyages=[[0]]", "voyages must be at most 30 pairs"),
    ('sail/answer?steps=0&seed=0&voyages=[["W",0]]', "seed must be a whole number"),
    (f"sail/answer?steps=0&seed=0&voyages={31 * [[0]]}", "voyages must be at most 30 pairs"),
    (f"sail/answer?steps=0&seed=0&voyages={json.dumps(3 * [[0, 334 * 'E']])}",
     "voyages must have at most 1000 steps, got 1002"),
    ("world/land?x=1", "the arguments must be none, got x")])
def test_a_wrong_value_is_status_400_with_the_message_of_the_package(server, question, message,
                                                                     monkeypatch):
    monkeypatch.setattr(noise, "states", lambda: [X] * 257)
    said = refused(server, f"/api/{quote(question, safe='/?=&,%')}", 400)
    assert message in said and len(said) < 900 and said.strip()


@pytest.mark.parametrize("path", [
    "/nothing", "/api", "/api/box", "/api/box/nothing", "/api/nothing/answer", "/static/",
    "/static/nothing.js", "/static/../server.py", "/static/..%2fserver.py", "/api/box/answer/more",
    "/../../LICENSE", "/%2e%2e/LICENSE", "//etc/passwd", "/api/box/__init__", "/static/%00",
    "[/", "*", "nothing", "/static/%ff"])
def test_what_is_not_there_is_status_404(server, path):
    assert "there is no" in refused(server, path, 404)


@pytest.mark.parametrize("host", ["example.org", "127.0.0.1", "127.0.0.1:1", "", "local:80"])
@pytest.mark.parametrize("path", ["/", "/api/box/scene", "/book/index.html", "/static/box.js"])
def test_a_foreign_host_is_not_answered(server, path, host):
    assert "only requests to 127.0.0.1:" in refused(server, path, 403, host=host)


@pytest.mark.parametrize("headers", [
    {"Origin": "http://example.org"}, {"Origin": "null"}, {"Origin": "http://127.0.0.1:1"},
    {"Sec-Fetch-Site": "cross-site"}, {"Sec-Fetch-Site": "same-site"},
    {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate"}])
def test_a_foreign_page_is_not_answered(server, headers):
    said = refused(server, "/api/box/scene", 403, headers=headers)
    assert said == "only requests of this server's own pages are answered"


@pytest.mark.parametrize("path", ["/api/box/scene", "/%61pi/box/scene", "/api%2fbox/scene"])
def test_however_a_question_is_spelled_a_link_of_a_foreign_page_cannot_ask_it(server, path):
    headers = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate"}
    assert "own pages" in refused(server, path, 403, headers=headers)


@pytest.mark.parametrize("lines, status", [
    ("no colon\r\nOrigin: http://example.org", 400),
    ("Content-Length: 0\r\nContent-Length: 5", 413)])
def test_no_header_hides_behind_another_one(server, lines, status):
    with socket.create_connection(("127.0.0.1", server.server_port), timeout=30) as connection:
        connection.sendall(f"GET / HTTP/1.1\r\nHost: {server.hosts[0]}\r\n{lines}\r\n\r\n".encode())
        connection.shutdown(socket.SHUT_WR)
        assert connection.recv(1000).startswith(f"HTTP/1.1 {status} ".encode())


def test_the_own_page_and_who_follows_a_link_to_it_are_answered(server):
    own = f"http://localhost:{server.server_port}"
    for headers in ({"Origin": own, "Sec-Fetch-Site": "same-origin"}, {"Sec-Fetch-Site": "none"}):
        assert sent(server, "/api/box/scene", headers=headers, host=own[7:])[0] == 200
    followed = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate"}
    assert sent(server, "/", headers=followed)[0] == 200


def test_sizes_are_capped(server):
    assert "at most" in refused(server, "/api/box/scene?x=" + LONGEST * "1", 414)
    assert refused(server, "/" + 70_000 * "a", 414)
    assert "no body" in refused(server, "/api/box/scene", 413, body=b"1")
    assert "no body" in refused(server, "/", 413, headers={"Transfer-Encoding": "chunked"})
    assert refused(server, "/", 431, headers={"X": 70_000 * "a"})


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS", "NONSENSE"])
def test_nothing_but_get_and_head_is_understood(server, method):
    assert "only GET and HEAD" in refused(server, "/api/box/scene", 405, method=method)
    status, headers, content = sent(server, "/", method="HEAD")
    assert status == 200 and not content and int(headers["Content-Length"]) > 1000


def test_a_fault_is_told_on_the_terminal_and_not_to_the_page(server, monkeypatch, capsys):
    def broken():
        raise KeyError("secret")

    broken.sources = []
    monkeypatch.setitem(panels.PANELS["world"].QUESTIONS, "land", broken)
    assert "secret" not in refused(server, "/api/world/land", 500)
    assert "KeyError: 'secret'" in capsys.readouterr().err


def test_broken_parameters_are_named_to_the_page(server, tmp_path, monkeypatch):
    (tmp_path / "tins.npz").write_bytes(b"junk")
    monkeypatch.setattr(tin, "model", lambda: learned.stored("tins", tmp_path))
    said = refused(server, "/api/tin/answer?z=[0,0]", 500)
    assert str(tmp_path / "tins.npz") in said and "scripts/train_explorer.py --only tins" in said


# Files and the book

def test_all_responses_forbid_what_is_not_from_here(server, monkeypatch):
    monkeypatch.setattr(server.book, "files", {"index.html": b""})      # to build it takes long
    for path in ("/", "/static/explore.js", "/api/box/scene", "/nothing", "/book/x.html"):
        _, headers, _ = sent(server, path)
        assert headers["X-Content-Type-Options"] == "nosniff"
        policy = headers["Content-Security-Policy"]
        assert policy.startswith("default-src 'self'; ") and "frame-ancestors 'none'" in policy
        assert ("unsafe-inline" in policy) == path.startswith("/book")
        assert "http" not in policy and "*" not in policy
        assert headers["Cross-Origin-Resource-Policy"] == "same-origin"


def test_files_are_served_as_what_they_are_and_hold_no_remote_address(server):
    kinds = {".js": "text/javascript", ".css": "text/css", ".html": "text/html"}
    for path in STATIC.iterdir():
        status, headers, content = sent(server, f"/static/{path.name}")
        assert status == 200 and content == path.read_bytes()
        assert headers["Content-Type"] == f"{kinds[path.suffix]}; charset=utf-8"
        addresses = set(re.findall(rb"(?:https?:)?//[\w.]+", content)) - {b"http://www.w3.org"}
        assert not addresses or path.suffix == ".js" and all(
            line.lstrip().startswith(b"//") or b" // " in line for line in content.splitlines()
            if any(address in line for address in addresses))
    assert sent(server, "/")[2] == (STATIC / "index.html").read_bytes()


def test_a_panel_is_a_module_a_file_and_a_section():
    page = (STATIC / "index.html").read_text(encoding="utf-8")
    start = (STATIC / "explore.js").read_text(encoding="utf-8")
    assert set(re.findall(r'<section id="(\w+)"', page)) == set(panels.PANELS) - {"world"}
    for name in set(panels.PANELS) - {"world"}:
        assert (STATIC / f"{name}.js").exists() and f'from "./{name}.js"' in start


def test_the_browser_draws_and_computes_nothing():
    for path in STATIC.glob("*.js"):
        used = set(re.findall(r"\bMath\.(\w+)", path.read_text(encoding="utf-8")))
        assert used <= {"abs", "floor", "max", "min", "round"}, path.name


def test_the_colors_are_those_of_the_figures():
    css = (STATIC / "explore.css").read_text(encoding="utf-8")
    for color in (style.BLUE, style.SKY, style.ORANGE, style.DARK_ORANGE, style.VERMILION,
                  style.LAND, style.INK):
        assert f": {color};" in css


def a_book(build):
    module = types.ModuleType("make_book")
    module.build = build
    return module


def test_the_book_is_built_when_it_is_first_asked_for_and_nothing_is_left(server, monkeypatch):
    folders = []

    def build(folder):
        folders.append(folder)
        (folder / "world").mkdir()
        (folder / "index.html").write_text("cover")
        (folder / "world" / "polygon.html").write_text("polygon")
        (folder / "search.js").write_text("1")

    monkeypatch.setattr(server.book, "files", {})
    monkeypatch.setitem(sys.modules, "make_book", a_book(build))
    for path, content in (("/book/", b"cover"), ("/book/index.html", b"cover"),
                          ("/book/world/polygon.html?q=1", b"polygon")):
        status, headers, got = sent(server, path)
        assert (status, got) == (200, content) and headers["Content-Type"].startswith("text/html")
    status, headers, _ = sent(server, "/book")              # where links would lead elsewhere
    assert status == 302 and headers["Location"] == "/book/index.html"
    assert sent(server, "/book/search.js")[1]["Content-Type"].startswith("text/javascript")
    for path in ("/book/nothing.html", "/book/../LICENSE", "/book/%2e%2e/%2e%2e/etc/passwd"):
        status, _, content = sent(server, path)
        assert status == 404 and b"<p>The book has no page" in content
    assert len(folders) == 1 and not folders[0].exists()


@pytest.mark.parametrize("module, status, said", [
    (None, 503, b"pip install -e"),
    (a_book(lambda folder: 1 / 0), 500, b"The book cannot be built: division by zero")])
def test_a_book_that_cannot_be_built_is_one_sentence(server, module, status, said, monkeypatch):
    monkeypatch.setattr(server.book, "files", {})
    monkeypatch.setitem(sys.modules, "make_book", module)
    got, headers, content = sent(server, "/book/world/polygon.html")
    assert got == status and said in content and headers["Content-Type"].startswith("text/html")


# What was learned before

@pytest.mark.parametrize("name", learned.LEARNED)
def test_committed_parameters_are_small_and_fit_their_families(name):
    family, file = learned.LEARNED[name].family, learned.PARAMETERS / f"{name}.npz"
    assert file.stat().st_size < 600_000
    assert load(file, family).dtype == ("float64" if name == "mixture" else "float32")


def test_what_the_small_autoencoder_makes_of_codes_is_nearly_a_tin():
    images = BiscuitTins(100, np.random.default_rng(5)).images.astype("float32")
    codes = learned.stored("tins").encode(images[:60])
    distances = [tin.answer(z.tolist())["distance"] for z in codes]
    assert 0.007 < np.median(distances) < 0.009 and max(distances) < 0.02


def test_the_training_writes_what_is_committed(tmp_path, monkeypatch, capsys):
    small = learned.Learned(FAMILY, lambda: np.array([0.0, 0, 1, 1]))
    monkeypatch.setitem(train_explorer.LEARNED, "tins", small)
    assert train_explorer.main(["--only", "tins", "--output", str(tmp_path)]) == 0
    assert load(tmp_path / "tins.npz", FAMILY).tolist() == [0, 0, 1, 1]
    assert capsys.readouterr().out.startswith("tins: 4 parameters in ")


def test_what_is_computed_once_is_computed_once_whoever_asks():
    calls = []

    @questions.once
    def slow():
        calls.append(1)
        time.sleep(0.05)
        return calls

    threads = [threading.Thread(target=slow) for _ in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert slow() == [1]


# The command

def started(*arguments):
    script, more = ROOT / "scripts" / "explore.py", {"PYTHONPATH": str(ROOT)}
    return subprocess.Popen([sys.executable, script, *map(str, arguments)], text=True,
                            stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=os.environ | more)


@posix
def test_it_prints_its_address_and_ends_at_ctrl_c_without_a_word_of_error():
    process = started("--port", 0, "--no-browser")
    with process:
        address = re.match(r"http://127\.0\.0\.1:(\d+)/  ", process.stdout.readline())
        connection = http.client.HTTPConnection("127.0.0.1", int(address[1]), timeout=30)
        with contextlib.closing(connection):                # which stays open
            connection.request("GET", "/")
            assert b"Drag the model" in connection.getresponse().read()
            process.send_signal(signal.SIGINT)
            out, err = process.communicate(timeout=20)
    assert (process.returncode, out, err) == (130, "ended\n", "")


@posix
def test_a_browser_that_leaves_in_the_middle_of_an_answer_does_not_end_the_server():
    process = started("--port", 0, "--no-browser")
    with process:
        port = int(re.search(r":(\d+)/", process.stdout.readline())[1])
        asked = f"GET /static/box.js HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n\r\n".encode()
        for _ in range(20):                                 # of 30 answers none is read
            with socket.create_connection(("127.0.0.1", port), timeout=30) as connection:
                connection.sendall(30 * asked)
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
        with contextlib.closing(connection):
            connection.request("GET", "/")
            assert connection.getresponse().status == 200
            process.send_signal(signal.SIGINT)
            out, err = process.communicate(timeout=20)
    assert (process.returncode, out, err) == (130, "ended\n", "")


def test_a_port_that_is_taken_is_one_sentence_and_exit_status_2():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        process = started("--port", port, "--no-browser")
        out, err = process.communicate(timeout=60)
    assert process.returncode == 2 and out == "" and len(err.splitlines()) == 1
    assert f"explore.py: cannot use port {port} of 127.0.0.1: " in err and "--port" in err


@pytest.mark.parametrize("port, said", [("-1", "must be a whole number from 0 on"),
                                        ("65536", "must be at most 65535"), ("x", "whole number")])
def test_a_port_that_cannot_be_is_one_line(port, said, capsys):
    import explore
    with pytest.raises(SystemExit) as ended:
        explore.main(["--port", port])
    err = capsys.readouterr().err
    assert ended.value.code == 2 and len(err.splitlines()) == 1 and said in err


def test_help_says_what_it_does(capsys):
    import explore
    with pytest.raises(SystemExit):
        explore.main(["--help"])
    assert "Ctrl-C ends it" in capsys.readouterr().out


def test_the_browser_is_opened_at_the_address_unless_it_is_not_wanted(monkeypatch, capsys):
    import explore
    opened = []
    monkeypatch.setattr(explore.webbrowser, "open", opened.append)
    monkeypatch.setattr("explorer.server.Server.serve_forever", lambda self: time.sleep(0.1))
    for more in ([], ["--no-browser"]):
        explore.main(["--port", "0", *more])
    assert opened == [capsys.readouterr().out.split()[0]]

"""Chart: its cells are the sea, and a step leads to a cell or nowhere."""

import numpy
import pytest

from gdl_numpy.agents.chart import ATLANTIC, DISPLACEMENTS, SHAPE, Chart
from gdl_numpy.numerics.backend import array_module, to_numpy
from gdl_numpy.world.world_map import WorldMap

CHART = Chart()
N, K = CHART.leads_to.shape


def test_all_cells_are_centers_of_squares_at_sea():
    grid, _ = ATLANTIC.grid(SHAPE)
    assert (CHART.cells[:, None] == grid).all(axis=2).any(axis=1).all()
    assert not WorldMap().contains(CHART.cells).any()


def test_no_displacement_leads_to_land():
    assert not WorldMap().contains(CHART.cells[CHART.leads_to.ravel()]).any()


def test_a_displacement_leads_by_so_many_squares_or_nowhere():
    moved = (CHART.cells[CHART.leads_to] - CHART.cells[:, None]) / 5
    stays = CHART.leads_to == numpy.arange(N)[:, None]
    assert ((moved == DISPLACEMENTS).all(axis=2) | stays).all()
    assert stays[:, 0].all() and 0 < stays[:, 1:].mean() < 0.5


def test_who_can_go_somewhere_can_come_back_by_the_opposite_displacement():
    for k, (north, east) in enumerate(DISPLACEMENTS):
        back = CHART.leads_to[:, DISPLACEMENTS.index((-north, -east))]
        went = CHART.leads_to[:, k] != numpy.arange(N)
        assert (back[CHART.leads_to[:, k]] == numpy.arange(N))[went].all()


def test_what_stops_a_displacement_is_land_another_sea_or_the_edge():
    for k, delta in enumerate(DISPLACEMENTS[1:], 1):
        stopped = CHART.leads_to[:, k] == numpy.arange(N)
        beyond = CHART.cells[stopped] + 5 * numpy.array(delta)
        assert (CHART.cell(beyond) == -1).all()


def test_one_can_sail_from_every_cell_to_every_other():
    leads = numpy.eye(N, dtype=bool)
    for headings in CHART.leads_to[:, 1:5].T:
        leads[numpy.arange(N), headings] = True
    for _ in range(9):                                      # ways of up to 2^9 steps
        leads = leads.astype(float) @ leads.astype(float) > 0
    assert leads.all()


def test_the_cell_of_a_center_is_its_number_and_land_has_none():
    assert (CHART.cell(CHART.cells) == numpy.arange(N)).all()
    assert (CHART.cell(CHART.cells + 2.4) == numpy.arange(N)).all()
    elsewhere = [[52.5, 12.5], [37.5, 17.5], [7.5, -79.0], [80.0, 0.0], [40.0, 170.0]]
    assert (CHART.cell(elsewhere) == -1).all()              # land, two other seas, off the chart
    assert CHART.cell(numpy.zeros((0, 2))).shape == (0,)


def test_a_point_on_a_border_is_in_the_cell_from_which_a_ship_would_depart():
    border = (40.0, -15.0)
    assert CHART.cell([border]) == [Chart(start=border).departs]


def test_two_squares_at_once_pass_over_scotland_and_the_south_of_greenland():
    east, farther = DISPLACEMENTS.index((0, 1)), DISPLACEMENTS.index((0, 2))
    stays = CHART.leads_to == numpy.arange(N)[:, None]
    over = CHART.cells[stays[:, east] & ~stays[:, farther]] + [0, 5]
    assert over.tolist() == [[57.5, -2.5], [62.5, -47.5]]


def test_a_voyage_goes_from_lisbon_to_the_west():
    assert CHART.cells[CHART.departs].tolist() == [37.5, -12.5]
    assert CHART.cells[CHART.arrives].tolist() == [37.5, -67.5]
    assert (CHART.cells[:, 0] == 2.5 + 5 * CHART.latitude).all()


def test_another_goal_on_the_same_sea_has_the_same_cells():
    other = Chart(start=(40, -70), goal=(10, -30))
    assert (other.cells == CHART.cells).all() and (other.leads_to == CHART.leads_to).all()
    assert other.cells[other.arrives].tolist() == [12.5, -27.5]
    assert repr(other) == "Chart(start=(40.0, -70.0), goal=(10.0, -30.0))"


# P(s'|s, a)

def test_a_table_sums_the_masses_of_all_displacements_that_lead_to_the_same_cell():
    masses = numpy.random.default_rng(0).dirichlet(numpy.ones(K), (N, 4))
    P = CHART.table(masses)
    for a, s in ((0, 0), (3, CHART.departs), (1, CHART.departs), (2, N - 1)):
        by_hand = numpy.zeros(N)
        numpy.add.at(by_hand, CHART.leads_to[s], masses[s, a])
        numpy.testing.assert_allclose(P[a, s], by_hand, rtol=1e-12)
    numpy.testing.assert_allclose(P.sum(axis=2), 1, rtol=1e-12)


def test_a_chart_and_its_tables_live_where_they_are_asked_to(xp):
    chart = CHART.on(xp)
    masses = xp.full((N, 4, K), 1 / K)
    assert array_module(chart.cells) is array_module(chart.table(masses)) is xp
    assert array_module(chart.cell(chart.cells[:3])) is xp
    numpy.testing.assert_allclose(to_numpy(chart.table(masses)), CHART.table(to_numpy(masses)))


@pytest.mark.parametrize("wrong, message", [
    ({"goal": (40.0, -100.0)}, r"goal must be a point at sea in 0 to 65° N and -80 to 20° E, got"),
    ({"goal": (70.0, -30.0)}, "goal must be a point at sea"),
    ({"start": (40.0, -4.0)}, "start must be a point at sea .* can sail to the goal"),
    ({"start": (37.5, 17.5)}, "start must be a point at sea .* can sail to the goal"),
    ({"start": (-10.0, -20.0)}, "start must be a point at sea"),
    ({"start": (37.5,)}, "start must be a list of 2 numbers"),
    ({"goal": (float("nan"), 0.0)}, "goal must lie in")])
def test_a_port_on_land_or_on_another_sea_is_refused(wrong, message):
    with pytest.raises((ValueError, TypeError), match=message):
        Chart(**wrong)


def test_masses_of_another_shape_are_refused():
    with pytest.raises(ValueError, match=r"masses must have the shape of p\(Δ\|s, a\)"):
        CHART.table(numpy.ones((N, 4, 9)))

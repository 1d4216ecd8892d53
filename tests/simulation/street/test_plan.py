# SPDX-License-Identifier: Apache-2.0
import numpy as np
import pytest

from perception.simulation.street.plan import LEFT, RIGHT, SIDES, StreetPlan, random_plan

PLANS = [random_plan(np.random.default_rng(seed), 12.0) for seed in range(40)]
LANES = [random_plan(np.random.default_rng(seed), 12.0, street="lane") for seed in range(10)]


@pytest.mark.parametrize("plan", PLANS + LANES)
def test_widths_add_up(plan: StreetPlan) -> None:
    for side in SIDES:
        outermost = plan.lane_centre(side, plan.lanes[side] - 1)
        assert np.sign(outermost) == side
        assert abs(outermost) + plan.lane_width / 2 == pytest.approx(plan.lane_edge(side))
        assert plan.lane_edge(side) < plan.edge(side) <= plan.front(side)


@pytest.mark.parametrize("plan", PLANS + LANES)
def test_closed_ranges_and_side_streets_share_the_street(plan: StreetPlan) -> None:
    for side in SIDES:
        closed = plan.closed(side)
        assert closed[0][0] == plan.line.start
        assert closed[-1][1] == plan.line.end
        for junction in plan.junctions:
            inside = any(a < junction.s < b for a, b in closed)
            assert inside == (side not in junction.sides)


@pytest.mark.parametrize("plan", PLANS + LANES)
def test_the_kerb_is_a_step_but_for_side_streets(plan: StreetPlan) -> None:
    quiet = next(s for s in np.arange(0.0, 100.0) if not plan.near_junction(float(s), 1.0))
    for side in SIDES:
        edge = plan.edge(side)
        assert plan.height(quiet, side * (edge + 0.2)) - plan.height(quiet, side * (edge - 0.01)) == pytest.approx(
            plan.step, abs=0.01
        )
    for junction in plan.junctions:
        d = junction.sides[0] * (plan.edge(junction.sides[0]) + 5.0)
        assert plan.height(junction.s, d) == pytest.approx(plan.height(quiet, d) - plan.step)


def test_streets_differ() -> None:
    assert {p.style for p in PLANS} == {"urban", "residential", "rural"}
    assert {p.lanes[RIGHT] + p.lanes[LEFT] for p in PLANS} >= {2, 4}
    assert any(p.zebras for p in PLANS)
    assert any(len(p.junctions) == 0 for p in PLANS)


def test_lanes_are_narrow_and_closed_in() -> None:
    assert all(plan.lane and not plan.zebras for plan in LANES)
    assert not any(plan.lane for plan in PLANS)
    for plan in LANES:
        assert plan.edge(LEFT) + plan.edge(RIGHT) < 6.1
        assert all(plan.front(side) - plan.edge(side) < 7.1 for side in SIDES)

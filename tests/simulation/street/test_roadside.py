# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from perception.simulation.street.centreline import Centreline
from perception.simulation.street.plan import LEFT, RIGHT, StreetPlan, random_plan
from perception.simulation.street.roadside import roadside
from perception.simulation.things import furniture
from perception.simulation.things.placement import Placement


def straight(seed: int) -> StreetPlan:
    """A random street, straight and level: the world's x and y are its s and d."""
    plan = random_plan(np.random.default_rng(seed), 6.0)
    return replace(plan, line=Centreline(plan.line.start, plan.line.end, 0.0, 0.0, np.random.default_rng(0)))


def furnished(seed: int) -> tuple[StreetPlan, Placement, np.ndarray]:
    plan, placed = straight(seed), Placement()
    return plan, placed, roadside(plan, np.random.default_rng(seed), placed, detailed_until=0.0, night=True)


STREETS = [furnished(seed) for seed in range(8)]


def side_of(d: float) -> int:
    return LEFT if d > 0 else RIGHT


@pytest.mark.parametrize(("plan", "placed", "lights"), STREETS)
def test_nothing_stands_on_the_carriageway(plan: StreetPlan, placed: Placement, lights: np.ndarray) -> None:
    for s, d in placed.feet():
        across_the_end = s > plan.line.end + 15  # trees that close the view
        assert across_the_end or abs(d) > plan.edge(side_of(d))


@pytest.mark.parametrize(("plan", "placed", "lights"), STREETS)
def test_lamps_hang_high_on_the_side_of_their_mast(plan: StreetPlan, placed: Placement, lights: np.ndarray) -> None:
    assert lights.dtype == np.float32
    if plan.style == "rural":
        assert lights.shape == (0, 3)
        return
    assert len(lights) > 3
    feet = np.array(placed.feet())
    for s, d, z in lights:
        side = side_of(d)
        mast = np.array([s, side * (plan.edge(side) + 0.4)])
        assert np.abs(feet - mast).max(axis=1).min() < 1e-4
        assert abs(d) <= plan.edge(side) + 0.41  # the arm reaches out over the road
        assert 4.0 < z < furniture.LAMP_HEIGHT + 0.2
        assert not any(side in j.sides and abs(s - j.s) < j.half + j.radius for j in plan.junctions)


@pytest.mark.parametrize(("plan", "placed", "lights"), STREETS)
def test_people_walk_around_what_stands_on_the_pavement(
    plan: StreetPlan, placed: Placement, lights: np.ndarray
) -> None:
    for _, d in placed.in_the_way:
        beside = plan.sides[side_of(d)]
        from_kerb = abs(d) - plan.edge(side_of(d))
        assert 0 < from_kerb < beside.verge + beside.pavement
        assert beside.pavement >= 1.4

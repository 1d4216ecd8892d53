# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from perception.simulation.street import frontage
from perception.simulation.street.centreline import Centreline
from perception.simulation.street.plan import SIDES, StreetPlan, random_plan
from perception.simulation.things.placement import Placement


def straightened(seed: int, style: str) -> StreetPlan:
    """A random street of that style, straight and level: the world's x and y are its s and d."""
    number = seed
    while (plan := random_plan(np.random.default_rng(number), 8.0)).style != style:
        number += 100
    return replace(plan, line=Centreline(plan.line.start, plan.line.end, 0.0, 0.0, np.random.default_rng(0)))


PLANS = [straightened(seed, style) for style in ("urban", "residential") for seed in range(4)]


def vertices(placed: Placement) -> np.ndarray:
    return np.concatenate([mesh.vertices for mesh in placed.meshes()])


@pytest.mark.parametrize("plan", PLANS)
@pytest.mark.parametrize("side", SIDES)
def test_houses_stand_behind_their_front_and_leave_side_streets_open(plan: StreetPlan, side: int) -> None:
    placed = Placement()
    frontage.houses(plan, side, np.random.default_rng(1), placed, detailed_until=40.0, night=False)
    found = vertices(placed)
    low = found[found[:, 2] < 1.0]  # balconies and eaves may hang out higher up
    assert (low[:, 1] * side).min() > plan.front(side) - 0.7
    for junction in plan.junctions:
        if side in junction.sides:
            assert not (np.abs(low[:, 0] - junction.s) < junction.half).any()
    assert len(placed.feet()) > 3


@pytest.mark.parametrize("plan", PLANS)
def test_a_house_faces_the_road(plan: StreetPlan) -> None:
    """A house's front is its own y = 0, what lies behind has y > 0."""
    for side in SIDES:
        pose = frontage._facing_pose(plan, side, 10.0, 12.0, 9.0)
        corners = np.array([pose @ [x, y, 0, 1] for x in (0, 12) for y in (0, 5)])
        assert corners[:, 0].min() == pytest.approx(10.0)
        assert corners[:, 0].max() == pytest.approx(22.0)
        assert (np.abs(corners[[0, 2], 1])).tolist() == pytest.approx([9.0, 9.0])
        assert (np.abs(corners[[1, 3], 1])).tolist() == pytest.approx([14.0, 14.0])


@pytest.mark.parametrize("plan", PLANS)
@pytest.mark.parametrize("side", SIDES)
def test_side_street_houses_leave_the_side_street_free(plan: StreetPlan, side: int) -> None:
    placed = Placement()
    frontage.side_street_houses(plan, side, np.random.default_rng(2), placed)
    here = [junction for junction in plan.junctions if side in junction.sides]
    assert bool(here) == bool(placed.feet())
    if here:
        found = vertices(placed)
        assert (found[:, 1] * side).min() > plan.front(side)
        low = found[found[:, 2] < 1.0]
        for junction in here:
            assert np.abs(low[:, 0] - junction.s).min() > junction.half


@pytest.mark.parametrize("plan", PLANS)
@pytest.mark.parametrize("side", SIDES)
def test_front_gardens_lie_between_pavement_and_house(plan: StreetPlan, side: int) -> None:
    placed = Placement()
    frontage.front_gardens(plan, side, np.random.default_rng(3), placed)
    beside = plan.sides[side]
    if beside.setback < 2.0:
        assert not placed.feet()
        return
    feet = np.array(placed.feet())
    back_of_pavement = plan.edge(side) + beside.verge + beside.pavement
    assert (feet[:, 1] * side).min() >= back_of_pavement + 0.39
    assert (feet[:, 1] * side).max() <= back_of_pavement + 0.4 + max(1.2, beside.setback - 1.0) + 1e-6

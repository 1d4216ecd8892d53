# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest

from perception.simulation.street.centreline import Centreline
from perception.simulation.street.plan import LEFT, SIDES, StreetPlan, random_plan
from perception.simulation.things import planting
from perception.simulation.things.placement import Placement


def straight(seed: int) -> StreetPlan:
    """A random street, straight and level: the world's x and y are its s and d."""
    plan = random_plan(np.random.default_rng(seed), 6.0)
    return replace(plan, line=Centreline(plan.line.start, plan.line.end, 0.0, 0.0, np.random.default_rng(0)))


PLANS = [straight(seed) for seed in range(12)]


def test_leaves_are_green_more_often_than_not() -> None:
    rng = np.random.default_rng(0)
    colours = Counter(planting.leaf_colour(rng) for _ in range(4000))
    assert set(colours) == set(range(5))
    assert colours[0] / 4000 == pytest.approx(0.35, abs=0.03)
    assert colours[4] / 4000 == pytest.approx(0.1, abs=0.02)


@pytest.mark.parametrize("side", SIDES)
def test_a_plant_stands_at_its_distance_with_its_foot_in_the_ground(side: int) -> None:
    plan, placed = PLANS[0], Placement()
    planting.plant(plan, side, np.random.default_rng(1), placed, 20.0, 9.0, 1.0)
    ((s, d),) = placed.feet()
    assert (s, d) == pytest.approx((20.0, side * 9.0))
    (mesh,) = placed.meshes()
    assert mesh.vertices[:, 2].min() < plan.height(20.0, side * 9.0)


@pytest.mark.parametrize("plan", PLANS)
@pytest.mark.parametrize("side", SIDES)
def test_street_trees_stand_in_a_row_between_kerb_and_pavement(plan: StreetPlan, side: int) -> None:
    placed = Placement()
    planting.street_trees(replace(plan, trees=1.0), side, np.random.default_rng(2), placed)
    beside = plan.sides[side]
    if beside.verge + beside.pavement < 1.9:
        assert not placed.feet()
        return
    feet = np.array(placed.feet())
    expected = beside.verge / 2 if beside.verge > 0 else 0.75
    np.testing.assert_allclose(feet[:, 1], side * (plan.edge(side) + expected), atol=1e-6)
    assert np.diff(np.sort(feet[:, 0])).min() > 6.5
    for junction in plan.junctions:
        if side in junction.sides:
            assert np.abs(feet[:, 0] - junction.s).min() > junction.half + junction.radius


def test_streets_without_trees_have_none() -> None:
    placed = Placement()
    for plan in PLANS:
        planting.street_trees(replace(plan, trees=0.0), LEFT, np.random.default_rng(3), placed)
    assert not placed.feet()


@pytest.mark.parametrize("plan", PLANS[:6])
@pytest.mark.parametrize("side", SIDES)
def test_the_country_keeps_off_the_road(plan: StreetPlan, side: int) -> None:
    for seed in range(4):
        placed = Placement()
        planting.countryside(plan, side, np.random.default_rng(seed), placed)
        for _, d in placed.feet():
            assert d * side > plan.edge(side) + 0.5


@pytest.mark.parametrize("plan", PLANS[:4])
def test_the_backdrop_is_far_away(plan: StreetPlan) -> None:
    placed = Placement()
    planting.backdrop(plan, np.random.default_rng(4), placed)
    for s, d in placed.feet():
        side = LEFT if d > 0 else -LEFT
        assert s > plan.line.end + 20 or abs(d) > plan.front(side) + 20
    ends = [d for s, d in placed.feet() if s > plan.line.end + 21]
    assert min(ends) == pytest.approx(-70)
    assert max(ends) == pytest.approx(70)

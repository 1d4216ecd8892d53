# SPDX-License-Identifier: Apache-2.0
"""Where trees, bushes and what belongs to open country stand along a street."""

from __future__ import annotations

import numpy as np

from perception.simulation.street.plan import LEFT, SIDES, StreetPlan
from perception.simulation.things import furniture, vegetation
from perception.simulation.things.placement import Placement


def leaf_colour(rng: np.random.Generator) -> int:
    """A colour of `materials.LEAVES`, green more often than not."""
    return int(rng.choice(5, p=[0.35, 0.3, 0.15, 0.1, 0.1]))


def plant(
    plan: StreetPlan, side: int, rng: np.random.Generator, placed: Placement, s: float, distance: float, size: float
) -> None:
    """A random tree, conifer or bush; size 1 is fully grown, distance counts from the middle of the road."""
    maker = (vegetation.tree, vegetation.conifer, vegetation.bush)[rng.choice(3, p=[0.4, 0.2, 0.4])]
    mesh = maker(int(rng.integers(vegetation.VARIANTS)), leaf_colour(rng))
    d = side * distance
    scale = float(size * rng.uniform(0.8, 1.4))
    placed.add(mesh, plan.line.upright(s, d, plan.height(s, d) - 0.05, float(rng.uniform(0, 6.3)), scale))


def street_trees(plan: StreetPlan, side: int, rng: np.random.Generator, placed: Placement) -> None:
    """A row of trees between kerb and pavement."""
    beside = plan.sides[side]
    room = beside.verge + beside.pavement
    if room < 1.9 or rng.random() > plan.trees:
        return
    variant, leaves = int(rng.integers(vegetation.VARIANTS)), leaf_colour(rng)
    d = side * (plan.edge(side) + (beside.verge / 2 if beside.verge > 0 else 0.75))
    for start, end in plan.closed(side, 2.0):
        for s in np.arange(start + 2.0, end, float(rng.uniform(8.0, 15.0))):
            if rng.random() < 0.85:
                mesh = vegetation.tree((variant + int(rng.integers(2))) % vegetation.VARIANTS, leaves)
                pose = plan.line.upright(
                    s + rng.uniform(-0.5, 0.5), d, plan.step - 0.1, rng.uniform(0, 6.3), rng.uniform(0.7, 1.15)
                )
                placed.add(mesh, pose)


def countryside(plan: StreetPlan, side: int, rng: np.random.Generator, placed: Placement) -> None:
    """Rows or scattered trees, guard rails, marker posts, utility poles."""
    edge = plan.edge(side) + plan.sides[side].verge + plan.sides[side].pavement
    if rng.random() < 0.5:
        density = rng.uniform(3.0, 7.0)
        rows = rng.uniform(2.0, 5.0)
        for start, end in plan.closed(side, 3.0):
            for s in np.arange(start, end, density):
                plant(
                    plan, side, rng, placed, s + float(rng.uniform(-2, 2)), edge + float(rows + rng.uniform(0, 5)), 1.0
                )
    else:
        for s in rng.uniform(plan.line.start, plan.line.end, 25):
            if not plan.near_junction(float(s), 4.0):
                plant(plan, side, rng, placed, float(s), edge + float(rng.uniform(3, 40)), 1.0)
    if rng.random() < 0.4:
        turn = 0.0 if side != LEFT else np.pi
        for start, end in plan.closed(side, 6.0):
            for s in np.arange(start, end - 4.0, 4.0):
                placed.add(
                    furniture.guard_rail(),
                    plan.line.upright(s + (4.0 if side == LEFT else 0.0), side * (plan.edge(side) + 0.9), 0.0, turn),
                )
    elif rng.random() < 0.7:
        for s in np.arange(plan.line.start, plan.line.end, 25.0):
            if not plan.near_junction(float(s), 1.0):
                placed.add(furniture.delineator(), plan.line.upright(s, side * (plan.edge(side) + 0.7), -0.05))
    if rng.random() < 0.4:
        for s in np.arange(plan.line.start + 11.0, plan.line.end, 34.0):
            if not plan.near_junction(float(s), 1.0):
                placed.add(furniture.utility_pole(), plan.line.upright(s, side * (edge + 1.5), -0.1))


def backdrop(plan: StreetPlan, rng: np.random.Generator, placed: Placement) -> None:
    """Trees in the distance: behind the houses, and across the ends of the street."""
    for side in SIDES:
        behind = plan.front(side) + (24.0 if plan.style != "rural" else 55.0)
        for s in np.arange(plan.line.start, plan.line.end + 20.0, 11.0):
            clear = not any(side in j.sides and abs(s - j.s) < j.half + j.radius + 16.0 for j in plan.junctions)
            if clear and rng.random() < 0.5 + 0.5 * plan.trees:
                _far_tree(plan, rng, placed, float(s + rng.uniform(-4, 4)), side * (behind + float(rng.uniform(0, 15))))
        for j in plan.junctions:
            if side in j.sides:
                for across in np.arange(-15.0, 16.0, 6.0):
                    _far_tree(plan, rng, placed, j.s + float(across), side * (plan.edge(side) + 76.0))
    for d in np.arange(-70.0, 71.0, 7.0):
        _far_tree(plan, rng, placed, plan.line.end + 30.0 + float(rng.uniform(-8, 8)), float(d))


def _far_tree(plan: StreetPlan, rng: np.random.Generator, placed: Placement, s: float, d: float) -> None:
    mesh = vegetation.far_tree(int(rng.integers(vegetation.VARIANTS)), leaf_colour(rng))
    placed.add(mesh, plan.line.upright(s, d, -0.3, float(rng.uniform(0, 6.3)), float(rng.uniform(0.8, 1.5))))

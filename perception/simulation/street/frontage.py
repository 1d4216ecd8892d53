# SPDX-License-Identifier: Apache-2.0
"""The houses along a street and its side streets, and the hedges, walls and fences of their gardens."""

from __future__ import annotations

import numpy as np

from perception.simulation.scene import Mesh
from perception.simulation.street import buildings
from perception.simulation.street.plan import LEFT, StreetPlan
from perception.simulation.things import vegetation
from perception.simulation.things.placement import Placement
from perception.simulation.things.planting import leaf_colour, plant
from perception.simulation.things.shapes import Pose


def houses(
    plan: StreetPlan, side: int, rng: np.random.Generator, placed: Placement, detailed_until: float, night: bool
) -> None:
    """Rows of houses along one side. detailed_until: s beyond which they are boxes with a facade texture."""
    urban = plan.style == "urban"
    for start, end in plan.closed(side):
        s = start + rng.uniform(0.5, 3.0)
        while s < end - 6.0:
            width = float(min(rng.uniform(9.0, 19.0) if urban else rng.uniform(8.0, 14.0), end - s - 0.5))
            if rng.random() > (0.06 if urban else 0.12):
                detailed = s < detailed_until
                house = buildings.random_building(rng, plan.style, width, detailed, night)
                back = 0.0 if urban else rng.uniform(0.0, 3.0)
                pose = _facing_pose(plan, side, s, width, plan.front(side) + back)
                placed.add(buildings.build(house), pose)
            gap = (0.0 if rng.random() < 0.8 else rng.uniform(2.0, 6.0)) if urban else rng.uniform(2.5, 9.0)
            s += width + gap


def side_street_houses(plan: StreetPlan, side: int, rng: np.random.Generator, placed: Placement) -> None:
    """Houses on both sides of every side street that leads off on that side."""
    for j in plan.junctions:
        if side not in j.sides:
            continue
        for direction in (-1, 1):
            d = plan.front(side) + 15.0
            while d < plan.edge(side) + 62.0:
                width = float(rng.uniform(9.0, 15.0))
                house = buildings.random_building(rng, plan.style, width, False, False)
                along = j.s + direction * (j.half + j.radius + 0.3)
                # the front lies along d; turned so that it faces the side street
                if (direction > 0) == (side == LEFT):
                    pose = plan.line.upright(along, side * (d + width), 0.0, -np.pi / 2 if side == LEFT else np.pi / 2)
                else:
                    pose = plan.line.upright(along, side * d, 0.0, np.pi / 2 if side == LEFT else -np.pi / 2)
                placed.add(buildings.build(house), pose)
                d += width + float(rng.uniform(0.0, 5.0))


def front_gardens(plan: StreetPlan, side: int, rng: np.random.Generator, placed: Placement) -> None:
    """Hedges, walls and fences behind the pavement, and plants behind them."""
    beside = plan.sides[side]
    if beside.setback < 2.0:
        return
    turn = 0.0 if side == LEFT else np.pi
    border = plan.edge(side) + beside.verge + beside.pavement + 0.4
    for start, end in plan.closed(side, 0.5):
        s = start
        while s < end - 4.0:
            length = float(min(rng.uniform(5.0, 14.0), end - s))
            kind = rng.choice(["hedge", "wall", "fence", "rail", "open"], p=[0.36, 0.18, 0.16, 0.1, 0.2])
            mesh: Mesh | None = None
            if kind == "hedge":
                mesh = vegetation.hedge(
                    length, float(rng.uniform(0.9, 2.1)), 0.9, leaf_colour(rng), int(rng.integers(1000))
                )
            elif kind == "wall":
                mesh = buildings.garden_wall(
                    length, float(rng.uniform(0.5, 1.8)), str(rng.choice(["stone_wall", "brick_0", "plaster_0"]))
                )
            elif kind in ("fence", "rail"):
                mesh = buildings.fence(
                    length, float(rng.uniform(0.9, 1.5)), "wood" if kind == "fence" else "dark_steel"
                )
            if mesh is not None:
                # these follow the slope, which a long one would otherwise leave
                placed.add(mesh, plan.line.pose(s if side == LEFT else s + length, side * border, 0.0, turn))
            if rng.random() < 0.6:
                plant(
                    plan,
                    side,
                    rng,
                    placed,
                    s + length / 2,
                    border + float(rng.uniform(1.0, max(1.2, beside.setback - 1.0))),
                    0.6,
                )
            s += length + (float(rng.uniform(1.0, 4.0)) if rng.random() < 0.5 else 0.0)


def _facing_pose(plan: StreetPlan, side: int, start: float, width: float, distance: float) -> Pose:
    """Pose of something whose front lies along its x axis from `start` for `width`, and faces the road."""
    return plan.line.upright(
        start if side == LEFT else start + width, side * distance, 0.0, 0.0 if side == LEFT else np.pi
    )

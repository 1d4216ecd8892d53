# SPDX-License-Identifier: Apache-2.0
"""What stands beside the road: houses, plants, and the lamps, signs, bins and benches of the pavement."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from perception.simulation.street import frontage
from perception.simulation.street.plan import LEFT, SIDES, StreetPlan
from perception.simulation.things import furniture, planting
from perception.simulation.things.placement import Placement


def roadside(
    plan: StreetPlan, rng: np.random.Generator, placed: Placement, detailed_until: float, night: bool
) -> NDArray[np.float32]:
    """Adds everything beside the road to `placed`; returns the world positions (L, 3) of the street lamps.

    detailed_until: s beyond which houses are plain boxes with a facade texture.
    """
    for side in SIDES:
        if plan.style == "rural":
            planting.countryside(plan, side, rng, placed)
        else:
            frontage.houses(plan, side, rng, placed, detailed_until, night)
            frontage.front_gardens(plan, side, rng, placed)
            frontage.side_street_houses(plan, side, rng, placed)
            planting.street_trees(plan, side, rng, placed)
        _small_things(plan, side, rng, placed)
        _signs(plan, side, rng, placed)
    planting.backdrop(plan, rng, placed)
    return _lamps(plan, rng, placed)


def _small_things(plan: StreetPlan, side: int, rng: np.random.Generator, placed: Placement) -> None:
    beside = plan.sides[side]
    if plan.style == "rural" or beside.pavement < 1.4:
        return
    kerbside = plan.edge(side) + 0.35
    back = plan.edge(side) + beside.verge + beside.pavement - 0.3
    turn = np.pi if side == LEFT else 0.0
    bollards = rng.random() < 0.35
    for start, end in plan.closed(side, 1.0):
        if bollards:
            striped = bool(rng.random() < 0.4)
            length = min(float(rng.uniform(10, 40)), end - start)
            for s in np.arange(start, start + length, 1.8):
                placed.add(furniture.bollard(striped), plan.line.upright(s, side * kerbside, plan.step - 0.06))
        for _ in range(int((end - start) / 18.0)):
            s = float(rng.uniform(start, end))
            mesh, distance = [
                (furniture.wheelie_bin(), back - 0.2), (furniture.cabinet(), back), (furniture.bench(), back),
                (furniture.wheelie_bin(), back - 0.2),
            ][rng.integers(4)]  # fmt: skip
            placed.add(mesh, plan.line.upright(s, side * distance, plan.step - 0.06, turn + float(rng.normal(0, 0.08))))
            placed.in_the_way += [(s + along, side * distance) for along in (-0.6, 0.0, 0.6)]
        if plan.style == "urban" and beside.pavement > 2.8 and rng.random() < 0.4 and end - start > 15:
            s = float(rng.uniform(start + 5, end - 5))
            placed.add(furniture.bus_shelter(), plan.line.upright(s, side * (back - 0.4), plan.step - 0.06, turn))
            placed.in_the_way += [
                (s + along, side * (back - 0.4 + aside)) for along in (-1.9, -1, 0, 1, 1.9) for aside in (-0.5, 0.5)
            ]


def _signs(plan: StreetPlan, side: int, rng: np.random.Generator, placed: Placement) -> None:
    z, turn = plan.step - 0.06, 0.0 if side != LEFT else np.pi
    spots = [
        (float(s), str(rng.choice(["round", "triangle", "blue", "priority"])))
        for s in rng.uniform(-30.0, plan.line.end, 6)
    ]
    spots += [(zebra + side * 3.0, "blue") for zebra in plan.zebras]
    for s, kind in spots:
        if not plan.near_junction(s, 0.0) or kind == "blue":
            placed.add(
                furniture.sign(kind),
                plan.line.upright(s, side * (plan.edge(side) + 0.45), z, turn + float(rng.normal(0, 0.1))),
            )
    for j in plan.junctions:
        before = j.s + side * (j.half + j.radius + 0.6)
        at = side * (plan.edge(side) + 0.5)
        if plan.style == "urban" and len(j.sides) == 2:
            placed.add(furniture.signal(bool(rng.random() < 0.5)), plan.line.upright(before, at, z, turn))
        elif side in j.sides:
            placed.add(furniture.sign("name"), plan.line.upright(before, at, z, turn))
            give_way = furniture.sign("triangle")
            placed.add(
                give_way,
                plan.line.upright(
                    j.s - side * (j.half + 0.8), side * (plan.edge(side) + j.radius + 1.0), z, -side * np.pi / 2
                ),
            )


def _lamps(plan: StreetPlan, rng: np.random.Generator, placed: Placement) -> NDArray[np.float32]:
    if plan.style == "rural":
        return np.zeros((0, 3), np.float32)
    tall = plan.style == "urban" or rng.random() < 0.4
    mesh = furniture.lamp() if tall else furniture.lantern()
    spacing, offset = float(rng.uniform(22.0, 34.0)), 0.0
    lights = []
    for side in SIDES if tall and rng.random() < 0.5 else (int(rng.choice(SIDES)),):
        for s in np.arange(plan.line.start + offset, plan.line.end, spacing):
            if any(side in j.sides and abs(s - j.s) < j.half + j.radius for j in plan.junctions):
                continue
            d = side * (plan.edge(side) + 0.4)
            # the arm reaches out over the road
            pose = plan.line.upright(s, d, plan.step - 0.06, np.pi if side == LEFT else 0.0)
            placed.add(mesh, pose)
            light = np.array(
                [0.0, furniture.LAMP_REACH, furniture.LAMP_HEIGHT - 0.05, 1.0] if tall else [0.0, 0.0, 4.35, 1.0]
            )
            lights.append((pose @ light)[:3])
        offset += spacing / 2
    return np.array(lights, np.float32).reshape(-1, 3)

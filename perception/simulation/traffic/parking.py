# SPDX-License-Identifier: Apache-2.0
"""Parked cars along the kerb and in side streets, bicycles and scooters on the pavement."""

from __future__ import annotations

import numpy as np

from perception.simulation.street.plan import CROWN, PARKING_WIDTH, RIGHT, SIDES, Junction, StreetPlan
from perception.simulation.things.placement import Placement
from perception.simulation.traffic import cyclists, vehicles
from perception.simulation.traffic.fleet import random_car, random_paint

Spans = dict[int, list[tuple[float, float]]]
"""Per side, ranges of s."""


def park(plan: StreetPlan, rng: np.random.Generator, placed: Placement) -> Spans:
    """Adds everything that is parked to `placed`; returns the ranges that parked cars fill."""
    filled: Spans = {side: [] for side in SIDES}
    share = float(rng.uniform(0.25, 0.95))
    for side in SIDES:
        if plan.sides[side].parking:
            d = side * (plan.edge(side) - 0.25 - PARKING_WIDTH / 2)
            for start, end in plan.closed(side, 2.0):
                _park_row(plan, rng, placed, side, d, (start, end), share, filled[side])
        _park_bikes(plan, rng, placed, side)
    for j in plan.junctions:
        for side in j.sides:
            _park_in_side_street(plan, rng, placed, j, side)
    return filled


def _park_row(
    plan: StreetPlan,
    rng: np.random.Generator,
    placed: Placement,
    side: int,
    d: float,
    span: tuple[float, float],
    share: float,
    filled: list[tuple[float, float]],
) -> None:
    s = span[0]
    while True:
        body = random_car(rng)
        length = vehicles.length_of(body)
        if s + length > span[1]:
            return
        at = s + length / 2
        if rng.random() < share and not any(abs(at - z) < length / 2 + 5.0 for z in plan.zebras):
            with_traffic = rng.random() < 0.9
            turn = (0.0 if side == RIGHT else np.pi) + (0.0 if with_traffic else np.pi) + float(rng.normal(0.0, 0.015))
            lateral = d + float(rng.normal(0.0, 0.06))
            mesh = vehicles.vehicle(body, random_paint(rng), False)
            placed.add(mesh, plan.line.pose(at, lateral, plan.height(at, lateral), turn))
            filled.append((s, s + length))
        s += length + float(rng.uniform(0.6, 1.8))


def _park_bikes(plan: StreetPlan, rng: np.random.Generator, placed: Placement, side: int) -> None:
    beside = plan.sides[side]
    if plan.style == "rural" or beside.pavement < 1.4:
        return
    back = plan.edge(side) + beside.verge + beside.pavement - 0.45
    for start, end in plan.closed(side, 2.0):
        for _ in range(rng.poisson((end - start) / 40.0)):
            first = float(rng.uniform(start, end))
            count = int(rng.integers(1, 6))
            for i in range(count):
                mesh = (
                    cyclists.scooter(int(rng.integers(4)))
                    if rng.random() < 0.12
                    else cyclists.bicycle(int(rng.integers(4)))
                )
                s, turn = first + 0.75 * i, float(rng.normal(1.2, 0.15)) if i else float(rng.normal(0.3, 0.2))
                d = side * (back - 0.35)
                # Cityscapes' annotators outline a rack of bicycles as one bicyclegroup, which no metric counts.
                placed.add(mesh, plan.line.upright(s, d, plan.height(s, d), turn), grouped=count > 1)
                placed.in_the_way += [(s, d - 0.4), (s, d + 0.4)]


def _park_in_side_street(
    plan: StreetPlan, rng: np.random.Generator, placed: Placement, junction: Junction, side: int
) -> None:
    d = plan.edge(side) + 12.0
    at = junction.s + (junction.half - 1.0) * float(rng.choice([-1, 1]))
    while d < plan.edge(side) + 60.0:
        body = random_car(rng)
        length = vehicles.length_of(body)
        if rng.random() < 0.4 and junction.half > 3.2:
            mesh = vehicles.vehicle(body, random_paint(rng), False)
            placed.add(
                mesh, plan.line.pose(at, side * (d + length / 2), -CROWN, np.pi / 2 * float(rng.choice([-1, 1])))
            )
        d += length + 1.2

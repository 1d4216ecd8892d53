# SPDX-License-Identifier: Apache-2.0
"""The plan of a street: how many lanes, what lies beside them, where side streets join."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from perception.simulation.street.centreline import Centreline

RIGHT, LEFT = -1, 1
SIDES = (RIGHT, LEFT)
PARKING_WIDTH, BIKE_WIDTH, GUTTER = 2.15, 1.5, 0.3
_TERRAINS = {
    "urban": ["pavement_slabs", "pavement_asphalt", "gravel"],
    "residential": ["grass", "grass", "dirt"],
    "rural": ["grass", "field", "dirt"],
}
CROWN = 0.06
"""How much lower the road's edges are than its middle, metres."""


@dataclass(frozen=True)
class Junction:
    """A side street. s: its middle. half: half its width. radius: of the kerb's corners. sides: where it leads to."""

    s: float
    half: float
    radius: float
    sides: tuple[int, ...]


@dataclass(frozen=True)
class Side:
    """What lies beside the road on one side, from its edge outwards; widths in metres.

    parking, bike: whether the road has a strip for them. verge: grass between kerb and pavement. pavement: 0 for none.
    setback: from the back of the pavement to the buildings.
    """

    parking: bool
    bike: bool
    verge: float
    pavement: float
    pavement_material: str
    setback: float


@dataclass(frozen=True)
class StreetPlan:
    """A whole street. style: "urban", "residential" or "rural". step: the kerb's height, small where there is none.

    marked: whether lines are painted. terrain: material of the land behind the fronts. zebras: s of zebra crossings.
    trees: how likely rows of trees are, 0–1. speed: that drivers wish for, m/s. lane: narrow, and walled in.
    """

    style: str
    line: Centreline
    lane_width: float
    lanes: dict[int, int]
    sides: dict[int, Side]
    step: float
    marked: bool
    terrain: str
    bike_material: str
    junctions: tuple[Junction, ...]
    zebras: tuple[float, ...]
    trees: float
    speed: float
    lane: bool = False

    def lane_centre(self, side: int, lane: int) -> float:
        """d of the middle of a lane; lane 0 is next to the middle of the road."""
        return side * (lane + 0.5) * self.lane_width

    def lane_edge(self, side: int) -> float:
        """Unsigned distance from the middle of the road to the outer edge of the outermost lane."""
        return self.lanes[side] * self.lane_width

    def edge(self, side: int) -> float:
        """Unsigned distance from the middle of the road to the kerb."""
        strips = BIKE_WIDTH * self.sides[side].bike + PARKING_WIDTH * self.sides[side].parking
        return self.lane_edge(side) + strips + GUTTER

    def front(self, side: int) -> float:
        """Unsigned distance from the middle of the road to the buildings."""
        beside = self.sides[side]
        return self.edge(side) + beside.verge + beside.pavement + beside.setback

    def height(self, s: float, d: float) -> float:
        """Height of the ground above the centreline."""
        side = LEFT if d > 0 else RIGHT
        edge = self.edge(side)
        if abs(d) <= edge:
            return -CROWN * (d / edge) ** 2
        open_here = any(side in j.sides and abs(s - j.s) < j.half for j in self.junctions)
        return -CROWN if open_here else self.step - CROWN

    def closed(self, side: int, margin: float = 0.0, corners: bool = True) -> list[tuple[float, float]]:
        """The ranges of s without a side street on that side; margin: extra distance to it."""
        cuts = sorted(
            (j.s - j.half - corners * j.radius - margin, j.s + j.half + corners * j.radius + margin)
            for j in self.junctions
            if side in j.sides
        )
        starts = [self.line.start, *(b for _, b in cuts)]
        ends = [*(a for a, _ in cuts), self.line.end]
        return [(a, b) for a, b in zip(starts, ends, strict=True) if b - a > 1.0]

    def near_junction(self, s: float, margin: float) -> bool:
        """Whether a side street or a zebra crossing is within `margin` of s."""
        near_street = any(abs(s - j.s) < j.half + j.radius + margin for j in self.junctions)
        return near_street or any(abs(s - z) < 2.5 + margin for z in self.zebras)


STREETS = ("any", "lane")
"""Kinds of street that can be asked for: any but a lane, or a lane: narrow, with walls, hedges and garages close by."""


def random_plan(rng: np.random.Generator, duration: float, sight: float = 160.0, street: str = "any") -> StreetPlan:
    """A street from 60 m behind the origin to `sight` metres beyond where a drive of `duration` seconds may end.

    street: of STREETS.
    """
    plan = _random_street(rng, duration, sight)
    return _narrowed(plan, rng) if street == "lane" else plan


def _random_street(rng: np.random.Generator, duration: float, sight: float) -> StreetPlan:
    style = str(rng.choice(["urban", "residential", "rural"], p=[0.45, 0.37, 0.18]))
    bend = float(rng.choice([0.0, rng.uniform(0.0, 0.0016), rng.uniform(0.0016, 0.0045)], p=[0.3, 0.35, 0.35]))
    speed = float(rng.uniform(*{"urban": (7.0, 13.5), "residential": (5.0, 9.0), "rural": (11.0, 19.0)}[style]))
    length = 1.15 * speed * duration + sight
    line = Centreline(-60.0, length, bend, float(rng.uniform(0.0, 0.025)), rng)
    lane_width = {"urban": (3.15, 3.5), "residential": (2.6, 3.1), "rural": (3.1, 3.75)}[style]
    wide = rng.random() < {"urban": 0.4, "residential": 0.0, "rural": 0.25}[style]
    sides = {side: _random_side(rng, style) for side in SIDES}
    junctions, zebras = _random_crossings(rng, style, length)
    return StreetPlan(
        style=style,
        line=line,
        lane_width=float(rng.uniform(*lane_width)),
        lanes={RIGHT: 2 if wide else 1, LEFT: 2 if wide and rng.random() < 0.7 else 1},
        sides=sides,
        step=0.03 if style == "rural" else 0.12,
        marked=bool(style != "residential" or rng.random() < 0.4),
        terrain=str(rng.choice(_TERRAINS[style])),
        bike_material=str(rng.choice(["bike_lane", "asphalt"])),
        junctions=junctions,
        zebras=zebras,
        trees=float(rng.uniform(0.1, 1.0)),
        speed=speed,
    )


def _narrowed(plan: StreetPlan, rng: np.random.Generator) -> StreetPlan:
    """The lane along the same line: just wide enough for two cars to pass, and nothing between it and the fronts."""

    def side() -> Side:
        path = float(rng.uniform(0.5, 1.0)) if rng.random() < 0.3 else 0.0
        return Side(False, False, 0.0, path, "pavement_asphalt", float(rng.uniform(0.6, 6.0)))

    return replace(
        plan,
        style="residential",
        lane_width=float(rng.uniform(2.4, 2.7)),
        lanes=dict.fromkeys(SIDES, 1),
        sides={each: side() for each in SIDES},
        step=0.03 if rng.random() < 0.5 else 0.12,
        marked=False,
        zebras=(),
        speed=float(rng.uniform(3.0, 6.0)),
        lane=True,
    )


def _random_side(rng: np.random.Generator, style: str) -> Side:
    material = str(rng.choice(["pavement_slabs", "pavement_asphalt", "pavement_brick"], p=[0.5, 0.3, 0.2]))
    if style == "rural":
        path = rng.random() < 0.35
        return Side(False, bool(rng.random() < 0.1), float(rng.uniform(1.5, 3.5)), 1.8 * path, "pavement_asphalt", 9.0)
    if style == "residential":
        verge = float(rng.uniform(1.0, 2.5)) if rng.random() < 0.35 else 0.0
        pavement = float(rng.uniform(1.4, 2.4)) if verge == 0.0 or rng.random() < 0.7 else 0.0
        return Side(bool(rng.random() < 0.6), False, verge, pavement, material, float(rng.uniform(2.5, 8.0)))
    verge = float(rng.uniform(1.2, 2.5)) if rng.random() < 0.2 else 0.0
    setback = 0.0 if rng.random() < 0.7 else float(rng.uniform(1.0, 4.0))
    bike = bool(rng.random() < 0.25)
    return Side(bool(rng.random() < 0.65), bike, verge, float(rng.uniform(2.2, 5.0)), material, setback)


def _random_crossings(
    rng: np.random.Generator, style: str, length: float
) -> tuple[tuple[Junction, ...], tuple[float, ...]]:
    junctions: list[Junction] = []
    zebras: list[float] = []
    s = float(rng.uniform(18.0, 60.0))
    while s < length - 60.0:
        if rng.random() < {"urban": 0.8, "residential": 0.75, "rural": 0.35}[style]:
            sides = ((RIGHT,), (LEFT,), (RIGHT, LEFT))[rng.integers(3)]
            half = float(rng.uniform(2.6, 4.2))
            radius = float(rng.uniform(2.0, 4.5))
            junctions.append(Junction(s, half, radius, sides))
            if style == "urban" and rng.random() < 0.5:
                zebras.append(s + float(rng.choice([-1, 1])) * (half + radius + 3.5))
        elif style != "rural" and rng.random() < 0.5:
            zebras.append(s)
        s += float(rng.uniform(50.0, 110.0))
    return tuple(junctions), tuple(zebras)

# SPDX-License-Identifier: Apache-2.0
"""Markings and details of the road: lines, zebra crossings, arrows, parking bays, manholes, patches."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from perception.simulation.scene import Mesh, merge
from perception.simulation.street.plan import CROWN, PARKING_WIDTH, SIDES, StreetPlan
from perception.simulation.things.materials import index
from perception.simulation.things.shapes import quads

_PAINT = 0.008
"""How far paint lies above the asphalt, metres: enough to be hit first at grazing angles."""


def markings(plan: StreetPlan, rng: np.random.Generator) -> Mesh:
    """All markings of the street, with the manholes and repaired patches."""
    parts: list[Mesh | None] = [_repairs(plan, rng)]
    if plan.marked:
        parts += [_centre_line(plan, rng), _lane_lines(plan)]
        if rng.random() < 0.8:
            parts.append(_edge_lines(plan))
        if max(plan.lanes.values()) > 1 or rng.random() < 0.3:
            parts += _arrows(plan)
    parts += [_parking_bays(plan, side, rng) for side in SIDES if plan.sides[side].parking and rng.random() < 0.6]
    parts += [_zebra(plan, s) for s in plan.zebras]
    parts += [_give_way(plan, side) for side in SIDES if plan.marked]
    return merge([p for p in parts if p is not None])


def patches(plan: StreetPlan, s: ArrayLike, d: ArrayLike, material: str, above: float = _PAINT) -> Mesh:
    """Flat four-cornered patches on the carriageway. s, d: (N, 4) corners."""
    along, aside = np.asarray(s, np.float64).reshape(-1, 4), np.asarray(d, np.float64).reshape(-1, 4)
    edge = np.where(aside > 0, plan.edge(1), plan.edge(-1))
    height = -CROWN * np.minimum(np.abs(aside) / edge, 1.0) ** 2 + above
    return quads(plan.line.points(along, aside, height), index(material))


def _bars(plan: StreetPlan, starts: ArrayLike, length: float, d: float, width: float) -> Mesh:
    """Bars along the street of that length, from each start."""
    s = np.asarray(starts, np.float64)
    low, high = d - width / 2, d + width / 2
    corners = np.stack([s, s + length, s + length, s], axis=-1)
    return patches(plan, corners, np.tile([low, low, high, high], (len(s), 1)), "marking")


def _lines(plan: StreetPlan, d: float, width: float, dash: float, gap: float, side: int | None = None) -> Mesh:
    """A dashed line at d (solid where gap is 0), left out at side streets of `side`, or of both."""
    period = dash + gap
    starts = np.arange(plan.line.start, plan.line.end - dash, period)
    for junction in plan.junctions:
        if side is None or side in junction.sides:
            clear = junction.half + junction.radius
            starts = starts[(starts + dash < junction.s - clear) | (starts > junction.s + clear)]
    for zebra in plan.zebras:
        starts = starts[(starts + dash < zebra - 2.5) | (starts > zebra + 2.5)]
    return _bars(plan, starts, dash, d, width)


def _centre_line(plan: StreetPlan, rng: np.random.Generator) -> Mesh:
    if max(plan.lanes.values()) > 1 or rng.random() < 0.2:
        pair = [_lines(plan, d, 0.12, 2.0, 0.0) for d in (-0.12, 0.12)]
        return merge(pair)
    dash, gap = (4.0, 8.0) if plan.style == "rural" else (3.0, 6.0)
    return _lines(plan, 0.0, 0.12, dash, gap)


def _lane_lines(plan: StreetPlan) -> Mesh | None:
    inner = [
        _lines(plan, side * lane * plan.lane_width, 0.12, 3.0, 6.0)
        for side in SIDES
        for lane in range(1, plan.lanes[side])
    ]
    bike = [_lines(plan, s * plan.lane_edge(s), 0.14, 1.0, 1.0, s) for s in SIDES if plan.sides[s].bike]
    return merge(inner + bike) if inner or bike else None


def _edge_lines(plan: StreetPlan) -> Mesh | None:
    sides = [s for s in SIDES if not plan.sides[s].bike]
    lines = [_lines(plan, s * (plan.lane_edge(s) - 0.1), 0.12, 2.0, 0.0, s) for s in sides]
    return merge(lines) if lines else None


def _parking_bays(plan: StreetPlan, side: int, rng: np.random.Generator) -> Mesh | None:
    inner = plan.edge(side) - PARKING_WIDTH - 0.3
    starts = np.concatenate([np.arange(a, b, 5.6) for a, b in plan.closed(side, 5.0)])
    if not len(starts):
        return None
    s = np.stack([starts, starts + 0.1, starts + 0.1, starts], axis=-1)
    d = side * np.tile([inner, inner, inner + PARKING_WIDTH, inner + PARKING_WIDTH], (len(starts), 1))
    bays = patches(plan, s, d, "marking")
    return merge([bays, _lines(plan, side * inner, 0.1, 0.5, 0.5, side)]) if rng.random() < 0.5 else bays


def _zebra(plan: StreetPlan, s: float) -> Mesh:
    low, high = -plan.edge(-1) + 0.4, plan.edge(1) - 0.4
    bars = np.arange(low, high - 0.5, 1.0)
    along = np.tile([s - 1.8, s + 1.8, s + 1.8, s - 1.8], (len(bars), 1))
    aside = np.stack([bars, bars, bars + 0.5, bars + 0.5], axis=-1)
    stops = []
    for side in SIDES:
        at = s + side * 3.2
        stops.append(([at, at + 0.4, at + 0.4, at], [0.1 * side, 0.1 * side, *[side * plan.lane_edge(side)] * 2]))
    lines = patches(plan, [x for x, _ in stops], [y for _, y in stops], "marking")
    return merge([patches(plan, along, aside, "marking"), lines])


def _give_way(plan: StreetPlan, side: int) -> Mesh | None:
    """Blocks across the mouth of each side street."""
    bars = []
    for j in plan.junctions:
        if side in j.sides:
            starts = np.arange(j.s - j.half - 0.5, j.s + j.half + 0.3, 0.9)
            d = side * plan.edge(side) - side * 0.05
            bars.append(_bars(plan, starts, 0.5, d, 0.3))
    return merge(bars) if bars else None


def _arrows(plan: StreetPlan) -> list[Mesh]:
    """A straight arrow in every lane before each side street."""
    result = []
    shaft, head = (0.0, 3.0, 3.0, 0.0), (3.0, 4.4, 4.4, 3.0)
    for j in plan.junctions:
        for side in SIDES:
            for lane in range(plan.lanes[side]):
                middle = plan.lane_centre(side, lane)
                start = j.s + side * (j.half + j.radius + 14.0)
                s = np.array([shaft, head]) * -side + start
                d = np.array([[-0.08, -0.08, 0.08, 0.08], [-0.35, -0.02, 0.02, 0.35]]) + middle
                result.append(patches(plan, s, d, "marking"))
    return result


def _repairs(plan: StreetPlan, rng: np.random.Generator) -> Mesh:
    low, high = -plan.lane_edge(-1) + 0.5, plan.lane_edge(1) - 0.5
    count = int(rng.integers(4, 16))
    s, d = rng.uniform(plan.line.start, plan.line.end, count), rng.uniform(low, high, count)
    length, width = rng.uniform(0.8, 14.0, count), rng.uniform(0.4, 1.6, count)
    first, last = np.clip(d - width / 2, low, high), np.clip(d + width / 2, low, high)
    sheets = patches(
        plan,
        np.stack([s, s + length, s + length, s], -1),
        np.stack([first, first, last, last], -1),
        "asphalt_patch",
        0.004,
    )
    lids = []
    for at in rng.uniform(plan.line.start, plan.line.end, 12):
        angle = np.linspace(0, 2 * np.pi, 13)
        middle = rng.uniform(low, high)
        rim_s, rim_d = at + 0.33 * np.cos(angle), middle + 0.33 * np.sin(angle)
        corners = ([at] * 12, rim_s[:-1], rim_s[1:], [at] * 12), ([middle] * 12, rim_d[:-1], rim_d[1:], [middle] * 12)
        lids.append(patches(plan, np.stack(corners[0], -1), np.stack(corners[1], -1), "manhole", 0.006))
    drains = np.arange(plan.line.start + 7.0, plan.line.end, 23.0)
    for side in SIDES:
        d0, d1 = side * (plan.edge(side) - 0.42), side * (plan.edge(side) - 0.06)
        grates = np.stack([drains, drains + 0.5, drains + 0.5, drains], -1)
        lids.append(patches(plan, grates, np.tile([d0, d0, d1, d1], (len(drains), 1)), "manhole", 0.006))
    return merge([sheets, *lids])

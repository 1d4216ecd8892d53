# SPDX-License-Identifier: Apache-2.0
"""People of a street: they walk along pavements, stand in groups, and cross where no vehicle comes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from perception.simulation.scene import Actor, Mesh
from perception.simulation.street.plan import RIGHT, SIDES, StreetPlan
from perception.simulation.things.shapes import Pose
from perception.simulation.traffic.fleet import Track
from perception.simulation.traffic.parking import Spans
from perception.simulation.traffic.people import Person, figure, random_person, standing, stride_length, walking


@dataclass(frozen=True)
class Walk:
    """A straight walk: at time `start` from (s, d) with (vs, vd) m/s until time `end`; before and after it one waits.

    facing: direction while it stands, radians from the street's direction.
    """

    s: float
    d: float
    vs: float
    vd: float
    start: float
    end: float
    facing: float

    def at(self, t: float) -> tuple[float, float]:
        """(s, d) at time t."""
        walked = float(np.clip(t, self.start, self.end)) - self.start
        return self.s + self.vs * walked, self.d + self.vd * walked


def pedestrians(
    plan: StreetPlan,
    rng: np.random.Generator,
    duration: float,
    tracks: Sequence[Track],
    filled: Spans,
    in_the_way: Sequence[tuple[float, float]],
    night: bool,
) -> list[Actor]:
    """Everybody on foot.

    tracks: what drives, the ego vehicle first. filled: where parked cars stand. in_the_way: (s, d) of benches and bins.
    """
    low, high = {"urban": (18, 42), "residential": (12, 28), "rural": (5, 13)}[plan.style]
    count = int((0.6 if night else 1.0) * rng.integers(low, high))
    walks: list[Walk] = []
    for _ in range(count):
        kind = rng.choice(["along", "stand", "cross"], p=[0.5, 0.2, 0.3])
        # somebody whom the ego vehicle meets: so far ahead of it at that moment
        moment = float(rng.uniform(0.0, duration))
        s = tracks[0].s_at(moment) + float(rng.choice([rng.uniform(5.0, 22.0), rng.uniform(15.0, 60.0)]))
        if kind == "along":
            walks += _along(plan, rng, s, moment, duration)
        elif kind == "stand":
            walks += _group(plan, rng, s)
        else:
            walks += _cross(plan, rng, s, moment, duration, tracks, filled)
    return [_walker(plan, random_person(rng), walk, rng) for walk in _apart(walks, in_the_way, duration)]


def _walkway(plan: StreetPlan, side: int, rng: np.random.Generator) -> float:
    """A d on the pavement of that side, or beside the road where there is none."""
    beside = plan.sides[side]
    if beside.pavement == 0.0:
        return side * (plan.edge(side) + float(rng.uniform(0.4, max(0.5, beside.verge - 0.7))))
    inner = plan.edge(side) + beside.verge
    low, high = inner + (0.5 if beside.verge > 0 or beside.pavement < 1.9 else 1.25), inner + beside.pavement - 0.45
    return side * float(rng.uniform(min(low, high), high))


def _along(plan: StreetPlan, rng: np.random.Generator, s: float, moment: float, duration: float) -> list[Walk]:
    """One or two people who walk along the road and are at s at that moment."""
    side = int(rng.choice(SIDES))
    d, speed = _walkway(plan, side, rng), float(rng.uniform(0.9, 1.7)) * float(rng.choice([-1, 1]))
    s -= speed * moment
    walks = [Walk(s, d, speed, 0.0, 0.0, duration + 1.0, 0.0)]
    if rng.random() < 0.25 and plan.sides[side].pavement > 2.0:  # a companion
        beside = d - side * 0.6 if abs(d) - 0.6 > plan.edge(side) + 0.3 else d + side * 0.6
        walks.append(Walk(s + float(rng.uniform(-0.3, 0.3)), beside, speed, 0.0, 0.0, duration + 1.0, 0.0))
    return walks


def _group(plan: StreetPlan, rng: np.random.Generator, s: float) -> list[Walk]:
    side = int(rng.choice(SIDES))
    d = _walkway(plan, side, rng)
    if any(side in j.sides and abs(s - j.s) < j.half + 0.8 for j in plan.junctions):
        return []
    size = int(rng.choice([1, 2, 3, 4], p=[0.5, 0.3, 0.13, 0.07]))
    if size == 1:
        return [Walk(s, d, 0.0, 0.0, 0.0, 0.0, float(rng.uniform(-np.pi, np.pi)))]
    ring = float(rng.uniform(0, 2 * np.pi)) + np.arange(size) * 2 * np.pi / size
    radius = 0.35 + 0.12 * size
    d = side * max(abs(d), plan.edge(side) + radius + 0.3)  # nobody stands in the road
    # they look at one another
    return [Walk(s + radius * np.cos(a), d + radius * np.sin(a), 0.0, 0.0, 0.0, 0.0, float(a + np.pi)) for a in ring]


def _cross(
    plan: StreetPlan,
    rng: np.random.Generator,
    s: float,
    moment: float,
    duration: float,
    tracks: Sequence[Track],
    filled: Spans,
) -> list[Walk]:
    """One or two people who cross the road near s, about then; nobody where no safe chance is found."""
    for attempt in range(20):
        side = int(rng.choice(SIDES))
        place = (
            float(rng.choice(plan.zebras)) + float(rng.uniform(-1.2, 1.2)) if plan.zebras and rng.random() < 0.5 else s
        )
        start_d, end_d = side * (plan.edge(side) + 0.6), -side * (plan.edge(-side) + 0.6)
        speed = float(rng.uniform(1.0, 1.8))
        drift = float(rng.normal(0.0, 0.1))
        start = moment - float(rng.uniform(-1.0, 8.0))
        walk = Walk(
            place, start_d, drift, -side * speed, start, start + abs(end_d - start_d) / speed, -side * np.pi / 2
        )
        blocked = any(
            a - 0.6 < walk.at(t)[0] < b + 0.6 for a, b in filled[RIGHT] + filled[-RIGHT] for t in (walk.start, walk.end)
        )
        if not blocked and _safe(walk, tracks, duration):
            if rng.random() < 0.35:
                second = Walk(place + 0.75, start_d, drift, walk.vd, start, walk.end, walk.facing)
                if _safe(second, tracks, duration):
                    return [walk, second]
            return [walk]
        s += float(rng.uniform(-2.0, 6.0)) * (1 + attempt / 5)
    return []


def _safe(walk: Walk, tracks: Sequence[Track], duration: float) -> bool:
    """Whether every vehicle keeps clear of the walker: 2.3 m to the side, and 4 m ahead and 1 m behind it."""
    for t in np.arange(0.0, duration + 0.5, 0.2):
        s, d = walk.at(t)
        for track in tracks:
            if abs(d - track.d) < 2.3:
                ahead = -track.side * (s - track.s_at(t))
                if -track.length / 2 - 1.0 < ahead < track.length / 2 + 2.0 + 0.4 * track.motion.speed_at(t):
                    return False
    return True


def _apart(walks: Sequence[Walk], in_the_way: Sequence[tuple[float, float]], duration: float) -> list[Walk]:
    """Those walks that come no closer than 0.45 m to an earlier one, or to a thing that stands on the pavement."""
    kept: list[Walk] = []
    times = np.linspace(0.0, duration, 61)
    things = np.array(in_the_way, np.float64).reshape(-1, 1, 2)
    paths: list[NDArray[np.float64]] = []
    for walk in walks:
        path = np.array([walk.at(float(t)) for t in times])
        others = np.concatenate(
            [np.reshape(paths, (-1, len(times), 2)), np.broadcast_to(things, (len(things), len(times), 2))]
        )
        if not len(others) or np.hypot(*np.moveaxis(others - path, -1, 0)).min() > 0.45:
            kept.append(walk)
            paths.append(path)
    return kept


def _walker(plan: StreetPlan, person: Person, walk: Walk, rng: np.random.Generator) -> Actor:
    phase, speed = float(rng.uniform(0, 2 * np.pi)), float(np.hypot(walk.vs, walk.vd))
    heading = float(np.arctan2(walk.vd, walk.vs)) if speed > 0 else walk.facing
    vigour = min(1.0, 0.45 + 0.4 * speed)
    arms = str(rng.choice(["down", "phone", "folded", "hips"], p=[0.5, 0.25, 0.13, 0.12]))
    still = figure(person, standing(person, arms, float(rng.uniform(-0.6, 0.6))))

    def shape(t: float) -> Mesh:
        if not walk.start <= t < walk.end:
            return still
        return figure(person, walking(person, phase + 2 * np.pi * speed * t / stride_length(person.height), vigour))

    return Actor("pedestrian", shape, _upright_pose(plan, walk, heading))


def _upright_pose(plan: StreetPlan, walk: Walk, heading: float) -> Callable[[float], Pose]:
    def pose(t: float) -> Pose:
        s, d = walk.at(t)
        return plan.line.upright(s, d, plan.height(s, d), heading)

    return pose

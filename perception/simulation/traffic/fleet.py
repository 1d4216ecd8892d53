# SPDX-License-Identifier: Apache-2.0
"""Vehicles and cyclists on a street: those that drive, and those that wait in side streets."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from perception.simulation.scene import Actor, Mesh
from perception.simulation.street.plan import BIKE_WIDTH, LEFT, RIGHT, SIDES, StreetPlan
from perception.simulation.things.materials import PAINT_FREQUENCY
from perception.simulation.things.shapes import Pose
from perception.simulation.traffic import cyclists, vehicles
from perception.simulation.traffic.people import random_person
from perception.simulation.traffic.traffic import Halt, Motion, follow

EGO_LENGTH = 4.7
BIKE_LENGTH = 1.8

T = TypeVar("T")


@dataclass(frozen=True)
class Track:
    """A vehicle's motion along the street. side: RIGHT drives towards +s, LEFT towards -s."""

    motion: Motion
    side: int
    d: float
    length: float

    def s_at(self, t: float) -> float:
        """Where its middle is along the street at time t."""
        return -self.side * self.motion.at(t)


@dataclass(frozen=True)
class Fleet:
    """All that rolls.

    tracks: of everything that drives, the ego vehicle first. in_the_way: (s, d) of waiting cars, for people to avoid.
    """

    actors: list[Actor]
    tracks: list[Track]
    in_the_way: list[tuple[float, float]]


def drive(plan: StreetPlan, rng: np.random.Generator, duration: float, halt_at: float | None, night: bool) -> Fleet:
    """The ego vehicle and everything that drives with it or towards it.

    halt_at: s of a crossing whose traffic has to wait for some time; None for none.
    """
    ego_lane = int(rng.integers(plan.lanes[RIGHT]))
    spacing = float(np.exp(rng.uniform(np.log(14.0), np.log(70.0))))
    closed = _closed_time(rng, duration)
    actors: list[Actor] = []
    tracks: list[Track] = []
    for side in SIDES:
        for lane in range(plan.lanes[side]):
            ego_here = side == RIGHT and lane == ego_lane
            bodies, positions = _queue(plan, side, lane, rng, spacing, ego_here)
            if not bodies:
                continue
            lengths = np.array([_length(b) for b in bodies])
            wishes = np.array([_wish(plan, rng, b) for b in bodies])
            halt = None if halt_at is None else Halt(-side * halt_at - 4.0, *closed)
            motions = follow(positions, lengths, wishes, duration + 1.0, halt)
            for body, motion in zip(bodies, motions, strict=True):
                track = Track(motion, side, _lateral(plan, rng, side, lane, body), _length(body))
                tracks.insert(0 if body == "ego" else len(tracks), track)
                if body == "cyclist":
                    actors.append(_cyclist(plan, rng, track))
                elif body != "ego":
                    actors.append(_vehicle(plan, rng, track, body, night))
    for side in SIDES:
        if plan.sides[side].bike:
            actors += _bike_lane(plan, side, rng, duration, tracks)
    waiting, in_the_way = _waiting(plan, rng, night)
    return Fleet(actors + waiting, tracks, in_the_way)


def ego_pose(plan: StreetPlan, fleet: Fleet) -> Callable[[float], Pose]:
    """Pose of the ego vehicle over time."""
    track = fleet.tracks[0]
    return lambda t: plan.line.pose(track.s_at(t), track.d, plan.height(track.s_at(t), track.d))


def _length(body: str) -> float:
    return {"ego": EGO_LENGTH, "cyclist": BIKE_LENGTH}.get(body) or vehicles.length_of(body)


def _lateral(plan: StreetPlan, rng: np.random.Generator, side: int, lane: int, body: str) -> float:
    """The d that a driver keeps to: about the middle of the lane; cyclists keep to the edge."""
    if body == "cyclist":
        return side * (plan.lane_edge(side) - 0.7)
    # two neighbours who both stray this far, twice over, still pass each other
    freedom = 0.03 if vehicles.kind_of(body) in ("truck", "bus") else min(0.15, (plan.lane_width - 2.3) / 4)
    return plan.lane_centre(side, lane) + float(np.clip(rng.normal(0.0, freedom), -2 * freedom, 2 * freedom))


def _wish(plan: StreetPlan, rng: np.random.Generator, body: str) -> float:
    return float(rng.uniform(3.5, 6.0)) if body == "cyclist" else float(plan.speed * rng.uniform(0.85, 1.15))


def _closed_time(rng: np.random.Generator, duration: float) -> tuple[float, float]:
    start = float(rng.choice([0.0, rng.uniform(0.0, 0.5 * duration)]))
    return start, start + float(rng.uniform(0.4, 0.9)) * duration


def _queue(
    plan: StreetPlan, side: int, lane: int, rng: np.random.Generator, spacing: float, ego_here: bool
) -> tuple[list[str], NDArray[np.float64]]:
    """Who drives in a lane, and where along its direction of travel at time 0."""
    first, last = (-45.0, 140.0) if side == RIGHT else (-plan.line.end + 30.0, 40.0)
    bodies, positions = (["ego"], [0.0]) if ego_here else ([], [])
    cyclists_here = lane == plan.lanes[side] - 1 and not plan.sides[side].bike
    x = first + float(rng.uniform(0.0, spacing))
    while x < last:
        body = random_body(rng, plan, cyclists_here)
        room = 0.5 * _length(body) + 4.0
        if not ego_here or abs(x) > room + EGO_LENGTH / 2:
            bodies.append(body)
            positions.append(x)
        x += room + 6.0 + float(rng.exponential(spacing))
    return bodies, np.array(positions)


_RATES: dict[str, dict[str, float]] = {
    "urban": {"cyclist": 0.12, "truck": 0.05, "semi": 0.01, "bus": 0.03},
    "residential": {"cyclist": 0.16, "truck": 0.02},
    "rural": {"cyclist": 0.03, "truck": 0.05, "semi": 0.05, "bus": 0.02},
}
"""Share of what is no car, by style of street."""


def random_body(rng: np.random.Generator, plan: StreetPlan, with_cyclists: bool) -> str:
    """A car, van, truck, bus or cyclist, as often as one meets them in such a street."""
    rates = {kind: rate for kind, rate in _RATES[plan.style].items() if kind != "cyclist" or with_cyclists}
    kind = str(rng.choice([*rates, "car"], p=[*rates.values(), 1.0 - sum(rates.values())]))
    return kind if kind != "car" else random_car(rng)


def random_car(rng: np.random.Generator) -> str:
    """A car or van body."""
    return str(rng.choice(list(vehicles.CAR_FREQUENCY), p=_shares(vehicles.CAR_FREQUENCY)))


def random_paint(rng: np.random.Generator) -> str:
    """A car paint."""
    return str(rng.choice(list(PAINT_FREQUENCY), p=_shares(PAINT_FREQUENCY)))


def _shares(weights: dict[str, float]) -> NDArray[np.float64]:
    values = np.array(list(weights.values()))
    result: NDArray[np.float64] = values / values.sum()
    return result


def _vehicle(plan: StreetPlan, rng: np.random.Generator, track: Track, body: str, night: bool) -> Actor:
    paint = random_paint(rng)
    lights = night or bool(rng.random() < 0.25)

    def shape(t: float) -> Mesh:
        return vehicles.vehicle(body, paint, True, track.motion.braking_at(t), lights)

    return Actor(vehicles.kind_of(body), shape, _rolling(plan, track))


def _rolling(plan: StreetPlan, track: Track) -> Callable[[float], Pose]:
    turn = 0.0 if track.side == RIGHT else np.pi
    return lambda t: plan.line.pose(track.s_at(t), track.d, plan.height(track.s_at(t), track.d), turn)


def _cyclist(plan: StreetPlan, rng: np.random.Generator, track: Track) -> Actor:
    person = random_person(rng)
    colour, helmet, start = int(rng.integers(4)), bool(rng.random() < 0.4), float(rng.uniform(0, 6.3))

    def shape(t: float) -> Mesh:
        # one turn of the pedals every 5 m; riding forwards turns the angle, counted from +x to +z, backwards
        return cyclists.rider(person, colour, start - 2 * np.pi * track.motion.at(t) / 5.0, helmet)

    return Actor("cyclist", shape, _rolling(plan, track))


def _bike_lane(
    plan: StreetPlan, side: int, rng: np.random.Generator, duration: float, tracks: list[Track]
) -> list[Actor]:
    spots = np.sort(rng.uniform(-30.0, 120.0, rng.integers(0, 5)))
    spots = spots[np.diff(spots, prepend=-100.0) > 5.0]
    if side == LEFT:
        spots = spots - plan.line.end + 60.0
    if not len(spots):
        return []
    d = side * (plan.lane_edge(side) + BIKE_WIDTH / 2)
    motions = follow(spots, np.full(len(spots), BIKE_LENGTH), rng.uniform(3.5, 6.5, len(spots)), duration + 1.0, None)
    new = [Track(m, side, d, BIKE_LENGTH) for m in motions]
    tracks += new
    return [_cyclist(plan, rng, t) for t in new]


def _waiting(plan: StreetPlan, rng: np.random.Generator, night: bool) -> tuple[list[Actor], list[tuple[float, float]]]:
    """Cars at the mouths of side streets, waiting to join, and the (s, d) that they cover."""
    actors, covered = [], []
    for j in plan.junctions:
        for side in j.sides:
            if rng.random() < 0.6:
                body, paint = random_car(rng), random_paint(rng)
                d = side * (plan.edge(side) + 1.0 + vehicles.length_of(body) / 2)
                # right-hand traffic in the side street as well
                s = j.s - side * j.half * 0.5
                pose = plan.line.pose(s, d, plan.height(s, d), -side * np.pi / 2)
                mesh = vehicles.vehicle(body, paint, True, True, night)
                actors.append(Actor(vehicles.kind_of(body), _constant(mesh), _constant(pose)))
                reach = np.arange(-0.6, 0.61, 0.1) * vehicles.length_of(body)
                covered += [(s + beside, d + float(along)) for along in reach for beside in (-1.3, -0.6, 0.0, 0.6, 1.3)]
    return actors, covered


def _constant(value: T) -> Callable[[float], T]:
    return lambda _t: value

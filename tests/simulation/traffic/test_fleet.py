# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from perception.simulation.street.plan import LEFT, RIGHT, SIDES, StreetPlan, random_plan
from perception.simulation.traffic.fleet import (
    BIKE_LENGTH,
    EGO_LENGTH,
    Fleet,
    drive,
    ego_pose,
    random_body,
    random_car,
    random_paint,
)
from perception.simulation.traffic.vehicles import CAR_FREQUENCY, length_of

DURATION = 8.0


def made(seed: int) -> tuple[StreetPlan, Fleet]:
    rng = np.random.default_rng(seed)
    plan = random_plan(rng, DURATION)
    halt_at = plan.zebras[0] if plan.zebras else None
    return plan, drive(plan, rng, DURATION, halt_at, night=False)


FLEETS = [made(seed) for seed in range(16)]


def test_the_ego_vehicle_comes_first_and_begins_at_the_origin() -> None:
    for plan, fleet in FLEETS:
        ego = fleet.tracks[0]
        assert (ego.side, ego.length) == (RIGHT, EGO_LENGTH)
        assert ego.s_at(0.0) == pytest.approx(0.0, abs=1e-6)
        assert ego.s_at(DURATION) >= 0
        lanes = [plan.lane_centre(RIGHT, lane) for lane in range(plan.lanes[RIGHT])]
        assert min(abs(ego.d - lane) for lane in lanes) < 0.35
        pose = ego_pose(plan, fleet)(2.0)
        np.testing.assert_allclose(pose[:2, 3], plan.line.points(ego.s_at(2.0), ego.d)[:2], atol=1e-6)
        np.testing.assert_allclose(pose[:3, :3] @ pose[:3, :3].T, np.eye(3), atol=1e-9)


def test_traffic_keeps_right_and_goes_forward() -> None:
    for plan, fleet in FLEETS:
        for track in fleet.tracks:
            assert np.sign(track.d) == track.side
            assert abs(track.d) < plan.edge(track.side)
            travelled = -track.side * (track.s_at(DURATION) - track.s_at(0.0))
            assert travelled >= -1e-6


def test_nobody_drives_into_the_one_ahead() -> None:
    for _, fleet in FLEETS:
        for t in np.linspace(0, DURATION, 9):
            for side in SIDES:
                tracks = [track for track in fleet.tracks if track.side == side]
                for one in tracks:
                    for other in tracks:
                        gap = abs(one.s_at(t) - other.s_at(t)) - (one.length + other.length) / 2
                        assert one is other or abs(one.d - other.d) > 0.5 or gap > 0


def test_an_actor_looks_where_it_drives() -> None:
    for plan, fleet in FLEETS[:8]:
        moving = fleet.actors[: len(fleet.tracks) - 1]
        for actor in moving:
            start, later = actor.pose(0.0), actor.pose(1.0)
            step = (later - start)[:3, 3]
            if np.linalg.norm(step) > 0.5:
                assert step @ start[:3, 0] > 0.9 * np.linalg.norm(step)
        assert plan.junctions or not fleet.in_the_way


def test_who_waits_stands_still_in_a_side_street() -> None:
    found = 0
    for plan, fleet in FLEETS:
        waiting = fleet.actors[len(fleet.tracks) - 1 :]
        found += len(waiting)
        for actor in waiting:
            np.testing.assert_array_equal(actor.pose(0.0), actor.pose(5.0))
        for s, d in fleet.in_the_way:
            side = LEFT if d > 0 else RIGHT
            assert any(side in j.sides and abs(s - j.s) < j.half + 1.5 for j in plan.junctions)
            assert abs(d) > plan.edge(side)
    assert found > 5


def test_bodies_are_as_frequent_as_they_are_met() -> None:
    rng = np.random.default_rng(0)
    plan = next(plan for plan, _ in FLEETS if plan.style == "urban")
    bodies = Counter(random_body(rng, plan, with_cyclists=True) for _ in range(4000))
    assert bodies["cyclist"] / 4000 == pytest.approx(0.12, abs=0.02)
    assert bodies["truck"] / 4000 == pytest.approx(0.05, abs=0.015)
    assert sum(bodies[name] for name in CAR_FREQUENCY) / 4000 == pytest.approx(0.79, abs=0.03)
    assert not Counter(random_body(rng, plan, with_cyclists=False) for _ in range(500))["cyclist"]
    cars = Counter(random_car(rng) for _ in range(4000))
    whole = sum(CAR_FREQUENCY.values())
    for name, weight in CAR_FREQUENCY.items():
        assert cars[name] / 4000 == pytest.approx(weight / whole, abs=0.03)
    assert len({random_paint(rng) for _ in range(200)}) > 4


def test_lengths_are_those_of_the_bodies() -> None:
    known = {EGO_LENGTH, BIKE_LENGTH, *(length_of(name) for name in (*CAR_FREQUENCY, "truck", "semi", "bus"))}
    for _, fleet in FLEETS:
        assert {track.length for track in fleet.tracks} <= known

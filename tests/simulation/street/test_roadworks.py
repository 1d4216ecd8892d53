# SPDX-License-Identifier: Apache-2.0
"""Cones and beacons: background, out of everybody's way, and nothing else of a street changes."""

from __future__ import annotations

import numpy as np
import pytest

from perception.classes import BACKGROUND
from perception.simulation import world
from perception.simulation.scene import Actor, Mesh
from perception.simulation.street.plan import random_plan
from perception.simulation.street.roadworks import CONES, beacon, cone, roadworks
from perception.simulation.things.materials import MATERIALS
from perception.simulation.things.placement import Placement
from perception.simulation.things.shapes import Pose, box, pose


@pytest.mark.parametrize("mesh", [*map(cone, range(len(CONES))), beacon()])
def test_they_stand_on_the_ground_and_are_background(mesh: Mesh) -> None:
    low, high = mesh.vertices.min(axis=0), mesh.vertices.max(axis=0)
    assert low[2] == 0.0
    assert 0.4 < high[2] < 1.1
    assert (high - low)[:2].max() < 0.5
    assert {MATERIALS[m].class_id for m in mesh.materials} == {BACKGROUND}


def test_a_beacon_is_covered_by_its_stripes() -> None:
    board = beacon().vertices
    board = board[np.abs(board[:, 0]) < 1e-6]
    assert board[:, 2].min() == pytest.approx(0.12)
    assert board[:, 2].max() == pytest.approx(1.02)


def feet(seed: int, actors: list[Actor], placed: Placement | None = None) -> np.ndarray:
    """(N, 2) where cones stand on a street with nothing but `actors` and what is `placed`."""
    plan, placed = random_plan(np.random.default_rng(seed), 10.0), placed or Placement()
    there = len(placed.feet())
    far: Pose = pose(-1000.0, 0.0)
    roadworks(plan, np.random.default_rng([seed, 12]), placed, actors, lambda _: far, 10.0)
    return np.array(placed.feet()[there:]).reshape(-1, 2)


BARE = [feet(seed, []) for seed in range(24)]


def test_some_streets_have_them() -> None:
    counts = [len(each) for each in BARE]
    assert counts.count(0) < 16
    assert 8 < max(counts) < 40


def passing_by(place: np.ndarray) -> Actor:
    car = box((4.0, 1.8, 1.5), (0.0, 0.0, 0.75), 0)
    return Actor("car", lambda _: car, lambda t: pose(place[0] - 20.0 + 4.0 * t, place[1] + 0.5))


def test_they_keep_off_whoever_comes_by() -> None:
    for seed, before in enumerate(BARE[:12]):
        if not len(before):
            continue
        met = before[0]
        after = feet(seed, [passing_by(met)])
        assert len(after) < len(before)
        assert np.hypot(*(after - met).T).min(initial=9.0) > 0.3


def test_they_keep_off_what_stands_there() -> None:
    seed = next(seed for seed, each in enumerate(BARE) if len(each) > 3)
    placed = Placement()
    placed.add(box((1.0, 1.0, 1.0), (0.0, 0.0, 0.5), 0), pose(*BARE[seed][0]))
    after = feet(seed, [], placed)
    assert 0 < len(after) < len(BARE[seed])


def test_everything_else_of_a_street_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    with_it = world.build_scene(1)
    monkeypatch.setattr(world, "roadworks", lambda *_: None)
    without = world.build_scene(1)
    count = len(without.static.vertices)
    assert len(with_it.static.vertices) > count
    np.testing.assert_array_equal(with_it.static.vertices[:count], without.static.vertices)
    assert with_it.materials == without.materials

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from perception.simulation.scene import transformed
from perception.simulation.things.placement import BREAST, Placement
from perception.simulation.things.shapes import box, pose

LOW, HIGH = box((4.0, 2.0, 1.0), (0, 0, 0.5), 0), box((4.0, 2.0, 1.0), (0, 0, BREAST + 0.6), 0)


def test_every_copy_is_there_once_at_its_place() -> None:
    placed = Placement()
    poses = [pose(10, 0), pose(0, 5, 1.0, 0.3), pose(-3, 2)]
    for each in poses[:2]:
        placed.add(LOW, each)
    placed.add(HIGH, poses[2])
    lows, highs = placed.meshes()
    expected = np.concatenate([transformed(LOW, each).vertices for each in poses[:2]])
    np.testing.assert_allclose(lows.vertices, expected, atol=1e-5)
    assert len(lows.triangles) == 2 * len(LOW.triangles)
    assert len(highs.triangles) == len(HIGH.triangles)
    np.testing.assert_allclose(placed.feet(), [[10, 0], [0, 5], [-3, 2]])


@pytest.mark.parametrize(
    ("place", "margin", "covered"),
    [
        ((10, 0), 0.0, True),
        ((10, 1.9), 0.0, True),  # turned by a quarter, its length lies across
        ((10, 2.1), 0.0, False),
        ((10, 2.1), 0.2, True),
        ((11.1, 0), 0.0, False),
        ((11.1, 0), 0.2, True),
    ],
)
def test_what_stands_somewhere_covers_its_outline(place: tuple[float, float], margin: float, covered: bool) -> None:
    placed = Placement()
    placed.add(LOW, pose(10, 0, 0, np.pi / 2))
    assert placed.covers(np.array(place), margin) == covered


def test_what_hangs_above_breast_height_covers_nothing() -> None:
    placed = Placement()
    placed.add(HIGH, pose(0, 0))
    assert not placed.covers(np.array([0.0, 0.0]), 5.0)
    assert not Placement().covers(np.array([0.0, 0.0]), 5.0)


@given(st.floats(-9, 9), st.floats(-9, 9), st.floats(-3.2, 3.2))
def test_a_place_is_covered_as_if_nothing_had_been_turned(x: float, y: float, yaw: float) -> None:
    there = pose(3, -2, 0, yaw)
    placed, straight = Placement(), Placement()
    placed.add(LOW, there)
    straight.add(LOW, np.eye(4))
    world = (there @ [x, y, 0, 1])[:2]
    near_edge = min(abs(abs(x) - 2), abs(abs(y) - 1)) < 1e-3
    assert near_edge or placed.covers(world, 0.0) == straight.covers(np.array([x, y]), 0.0)


def test_each_copy_has_a_number() -> None:
    placed, mesh, other = Placement(), box((1, 1, 1), (0, 0, 0), 0), box((2, 1, 1), (0, 0, 0), 0)
    for thing in (mesh, other, mesh):
        placed.add(thing, np.eye(4))
    triangles = len(mesh.triangles)
    assert sum(len(each.triangles) for each in placed.meshes()) == len(placed.numbers()) == 3 * triangles
    assert placed.numbers().tolist() == [1] * triangles + [2] * triangles + [3] * triangles


def test_what_is_grouped_has_no_number() -> None:
    placed, mesh, other = Placement(), box((1, 1, 1), (0, 0, 0), 0), box((2, 1, 1), (0, 0, 0), 0)
    for thing, grouped in ((mesh, False), (other, True), (mesh, True), (other, False)):
        placed.add(thing, np.eye(4), grouped)
    triangles = len(mesh.triangles)
    assert placed.numbers().tolist() == [1] * triangles + [0] * 2 * triangles + [4] * triangles

# SPDX-License-Identifier: Apache-2.0
"""Points that the LiDAR sees past objects in front of the camera."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from perception.classes import UNLABELLED, VEHICLE
from perception.frame import CameraModel, Frame
from perception.sensors import Projection, project_sweep
from perception.sensors.visibility import hidden, label_points, spacing
from perception.simulation import SimulatedDrive
from perception.simulation.sensors.scanners import SCANNERS, Scanner

FOCAL = 720.0
CAMERA = CameraModel(np.array([[FOCAL, 0, 200], [0, FOCAL, 100], [0, 0, 1]]), 400, 200)
AXES = np.array([[0, -1, 0, 0.0], [0, 0, -1, 0.0], [1, 0, 0, 0.0], [0, 0, 0, 1]])


def projection(uv: np.ndarray, depth: np.ndarray) -> Projection:
    uv, depth = np.asarray(uv, np.float32), np.asarray(depth, np.float32)
    xyz = np.stack([(uv[:, 0] - 200) / FOCAL * depth, (uv[:, 1] - 100) / FOCAL * depth, depth], axis=1)
    return Projection(uv, xyz, np.arange(len(uv)), 400, 200)


def board(depth: float, left: int, top: int, right: int, bottom: int) -> tuple[np.ndarray, np.ndarray]:
    """A flat object as 64 beams see it: every 5th row, every 2nd column."""
    u, v = np.meshgrid(np.arange(left, right, 2), np.arange(top, bottom, 5))
    uv = np.stack([u.ravel(), v.ravel()], axis=1).astype(np.float32)
    return uv, np.full(len(uv), depth, np.float32)


def seen_past(uv: list[tuple[float, float]], depth: float) -> np.ndarray:
    """Whether points at `uv`, at `depth`, are hidden by a board at 8 m."""
    front, near = board(8.0, 100, 60, 200, 140)
    both = projection(np.concatenate([front, np.array(uv)]), np.concatenate([near, np.full(len(uv), depth)]))
    found = hidden(both, FOCAL)
    assert not found[: len(front)].any()
    return found[len(front) :]


def test_what_shows_through_a_board_is_hidden() -> None:
    assert seen_past([(150.0, 101.5), (121.0, 77.0), (180.0, 133.0)], 20.0).all()


def test_what_stands_beside_it_is_seen() -> None:
    assert not seen_past([(90.0, 100.0), (210.0, 100.0), (150.0, 50.0), (150.0, 145.0)], 20.0).any()


def test_what_lies_close_behind_is_part_of_it() -> None:
    assert not seen_past([(150.0, 101.5)], 8.9).any()


def test_nothing_is_hidden_by_what_is_farther() -> None:
    assert not seen_past([(150.0, 101.5)], 4.0).any()


def test_a_road_and_a_wall_at_a_slant_hide_nothing_of_themselves() -> None:
    u, v = (each.ravel().astype(np.float32) for each in np.meshgrid(np.arange(0, 400, 2), np.arange(110, 200, 4)))
    road = projection(np.stack([u, v], axis=1), 1.7 * FOCAL / (v - 100))
    assert not hidden(road, FOCAL).any()
    wall = projection(np.stack([u, v], axis=1), 4.0 * FOCAL / (u + 60))
    assert not hidden(wall, FOCAL).any()


def lorry_before_a_wall(scanner: Scanner) -> tuple[Projection, np.ndarray]:
    """The points of a LiDAR 1.2 m above a camera, and which of them the lorry, 8 m ahead and 2.5 m high, hides from it.

    The wall is 25 m ahead; the camera is 1.65 m above the road.
    """
    ray = scanner.fire(1.0, 0.0).direction.astype(np.float64)
    ray = ray[ray[:, 0] > 0.3]
    wall, road = 25.0 / ray[:, 0], np.where(ray[:, 2] < 0, 2.85 / np.maximum(-ray[:, 2], 1e-9), np.inf)
    lorry = ray * (8.0 / ray[:, :1])
    hit = (np.abs(lorry[:, 1]) < 1.3) & (lorry[:, 2] < 2.5 - 2.85) & (lorry[:, 2] > 0.4 - 2.85)
    distance = np.where(hit, 8.0 / ray[:, 0], np.minimum(wall, road))
    x, y, z = (ray * distance[:, None]).T
    xyz = np.stack([-y, -z - 1.2, x], 1).astype(np.float32)
    uv = xyz[:, :2] / xyz[:, 2:] * FOCAL + np.array([200, 100])
    inside = (uv > 0).all(1) & (uv < [399, 199]).all(1)
    seen = xyz[:, :2] / xyz[:, 2:] * 8.0
    behind = (np.abs(seen[:, 0]) < 1.3) & (seen[:, 1] > 1.65 - 2.5) & (seen[:, 1] < 1.65 - 0.4) & (xyz[:, 2] > 9.5)
    return Projection(uv[inside].astype(np.float32), xyz[inside], np.flatnonzero(inside), 400, 200), behind[inside]


@pytest.mark.parametrize("name", SCANNERS)
def test_a_lorry_hides_what_a_lidar_above_the_camera_sees_behind_it_whatever_its_beams(name: str) -> None:
    sweep, behind = lorry_before_a_wall(SCANNERS[name])
    assert behind.sum() > 20
    found = hidden(sweep, FOCAL)
    assert found[behind].mean() > 0.65  # of 16 beams one of the three in question is above the uppermost on the lorry
    assert found[~behind].mean() < 0.025


@pytest.mark.parametrize(("name", "across", "upright"), [("16 beams", 0.2, 2.0), ("raster", 1 / 6, 0.2)])
def test_the_spacing_is_the_sweeps_own(name: str, across: float, upright: float) -> None:
    sweep, _ = lorry_before_a_wall(SCANNERS[name])
    assert np.degrees(spacing(sweep, FOCAL)) == pytest.approx([across, upright], rel=0.25)


def test_without_points_enough_nothing_is_hidden() -> None:
    assert hidden(projection(np.empty((0, 2)), np.empty(0)), FOCAL).shape == (0,)
    assert not hidden(projection(np.array([[200.0, 100.0]]), np.array([20.0])), FOCAL).any()


@settings(max_examples=30)
@given(st.integers(0, 2**32 - 1), st.floats(0.25, 4.0))
def test_the_size_of_the_image_makes_no_great_difference(seed: int, scale: float) -> None:
    rng = np.random.default_rng(seed)
    uv, depth = rng.uniform((0, 0), (399, 199), (500, 2)), rng.uniform(3, 60, 500)
    whole = projection(uv, depth)
    scaled = whole.resized(round(400 * scale), round(200 * scale))
    differ = hidden(whole, FOCAL) != hidden(scaled, FOCAL * scale)
    assert differ.mean() < 0.12  # the cells' borders lie elsewhere


def test_points_that_the_camera_does_not_see_have_no_label() -> None:
    front, near = board(8.0, 100, 60, 200, 140)
    uv, depth = np.concatenate([front, [[150.0, 101.5]]]), np.append(near, 20.0)
    there = projection(uv, depth).xyz
    points = np.concatenate([there[:, [2, 0, 1]] * [1, -1, -1], np.zeros((len(uv), 1))], axis=1).astype(np.float32)
    behind = np.array([[-5.0, 0, 0, 0]], np.float32)
    frame = Frame(0, rgb=np.zeros((200, 400, 3), np.uint8), points=np.concatenate([points, behind]), camera=CAMERA,
                  lidar_to_camera=AXES)  # fmt: skip
    found = project_sweep(frame)
    assert found is not None
    labels, confidence = label_points(frame, found, *(np.full((200, 400), each, np.uint8) for each in (VEHICLE, 77)))
    assert (labels[: len(front)] == VEHICLE).all()
    assert (confidence[: len(front)] == 77).all()
    assert labels[len(front) :].tolist() == [UNLABELLED, UNLABELLED]
    assert confidence[len(front) :].tolist() == [0, 0]


def test_on_a_simulated_street_wrong_labels_become_fewer() -> None:
    """Depth determines which points the camera sees; classes of points and pixels are exact there."""
    sample = SimulatedDrive(2, "day", 2)[1]
    frame, truth, labels = sample.frame, sample.point_labels, sample.labels
    found = project_sweep(frame)
    assert found is not None
    assert frame.depth is not None
    assert truth is not None
    assert labels is not None
    away = hidden(found, float(frame.camera.intrinsics[0, 0]))
    wrong = (labels.ravel()[found.pixels] != truth[found.rows]) & (labels.ravel()[found.pixels] != UNLABELLED)
    assert 0.002 < away.mean() < 0.05
    assert wrong[away].mean() > 5 * wrong[~away].mean()
    depth = frame.depth.ravel()[found.pixels]
    behind = (depth > 0) & (found.depth > 1.03 * depth + 0.3)
    assert behind[away].mean() > 10 * behind[~away].mean()
    assert wrong[away].sum() > 0.25 * wrong.sum()

# SPDX-License-Identifier: Apache-2.0
"""Points that the LiDAR sees past what stands before the camera."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from perception.classes import UNLABELLED, VEHICLE
from perception.frame import CameraModel, Frame
from perception.sensors import Projection, project_sweep
from perception.sensors.visibility import hidden, label_points
from perception.simulation import SimulatedDrive

FOCAL = 720.0
CAMERA = CameraModel(np.array([[FOCAL, 0, 200], [0, FOCAL, 100], [0, 0, 1]]), 400, 200)
AXES = np.array([[0, -1, 0, 0.0], [0, 0, -1, 0.0], [1, 0, 0, 0.0], [0, 0, 0, 1]])


def projection(uv: np.ndarray, depth: np.ndarray) -> Projection:
    uv, depth = np.asarray(uv, np.float32), np.asarray(depth, np.float32)
    xyz = np.stack([(uv[:, 0] - 200) / FOCAL * depth, (uv[:, 1] - 100) / FOCAL * depth, depth], axis=1)
    return Projection(uv, xyz, np.arange(len(uv)), 400, 200)


def board(depth: float, left: int, top: int, right: int, bottom: int) -> tuple[np.ndarray, np.ndarray]:
    """A flat thing as 64 beams see it: every 5th row, every 2nd column."""
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
    labels = label_points(frame, found, np.full((200, 400), VEHICLE, np.uint8))
    assert (labels[: len(front)] == VEHICLE).all()
    assert labels[len(front) :].tolist() == [UNLABELLED, UNLABELLED]


def test_on_a_simulated_street_wrong_labels_become_fewer() -> None:
    """Depth tells which points the camera sees; classes of points and pixels are exact there."""
    sample = SimulatedDrive(2, "day", 2)[1]
    frame, truth, labels = sample.frame, sample.point_labels, sample.labels
    found = project_sweep(frame)
    assert found is not None
    assert frame.depth is not None
    assert truth is not None
    assert labels is not None
    away = hidden(found, float(frame.camera.intrinsics[0, 0]))  # type: ignore[union-attr]
    wrong = (labels.ravel()[found.pixels] != truth[found.rows]) & (labels.ravel()[found.pixels] != UNLABELLED)
    assert 0.002 < away.mean() < 0.05
    assert wrong[away].mean() > 5 * wrong[~away].mean()
    depth = frame.depth.ravel()[found.pixels]
    behind = (depth > 0) & (found.depth > 1.03 * depth + 0.3)
    assert behind[away].mean() > 10 * behind[~away].mean()
    assert wrong[away].sum() > 0.25 * wrong.sum()

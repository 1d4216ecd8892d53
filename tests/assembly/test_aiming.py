# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import numpy as np
import pytest

from perception.assembly.aiming import off_target
from perception.frame import CameraModel

CAMERA = CameraModel(np.array([[720.0, 0, 610], [0, 720, 173], [0, 0, 1]]), 1242, 375, "camera_link")
OPTICAL = np.array([[0, -1, 0, 0], [0, 0, -1, -0.1], [1, 0, 0, -0.3], [0, 0, 0, 1.0]])
BODY = np.array([[1, 0, 0, 0.3], [0, 1, 0, 0], [0, 0, 1, -0.1], [0, 0, 0, 1.0]])


def sweep(beams: int = 32) -> np.ndarray:
    """A street: the ground, and walls 8 m to the left and right."""
    azimuth, elevation = np.meshgrid(np.radians(np.arange(0, 360, 0.5)), np.radians(np.linspace(-25, 5, beams)))
    ray = np.stack([np.cos(azimuth), np.sin(azimuth), np.tan(elevation)], -1).reshape(-1, 3)
    with np.errstate(divide="ignore"):
        ground, wall = -1.7 / np.minimum(ray[:, 2], -1e-3), 8 / np.abs(ray[:, 1])
    distance = np.minimum(np.minimum(ground, wall), 80)
    return np.hstack([ray * distance[:, None], np.ones((len(ray), 1))]).astype(np.float32)


def verdict(mount: np.ndarray, points: np.ndarray | None = None, camera: CameraModel = CAMERA) -> str | None:
    return off_target(sweep() if points is None else points, mount, camera, "velo", "camera_link")


@pytest.mark.parametrize("beams", [8, 16, 64])
def test_a_sweep_in_its_place_is_no_matter(beams: int) -> None:
    assert verdict(OPTICAL, sweep(beams)) is None


def test_a_body_frame_is_named_with_the_likely_cause() -> None:
    said = verdict(BODY)
    assert said is not None
    assert said.startswith("extrinsics: no point of the sweep falls into the image; 'camera_link' looks like a body")
    assert "expected is the optical frame" in said


def test_points_that_stand_in_a_corner_are_no_better() -> None:
    """Wires above the street: in a body frame x points where z should, and they fall into the upper left corner."""
    above = np.array([[-1.0 - 0.02 * i, -0.1 - 0.01 * i, 1.5 + 0.02 * i, 1] for i in range(40)], np.float32)
    said = verdict(BODY, np.vstack([sweep(), above]))
    assert said is not None
    assert "all points of the sweep that fall into the image lie in a corner of it" in said
    assert "'camera_link' looks like a body frame" in said


def test_a_lidar_that_looks_elsewhere_is_asked_about() -> None:
    points = sweep()
    said = verdict(OPTICAL, points[points[:, 0] < -1])
    assert said is not None
    assert "does the LiDAR 'velo' see what the camera 'camera_link' sees?" in said


def test_a_few_points_are_no_verdict() -> None:
    assert verdict(BODY, sweep()[::1000]) is None
    assert verdict(BODY, np.full((500, 4), np.nan, np.float32)) is None

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from perception.errors import FrameError
from perception.frame import CameraModel, Frame

RGB = np.zeros((4, 6, 3), np.uint8)
CAMERA = CameraModel(np.eye(3), 6, 4)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({}, "without any modality"),
        ({"rgb": RGB[..., 0]}, r"rgb: got uint8 \(4, 6\)"),
        ({"rgb": RGB.astype(float)}, "rgb: got float64"),
        ({"rgb": np.zeros((0, 6, 3), np.uint8)}, "rgb: empty"),
        ({"depth": np.zeros((4, 6))}, "depth: got float64"),
        ({"infrared": np.zeros((4, 6), np.int32)}, "infrared: got int32"),
        ({"points": np.zeros((3, 4), np.float32)}, "points without calibration"),
        (
            {"points": np.zeros((3, 3), np.float32), "camera": CAMERA, "lidar_to_camera": np.eye(4)},
            r"points: got float32 \(3, 3\)",
        ),
        ({"rgb": RGB, "lidar_to_camera": np.eye(3)}, "lidar_to_camera"),
        ({"rgb": RGB, "lidar_to_camera": np.full((4, 4), np.nan)}, "lidar_to_camera"),
    ],
)
def test_a_frame_that_cannot_be_used_says_why(fields: dict[str, Any], message: str) -> None:
    with pytest.raises(FrameError, match=message):
        Frame(stamp_ns=0, **fields)


def test_a_missing_modality_is_normal() -> None:
    frame = Frame(stamp_ns=0, depth=np.zeros((4, 6), np.float32))
    assert frame.modalities == ("depth",)
    assert frame.size == (6, 4)


def test_an_empty_sweep_is_a_sweep() -> None:
    frame = Frame(stamp_ns=0, points=np.zeros((0, 4), np.float32), camera=CAMERA, lidar_to_camera=np.eye(4))
    assert frame.modalities == ("lidar",)
    assert frame.size == (6, 4)


@pytest.mark.parametrize("matrix", [np.eye(4), np.zeros((3, 3)), np.full((3, 3), np.nan)])
def test_impossible_intrinsics_are_refused(matrix: np.ndarray) -> None:
    with pytest.raises(FrameError, match="intrinsics"):
        CameraModel(matrix, 6, 4)


def test_an_empty_camera_image_is_refused() -> None:
    with pytest.raises(FrameError, match="0×4"):
        CameraModel(np.eye(3), 0, 4)


@pytest.mark.parametrize(("intensity", "said"), [([0, 51, 255], "255"), ([0.5, 0.5, -3], "-3")])
def test_intensities_are_shares_of_one(intensity: list[float], said: str) -> None:
    points = np.ones((3, 4), np.float32)
    points[:, 3] = intensity
    camera = CameraModel(np.eye(3), 8, 4)
    with pytest.raises(FrameError, match=f"points: intensity {said}, expected 0–1"):
        Frame(0, points=points, camera=camera, lidar_to_camera=np.eye(4))
    sweep = np.random.default_rng(0).random((5000, 4), np.float32)
    sweep[0, 3], sweep[:2000, 3] = 255, np.nan  # single readings, and what is no number, are no other scale
    assert Frame(0, points=sweep, camera=camera, lidar_to_camera=np.eye(4)).modalities == ("lidar",)

# SPDX-License-Identifier: Apache-2.0
"""Physical quantities as uint8 network channels, and each sensor's channels from its raw data.

uint8 keeps the engine's inputs small and leaves normalisation to the exported graph. Every auxiliary channel is 0 where
its sensor has no measurement, and a validity channel distinguishes this from a measured zero.
"""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from perception.frame import MODALITIES, CameraModel
from perception.ground import Ground
from perception.sensors.ground import expected_or_fitted
from perception.sensors.projection import Projection, nearest_per_pixel
from perception.sensors.spec import SPECS, Scene

DEPTH_RANGE = (1.0, 100.0)
"""Metres, coded logarithmically: one step is 1.8 % of the distance, near or far."""

HEIGHT_RANGE = (-1.85, 4.15)
"""Metres above the ground, coded linearly: one step is 2.4 cm."""

AUX_CHANNELS: dict[str, int] = {name: len(SPECS[name].channels) for name in MODALITIES[1:]}
"""Channels per auxiliary modality, in the order in which they are stacked."""


def log_depth(metres: NDArray[np.float32]) -> NDArray[np.uint8]:
    """Metres → 1–255, near to far on a logarithmic scale, clipped to DEPTH_RANGE."""
    near, far = DEPTH_RANGE
    scaled = np.log(np.clip(metres, near, far) / np.float32(near)) * np.float32(254 / np.log(far / near))
    return np.asarray(scaled + 1.5, np.uint8)


def height_code(above: NDArray[np.float32]) -> NDArray[np.uint8]:
    """Metres above the ground → 1–255, clipped to HEIGHT_RANGE."""
    low, high = HEIGHT_RANGE
    scaled = (np.clip(above, low, high) - np.float32(low)) * np.float32(254 / (high - low))
    return np.asarray(scaled + 1.5, np.uint8)


def code_depth(scene: Scene, width: int, height: int) -> NDArray[np.uint8]:
    """The `depth_channels` of a scene, above the ground that its depth image measured."""
    frame = scene.frame
    assert frame.depth is not None
    ground = expected_or_fitted(scene.by_depth, frame.ground or scene.by_lidar)
    return depth_channels(frame.depth, frame.camera, ground, width, height)


def code_lidar(scene: Scene, width: int, height: int) -> NDArray[np.uint8]:
    """The `lidar_channels` of a scene, above the ground that its sweep measured; zeros if no point can be placed."""
    points, projection = scene.frame.points, scene.projection
    if points is None or projection is None:
        return np.zeros((len(SPECS["lidar"].channels), height, width), np.uint8)
    return lidar_channels(points, projection, expected_or_fitted(scene.by_lidar, scene.frame.ground), width, height)


def depth_channels(
    depth: NDArray[np.float32], camera: CameraModel | None, ground: Ground | None, width: int, height: int
) -> NDArray[np.uint8]:
    """(H, W) metres, NaN invalid → (3, height, width) uint8.

    Without a camera or a ground the height channel stays 0.
    """
    # Nearest neighbour: a mean of two surfaces would be a point where there is none.
    resized: NDArray[Any] = cv2.resize(depth, (width, height), interpolation=cv2.INTER_NEAREST)
    valid = (resized > 0) & (resized < np.inf)
    metres = np.where(valid, resized, np.float32(1))
    channels = np.zeros((3, height, width), np.uint8)
    channels[0] = log_depth(metres)
    if camera is not None and ground is not None:
        # A pixel's height above the ground is its depth times the slope of its ray, plus the camera's height.
        k = camera.resized(width, height).intrinsics
        climb_u, climb_v, climb = (ground.up @ np.linalg.inv(k)).astype(np.float32)
        climbing = np.arange(width, dtype=np.float32) * climb_u
        rise = climbing + (np.arange(height, dtype=np.float32) * climb_v + climb)[:, None]
        channels[1] = height_code(metres * rise + np.float32(ground.height))
    channels[2] = 255
    channels *= valid
    return channels


def lidar_channels(
    points: NDArray[np.float32], projection: Projection, ground: Ground | None, width: int, height: int
) -> NDArray[np.uint8]:
    """(N, 4) sweep and the pixels of its points → (4, height, width) uint8, with a z-buffer at that resolution.

    Without a ground the height channel stays 0.
    """
    pixels, nearest = nearest_per_pixel(projection.resized(width, height))
    xyz = projection.xyz.take(nearest, axis=0)
    intensity = points[projection.rows[nearest], 3]
    channels = np.zeros((4, height * width), np.uint8)
    channels[0, pixels] = log_depth(xyz[:, 2])
    if ground is not None:
        channels[1, pixels] = height_code(ground.above(xyz))
    channels[2, pixels] = np.nan_to_num(np.clip(intensity, 0, 1) * 255)
    channels[3, pixels] = 255
    return channels.reshape(4, height, width)

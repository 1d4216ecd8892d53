# SPDX-License-Identifier: Apache-2.0
"""A scene of nuScenes from the view of one of its cameras, with the points of its LiDAR where the camera saw them.

Camera and LiDAR have stamps of their own, up to 50 ms apart, in which a car at 15 m/s drives 0.7 m: the points are
moved to the instant of the image, by where the vehicle was at both.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from perception.datasets.io.files import read_bytes, read_rgb
from perception.datasets.nuscenes.tables import CAMERAS, LIDAR, Channel, Record, Scene
from perception.errors import DataError
from perception.frame import CameraModel, Frame
from perception.sensors.sweeps import echoes

_TURNED = np.array([[0.0, 1, 0, 0], [-1, 0, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1]])
"""nuScenes' LiDAR frame (x right, y forward, z up) → ours (x forward, y left, z up)."""

_POINT = 5
"""Numbers of a point: x, y, z, intensity 0–255, ring."""


@dataclass(frozen=True)
class OneCamera:
    """camera, lidar: of the scene; None where they recorded nothing. name: the camera's channel."""

    name: str
    camera: Channel | None
    lidar: Channel | None

    @cached_property
    def model(self) -> CameraModel | None:
        """The camera; its images are rectified. None where it recorded nothing. Raises DataError without intrinsics."""
        if self.camera is None:
            return None
        if self.camera.intrinsics is None or not all(self.camera.size):
            raise DataError(f"{self.name}: no camera_intrinsic in calibrated_sensor.json, or no width and height")
        return CameraModel(self.camera.intrinsics, *self.camera.size, self.name)

    @cached_property
    def lidar_to_camera(self) -> NDArray[np.float64] | None:
        """(4, 4), from the LiDAR's frame (x forward) to the camera's, both through the vehicle's."""
        if self.camera is None or self.lidar is None:
            return None
        return np.asarray(np.linalg.inv(self.camera.mount) @ self._mount, np.float64)

    def frame(self, stamp_ns: int, image: Record | None, sweep: Record | None) -> Frame:
        """The frame of an image and a sweep, of which one may be None.

        Its points are in the LiDAR's frame as it was when the image was taken. Raises DataError for broken files.
        """
        points = None
        if sweep is not None and self.model is not None:
            points = read_sweep(sweep.path)
            points = points if (echo := echoes(points)) is None else points.compress(echo, 0)
            place(points, self.between(sweep, image or sweep))
        return Frame(
            stamp_ns=stamp_ns,
            rgb=None if image is None else self._rgb(image.path),
            points=points,
            camera=self.model,
            lidar_to_camera=self.lidar_to_camera,
        )

    def between(self, sweep: Record, image: Record) -> NDArray[np.float64]:
        """(4, 4) from points as nuScenes stores them to the LiDAR's frame (x forward) at the instant of `image`."""
        return np.asarray(np.linalg.inv(image.vehicle @ self._mount) @ self.to_world(sweep), np.float64)

    def to_world(self, sweep: Record) -> NDArray[np.float64]:
        """(4, 4) from points as nuScenes stores them to the world."""
        assert self.lidar is not None
        return np.asarray(sweep.vehicle @ self.lidar.mount, np.float64)

    @cached_property
    def _mount(self) -> NDArray[np.float64]:
        """(4, 4) from the LiDAR's frame (x forward) to the vehicle's."""
        assert self.lidar is not None
        return np.asarray(self.lidar.mount @ _TURNED.T, np.float64)

    def _rgb(self, path: Path) -> NDArray[np.uint8]:
        assert self.camera is not None
        rgb, (width, height) = read_rgb(path), self.camera.size
        if rgb.shape[:2] != (height, width):
            raise DataError(f"{path}: {rgb.shape[1]}×{rgb.shape[0]} pixels, expected {width}×{height}, as its row says")
        return rgb


def one_camera(scene: Scene, camera: str = CAMERAS[0]) -> OneCamera:
    """The scene from the view of the camera of that channel."""
    return OneCamera(camera, scene.channels.get(camera), scene.channels.get(LIDAR))


def check_camera(channel: str) -> str:
    """The channel, if it is a camera's. Raises DataError that lists those that are."""
    if channel not in CAMERAS:
        raise DataError(f"camera {channel!r}: nuScenes has {', '.join(CAMERAS)}")
    return channel


def read_sweep(path: Path) -> NDArray[np.float32]:
    """(N, 4) float32 x, y, z [m] as nuScenes stores them (x right, y forward), intensity [0–1], points without an echo
    included: labels count them too. Raises DataError for a file that is missing or truncated."""
    data = read_bytes(path)
    size = 4 * _POINT
    if len(data) % size:
        raise DataError(f"{path}: {len(data)} bytes, truncated: a point has {size}")
    points = np.frombuffer(data, "<f4").reshape(-1, _POINT)[:, :4].astype(np.float32)
    points[:, 3] /= 255
    return points


def place(points: NDArray[np.float32], pose: NDArray[np.float64]) -> None:
    """Move (N, 4) points by the (4, 4) pose, in place."""
    points[:, :3] = points[:, :3] @ pose[:3, :3].T.astype(np.float32) + pose[:3, 3].astype(np.float32)

# SPDX-License-Identifier: Apache-2.0
"""The nouns that everything speaks: what was sensed (`Frame`) and what was made of it (`Prediction`)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from perception.classes import CLASSES, Classes
from perception.errors import FrameError
from perception.ground import Ground
from perception.rigid import rigid_fault

MODALITIES: tuple[str, ...] = ("rgb", "depth", "infrared", "lidar")
"""The sensors that every network counts, in its order; a network may have further ones behind them."""

INSTANCE_STEP = 1000
"""An instance's code is its class id times this plus its number within the class, from 1."""


@dataclass(frozen=True)
class CameraModel:
    """A rectified pinhole camera.

    intrinsics: (3, 3) matrix in pixels, of the rectified image (P[:3, :3] of a CameraInfo).
    frame_id: the optical frame, x right, y down, z forward (REP-103).
    """

    intrinsics: NDArray[np.float64]
    width: int
    height: int
    frame_id: str = "camera"

    def __post_init__(self) -> None:
        matrix = np.asarray(self.intrinsics, np.float64)
        if matrix.shape != (3, 3):
            raise FrameError(f"camera intrinsics: shape {matrix.shape}, expected (3, 3)")
        if not np.isfinite(matrix).all() or matrix[0, 0] <= 0 or matrix[1, 1] <= 0:
            raise FrameError(f"camera intrinsics: focal lengths must be finite and positive, got {matrix.tolist()}")
        if self.width <= 0 or self.height <= 0:
            raise FrameError(f"camera size: {self.width}×{self.height}, expected positive numbers of pixels")
        object.__setattr__(self, "intrinsics", matrix)

    def resized(self, width: int, height: int) -> CameraModel:
        """The same camera with its image scaled to `width`×`height` (pixel centres at half-integers)."""
        sx, sy = width / self.width, height / self.height
        scale = np.array([[sx, 0, 0.5 * sx - 0.5], [0, sy, 0.5 * sy - 0.5], [0, 0, 1]])
        return CameraModel(scale @ self.intrinsics, width, height, self.frame_id)


@dataclass(frozen=True)
class Returns:
    """What a sensor beside those of MODALITIES measured: points, and whatever else its row in the table says of each.

    values: (N, C ≥ 3) float32, of which the first three are x, y, z [m] in the sensor's frame (x forward, y left, z
    up); what the others are stands beside what codes the sensor. to_camera: (4, 4), sensor's frame → optical frame.
    velocity: (3,) m/s, the sensor's own over the ground, in its frame, which measured speeds are relative to: zeros
    where they are over the ground already; None where nobody knows.

    Raises FrameError for wrong shapes and dtypes, and for a transform that is not rigid.
    """

    values: NDArray[np.float32]
    to_camera: NDArray[np.float64]
    velocity: NDArray[np.float64] | None = None

    def __post_init__(self) -> None:
        if self.values.ndim != 2 or self.values.shape[1] < 3 or self.values.dtype != np.float32:
            raise FrameError(f"values: got {self.values.dtype} {self.values.shape}, expected float32 (N, 3 or more)")
        fault = rigid_fault(self.to_camera)
        if fault:
            raise FrameError(f"to_camera: no rigid transform: {fault}")
        if self.velocity is not None and (self.velocity.shape != (3,) or not np.isfinite(self.velocity).all()):
            raise FrameError(f"velocity: {self.velocity!r}, expected three finite numbers of m/s")

    def mirrored(self) -> Returns:
        """The same in a world that is mirrored left to right, both as the sensor and as the camera sees it."""
        values = self.values.copy()
        values[:, 1] *= -1
        mount = np.diag([-1.0, 1, 1, 1]) @ self.to_camera @ np.diag([1.0, -1, 1, 1])
        return Returns(values, mount, None if self.velocity is None else self.velocity * [1, -1, 1])


@dataclass
class Frame:
    """One instant of sensing, with any subset of the modalities.

    stamp_ns: acquisition time in nanoseconds.
    rgb: (H, W, 3) uint8. depth: (H, W) float32 metres along the optical axis, NaN invalid.
    infrared: (H, W) uint8 or uint16. depth and infrared are registered to the camera, at any resolution.
    points: (N, 4) float32 x, y, z [m], intensity [0–1], in the LiDAR frame (x forward, y left, z up).
    camera: needed with points. lidar_to_camera: (4, 4), LiDAR frame → optical frame; needed with points.
    ground: where the mounting, or frames before, let the ground be expected; it is measured in each frame all the same.
    extra: what further sensors measured, by their name in `perception.sensors.spec.SPECS`, such as radar; needs camera.

    Raises FrameError for a frame without any modality, wrong shapes or dtypes, points or further sensors without
    calibration, or intensities that are not 0–1, but for single readings.
    """

    stamp_ns: int
    rgb: NDArray[np.uint8] | None = None
    depth: NDArray[np.float32] | None = None
    infrared: NDArray[Any] | None = None
    points: NDArray[np.float32] | None = None
    camera: CameraModel | None = None
    lidar_to_camera: NDArray[np.float64] | None = None
    ground: Ground | None = None
    extra: Mapping[str, Returns] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not self.modalities:
            raise FrameError("frame without any modality: give at least one of rgb, depth, infrared, points")
        _check("rgb", self.rgb, 3, (np.uint8,), last=3)
        _check("depth", self.depth, 2, (np.float32,))
        _check("infrared", self.infrared, 2, (np.uint8, np.uint16))
        if self.points is not None:
            _check("points", self.points, 2, (np.float32,), last=4, may_be_empty=True)
            if self.camera is None or self.lidar_to_camera is None:
                raise FrameError("points without calibration: give both camera and lidar_to_camera")
            _check_intensity(self.points)
        if self.extra and self.camera is None:
            raise FrameError(f"{', '.join(self.extra)} without calibration: give camera")
        if self.lidar_to_camera is not None:
            fault = rigid_fault(self.lidar_to_camera)
            if fault:
                raise FrameError(f"lidar_to_camera: no rigid transform: {fault}")
            self.lidar_to_camera = np.asarray(self.lidar_to_camera, np.float64)

    @property
    def modalities(self) -> tuple[str, ...]:
        """The modalities that are present, in the order of MODALITIES, then the further sensors."""
        values = (self.rgb, self.depth, self.infrared, self.points)
        return (*(name for name, value in zip(MODALITIES, values, strict=True) if value is not None), *self.extra)

    @property
    def size(self) -> tuple[int, int]:
        """(width, height) of the labels that this frame gets: of rgb, else the camera, else infrared, else depth."""
        if self.rgb is not None:
            return self.rgb.shape[1], self.rgb.shape[0]
        if self.camera is not None:
            return self.camera.width, self.camera.height
        image = self.infrared if self.infrared is not None else self.depth
        assert image is not None  # points and further sensors imply a camera
        return image.shape[1], image.shape[0]


@dataclass
class Prediction:
    """What the network made of a `Frame`.

    labels: (H, W) uint8 class ids at the frame's size, 255 unlabelled.
    confidence: (H, W) uint8, the winning class's probability × 255.
    modality_weights: how much each sensor counted, by name, summing to 1; absent sensors have 0.
    point_labels: (N,) uint8 class id per LiDAR point, 255 where the camera does not see it, outside the image or behind
    something nearer; None without points.
    point_confidence: (N,) uint8, the probability of each point's class × 255, 0 where it has none; None without points.
    timings_ms: milliseconds by stage: project, normalise, infer, decode.
    ground: the plane that the sweep, else the depth image, showed; None where too little of it was seen.
    absent: sensors that are there and tell nothing, by name, each with the reason; they have weight 0.
    classes: what the class ids mean.
    instances: (H, W) uint16 at the frame's size, which thing each pixel belongs to: its class id × INSTANCE_STEP plus a
    number from 1, which means nothing beyond this frame; 0 where there is none. None if the network has no instance
    head.
    """

    stamp_ns: int
    labels: NDArray[np.uint8]
    confidence: NDArray[np.uint8]
    modality_weights: dict[str, float]
    point_labels: NDArray[np.uint8] | None = None
    timings_ms: dict[str, float] = field(default_factory=dict)
    ground: Ground | None = None
    absent: dict[str, str] = field(default_factory=dict)
    classes: Classes = CLASSES
    point_confidence: NDArray[np.uint8] | None = None
    instances: NDArray[np.uint16] | None = None


def _check_intensity(points: NDArray[np.float32]) -> None:
    some = points[:: max(1, len(points) // 2000), 3]
    wrong = some[(some > 1.02) | (some < -0.02)]
    if len(wrong) > 0.001 * len(some) + (len(some) >= 20):
        raise FrameError(
            f"points: intensity {wrong[np.abs(wrong).argmax()]:g}, expected 0–1; divide it by what its LiDAR means by 1"
        )


def _check(
    name: str,
    value: NDArray[Any] | None,
    ndim: int,
    dtypes: tuple[type, ...],
    last: int | None = None,
    may_be_empty: bool = False,
) -> None:
    if value is None:
        return
    shape_ok = value.ndim == ndim and (last is None or value.shape[-1] == last)
    if not shape_ok or value.dtype not in dtypes:
        wanted = " or ".join(np.dtype(d).name for d in dtypes)
        dims = ", ".join(["N"] * (ndim - 1) + [str(last) if last else "N"])
        raise FrameError(f"{name}: got {value.dtype} {value.shape}, expected {wanted} ({dims})")
    if value.size == 0 and not may_be_empty:
        raise FrameError(f"{name}: empty array of shape {value.shape}")

# SPDX-License-Identifier: Apache-2.0
"""Checks whether the LiDAR is still where its extrinsics say: its edges must lie on the image's edges.

After Levinson and Thrun, "Automatic online calibration of cameras and lasers", RSS 2013: edges of the sweep are points
that have something far behind them beside them, and the score of a calibration is how strong the image's edges are at
the pixels of these points. Small rotations about each axis are compared with the calibration that is used.
"""

from __future__ import annotations

import threading
from collections import deque
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from perception.frame import CameraModel, Frame
from perception.sensors.projection import Projection, nearest_per_pixel

AXES = ("pitch", "yaw", "roll")
"""About x (right), y (down) and z (forward) of the optical frame."""

DEGREES = (-2.0, -1.0, -0.5, 0.5, 1.0, 2.0)
"""Rotations that are compared with the calibration, one axis at a time."""

CELL = 3
"""The side [pixels] of a cell in which the nearest point counts: sweeps are sparse."""

WINDOW, LEAST = 60, 20
"""Frames that are kept, and that a verdict needs."""

_WIDTH = 640
"""Size of the image in which edges are looked for: enough for half a degree, and cheap."""

_MIN_EDGES = 100


@dataclass(frozen=True)
class Misalignment:
    """The rotation [°] of the sweep about an axis of the optical frame that fits the image better, and by how much.

    gain: how much stronger the image's edges are under the sweep's edges, on average; 0.1 is a tenth.
    """

    axis: str
    degrees: float
    gain: float

    def __str__(self) -> str:
        return f"the sweep fits the image better when turned by {self.degrees:+g}° in {self.axis}: check the extrinsics"


class AlignmentMonitor:
    """Compares frame by frame; `verdict` returns the result. One thread may add while another asks.

    degrees: see DEGREES.
    """

    def __init__(self, degrees: tuple[float, ...] = DEGREES) -> None:
        self.degrees = degrees
        self._lock = threading.Lock()
        self._gains: deque[NDArray[np.float64]] = deque(maxlen=WINDOW)

    def add(self, frame: Frame, projection: Projection) -> None:
        """Take a frame with an image and a sweep; one with too few edges is ignored."""
        if frame.rgb is None:
            return
        gains = turned_gains(frame, projection, self.degrees)
        if gains is not None:
            with self._lock:
                self._gains.append(gains)

    def verdict(self, least_gain: float = 0.03, sigmas: float = 4.0, least: int = LEAST) -> Misalignment | None:
        """The rotation that fits better by `least_gain` and by `sigmas` standard errors; None if there is none.

        least: the fewest frames for a result.
        """
        with self._lock:
            gains = np.array(self._gains)
        if len(gains) < least:
            return None
        mean, error = gains.mean(0), gains.std(0) / np.sqrt(len(gains)) + 1e-9
        best = int(mean.argmax())
        if mean[best] < least_gain or mean[best] < sigmas * error[best]:
            return None
        axis, degrees = divmod(best, len(self.degrees))
        return Misalignment(AXES[axis], self.degrees[degrees], float(mean[best]))


def turned_gains(
    frame: Frame, projection: Projection, degrees: tuple[float, ...] = DEGREES
) -> NDArray[np.float64] | None:
    """(len(AXES) · len(degrees),) relative gain of each rotation over none; None with too few edges."""
    assert frame.rgb is not None
    assert frame.camera is not None
    size = (_WIDTH, max(1, round(_WIDTH * projection.height / projection.width)))
    edges = sweep_edges(projection)
    if len(edges) < _MIN_EDGES:
        return None
    strength = image_edges(np.asarray(cv2.resize(frame.rgb, size, interpolation=cv2.INTER_AREA), np.uint8))
    camera = frame.camera.resized(projection.width, projection.height).resized(*size)
    scores = np.array([_score(edges @ turn.T, camera, strength) for turn in (np.eye(3), *_turns(degrees))])
    return None if scores[0] <= 0 else scores[1:] / scores[0] - 1


def sweep_edges(projection: Projection) -> NDArray[np.float32]:
    """(E, 3) points in the optical frame that have something beside them that is at least a tenth and 0.5 m farther."""
    coarse = projection.resized(max(1, projection.width // CELL), max(1, projection.height // CELL))
    pixels, nearest = nearest_per_pixel(coarse)
    depth = np.full(coarse.width * coarse.height, np.nan, np.float32)
    depth[pixels] = coarse.depth[nearest]
    image = depth.reshape(coarse.height, coarse.width)
    limit = 1.1 * image + 0.5
    beside = np.zeros(image.shape, np.bool_)
    for step in (1, 2):
        beside[:, step:] |= image[:, :-step] > limit[:, step:]
        beside[:, :-step] |= image[:, step:] > limit[:, :-step]
    return coarse.xyz[nearest[beside.ravel()[pixels]]]


def image_edges(rgb: NDArray[np.uint8]) -> NDArray[np.float32]:
    """(H, W) strength of the edge at or near each pixel; bright and dark parts of the image count the same."""
    grey = cv2.GaussianBlur(cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY), (0, 0), 1.0).astype(np.float32)
    gradient = np.abs(cv2.Sobel(grey, cv2.CV_32F, 1, 0)) + np.abs(cv2.Sobel(grey, cv2.CV_32F, 0, 1))
    around = cv2.blur(gradient, (41, 41)) + 4.0
    return np.asarray(cv2.GaussianBlur(np.minimum(gradient / around, 4.0), (0, 0), 1.5), np.float32)


def _score(points: NDArray[np.floating[Any]], camera: CameraModel, strength: NDArray[np.float32]) -> float:
    """Mean strength of the image's edges at the pixels of the points; points outside do not count."""
    image = points @ camera.intrinsics.T
    with np.errstate(divide="ignore", invalid="ignore"):
        uv = np.rint(image[:, :2] / image[:, 2:]).astype(np.int64)
    height, width = strength.shape
    inside = ((uv >= 0) & (uv < (width, height))).all(1) & (image[:, 2] > 0)
    u, v = uv[inside].T
    return float(strength[v, u].mean()) if len(u) else 0.0


@lru_cache(maxsize=2)
def _turns(degrees: tuple[float, ...]) -> tuple[NDArray[np.float64], ...]:
    vectors = [np.eye(3)[axis] * np.radians(each) for axis in range(3) for each in degrees]
    return tuple(np.asarray(cv2.Rodrigues(vector)[0], np.float64) for vector in vectors)

# SPDX-License-Identifier: Apache-2.0
"""Faults between LiDAR and camera: a mounting that moved, late sweeps, missing beams and points."""

from __future__ import annotations

from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from perception.frame import Frame
from perception.settings import Settings

BEAMS = 64
"""The number of beams that the sensor is assumed to have before some are removed."""

FASTEST = 20.0
"""Metres per second; the offset of a late sweep depends on how fast the vehicle drives."""


@dataclass(frozen=True)
class LidarFaults(Settings):
    """How often and how much the LiDAR is disturbed in training.

    share: of the crops. rotation: degrees about each axis, and translation: metres along each, both uniform up to
    that. delay: seconds, up to that, at a speed up to FASTEST. beams: share of the disturbed sweeps that keep only
    every second or fourth beam. dropout: largest share of points that is lost. intensity: spread (σ of the logarithm)
    of the gain of the intensities, since no two sensors measure them alike.
    """

    share: float = 0.0
    rotation: float = 1.0
    translation: float = 0.05
    delay: float = 0.1
    beams: float = 0.3
    dropout: float = 0.5
    intensity: float = 0.0

    def draw(self, rng: np.random.Generator) -> LidarFault | None:
        """One disturbance, or none."""
        if not self.share or rng.random() >= self.share:
            return None
        shift = rng.uniform(-self.translation, self.translation, 3)
        # A sweep taken `late` seconds ago shows still objects at the distance that they had then.
        shift[0] += rng.uniform(0, self.delay) * rng.uniform(0, FASTEST)
        moved = np.eye(4)
        moved[:3, :3] = cv2.Rodrigues(np.radians(rng.uniform(-self.rotation, self.rotation, 3)))[0]
        moved[:3, 3] = shift
        step = int(rng.choice((2, 4))) if rng.random() < self.beams else 1
        lost = rng.uniform(0, self.dropout) if rng.random() < 0.5 else 0.0
        first, seed = int(rng.integers(step)), int(rng.integers(2**32))
        gain = float(np.exp(rng.normal(0, self.intensity))) if self.intensity else 1.0
        return LidarFault(moved, step, first, lost, seed, gain)


@dataclass(frozen=True)
class LidarFault:
    """One disturbance.

    moved: (4, 4), from the points' true positions in the LiDAR frame to the disturbed ones. step, first: beams first,
    first + step, … stay. lost: share of the points that is lost, selected by `seed`. gain: factor of the intensities.
    """

    moved: NDArray[np.float64]
    step: int = 1
    first: int = 0
    lost: float = 0.0
    seed: int = 0
    gain: float = 1.0

    def apply(self, frame: Frame) -> Frame:
        """`frame` with its sweep disturbed; the same frame if it has none."""
        if frame.points is None or frame.lidar_to_camera is None:
            return frame
        points = frame.points
        if self.step > 1:
            points = points[beam_numbers(points) % self.step == self.first]
        if self.lost:
            points = points[np.random.default_rng(self.seed).random(len(points), np.float32) >= self.lost]
        if self.gain != 1:
            points = points * np.array([1, 1, 1, self.gain], np.float32)
            np.minimum(points[:, 3], 1.0, out=points[:, 3])
        # Moving the mounting moves every point at no cost.
        return replace(frame, points=points, lidar_to_camera=frame.lidar_to_camera @ self.moved)


def beam_numbers(points: NDArray[np.float32]) -> NDArray[np.int64]:
    """(N,) the beam of each of the (N, ≥3) points, 0 lowest, by elevation in BEAMS equal steps.

    An estimate for sweeps without the number of the beam: real beams are not spaced equally.
    """
    if not len(points):
        return np.zeros(0, np.int64)
    elevation = np.arctan2(points[:, 2], np.hypot(points[:, 0], points[:, 1]))
    low, high = np.quantile(elevation[:: max(1, len(elevation) // 4096)], (0.002, 0.998))
    return ((elevation - low) * (BEAMS / max(high - low, 1e-6))).clip(0, BEAMS - 1).astype(np.int64)

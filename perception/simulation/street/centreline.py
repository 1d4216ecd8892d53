# SPDX-License-Identifier: Apache-2.0
"""The line that a street follows: gentle bends and slopes, and coordinates along (s) and to the left of it (d)."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from perception.simulation.things.shapes import Pose

_STEP = 1.0


class Centreline:
    """A smooth line through the world; s = 0 is the world's origin, heading along +x.

    start, end: the range of s [m]. bend: the largest curvature [1/m]. slope: the largest gradient.
    Points outside the range lie on its straight continuation.
    """

    def __init__(self, start: float, end: float, bend: float, slope: float, rng: np.random.Generator) -> None:
        self.start, self.end = start, end
        self.s = np.arange(start, end + _STEP, _STEP)
        phase, wave = rng.uniform(0, 2 * np.pi, 2), rng.uniform(180.0, 420.0, 2)
        curvature = bend * np.sin(2 * np.pi * self.s / wave[0] + phase[0])
        gradient = slope * np.sin(2 * np.pi * self.s / wave[1] + phase[1])
        zero = int(np.argmin(np.abs(self.s)))
        self.heading = _integral(curvature, zero)
        self.x = _integral(np.cos(self.heading), zero)
        self.y = _integral(np.sin(self.heading), zero)
        self.z = _integral(gradient, zero)
        self.gradient = gradient

    def points(self, s: ArrayLike, d: ArrayLike, z: ArrayLike = 0.0) -> NDArray[np.float64]:
        """(..., 3) world positions of the points at s, d to the left, z above the line; all broadcast."""
        along, aside, up = np.broadcast_arrays(
            np.asarray(s, np.float64), np.asarray(d, np.float64), np.asarray(z, np.float64)
        )
        x, y, base, heading = (np.interp(along, self.s, v) for v in (self.x, self.y, self.z, self.heading))
        beyond = along - np.clip(along, self.s[0], self.s[-1])
        cos, sin = np.cos(heading), np.sin(heading)
        return np.stack([x + beyond * cos - aside * sin, y + beyond * sin + aside * cos, base + up], axis=-1)

    def heading_at(self, s: float) -> float:
        """Direction of the line at s, radians from +x towards +y."""
        return float(np.interp(s, self.s, self.heading))

    def pose(self, s: float, d: float, z: float = 0.0, yaw: float = 0.0) -> Pose:
        """(4, 4) pose at (s, d), z above the line, turned left by `yaw` from its direction, following the slope."""
        heading, gradient = self.heading_at(s), float(np.interp(s, self.s, self.gradient))
        tangent = np.array([np.cos(heading), np.sin(heading), gradient])
        tangent /= np.linalg.norm(tangent)
        left = np.array([-np.sin(heading), np.cos(heading), 0.0])
        up = np.cross(tangent, left)
        matrix = np.eye(4)
        matrix[:3, 0] = np.cos(yaw) * tangent + np.sin(yaw) * left
        matrix[:3, 1] = -np.sin(yaw) * tangent + np.cos(yaw) * left
        matrix[:3, 2] = up
        matrix[:3, 3] = self.points(s, d, z)
        return matrix

    def upright(self, s: float, d: float, z: float = 0.0, yaw: float = 0.0, scale: float = 1.0) -> Pose:
        """(4, 4) pose like `pose`, but plumb whatever the slope, and with a scale: for houses, trees and people."""
        angle = self.heading_at(s) + yaw
        cos, sin = scale * np.cos(angle), scale * np.sin(angle)
        x, y, up = self.points(s, d, z)
        return np.array([[cos, -sin, 0.0, x], [sin, cos, 0.0, y], [0.0, 0.0, scale, up], [0.0, 0.0, 0.0, 1.0]])


def _integral(values: NDArray[np.float64], zero: int) -> NDArray[np.float64]:
    """Trapezoidal integral over s that is 0 at index `zero`."""
    total = np.concatenate([[0.0], np.cumsum(0.5 * (values[1:] + values[:-1]) * _STEP)])
    result: NDArray[np.float64] = total - total[zero]
    return result

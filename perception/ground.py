# SPDX-License-Identifier: Apache-2.0
"""The ground as a plane: where a camera hangs above it, and how it is tilted."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from perception.errors import FrameError


@dataclass(frozen=True)
class Ground:
    """A plane in a camera's optical frame (x right, y down, z forward).

    up: (3,) unit normal, away from the ground; (0, −1, 0) for a level camera. height: metres of the camera above it.
    source: where it comes from: `lidar` or `depth` (fitted), `mounting` (told by TF or the user).
    Raises FrameError for a normal that is not finite or of length 0.
    """

    up: NDArray[np.float64]
    height: float
    source: str = "mounting"

    def __post_init__(self) -> None:
        up = np.asarray(self.up, np.float64)
        length = float(np.linalg.norm(up)) if up.shape == (3,) else np.nan
        if not np.isfinite(length + self.height) or length < 1e-9:
            raise FrameError(f"ground: normal {np.array2string(up)} and height {self.height}: expected finite numbers")
        object.__setattr__(self, "up", up / length)

    @classmethod
    def mounted(cls, height: float, pitch: float = 0.0, roll: float = 0.0) -> Ground:
        """Of a camera `height` metres up, looking down by `pitch` and leaning to its right by `roll`, in radians."""
        up = [-np.sin(roll) * np.cos(pitch), -np.cos(roll) * np.cos(pitch), -np.sin(pitch)]
        return cls(np.array(up), height)

    @property
    def pitch(self) -> float:
        """Radians by which the camera looks down."""
        return float(np.arcsin(np.clip(-self.up[2], -1, 1)))

    @property
    def roll(self) -> float:
        """Radians by which the camera leans to its right."""
        return float(np.arctan2(-self.up[0], -self.up[1]))

    def above(self, xyz: NDArray[np.float32]) -> NDArray[np.float32]:
        """(N,) metres above the ground of (N, 3) points of the optical frame."""
        return np.asarray(xyz @ self.up.astype(np.float32) + np.float32(self.height), np.float32)

    def angle_to(self, other: Ground) -> float:
        """Radians between the two normals."""
        return float(np.arccos(np.clip(self.up @ other.up, -1, 1)))

    def mirrored(self) -> Ground:
        """As the camera's image mirrored left to right shows it."""
        return Ground(self.up * [-1, 1, 1], self.height, self.source)

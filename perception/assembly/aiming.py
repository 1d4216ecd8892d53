# SPDX-License-Identifier: Apache-2.0
"""Checks whether a sweep can lie where its calibration puts it: detects mixed-up frames."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from perception.frame import CameraModel
from perception.sensors.projection import project

LEAST = 100
"""The fewest points for a verdict."""

_FIRST, _LOOKED_AT = 1024, 8192
"""About how many points are looked at first, and the most that are checked: enough for shares of a sweep, and cheap."""

_CORNER = 0.1
"""A share of the image's area. The points of a sweep that the camera really sees never all lie in so small a corner."""

_UPRIGHT = 0.8
"""The cosine of the angle between the LiDAR's upward axis and the camera frame's z axis, if that is a body frame, whose
z points up too. An optical frame looks along z, which is nearly level on a vehicle."""


def off_target(
    points: NDArray[np.float32],
    lidar_to_camera: NDArray[np.float64],
    camera: CameraModel,
    lidar_frame: str,
    camera_frame: str,
) -> str | None:
    """Why the (N, 4) points cannot lie where the calibration puts them; None if they can.

    They cannot if none of them is in the image, or all are in a corner of it. The reason names frames and likely cause.
    """
    upright = abs(lidar_to_camera[2, 2]) > _UPRIGHT
    if not upright and len(project(points[:: max(1, len(points) // _FIRST)], lidar_to_camera, camera).rows):
        return None  # as nearly always
    points = points[:: max(1, len(points) // _LOOKED_AT)]
    points = points[np.isfinite(points[:, :3]).all(axis=1)]
    if len(points) < LEAST:
        return None
    uv = project(points, lidar_to_camera, camera).uv
    if not len(uv):
        where = "no point of the sweep falls into the image"
    elif upright and _cornered(uv, camera):
        where = "all points of the sweep that fall into the image lie in a corner of it"
    else:
        return None
    if upright:
        cause = (
            f"'{camera_frame}' looks like a body frame (z up), expected is the optical frame (x right, y down, z "
            "forward; REP 103), often called …_optical_frame"
        )
    else:
        cause = f"does the LiDAR '{lidar_frame}' see what the camera '{camera_frame}' sees?"
    return f"extrinsics: {where}; {cause}; the LiDAR is left out"


def _cornered(uv: NDArray[np.float32], camera: CameraModel) -> bool:
    """Whether all (M, 2) pixels lie in one corner of the image."""
    low, high, size = uv.min(axis=0), uv.max(axis=0), np.array([camera.width, camera.height])
    aside = np.abs((low + high) / 2 / size - 0.5) > 0.25
    return bool(np.prod((high - low) / size) < _CORNER and aside.all())

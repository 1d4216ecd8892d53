# SPDX-License-Identifier: Apache-2.0
"""Whether a sweep can be where its calibration puts it: frames are named easily, and mixed up as easily."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from perception.frame import CameraModel
from perception.sensors.projection import project

LEAST = 100
"""Points that a verdict needs."""

_LOOKED_AT = 8192
"""Points at most: enough for shares of a sweep, and cheap."""

_CORNER = 0.1
"""Of the image's area, in which the points of a sweep that really is seen do not all lie, least of all at its rim."""

_BODY_TO_OPTICAL = np.array([[0, -1, 0, 0], [0, 0, -1, 0], [1, 0, 0, 0], [0, 0, 0, 1]], np.float64)
"""From x forward, y left, z up to x right, y down, z forward (REP-103)."""


def off_target(
    points: NDArray[np.float32],
    lidar_to_camera: NDArray[np.float64],
    camera: CameraModel,
    lidar_frame: str,
    camera_frame: str,
) -> str | None:
    """Why the (N, 4) points cannot lie where the calibration puts them; None where they may.

    None of them in the image, or all of them in a corner of it. The reason names the frames and the likely cause.
    """
    points = points[np.isfinite(points[:, :3]).all(axis=1)]
    points = points[:: max(1, len(points) // _LOOKED_AT)]
    if len(points) < LEAST:
        return None
    uv = project(points, lidar_to_camera, camera).uv
    if len(uv):
        low, high = uv.min(axis=0), uv.max(axis=0)
        width, height = camera.width, camera.height
        middle = (low + high) / 2 / (width, height) - 0.5
        cornered = np.prod(high - low) < _CORNER * width * height and (np.abs(middle) > 0.25).all()
        if not cornered:
            return None
        where = f"all {len(uv)} points of the sweep that fall into the image lie in a corner of it"
    else:
        where = "no point of the sweep falls into the image"
    tried = {
        f"'{camera_frame}' looks like a body frame (x forward), expected is the optical frame (z forward, REP 103), "
        "often called …_optical_frame": _BODY_TO_OPTICAL @ lidar_to_camera,
        f"the extrinsics look inverted, expected is what takes points of '{lidar_frame}' into '{camera_frame}'": (
            np.linalg.inv(lidar_to_camera)
        ),
    }
    seen = {cause: len(project(points, mount, camera).uv) for cause, mount in tried.items()}
    cause = max(seen, key=lambda name: seen[name])
    if seen[cause] < max(0.02 * len(points), 4 * len(uv)):
        if len(uv):
            return None  # few points, but nothing fits better
        cause = f"does the LiDAR '{lidar_frame}' see what the camera '{camera_frame}' sees?"
    return f"extrinsics: {where}; {cause}; the LiDAR is left out"

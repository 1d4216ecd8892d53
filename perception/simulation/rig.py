# SPDX-License-Identifier: Apache-2.0
"""Where the sensors sit on the vehicle, and what they are: the geometry of the KITTI recording platform.

The calibration is that of KITTI's drives of 2011-09-26. The camera looks level from 1.65 m above the road; the LiDAR,
fixed to it by the calibration, turns at 1.73 m.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from perception.frame import CameraModel

IMAGE_SIZE = (1242, 375)
"""Width and height in pixels."""

FOCAL, CENTRE_X, CENTRE_Y = 721.5377, 609.5593, 172.854
CAMERA_HEIGHT = 1.65
LIDAR_HEIGHT = 1.73
FRAME_ID = "camera"


def camera_model(scale: float = 1.0) -> CameraModel:
    """KITTI's rectified left colour camera, its image scaled by `scale`."""
    intrinsics = np.array([[FOCAL, 0, CENTRE_X], [0, FOCAL, CENTRE_Y], [0, 0, 1]], np.float64)
    full = CameraModel(intrinsics, *IMAGE_SIZE, frame_id=FRAME_ID)
    if scale == 1.0:
        return full
    return full.resized(max(1, round(IMAGE_SIZE[0] * scale)), max(1, round(IMAGE_SIZE[1] * scale)))


def lidar_to_camera() -> NDArray[np.float64]:
    """(4, 4) Velodyne frame → rectified optical frame of the left colour camera (P_rect_02 · R_rect_00 · Tr)."""
    velodyne = np.eye(4)
    velodyne[:3, :3] = [
        [7.533745e-03, -9.999714e-01, -6.166020e-04],
        [1.480249e-02, 7.280733e-04, -9.998902e-01],
        [9.998621e-01, 7.523790e-03, 1.480755e-02],
    ]
    velodyne[:3, 3] = [-4.069766e-03, -7.631618e-02, -2.717806e-01]
    rectify = np.eye(4)
    rectify[:3, :3] = [
        [9.999239e-01, 9.837760e-03, -7.445048e-03],
        [-9.869795e-03, 9.999421e-01, -4.278459e-03],
        [7.402527e-03, 4.351614e-03, 9.999631e-01],
    ]
    baseline = np.eye(4)
    baseline[:3, 3] = np.linalg.solve(camera_model().intrinsics, [44.85728, 0.2163791, 0.002745884])
    return baseline @ rectify @ velodyne


def camera_to_ego() -> NDArray[np.float64]:
    """(4, 4) optical frame (x right, y down, z forward) → ego frame (x forward, y left, z up, origin on the ground)."""
    pose = np.eye(4)
    pose[:3, :3] = [[0, 0, 1], [-1, 0, 0], [0, -1, 0]]
    pose[:3, 3] = [0.0, 0.0, CAMERA_HEIGHT]
    return pose


def lidar_to_ego() -> NDArray[np.float64]:
    """(4, 4) LiDAR frame → ego frame."""
    return camera_to_ego() @ lidar_to_camera()

# SPDX-License-Identifier: Apache-2.0
"""The camera_info of a KITTI camera, for rectified images and for raw ones."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from perception.datasets.kitti.calibration import calibration_matrix, read_calibration_lines, rectified_chain
from perception.errors import DataError

Lines = dict[str, NDArray[np.float64]]


@dataclass(frozen=True)
class CameraCalibration:
    """A camera as ROS describes it; but whose frame it uses depends on the others: see `kitti_recording.paired`.

    size: (width, height) of its images. k: (3, 3), d: (5,) k1 k2 p1 p2 k3, both of the image before rectification. r:
    (3, 3), into the rectified frame. p: (3, 4) of the rectified image; its fourth column is that of a stereo pair, 0
    for the left camera and −f·baseline for the right one. velodyne_to_camera: (4, 4) into the rectified optical frame,
    metres, which is also used for images that are not rectified (as in image_geometry).
    """

    size: tuple[int, int]
    k: NDArray[np.float64]
    d: NDArray[np.float64]
    r: NDArray[np.float64]
    p: NDArray[np.float64]
    velodyne_to_camera: NDArray[np.float64]


def read_raw_camera(directory: Path, camera: int, size: tuple[int, int]) -> CameraCalibration:
    """Camera 0–3 of a raw drive, from its date folder; the images' `size` tells whether they are rectified.

    Raises DataError for missing and malformed lines, and for a size that is neither S_rect's nor S's.
    """
    path, velodyne_path = directory / "calib_cam_to_cam.txt", directory / "calib_velo_to_cam.txt"
    lines, velodyne = read_calibration_lines(path), read_calibration_lines(velodyne_path)
    rotation = calibration_matrix(velodyne, "R", (3, 3), velodyne_path)
    to_camera0 = np.hstack([rotation, calibration_matrix(velodyne, "T", (3, 1), velodyne_path)])
    projections = {i: f"P_rect_{i:02d}" for i in range(4)}
    intrinsics, p, chain = _rectified(
        lines, projections, camera, calibration_matrix(lines, "R_rect_00", (3, 3), path), to_camera0, path
    )
    rectified = _size(lines, f"S_rect_{camera:02d}", path)
    if size == rectified:
        return CameraCalibration(size, intrinsics, np.zeros(5), np.eye(3), p, chain)
    if f"S_{camera:02d}" not in lines or size != _size(lines, f"S_{camera:02d}", path):
        raise DataError(
            f"{directory}: image_{camera:02d} has {size[0]}×{size[1]} pixels, but calib_cam_to_cam.txt knows "
            f"{rectified[0]}×{rectified[1]} (S_rect) and S_{camera:02d} of unrectified images; use the calibration "
            "of the drive's own date"
        )
    return CameraCalibration(
        size,
        calibration_matrix(lines, f"K_{camera:02d}", (3, 3), path),
        calibration_matrix(lines, f"D_{camera:02d}", (5,), path),
        calibration_matrix(lines, f"R_rect_{camera:02d}", (3, 3), path),
        p,
        chain,
    )


def read_rectified_camera(path: Path, camera: int, size: tuple[int, int]) -> CameraCalibration:
    """Camera 0–3 of the odometry or tracking layout: P0–P3 and Tr, or R_rect and Tr_velo_cam. Raises DataError."""
    lines = read_calibration_lines(path)
    to_camera0 = velodyne_to_camera0(lines, path)[:3]
    intrinsics, p, chain = _rectified(lines, {i: f"P{i}" for i in range(4)}, camera, np.eye(3), to_camera0, path)
    return CameraCalibration(size, intrinsics, np.zeros(5), np.eye(3), p, chain)


def velodyne_to_camera0(lines: Lines, path: Path) -> NDArray[np.float64]:
    """(4, 4) velodyne → rectified camera 0 of the odometry or tracking layout, metres. Raises DataError."""
    matrix = np.eye(4)
    if "Tr" in lines:
        matrix[:3] = calibration_matrix(lines, "Tr", (3, 4), path)
        return matrix
    rotation = calibration_matrix(lines, "R0_rect" if "R0_rect" in lines else "R_rect", (3, 3), path)
    name = "Tr_velo_to_cam" if "Tr_velo_to_cam" in lines else "Tr_velo_cam"
    matrix[:3] = rotation @ calibration_matrix(lines, name, (3, 4), path)
    return matrix


def _rectified(
    lines: Lines,
    names: dict[int, str],
    camera: int,
    rectification: NDArray[np.float64],
    to_camera0: NDArray[np.float64],
    path: Path,
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """(intrinsics, p of the stereo pair, velodyne_to_camera) of a camera."""
    own = calibration_matrix(lines, names[camera], (3, 4), path)
    intrinsics, chain = rectified_chain(own, rectification, to_camera0)
    p = np.hstack([intrinsics, np.zeros((3, 1))])
    if camera % 2:  # the right camera of a pair, whose left camera has the number before
        left = calibration_matrix(lines, names[camera - 1], (3, 4), path)
        p[0, 3] = intrinsics[0, 0] * (_offset(own) - _offset(left))[0]
    return intrinsics, p, chain


def _offset(projection: NDArray[np.float64]) -> NDArray[np.float64]:
    """(3,) from the rectified camera 0 to the camera with this projection, metres."""
    return np.asarray(np.linalg.solve(projection[:, :3], projection[:, 3]))


def _size(lines: Lines, name: str, path: Path) -> tuple[int, int]:
    width, height = calibration_matrix(lines, name, (2,), path)
    return int(width), int(height)

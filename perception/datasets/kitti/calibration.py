# SPDX-License-Identifier: Apache-2.0
"""KITTI's calibration files, and the chain from the Velodyne into a rectified camera.

The chain is velodyne → camera 0 (R|T) → rectified camera 0 (R_rect_00) → camera i (the fourth column of P_rect_i,
which shifts by the baseline). P_rect_i = K·[I | t], so `t = K⁻¹·P[:, 3]` is folded into the extrinsics and a plain
pinhole camera K remains.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from perception.datasets.io.files import read_text
from perception.errors import DataError
from perception.frame import CameraModel
from perception.storage import source


@dataclass(frozen=True)
class KittiCalibration:
    """What is needed to project the LiDAR into one KITTI camera.

    intrinsics: (3, 3) of the rectified image, pixels.
    lidar_to_camera: (4, 4), velodyne → the camera's rectified optical frame, metres.
    size: (width, height) of the rectified image if the file gives it (raw drives), else None.
    """

    intrinsics: NDArray[np.float64]
    lidar_to_camera: NDArray[np.float64]
    size: tuple[int, int] | None = None

    def camera(self, width: int, height: int, frame_id: str) -> CameraModel:
        """The rectified camera, for an image of this size."""
        return CameraModel(self.intrinsics, width, height, frame_id)


def read_raw_calibration(directory: str | Path, camera: int = 2) -> KittiCalibration:
    """Reads calib_cam_to_cam.txt and calib_velo_to_cam.txt of a raw drive's date folder.

    camera: 0 and 1 are grey, 2 and 3 colour. Raises DataError for files or lines that are missing or malformed.
    """
    directory = source(directory)
    cameras_path, velodyne_path = directory / "calib_cam_to_cam.txt", directory / "calib_velo_to_cam.txt"
    cameras, velodyne = read_calibration_lines(cameras_path), read_calibration_lines(velodyne_path)
    rectification = calibration_matrix(cameras, "R_rect_00", (3, 3), cameras_path)
    projection = calibration_matrix(cameras, f"P_rect_{camera:02d}", (3, 4), cameras_path)
    width, height = calibration_matrix(cameras, f"S_rect_{camera:02d}", (2,), cameras_path)
    lidar_to_camera0 = _rigid(velodyne, velodyne_path)
    intrinsics, chain = rectified_chain(projection, rectification, lidar_to_camera0)
    return KittiCalibration(intrinsics, chain, (int(width), int(height)))


def read_object_calibration(path: str | Path, camera: int = 2) -> KittiCalibration:
    """Reads one calibration file of the object, tracking or road layout: P0–P3, R0_rect, Tr_velo_to_cam.

    Tracking's spellings (R_rect, Tr_velo_cam) are accepted too. Raises DataError as `read_raw_calibration` does.
    """
    path = source(path)
    lines = read_calibration_lines(path)
    projection = calibration_matrix(lines, f"P{camera}", (3, 4), path)
    rectification = calibration_matrix(lines, "R0_rect" if "R0_rect" in lines else "R_rect", (3, 3), path)
    velodyne = calibration_matrix(lines, "Tr_velo_to_cam" if "Tr_velo_to_cam" in lines else "Tr_velo_cam", (3, 4), path)
    return KittiCalibration(*rectified_chain(projection, rectification, velodyne))


def read_imu_to_velodyne(directory: str | Path) -> NDArray[np.float64]:
    """(4, 4) from calib_imu_to_velo.txt: the frame of the OXTS poses → velodyne, metres."""
    path = source(directory) / "calib_imu_to_velo.txt"
    return np.vstack([_rigid(read_calibration_lines(path), path), [0, 0, 0, 1]])


def read_calibration_lines(path: Path) -> dict[str, NDArray[np.float64]]:
    """The lines `name: numbers` by name; lines with other content (calib_time) are left out."""
    found: dict[str, NDArray[np.float64]] = {}
    for line in read_text(path).splitlines():
        name, _, values = line.replace(":", " ", 1).strip().partition(" ")
        try:
            found[name] = np.array([float(word) for word in values.split()])
        except ValueError:
            continue
    return found


def calibration_matrix(
    lines: dict[str, NDArray[np.float64]], name: str, shape: tuple[int, ...], path: Path
) -> NDArray[np.float64]:
    """The numbers in one line of `path`, in this shape. Raises DataError if they are missing or malformed."""
    if name not in lines:
        raise DataError(f"{path}: no line {name!r} in this calibration file")
    values, expected = lines[name], int(np.prod(shape))
    if values.size != expected or not np.isfinite(values).all():
        raise DataError(f"{path}: {name}: {values.size} numbers, expected {expected} finite ones")
    return values.reshape(shape)


def _rigid(lines: dict[str, NDArray[np.float64]], path: Path) -> NDArray[np.float64]:
    """(3, 4) from the lines R and T."""
    return np.hstack([calibration_matrix(lines, "R", (3, 3), path), calibration_matrix(lines, "T", (3, 1), path)])


def rectified_chain(
    projection: NDArray[np.float64], rectification: NDArray[np.float64], lidar_to_camera0: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """(intrinsics, lidar_to_camera) of a camera with the (3, 4) rectified `projection`.

    rectification: (3, 3) of camera 0. lidar_to_camera0: (3, 4), before rectification.
    """
    intrinsics = projection[:, :3]
    chain = np.eye(4)
    chain[:3] = rectification @ lidar_to_camera0
    chain[:3, 3] += np.linalg.solve(intrinsics, projection[:, 3])
    return intrinsics, chain

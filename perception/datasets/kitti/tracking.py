# SPDX-License-Identifier: Apache-2.0
"""The sequences of KITTI's tracking benchmark as recordings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from perception.datasets.io.files import read_text
from perception.datasets.kitti.calibration import calibration_matrix, read_calibration_lines
from perception.datasets.kitti.cameras import read_rectified_camera, velodyne_to_camera0
from perception.datasets.kitti.oxts import OxtsPacket, parse_oxts_packet
from perception.datasets.kitti.recording import (
    Box,
    Camera,
    Recording,
    Stream,
    Vehicle,
    instants,
    mounts,
    nothing,
    vehicle_poses,
)
from perception.datasets.kitti.streams import EPOCH_NS, FRAME_NS, camera_stream, sweep_stream
from perception.errors import DataError

_COLUMNS = 17  # of a label; results have a score as an 18th


def read_tracking_recording(split: Path, name: str) -> Recording:
    """The sequence `name` of the folder training or testing: image_02/NAME, velodyne/NAME, oxts/NAME.txt, …

    The layout has no stamps: frame n is at EPOCH_NS + n · FRAME_NS. Raises DataError.
    """
    calibration = split / "calib" / f"{name}.txt"
    sweeps, _ = sweep_stream(split / "velodyne" / name, _stamps)

    def camera(index: int) -> Camera | None:
        folder = split / f"image_{index:02d}" / name
        return camera_stream(folder, index, _stamps, partial(read_rectified_camera, calibration))

    return Recording(split, camera, sweeps, partial(_vehicle, split, name, sweeps), "tracking")


def _vehicle(split: Path, name: str, sweeps: Stream[Any], cameras: Sequence[Camera]) -> Vehicle:
    calibration = split / "calib" / f"{name}.txt"
    lines = read_calibration_lines(calibration)
    imu_to_velodyne = np.eye(4)
    imu_name = "Tr_imu_to_velo" if "Tr_imu_to_velo" in lines else "Tr_imu_velo"
    imu_to_velodyne[:3] = calibration_matrix(lines, imu_name, (3, 4), calibration)
    oxts, labels = _oxts(split / "oxts" / f"{name}.txt"), split / "label_02" / f"{name}.txt"
    to_velodyne = np.asarray(np.linalg.inv(velodyne_to_camera0(lines, calibration)))
    boxes = _read_boxes(labels, to_velodyne) if labels.is_file() else None
    return Vehicle(
        mounts(cameras, imu_to_velodyne),
        oxts,
        vehicle_poses(oxts),
        nothing() if boxes is None else Stream(sweeps.instants, lambda number: boxes.get(number, [])),
    )


def _stamps(numbers: Sequence[int]) -> Mapping[int, int]:
    return {number: EPOCH_NS + number * FRAME_NS for number in numbers}


def _oxts(path: Path) -> Stream[OxtsPacket]:
    """One packet per line, one line per frame."""
    if not path.is_file():
        return nothing()
    rows = read_text(path).splitlines()
    numbers = range(len(rows))
    return Stream(
        instants(numbers, _stamps(numbers)),
        lambda number: parse_oxts_packet(rows[number], f"{path}: line {number + 1}"),
    )


def _read_boxes(path: Path, to_velodyne: NDArray[np.float64]) -> dict[int, list[Box]]:
    """The objects by frame. to_velodyne: (4, 4) from the rectified camera 0, in which the labels are."""
    boxes: dict[int, list[Box]] = {}
    for row, line in enumerate(read_text(path).splitlines(), start=1):
        words = line.split()
        if not words or words[2:3] == ["DontCare"]:
            continue
        if len(words) not in (_COLUMNS, _COLUMNS + 1):
            raise DataError(f"{path}: line {row}: {len(words)} columns, expected {_COLUMNS} (or one more, a score)")
        try:
            frame, track, numbers = int(words[0]), int(words[1]), [float(word) for word in words[10:17]]
        except ValueError as error:
            raise DataError(f"{path}: line {row}: {error}") from error
        height, width, length, *bottom, yaw = numbers
        pose = to_velodyne @ _pose_in_camera(np.array(bottom), height, yaw)
        boxes.setdefault(frame, []).append(Box(words[2], track, (length, width, height), pose))
    return boxes


def _pose_in_camera(bottom: NDArray[np.float64], height: float, yaw: float) -> NDArray[np.float64]:
    """(4, 4) of a box's centre: x along its length, z up; in the camera frame y is down and `yaw` rotates about y."""
    c, s = np.cos(yaw), np.sin(yaw)
    pose = np.eye(4)
    pose[:3, :3] = np.stack([[c, 0, -s], [s, 0, c], [0, -1, 0]], axis=1)
    pose[:3, 3] = bottom - [0, height / 2, 0]
    return pose

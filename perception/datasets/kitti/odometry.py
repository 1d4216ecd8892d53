# SPDX-License-Identifier: Apache-2.0
"""The sequences of KITTI's odometry benchmark as recordings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal, InvalidOperation
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from perception.datasets.io.files import read_text
from perception.datasets.kitti.calibration import read_calibration_lines
from perception.datasets.kitti.cameras import read_rectified_camera, velodyne_to_camera0
from perception.datasets.kitti.recording import (
    VELODYNE_IN_BASE,
    Camera,
    Instant,
    Recording,
    Stream,
    Vehicle,
    mounts,
    nothing,
)
from perception.datasets.kitti.streams import EPOCH_NS, camera_stream, sweep_stream
from perception.errors import DataError


def read_odometry_recording(path: Path) -> Recording:
    """The sequence in the folder sequences/NN, with its poses, if it has any, in poses/NN.txt. Raises DataError.

    All sensors of a frame share its time, which the file counts from the sequence's start; here it counts from
    EPOCH_NS.
    """
    stamps = _read_times(path / "times.txt")
    calibration = path / "calib.txt"
    take = partial(_stamps_of, stamps, path / "times.txt")
    sweeps, _ = sweep_stream(path / "velodyne", take)
    poses = path.parent.parent / "poses" / f"{path.name}.txt"

    def camera(index: int) -> Camera | None:
        return camera_stream(path / f"image_{index}", index, take, partial(read_rectified_camera, calibration))

    def vehicle(cameras: Sequence[Camera]) -> Vehicle:
        return Vehicle(mounts(cameras), poses=_poses(poses, calibration, stamps) if poses.is_file() else nothing())

    return Recording(path, camera, sweeps, vehicle, "odometry")


def parse_seconds(text: str) -> int:
    """'1.037359e-01' → nanoseconds, without an intermediate float. Raises ValueError."""
    try:
        return int((Decimal(text.strip()) * 1_000_000_000).to_integral_value())
    except (InvalidOperation, ValueError, OverflowError) as error:
        raise ValueError(f"{text.strip()!r} is not a time in seconds") from error


def _read_times(path: Path) -> list[int]:
    stamps = []
    for row, line in enumerate(read_text(path).split(), start=1):
        try:
            stamps.append(EPOCH_NS + parse_seconds(line))
        except ValueError as error:
            raise DataError(f"{path}: line {row}: {error}") from error
    return stamps


def _stamps_of(stamps: Sequence[int], path: Path, numbers: Sequence[int]) -> Mapping[int, int]:
    if numbers[-1] >= len(stamps):
        raise DataError(f"{path}: {len(stamps)} lines, expected one per frame up to {numbers[-1]:06d}")
    return {number: stamps[number] for number in numbers}


def _poses(path: Path, calibration: Path, stamps: Sequence[int]) -> Stream[NDArray[np.float64]]:
    """The file has the left grey camera's poses relative to its first frame; this converts them to the vehicle's."""
    rows = read_text(path).splitlines()
    if len(rows) != len(stamps):
        raise DataError(f"{path}: {len(rows)} poses, but times.txt has {len(stamps)} lines")
    to_camera = velodyne_to_camera0(read_calibration_lines(calibration), calibration) @ np.linalg.inv(VELODYNE_IN_BASE)
    to_base = np.linalg.inv(to_camera)

    def read(number: int) -> NDArray[np.float64]:
        try:
            camera = np.array(rows[number].split(), np.float64).reshape(3, 4)
        except ValueError as error:
            raise DataError(f"{path}: line {number + 1}: {error}; a pose has twelve numbers") from error
        return np.asarray(to_base @ np.vstack([camera, [0, 0, 0, 1]]) @ to_camera)

    return Stream(sorted(Instant(stamp, number) for number, stamp in enumerate(stamps)), read)

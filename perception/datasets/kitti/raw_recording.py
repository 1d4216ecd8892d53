# SPDX-License-Identifier: Apache-2.0
"""KITTI raw drives, synced and unsynced, as recordings."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from perception.datasets.kitti.calibration import read_imu_to_velodyne
from perception.datasets.kitti.cameras import read_raw_camera
from perception.datasets.kitti.oxts import OxtsPacket, read_oxts_packet
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
from perception.datasets.kitti.streams import camera_stream, numbered, sweep_stream, without_stamp
from perception.datasets.kitti.timestamps import read_stamps, read_sweep_stamps
from perception.datasets.kitti.tracklets import Tracklet, TrackletBox, read_tracklets


def read_raw_recording(path: Path) -> Recording:
    """The drive in the folder DATE/DATE_drive_NNNN_sync or …_extract, its calibration beside it. Raises DataError."""
    sweeps, count = sweep_stream(path / "velodyne_points/data", partial(read_sweep_stamps, path / "velodyne_points"))
    unstamped = without_stamp(count, "velodyne_points")
    return Recording(path, partial(_camera, path), sweeps, partial(_vehicle, path, sweeps), "raw", unstamped)


def _camera(path: Path, index: int) -> Camera | None:
    folder = path / f"image_{index:02d}"
    calibration = partial(read_raw_camera, path.parent)
    return camera_stream(folder / "data", index, partial(read_stamps, folder / "timestamps.txt"), calibration)


def _vehicle(path: Path, sweeps: Stream[Any], cameras: Sequence[Camera]) -> Vehicle:
    oxts, count = _oxts(path / "oxts")
    tracklets = path / "tracklet_labels.xml"
    return Vehicle(
        mounts(cameras, read_imu_to_velodyne(path.parent)),
        oxts,
        vehicle_poses(oxts),
        Stream(sweeps.instants, partial(_boxes, read_tracklets(tracklets))) if tracklets.is_file() else nothing(),
        without_stamp(count, "oxts"),
    )


def _oxts(folder: Path) -> tuple[Stream[OxtsPacket], int]:
    files = numbered(folder / "data", (".txt",))
    if not files:
        return nothing(), 0
    found = instants(files, read_stamps(folder / "timestamps.txt", list(files)))
    return Stream(found, lambda number: read_oxts_packet(files[number])), len(files) - len(found)


def _boxes(tracklets: Sequence[Tracklet], number: int) -> list[Box]:
    found = [(index, tracklet.at(number)) for index, tracklet in enumerate(tracklets)]
    return [_box(index, box) for index, box in found if box is not None]


def _box(index: int, box: TrackletBox) -> Box:
    height, width, length = box.size
    pose, c, s = np.eye(4), np.cos(box.yaw), np.sin(box.yaw)
    pose[:2, :2] = [[c, -s], [s, c]]
    pose[:3, 3] = box.bottom + np.array([0, 0, height / 2])
    return Box(box.object_type, index, (length, width, height), pose)

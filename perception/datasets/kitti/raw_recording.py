# SPDX-License-Identifier: Apache-2.0
"""KITTI raw drives, synced and unsynced, as recordings."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path

import numpy as np

from perception.datasets.kitti.calibration import read_imu_to_velodyne
from perception.datasets.kitti.cameras import read_raw_camera
from perception.datasets.kitti.oxts import OxtsPacket, read_oxts_packet
from perception.datasets.kitti.recording import (
    Box,
    Camera,
    Recording,
    Stream,
    instants,
    mounts,
    nothing,
    numbered_files,
    vehicle_poses,
)
from perception.datasets.kitti.streams import camera_stream, numbers_in, sweep_stream
from perception.datasets.kitti.timestamps import read_stamps
from perception.datasets.kitti.tracklets import Tracklet, TrackletBox, read_tracklets


def read_raw_recording(path: Path) -> Recording:
    """The drive in the folder DATE/DATE_drive_NNNN_sync or …_extract, its calibration beside it. Raises DataError."""
    cameras: list[Camera] = []
    left_out: list[str] = []
    for index in range(4):
        folder = path / f"image_{index:02d}"
        calibration = partial(read_raw_camera, path.parent)
        camera = camera_stream(folder / "data", index, partial(read_stamps, folder / "timestamps.txt"), calibration)
        if camera is not None:
            cameras.append(camera)
            left_out += _without_stamp(len(numbers_in(folder / "data")[0]) - len(camera.images), folder)
    sweeps, unstamped = sweep_stream(path / "velodyne_points/data", partial(_sweep_stamps, path / "velodyne_points"))
    left_out += _without_stamp(unstamped, path / "velodyne_points")
    oxts, unstamped = _oxts(path / "oxts")
    left_out += _without_stamp(unstamped, path / "oxts")
    tracklets = path / "tracklet_labels.xml"
    return Recording(
        mounts(cameras, read_imu_to_velodyne(path.parent)),
        cameras,
        sweeps,
        oxts,
        vehicle_poses(oxts),
        Stream(sweeps.instants, partial(_boxes, read_tracklets(tracklets))) if tracklets.is_file() else nothing(),
        left_out,
    )


def _sweep_stamps(folder: Path, numbers: Sequence[int]) -> dict[int, int]:
    """When the Velodyne looked forward; where that is blank, midway between its turn's start and end, as always."""
    paths = [folder / f"timestamps{suffix}.txt" for suffix in ("_start", "_end")]
    start, end = (read_stamps(path, numbers) if path.is_file() else {} for path in paths)
    between = {number: (start[number] + end[number]) // 2 for number in start.keys() & end.keys()}
    return between | read_stamps(folder / "timestamps.txt", numbers)


def _oxts(folder: Path) -> tuple[Stream[OxtsPacket], int]:
    numbers, suffix, digits = numbers_in(folder / "data", (".txt",))
    if not numbers:
        return nothing(), 0
    found = instants(numbers, read_stamps(folder / "timestamps.txt", numbers))
    files = numbered_files(folder / "data", found, suffix, digits)
    return Stream(found, lambda number: read_oxts_packet(files.read(number))), len(numbers) - len(found)


def _boxes(tracklets: Sequence[Tracklet], number: int) -> list[Box]:
    found = [(index, tracklet.at(number)) for index, tracklet in enumerate(tracklets)]
    return [_box(index, box) for index, box in found if box is not None]


def _box(index: int, box: TrackletBox) -> Box:
    height, width, length = box.size
    pose, c, s = np.eye(4), np.cos(box.yaw), np.sin(box.yaw)
    pose[:2, :2] = [[c, -s], [s, c]]
    pose[:3, 3] = box.bottom + np.array([0, 0, height / 2])
    return Box(box.object_type, index, (length, width, height), pose)


def _without_stamp(count: int, folder: Path) -> list[str]:
    return [f"{folder.name}: {count} without a stamp in timestamps.txt are left out"] if count else []

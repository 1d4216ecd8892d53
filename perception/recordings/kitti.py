# SPDX-License-Identifier: Apache-2.0
"""KITTI drives as frames, paired by their sensors' stamps like every recording, and as a vehicle's messages."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path

import numpy as np

from perception.assembly.clocks import pair_sensors
from perception.assembly.settings.parameters import make_settings
from perception.assembly.settings.topic import Topic
from perception.bags.writer import RawMessage, serialise, serialise_extrinsics
from perception.datasets.kitti.layouts import find_drive
from perception.datasets.kitti.one_camera import OneCamera, one_camera
from perception.frame import Frame
from perception.recordings.stored import StoredFrames


def kitti_frames(path: Path, camera: str | None = None) -> StoredFrames:
    """The frames of the drive at `path` (see `find_drive`) for `one_camera`; named after the files of their trigger.

    Raises DataError as these do.
    """
    recording = find_drive(path)
    drive = one_camera(recording, camera)
    numbers = {
        sensor: {each.stamp_ns: each.number for each in reversed(stream.instants)}
        for sensor, stream in (("rgb", drive.images), ("lidar", drive.sweeps))
    }
    stamps = {sensor: np.array(sorted(own), np.int64) for sensor, own in numbers.items()}
    spans = {sensor: (min(own, default=0), max(own, default=0)) for sensor, own in numbers.items()}
    instants, apart = pair_sensors(drive.path, stamps, spans, make_settings({}).timing)
    found = [{sensor: numbers[sensor][stamp] for sensor, stamp in each.stamps_ns.items()} for each in instants]
    names = [recording.name(own[each.trigger]) for each, own in zip(instants, found, strict=True)]
    stamps_ns = [each.stamp_ns for each in instants]
    frames = StoredFrames(drive.path, names, stamps_ns, partial(_read, drive, stamps_ns, found))
    used = {own["lidar"] for own in found if "lidar" in own}
    alone = 0 if "lidar" in apart else len(numbers["lidar"]) - len(used)
    twice = len(drive.images) + len(drive.sweeps) - sum(map(len, numbers.values()))
    frames.remarks = [
        *drive.unstamped,
        *([f"{twice} images or sweeps have the stamp of another and are left out"] if twice else []),
        *apart.values(),
        *([f"{alone} of {len(drive.sweeps)} sweeps belong to no image and are left out"] if alone else []),
    ]
    return frames


def _read(drive: OneCamera, stamps_ns: Sequence[int], found: Sequence[Mapping[str, int]], index: int) -> Frame:
    return drive.frame(stamps_ns[index], found[index].get("rgb"), found[index].get("lidar"))


class KittiMessages:
    """A source (see `bags.sources.Source`) of the messages that a vehicle's node would have received during a drive.

    They are created on demand. Every sensor has its own stamps. Raises DataError as `one_camera` does.
    """

    def __init__(self, path: Path) -> None:
        self._drive = drive = one_camera(find_drive(path))
        seen = len(drive.images) or len(drive.sweeps)
        counts = {"Image": len(drive.images), "CameraInfo": seen, "PointCloud2": len(drive.sweeps)}
        topics = zip(("/image", "/camera_info", "/points"), counts.items(), strict=True)
        self.topics = {name: Topic(f"sensor_msgs/msg/{kind}", count) for name, (kind, count) in topics if count}
        self.topics["/tf_static"] = Topic("tf2_msgs/msg/TFMessage", 1, latched=True)
        images = [(each.stamp_ns, each.number, None) for each in drive.images.instants]
        sweeps = [(each.stamp_ns, None, each.number) for each in drive.sweeps.instants]
        self._instants = sorted([*images, *sweeps], key=lambda instant: instant[0])
        self.start_ns, self.end_ns = self._instants[0][0], self._instants[-1][0]

    def messages(self, topics: Collection[str], start_ns: int, end_ns: int) -> Iterator[RawMessage]:
        """See Source."""
        drive = self._drive
        if "/tf_static" in topics and start_ns <= self.start_ns <= end_ns:
            yield serialise_extrinsics(self.start_ns, drive.lidar_to_camera, drive.model)
        for stamp_ns, image, sweep in self._instants:
            wanted = {"/image", "/camera_info"} if sweep is None else {"/points"}
            wanted |= set() if drive.images else {"/camera_info"}
            if start_ns <= stamp_ns <= end_ns and wanted & set(topics):
                frame = drive.frame(stamp_ns, image, sweep)
                yield from (each for each in serialise(frame) if each.topic in wanted & set(topics))

    def close(self) -> None:
        """See Source."""

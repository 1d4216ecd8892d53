# SPDX-License-Identifier: Apache-2.0
"""Where a replay takes its messages from: a rosbag2, or a KITTI raw drive as it was downloaded."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from pathlib import Path
from typing import NamedTuple, Protocol

from rosbags.interfaces import Connection, ConnectionExtRosbag2, QosDurability, QosReliability
from rosbags.rosbag2 import Reader, ReaderError

from perception.datasets.kitti_raw import KittiRaw
from perception.errors import DataError
from perception.ros.bag import RawMessage, serialise, serialise_extrinsics


class Topic(NamedTuple):
    """What is known of a recorded topic. latched: late subscribers get its last messages (transient local)."""

    type: str
    messages: int
    latched: bool = False
    reliable: bool = True


class Source(Protocol):
    """A recording: its topics by name, its time span [ns] and its messages in the order of time."""

    topics: dict[str, Topic]
    start_ns: int
    end_ns: int

    def messages(self, topics: Collection[str], start_ns: int, end_ns: int) -> Iterator[RawMessage]:
        """The messages of the named topics from start_ns to end_ns, both included."""
        ...

    def close(self) -> None:
        """Close the files."""
        ...


class BagSource:
    """A rosbag2 folder (mcap or sqlite3, compressed or not). Raises DataError if it is none, or broken."""

    def __init__(self, path: Path) -> None:
        if not (path / "metadata.yaml").is_file():
            raise DataError(
                f"{path}: no metadata.yaml, so no rosbag2; if its recording broke off: ros2 bag reindex {path}"
            )
        self.path = path
        self._reader = Reader(path)
        try:
            self._reader.open()
        except (ReaderError, OSError) as error:
            raise DataError(f"{path}: {error}") from error
        if not self._reader.message_count:
            raise DataError(f"{path}: the bag holds no messages")
        self.topics = {c.topic: _topic(c) for c in self._reader.connections if c.msgcount}
        self.start_ns = self._reader.start_time
        self.end_ns = self._reader.end_time - 1  # the reader's end is exclusive

    def messages(self, topics: Collection[str], start_ns: int, end_ns: int) -> Iterator[RawMessage]:
        """See Source."""
        connections = [c for c in self._reader.connections if c.topic in topics]
        if not connections:  # which the reader would take for "all"
            return
        try:
            for connection, stamp_ns, data in self._reader.messages(connections, start_ns, end_ns + 1):
                yield RawMessage(connection.topic, connection.msgtype, stamp_ns, bytes(data))
        except (ReaderError, OSError, EOFError) as error:
            raise DataError(f"{self.path}: {error}") from error

    def close(self) -> None:
        """See Source."""
        self._reader.close()


class KittiSource:
    """The messages that a bag of a KITTI raw drive would hold, made as they are needed."""

    def __init__(self, drive: KittiRaw) -> None:
        self.drive = drive
        self.start_ns, self.end_ns = min(drive.stamps), max(drive.stamps)
        types = {"/image": "Image", "/camera_info": "CameraInfo", "/points": "PointCloud2"}
        self.topics = {name: Topic(f"sensor_msgs/msg/{kind}", len(drive)) for name, kind in types.items()}
        self.topics["/tf_static"] = Topic("tf2_msgs/msg/TFMessage", 1, latched=True)

    def messages(self, topics: Collection[str], start_ns: int, end_ns: int) -> Iterator[RawMessage]:
        """See Source."""
        if "/tf_static" in topics and start_ns <= self.start_ns <= end_ns:
            lidar_to_camera = self.drive.calibration.lidar_to_camera
            yield serialise_extrinsics(self.start_ns, lidar_to_camera, self.drive.camera)
        for index, stamp_ns in enumerate(self.drive.stamps):
            if start_ns <= stamp_ns <= end_ns:
                yield from (message for message in serialise(self.drive[index]) if message.topic in topics)

    def close(self) -> None:
        """See Source."""


def open_source(path: Path | str) -> Source:
    """The recording at `path`: a rosbag2 folder, the file in it, or a KITTI raw drive. Close it after use.

    Raises DataError for a path that is none of these, saying what it lacks.
    """
    path = Path(path)
    if path.suffix in (".mcap", ".db3"):
        path = path.parent
    if not path.is_dir():
        raise DataError(f"{path}: no such bag or drive")
    return BagSource(path) if _looks_like_bag(path) else KittiSource(KittiRaw(path))


def _looks_like_bag(path: Path) -> bool:
    return any(next(path.glob(pattern), None) for pattern in ("metadata.yaml", "*.mcap*", "*.db3*"))


def _topic(connection: Connection) -> Topic:
    extra = connection.ext
    profiles = extra.offered_qos_profiles if isinstance(extra, ConnectionExtRosbag2) else []
    latched = any(profile.durability == QosDurability.TRANSIENT_LOCAL for profile in profiles)
    best_effort = any(profile.reliability == QosReliability.BEST_EFFORT for profile in profiles)
    latched = latched or connection.topic == "/tf_static"  # which rosbags' own converters write without any profile
    return Topic(connection.msgtype, connection.msgcount, latched, not best_effort)

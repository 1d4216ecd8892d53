# SPDX-License-Identifier: Apache-2.0
"""Sources of messages for replay: a rosbag2, or a KITTI raw drive as downloaded."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from pathlib import Path
from typing import Protocol

from rosbags.interfaces import Connection, ConnectionExtRosbag2, QosDurability, QosReliability
from rosbags.rosbag2 import Reader, ReaderError

from perception.assembly.settings.topic import Offer, Topic
from perception.bags.broken import BrokenBag, said
from perception.bags.writer import RawMessage, serialise, serialise_extrinsics
from perception.datasets.kitti.raw import KittiRaw
from perception.errors import DataError


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
    """A rosbag2 folder (mcap or sqlite3, compressed or not).

    `messages` raises DataError where the bag is broken, after those before. Raises OSError if it cannot be opened,
    DataError if it is empty, and any error of the reader.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._reader = Reader(path)
        self._reader.open()
        if not self._reader.message_count:
            raise DataError(f"{path}: the bag holds no messages")
        self.topics = {c.topic: _topic(c) for c in self._reader.connections if c.msgcount}
        self.start_ns = self._reader.start_time
        self.end_ns = self._reader.end_time - 1  # the reader's end is exclusive

    def messages(self, topics: Collection[str], start_ns: int, end_ns: int) -> Iterator[RawMessage]:
        """See Source."""
        connections = [c for c in self._reader.connections if c.topic in topics]
        if not connections:  # which the reader would interpret as "all"
            return
        # All of it is asked for without bounds: metadata.yaml may be wrong about them.
        start, stop = start_ns if start_ns > self.start_ns else None, end_ns + 1 if end_ns < self.end_ns else None
        found = 0
        try:
            for connection, stamp_ns, data in self._reader.messages(connections, start, stop):
                found += 1
                yield RawMessage(connection.topic, connection.msgtype, stamp_ns, bytes(data))
        except Exception as error:  # SQLite, zstd or the parser may raise anything
            raise DataError(f"{self.path}: broken: {said(error)}; only what comes before is read") from error
        expected = sum(connection.msgcount for connection in connections)
        if start is stop is None and found < expected:  # a reader may skip in silence
            raise DataError(f"{self.path}: broken: {expected - found} of {expected} messages are not there")

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

    A bag that is broken gives what comes before. Raises DataError for any other path, saying what it
    lacks.
    """
    path = Path(path)
    if path.suffix in (".mcap", ".db3"):
        path = path.parent
    if not path.is_dir():
        raise DataError(f"{path}: no such bag or drive")
    return _open_bag(path) if _looks_like_bag(path) else KittiSource(KittiRaw(path))


def until_broken(source: Source, topics: Collection[str], tell: Callable[[str], None]) -> Iterator[RawMessage]:
    """All messages of the named topics, up to any damage; `tell` is called with the reason."""
    try:
        yield from source.messages(topics, source.start_ns, source.end_ns)
    except DataError as error:
        tell(str(error))


def _open_bag(path: Path) -> Source:
    if not (path / "metadata.yaml").is_file():
        raise DataError(
            f"{path}: no metadata.yaml, so not a rosbag2; after a broken recording: ros2 bag reindex {path}"
        )
    try:
        return BagSource(path)
    except DataError:
        raise
    except OSError as error:
        raise DataError(f"{path}: {error}") from error
    except ReaderError as error:
        if "files are missing" in str(error) or "not supported" in str(error):
            raise DataError(f"{path}: {error}") from error
        return BrokenBag(path, said(error))
    except Exception as error:
        return BrokenBag(path, said(error))


def _looks_like_bag(path: Path) -> bool:
    return any(next(path.glob(pattern), None) for pattern in ("metadata.yaml", "*.mcap*", "*.db3*"))


def _topic(connection: Connection) -> Topic:
    extra = connection.ext
    profiles = extra.offered_qos_profiles if isinstance(extra, ConnectionExtRosbag2) else []
    offers = tuple(
        Offer(profile.reliability != QosReliability.BEST_EFFORT, profile.durability == QosDurability.TRANSIENT_LOCAL)
        for profile in profiles
    )
    latched = any(offer.latched for offer in offers)
    latched = latched or connection.topic == "/tf_static"  # which rosbags' own converters write without any profile
    reliable = all(offer.reliable for offer in offers)
    return Topic(connection.msgtype, connection.msgcount, latched, reliable, offers)

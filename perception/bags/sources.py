# SPDX-License-Identifier: Apache-2.0
"""Sources of messages: their common interface, and a rosbag2 as one."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from pathlib import Path
from typing import Protocol

from rosbags.interfaces import Connection, ConnectionExtRosbag2, QosDurability, QosReliability
from rosbags.rosbag2 import Reader, ReaderError

from perception.assembly.settings.naming import BAG_SUFFIXES
from perception.assembly.settings.topic import Offer, Topic
from perception.bags.broken import BrokenBag, said
from perception.bags.raw import RawMessage
from perception.errors import DataError, PerceptionError
from perception.storage import fetched


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

    `messages` raises DataError at the damage of a broken bag, after the messages before. Raises OSError if it cannot be
    opened, DataError if it is empty, and any error of the reader.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._reader = Reader(fetched(path))  # which seeks in it
        self._reader.open()
        if not self._reader.message_count:
            raise DataError(f"{path}: the bag has no messages")
        self.topics = {c.topic: _topic(c) for c in self._reader.connections if c.msgcount}
        self.start_ns = self._reader.start_time
        self.end_ns = self._reader.end_time - 1  # the reader's end is exclusive

    def messages(self, topics: Collection[str], start_ns: int, end_ns: int) -> Iterator[RawMessage]:
        """See Source."""
        connections = [c for c in self._reader.connections if c.topic in topics]
        if not connections:  # which the reader would interpret as "all"
            return
        # The whole bag is read without bounds: metadata.yaml may be wrong about them.
        start, stop = start_ns if start_ns > self.start_ns else None, end_ns + 1 if end_ns < self.end_ns else None
        found = 0
        try:
            for connection, stamp_ns, data in self._reader.messages(connections, start, stop):
                found += 1
                yield RawMessage(connection.topic, connection.msgtype, stamp_ns, bytes(data))
        except Exception as error:  # SQLite, zstd or the parser may raise anything
            raise DataError(f"{self.path}: broken: {said(error)}; only what comes before is read") from error
        expected = sum(connection.msgcount for connection in connections)
        if start is stop is None and found < expected:  # a reader may skip messages silently
            raise DataError(f"{self.path}: broken: {expected - found} of {expected} messages are missing")

    def close(self) -> None:
        """See Source."""
        self._reader.close()


def open_bag(path: Path) -> Source:
    """The rosbag2 at `path`: its folder, or the file in it. Close it after use.

    A broken bag gives the messages before the damage. Raises DataError for other folders, saying what they lack.
    """
    if path.suffix in BAG_SUFFIXES:
        path = path.parent
    if not path.is_dir():
        raise DataError(f"{path}: no such bag")
    if not (path / "metadata.yaml").is_file():
        raise DataError(
            f"{path}: no metadata.yaml, so not a rosbag2; after a broken recording: ros2 bag reindex {path}"
        )
    try:
        return BagSource(path)
    except PerceptionError:
        raise
    except OSError as error:
        raise DataError(f"{path}: {error}") from error
    except ReaderError as error:
        if "files are missing" in str(error) or "not supported" in str(error):
            raise DataError(f"{path}: {error}") from error
        return BrokenBag(path, said(error))
    except Exception as error:
        return BrokenBag(path, said(error))


def holds_bag(path: Path) -> bool:
    """Whether the path is a rosbag2 or the file in it, complete or not, for `open_bag`."""
    if path.suffix in BAG_SUFFIXES and path.is_file():
        return True
    files = ("metadata.yaml", *(f"*{suffix}*" for suffix in BAG_SUFFIXES))  # compressed ones have one more suffix
    return any(next(path.glob(pattern), None) for pattern in files)


def until_broken(source: Source, topics: Collection[str], tell: Callable[[str], None]) -> Iterator[RawMessage]:
    """All messages of the named topics, up to any damage; `tell` is called with the reason."""
    try:
        yield from source.messages(topics, source.start_ns, source.end_ns)
    except DataError as error:
        tell(str(error))


def _topic(connection: Connection) -> Topic:
    extra = connection.ext
    profiles = extra.offered_qos_profiles if isinstance(extra, ConnectionExtRosbag2) else []
    offers = tuple(
        Offer(profile.reliability != QosReliability.BEST_EFFORT, profile.durability == QosDurability.TRANSIENT_LOCAL)
        for profile in profiles
    )
    latched = any(offer.latched for offer in offers)
    latched = latched or connection.topic == "/tf_static"  # rosbags' own converters write it without a profile
    reliable = all(offer.reliable for offer in offers)
    return Topic(connection.msgtype, connection.msgcount, latched, reliable, offers)

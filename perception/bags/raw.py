# SPDX-License-Identifier: Apache-2.0
"""Serialised messages → rosbag2, without ROS: the writer of all our bags."""

from __future__ import annotations

import shutil
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

from rosbags.interfaces import Connection, Qos, QosDurability, QosHistory, QosLiveliness, QosReliability, QosTime
from rosbags.rosbag2 import StoragePlugin, Writer
from rosbags.typesys import Stores, get_typestore

from perception.disk import on_full_disk
from perception.errors import DataError
from perception.storage import target

STORAGES: dict[str, StoragePlugin] = {"mcap": StoragePlugin.MCAP, "sqlite3": StoragePlugin.SQLITE3}
"""The rosbag2 storages that can be written, by the name that `ros2 bag -s` has for them."""

TYPES = get_typestore(Stores.ROS2_JAZZY)


class RawMessage(NamedTuple):
    """A serialised message. stamp_ns: when it was recorded. data: CDR with its encapsulation header."""

    topic: str
    type: str
    stamp_ns: int
    data: bytes


class RawBagWriter:
    """Writes messages to a rosbag2 as they arrive; the bag gets its name when it is complete.

    path: the bag's folder, which must not exist. storage: "mcap" or "sqlite3". content: what the messages are, for the
    error when there are none. total: expected messages, if known. Topics are reliable and keep five
    messages; /tf_static is latched.
    Use it as a context manager: if it is left by an exception, no bag stays behind.
    Raises DataError for an existing path, an unknown storage, and a bag without messages; DiskFull if there
    is no space for it.
    """

    def __init__(
        self, path: Path | str, storage: str = "mcap", content: str = "messages", total: int | None = None
    ) -> None:
        self.path, self._total = target(path), total
        self.counts: dict[str, int] = {}
        """Messages so far, by topic."""
        self._content = content
        if storage not in STORAGES:
            raise DataError(f"bag storage '{storage}' is unknown; take one of {', '.join(STORAGES)}")
        if self.path.exists():
            raise DataError(f"{self.path}: exists already; remove it or name another folder")
        # The file inside a bag carries the folder's name, so the unfinished bag has its final name in a folder aside.
        self._partial = self.path.with_name(f".{self.path.name}.partial")
        shutil.rmtree(self._partial, ignore_errors=True)  # left by a killed run
        self._writer = Writer(self._partial / self.path.name, version=9, storage_plugin=STORAGES[storage])
        self._connections: dict[str, Connection] = {}

    def __enter__(self) -> RawBagWriter:
        try:
            with on_full_disk(self.path):
                self._writer.open()
        except BaseException:
            shutil.rmtree(self._partial, ignore_errors=True)
            raise
        return self

    def write(self, message: RawMessage) -> None:
        """Append the message."""
        connection = self._connections.get(message.topic)
        if connection is None:
            latched = message.topic == "/tf_static"
            connection = self._writer.add_connection(
                message.topic, message.type, typestore=TYPES, offered_qos_profiles=[_qos(latched)]
            )
            self._connections[message.topic] = connection
            self.counts[message.topic] = 0
        with on_full_disk(self.path, self._to_come):
            self._writer.write(connection, message.stamp_ns, message.data)
        self.counts[message.topic] += 1

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        try:
            if kind is None and self.counts:
                with on_full_disk(self.path, self._to_come):
                    self._writer.close()
                (self._partial / self.path.name).rename(self.path)
            else:
                with suppress(Exception):  # the rest cannot be written and is discarded
                    self._writer.abort()
        finally:
            shutil.rmtree(self._partial, ignore_errors=True)
        if kind is None and not self.counts:
            raise DataError(f"{self.path}: no {self._content} to write; is the drive empty?")

    def _to_come(self) -> int | None:
        """Estimate of the bytes still to be written."""
        done = sum(self.counts.values())
        if self._total is None or not done:
            return None
        written = sum(path.stat().st_size for path in self._partial.rglob("*") if path.is_file())
        return written * max(self._total - done, 1) // done


def make(type_name: str, **fields: Any) -> Any:
    """A message of the type, such as "std_msgs/msg/Header", with all its fields."""
    return TYPES.types[type_name](**fields)


def header(stamp_ns: int, frame_id: str) -> Any:
    """A std_msgs/Header."""
    return make("std_msgs/msg/Header", stamp=_time(stamp_ns), frame_id=frame_id)


def _time(stamp_ns: int) -> Any:
    """A builtin_interfaces/Time."""
    sec, nanosec = divmod(stamp_ns, 1_000_000_000)
    return make("builtin_interfaces/msg/Time", sec=sec, nanosec=nanosec)


def raw(topic: str, type_name: str, stamp_ns: int, fields: dict[str, Any]) -> RawMessage:
    """The message with these fields, serialised, recorded at `stamp_ns`."""
    message = make(type_name, **fields)
    return RawMessage(topic, type_name, stamp_ns, bytes(TYPES.serialize_cdr(message, type_name)))


def _qos(latched: bool) -> Qos:
    durability = QosDurability.TRANSIENT_LOCAL if latched else QosDurability.VOLATILE
    # Reliable, because such a publisher serves subscribers of both kinds, including RViz.
    never = QosTime(2147483647, 4294967295)
    return Qos(
        QosHistory.KEEP_LAST, 1 if latched else 5, QosReliability.RELIABLE, durability,
        never, never, QosLiveliness.AUTOMATIC, never, False,
    )  # fmt: skip

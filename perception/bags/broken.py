# SPDX-License-Identifier: Apache-2.0
"""A damaged rosbag2: its messages from the beginning to the damage.

MCAP without its end (a recording that was killed, a download cut short), SQLite with damaged pages, and either of them
in a compressed file that is cut short.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Iterator
from contextlib import closing, suppress
from pathlib import Path
from struct import unpack_from
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

import yaml
from rosbags.rosbag2.storage_mcap import decompress

from perception.assembly.settings.topic import Topic
from perception.bags.raw import RawMessage
from perception.errors import DataError

try:  # the same import as in rosbags
    from compression import zstd
except ImportError:
    from backports import zstd

_BLOCK = 1 << 20
_DISORDER_NS = 500_000_000
"""Messages are written as they arrive; none is older by more than this than one written before it."""

_SCHEMA, _CHANNEL, _MESSAGE, _CHUNK = 3, 4, 5, 6


class BrokenBag:
    """A source (see `sources.Source`) of the readable messages. why: the error of the normal reader.

    `messages` ends in a DataError with this reason, unless the requested range ends before. Raises DataError for an
    unusable metadata.yaml.
    """

    def __init__(self, path: Path, why: str) -> None:
        self.path, self._why = path, why
        self._folder = TemporaryDirectory()
        try:
            content = yaml.safe_load((path / "metadata.yaml").read_text("utf-8"))["rosbag2_bagfile_information"]
            self._files = [path / Path(name).name for name in content["relative_file_paths"]]
            self._compressed = str(content.get("compression_mode") or "").lower()
            self.start_ns = int(content["starting_time"]["nanoseconds_since_epoch"])
            self.end_ns = self.start_ns + int(content["duration"]["nanoseconds"])
            self.topics = {
                each["topic_metadata"]["name"]: Topic(
                    each["topic_metadata"]["type"],
                    int(each["message_count"]),
                    each["topic_metadata"]["name"] == "/tf_static",
                )
                for each in content["topics_with_message_count"]
                if each["message_count"]
            }
        except (OSError, ValueError, KeyError, TypeError, AttributeError, yaml.YAMLError) as error:
            raise DataError(f"{path}: {why}") from error

    def messages(self, topics: Collection[str], start_ns: int, end_ns: int) -> Iterator[RawMessage]:
        """See Source. Raises DataError at the end."""
        why = self._why
        for path in self._files:
            try:
                for message in self._scan(path):
                    if message.stamp_ns > end_ns + _DISORDER_NS:
                        return
                    if message.topic in topics and start_ns <= message.stamp_ns <= end_ns:
                        yield message
            except Exception as error:  # the parser may raise anything
                why = f"{path.name}: {said(error)}"
                break
        raise DataError(f"{self.path}: broken: {why}; only what comes before is read")

    def close(self) -> None:
        """See Source."""
        self._folder.cleanup()

    def _scan(self, path: Path) -> Iterator[RawMessage]:
        if self._compressed == "file":
            path = self._unpacked(path)
        for message in _mcap(path) if path.suffix == ".mcap" else _sqlite(path):
            data = zstd.decompress(message.data) if self._compressed == "message" else message.data
            yield message._replace(data=data)

    def _unpacked(self, path: Path) -> Path:
        """The compressed file's content, as far as it can be read."""
        target = Path(self._folder.name) / path.stem
        if not target.is_file():
            with target.open("wb") as out, suppress(EOFError, zstd.ZstdError), zstd.open(path, "rb") as file:
                while block := file.read1(_BLOCK):
                    out.write(block)
        return target


def said(error: BaseException) -> str:
    """A parser's error in one line."""
    words = " ".join(str(error).split())
    return words if words and " " in words else f"{type(error).__name__} {words}".strip()


class _Channel(NamedTuple):
    topic: str
    schema: int


def _mcap(path: Path) -> Iterator[RawMessage]:
    """The messages of an MCAP file in the order in which they were written; its index is not needed."""
    channels: dict[int, _Channel] = {}
    schemas: dict[int, str] = {}
    end = path.stat().st_size
    with path.open("rb") as file:
        file.seek(8)  # the magic
        while head := file.read(9):
            kind, length = unpack_from("<BQ", head)
            if file.tell() + length > end:
                raise DataError(f"ends within a record that begins at byte {file.tell() - 9} of {end}")
            record = file.read(length)
            if kind == _CHUNK:
                size, crc = unpack_from("<QI", record, 16)
                name, at = _text(record, 28)
                (count,) = unpack_from("<Q", record, at)
                yield from _records(decompress(record[at + 8 : at + 8 + count], name, size, crc), channels, schemas)
            else:
                yield from _record(kind, record, channels, schemas)


def _records(data: bytes, channels: dict[int, _Channel], schemas: dict[int, str]) -> Iterator[RawMessage]:
    at = 0
    while at < len(data):
        kind, length = unpack_from("<BQ", data, at)
        yield from _record(kind, data[at + 9 : at + 9 + length], channels, schemas)
        at += 9 + length


def _record(kind: int, record: bytes, channels: dict[int, _Channel], schemas: dict[int, str]) -> Iterator[RawMessage]:
    if kind == _SCHEMA:
        schemas[unpack_from("<H", record)[0]] = _text(record, 2)[0]
    elif kind == _CHANNEL:
        number, schema = unpack_from("<HH", record)
        channels[number] = _Channel(_text(record, 4)[0], schema)
    elif kind == _MESSAGE:
        number, _, stamp_ns = unpack_from("<HIQ", record)
        channel = channels[number]
        yield RawMessage(channel.topic, schemas[channel.schema], stamp_ns, record[22:])


def _text(record: bytes, at: int) -> tuple[str, int]:
    """The text at a position, and the position after it."""
    (length,) = unpack_from("<I", record, at)
    return record[at + 4 : at + 4 + length].decode(), at + 4 + length


def _sqlite(path: Path) -> Iterator[RawMessage]:
    """The messages of a SQLite file in the order in which they were written; no index is used."""
    with closing(sqlite3.connect(f"{path.resolve().as_uri()}?immutable=1", uri=True)) as file:
        file.execute("PRAGMA writable_schema = ON")  # otherwise a truncated file is not read at all
        file.text_factory = bytes
        topics: dict[int, Any] = {
            number: (name.decode(), kind.decode())
            for number, name, kind in file.execute("SELECT id, name, type FROM topics NOT INDEXED")
        }
        for number, stamp_ns, data in file.execute("SELECT topic_id, timestamp, data FROM messages NOT INDEXED"):
            topic, kind = topics[number]
            yield RawMessage(topic, kind, stamp_ns, bytes(data))

# SPDX-License-Identifier: Apache-2.0
"""MCAP files, read by the format's specification (https://mcap.dev/spec), and their messages by the schemas in them."""

from __future__ import annotations

import io
import json
import struct
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from rosbags.rosbag2.storage_mcap import decompress

MAGIC = b"\x89MCAP0\r\n"
SCHEMA, CHANNEL, MESSAGE, CHUNK, CHUNK_INDEX = 3, 4, 5, 6, 8


class Channel(NamedTuple):
    topic: str
    schema: str
    encoding: str
    """How its messages are encoded: protobuf or json."""


class Mcap:
    """channels: by topic. messages: the stamps [ns] and messages of each topic, in the order of the file. indexed:
    whether it can be sought in."""

    def __init__(self, path: Path) -> None:
        data = path.read_bytes()
        assert data.startswith(MAGIC)
        assert data.endswith(MAGIC)
        self.channels: dict[str, Channel] = {}
        self.messages: dict[str, list[tuple[int, Any]]] = defaultdict(list)
        self.indexed = False
        schemas: dict[int, tuple[str, bytes]] = {}
        channels: dict[int, tuple[Channel, int]] = {}
        for kind, record in _records(data[len(MAGIC) : -len(MAGIC)]):
            self.indexed |= kind == CHUNK_INDEX
            if kind == SCHEMA:
                (number,) = struct.unpack("<H", record.read(2))
                name, _ = _string(record), _string(record)
                schemas[number] = name, _string(record, raw=True)
            elif kind == CHANNEL:
                number, schema = struct.unpack("<HH", record.read(4))
                channel = Channel(_string(record), schemas[schema][0], _string(record))
                channels[number], self.channels[channel.topic] = (channel, schema), channel
            elif kind == MESSAGE:
                number, _, stamp_ns, _ = struct.unpack("<HIQQ", record.read(22))
                channel, schema = channels[number]
                found = _decode(record.read(), channel.encoding, *schemas[schema])
                self.messages[channel.topic].append((stamp_ns, found))

    def last(self, topic: str) -> Any:
        """The last message of the topic."""
        return self.messages[topic][-1][1]


def _records(data: bytes) -> Iterator[tuple[int, io.BytesIO]]:
    place = 0
    while place < len(data):
        kind, size = struct.unpack_from("<BQ", data, place)
        record = io.BytesIO(data[place + 9 : place + 9 + size])
        place += 9 + size
        if kind == CHUNK:
            whole, checksum = struct.unpack("<16xQI", record.read(28))
            compression = _string(record)
            (length,) = struct.unpack("<Q", record.read(8))
            yield from _records(decompress(record.read(length), compression, whole, checksum))
        else:
            yield kind, record


def _string(record: io.BytesIO, raw: bool = False) -> Any:
    (size,) = struct.unpack("<I", record.read(4))
    found = record.read(size)
    return found if raw else found.decode()


def _decode(data: bytes, encoding: str, name: str, schema: bytes) -> Any:
    if encoding == "json":
        return json.loads(data)
    pool = descriptor_pool.DescriptorPool()
    for file in descriptor_pb2.FileDescriptorSet.FromString(schema).file:
        pool.Add(file)
    return message_factory.GetMessageClass(pool.FindMessageTypeByName(name)).FromString(data)

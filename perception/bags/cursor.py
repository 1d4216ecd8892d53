# SPDX-License-Identifier: Apache-2.0
"""Single messages of a bag: cheap in the order of time, possible in any order."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from perception.bags.sources import Source, open_bag
from perception.errors import DataError, MessageError
from perception.messages.stamps import read_stamp

BEFORE_NS = 500_000_000
"""How long before the first message to start reading, and how long read messages are kept."""

AFTER_NS = 100_000_000
"""How far to read beyond the last message, so that the calls of `watch` do not depend on where reading began."""


class Key(NamedTuple):
    """One message of a bag. recorded_ns: by the recorder's clock; stamp_ns: by the sensor's, in the header."""

    recorded_ns: int
    topic: str
    stamp_ns: int


def key_of(topic: str, recorded_ns: int, data: bytes) -> Key | None:
    """The message's key; a stamp of zero is replaced by the time of recording. None if it is too short for a header."""
    try:
        return Key(recorded_ns, topic, read_stamp(data) or recorded_ns)
    except MessageError:
        return None


class BagCursor:
    """Reads messages of `topics` by key. watch: called with every message of the topics in `watched` that is passed."""

    def __init__(
        self,
        path: Path,
        topics: Collection[str],
        watched: Collection[str] = (),
        watch: Callable[[str, bytes], None] = lambda topic, data: None,
    ) -> None:
        self._path, self._topics, self._watched, self._watch = path, set(topics), set(watched), watch
        self._source: Source | None = None
        self._messages: Iterator[tuple[Key | None, str, str, bytes]] = iter(())
        self._kept: dict[Key, tuple[str, bytes]] = {}
        self._from_ns = self._read_to_ns = 0
        """The time span of the kept messages."""

    def fetch(self, keys: Collection[Key]) -> dict[Key, tuple[str, bytes]]:
        """Type and data of the messages. Raises DataError for a bag that is broken or has changed meanwhile."""
        first, last = min(key.recorded_ns for key in keys), max(key.recorded_ns for key in keys)
        if self._source is None or first < self._from_ns or first > self._read_to_ns + 10 * BEFORE_NS:
            self._restart(first - BEFORE_NS)
        while self._read_to_ns <= last + AFTER_NS:
            item = next(self._messages, None)
            if item is None:
                break
            key, topic, kind, data = item
            if topic in self._watched:
                self._watch(topic, data)
            elif key is not None:
                self._kept.setdefault(key, (kind, data))
        self._from_ns = max(self._from_ns, first - BEFORE_NS)
        self._kept = {key: value for key, value in self._kept.items() if key.recorded_ns >= self._from_ns}
        missing = [key for key in keys if key not in self._kept]
        if missing:
            raise DataError(
                f"{self._path}: {missing[0].topic} lacks a message that it had a moment ago; is it being written?"
            )
        return {key: self._kept[key] for key in keys}

    def _restart(self, from_ns: int) -> None:
        self.close()
        self._source = open_bag(self._path)
        self._from_ns = self._read_to_ns = from_ns
        self._messages = self._read(self._source, from_ns)

    def _read(self, source: Source, from_ns: int) -> Iterator[tuple[Key | None, str, str, bytes]]:
        with suppress(DataError):  # a broken bag ends there, which was reported with the keys
            for raw in source.messages(self._topics | self._watched, from_ns, source.end_ns):
                self._read_to_ns = raw.stamp_ns
                yield key_of(raw.topic, raw.stamp_ns, raw.data), raw.topic, raw.type, raw.data

    def close(self) -> None:
        """Close the bag; the next `fetch` opens it again."""
        if self._source is not None:
            self._source.close()
        self._source, self._kept = None, {}

# SPDX-License-Identifier: Apache-2.0
"""A KITTI drive, sequence or split → a rosbag2."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from perception.bags.kitti.bag import count_messages, serialise_recording
from perception.bags.raw import RawBagWriter
from perception.datasets.kitti.recording import Recording


@dataclass(frozen=True)
class Conversion:
    """The JSON of `perception kitti2bag`. messages: by topic. bytes: of all messages."""

    bag: str
    messages: dict[str, int]
    bytes: int
    seconds: float


def convert(
    recording: Recording,
    output: Path,
    compressed: bool = False,
    storage: str = "mcap",
    advance: Callable[[], None] = lambda: None,
) -> Conversion:
    """Write the bag, a new folder. compressed: keep images as their original files. advance: called after each message.

    Raises DataError for broken files and for a folder that exists.
    """
    began, size = time.monotonic(), 0
    with RawBagWriter(output, storage, total=sum(count_messages(recording, compressed).values())) as writer:
        for message in serialise_recording(recording, compressed):
            writer.write(message)
            size += len(message.data)
            advance()
    return Conversion(f"{output}", writer.counts, size, time.monotonic() - began)

# SPDX-License-Identifier: Apache-2.0
"""Frames → the messages that a vehicle would have sent, for recordings that do not consist of messages."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from perception.assembly.settings.topic import Topic
from perception.bags.writer import RawMessage, serialise, serialise_extrinsics
from perception.datasets.io.named_frames import NamedFrames
from perception.errors import DataError


class FrameMessages:
    """A source (see `bags.sources.Source`) of the messages of frames, all with the same sensors as the first one.

    They are created on demand. Raises DataError if there is no frame.
    """

    def __init__(self, frames: NamedFrames) -> None:
        if not frames:
            raise DataError(f"{frames.path}: no frame in it")
        self._frames = frames
        self.start_ns, self.end_ns = frames.stamps_ns[0], frames.stamps_ns[-1]
        first = list(_extrinsics(frames)) + list(serialise(frames[0]))
        self.topics = {
            each.topic: Topic(each.type, 1 if each.topic == "/tf_static" else len(frames), each.topic == "/tf_static")
            for each in first
        }

    def messages(self, topics: Collection[str], start_ns: int, end_ns: int) -> Iterator[RawMessage]:
        """See Source."""
        if "/tf_static" in topics and start_ns <= self.start_ns <= end_ns:
            yield from _extrinsics(self._frames)
        for number, stamp_ns in enumerate(self._frames.stamps_ns):
            if start_ns <= stamp_ns <= end_ns:
                yield from (each for each in serialise(self._frames[number]) if each.topic in topics)

    def close(self) -> None:
        """See Source."""


def _extrinsics(frames: NamedFrames) -> Iterator[RawMessage]:
    first = frames[0]
    if first.camera is not None and first.lidar_to_camera is not None:
        yield serialise_extrinsics(first.stamp_ns, first.lidar_to_camera, first.camera)

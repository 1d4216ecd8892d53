# SPDX-License-Identifier: Apache-2.0
"""A KITTI recording → the messages of its bag, in the order of their stamps, a few at a time in memory.

Topics and frames are kitti2bag's, except that images are in optical frames and its errors are corrected.
"""

from __future__ import annotations

import heapq
import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from typing import Any, NamedTuple

from perception.bags.geometry import serialise_links
from perception.bags.kitti.messages import (
    CLOUD_TOPIC,
    MARKER_TOPIC,
    cloud_message,
    image_messages,
    image_topic,
    info_topic,
    marker_message,
)
from perception.bags.kitti.oxts_messages import TOPICS, oxts_messages
from perception.bags.raw import RawMessage
from perception.datasets.kitti.recording import BASE, WORLD, Camera, Recording, Stream, paired


class Job(NamedTuple):
    """The messages of one sensor and instant, not created yet."""

    stamp_ns: int
    make: Callable[[], list[RawMessage]]


def count_messages(recording: Recording, compressed: bool = False) -> dict[str, int]:
    """How many messages each topic will have; topics without any are not listed."""
    counts = {"/tf_static": 1, "/tf": len(recording.poses), CLOUD_TOPIC: len(recording.sweeps)}
    counts[MARKER_TOPIC] = len(recording.boxes)
    counts |= dict.fromkeys(TOPICS, len(recording.oxts))
    for camera in recording.cameras:
        counts |= dict.fromkeys((image_topic(camera, compressed), info_topic(camera)), len(camera.images))
    return {topic: count for topic, count in counts.items() if count}


def serialise_recording(
    recording: Recording, compressed: bool = False, threads: int | None = None
) -> Iterator[RawMessage]:
    """All messages, /tf_static first, then in the order of the stamps. Raises DataError for broken files.

    compressed: image files are stored unchanged. threads: how many read and decode ahead (all processors).
    """
    yield serialise_links("/tf_static", recording.start_ns, recording.mounts)
    streams = [
        _jobs(recording.poses, lambda pose, stamp_ns: [serialise_links("/tf", stamp_ns, [(WORLD, BASE, pose)])]),
        _jobs(recording.oxts, oxts_messages),
        *(
            _jobs(camera.images, partial(_image, paired(camera, recording.cameras), compressed))
            for camera in recording.cameras
        ),
        _jobs(recording.sweeps, lambda points, stamp_ns: [cloud_message(points, stamp_ns)]),
        _jobs(recording.boxes, lambda boxes, stamp_ns: [marker_message(boxes, stamp_ns)]),
    ]
    yield from _ahead(heapq.merge(*streams, key=lambda job: job.stamp_ns), threads or os.cpu_count() or 1)


def _jobs(stream: Stream[Any], convert: Callable[[Any, int], list[RawMessage]]) -> Iterator[Job]:
    def make(number: int, stamp_ns: int) -> list[RawMessage]:
        return convert(stream.read(number), stamp_ns)

    return (Job(stamp_ns, partial(make, number, stamp_ns)) for stamp_ns, number in stream.instants)


def _image(camera: Camera, compressed: bool, path: Any, stamp_ns: int) -> list[RawMessage]:
    return image_messages(camera, path, stamp_ns, compressed)


def _ahead(jobs: Iterable[Job], threads: int) -> Iterator[RawMessage]:
    """The results of the jobs, in their order, while threads work on the next few."""
    with ThreadPoolExecutor(threads, "kitti2bag") as pool:
        waiting: deque[Future[list[RawMessage]]] = deque()
        try:
            for job in jobs:
                waiting.append(pool.submit(job.make))
                if len(waiting) > 2 * threads:
                    yield from waiting.popleft().result()
            while waiting:
                yield from waiting.popleft().result()
        finally:
            for future in waiting:
                future.cancel()

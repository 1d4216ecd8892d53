# SPDX-License-Identifier: Apache-2.0
"""A good drive as the messages of a bag, and what becomes of them when something is wrong."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from perception.bags.geometry import serialise_links
from perception.bags.raw import RawBagWriter, RawMessage
from perception.bags.writer import LIDAR_FRAME, TYPES, serialise
from perception.frame import Frame

ARRIVAL_MS = {"/image": 22, "/camera_info": 22, "/depth": 31, "/infrared": 27, "/points": 38}
"""How long after its stamp each message comes, but for a little."""

Change = Callable[[Any, int], Any]
"""(message, its number on its topic) → the message instead, or None for none."""


def good_messages(frames: Sequence[Frame], lidar_to_ground: np.ndarray) -> list[RawMessage]:
    """What a vehicle sends. lidar_to_ground: (4, 4), where the LiDAR is mounted above base_footprint."""
    first = frames[0]
    assert first.camera is not None
    assert first.lidar_to_camera is not None
    camera_in_lidar = np.linalg.inv(first.lidar_to_camera)
    links = [("base_footprint", LIDAR_FRAME, lidar_to_ground), (LIDAR_FRAME, first.camera.frame_id, camera_in_lidar)]
    found = [serialise_links("/tf_static", first.stamp_ns, links)]
    rng = np.random.default_rng(0)
    for frame in frames:
        for message in serialise(frame):
            late = ARRIVAL_MS[message.topic] + rng.uniform(-3, 3)
            found.append(message._replace(stamp_ns=message.stamp_ns + round(late * 1e6)))
    return found


def rewritten(messages: Iterable[RawMessage], topic: str, change: Change) -> list[RawMessage]:
    """The messages with those of `topic` changed."""
    found, number = [], 0
    for each in messages:
        if each.topic != topic:
            found.append(each)
            continue
        message = change(TYPES.deserialize_cdr(each.data, each.type), number)
        number += 1
        if message is not None:
            kind = message.__msgtype__
            found.append(each._replace(type=kind, data=bytes(TYPES.serialize_cdr(message, kind))))
    return found


def write(path: Path, messages: Iterable[RawMessage], storage: str = "mcap") -> Path:
    """The bag of the messages, in the order in which they came."""
    with RawBagWriter(path, storage) as writer:
        for message in sorted(messages, key=lambda each: each.stamp_ns):
            writer.write(message)
    return path

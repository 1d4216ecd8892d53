# SPDX-License-Identifier: Apache-2.0
"""The topics of a recording or a live graph that the node could use, each with its type, rate, frame and content."""

from __future__ import annotations

from contextlib import closing, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from perception.assembly.settings.topic import Topic
from perception.assembly.settings.topics import INPUT_TYPES
from perception.assembly.transforms import StaticTransforms, TransformSource
from perception.bags.sources import until_broken
from perception.bags.writer import TYPES
from perception.messages.convert import read_depth
from perception.recordings.opening import open_messages

IMU = "sensor_msgs/msg/Imu"
TF_STATIC = "/tf_static"


@dataclass(frozen=True)
class Seen:
    """A topic and the content of its first message.

    rate_hz: None if there are too few messages. encoding: of an Image, or of a CompressedImage before its codec.
    size: (width, height), (0, 0) if the type has none. fields: of a cloud. depth_m: median of a depth image, read as
    the node does; None for other types, and without a valid pixel.
    """

    topic: str
    type: str
    rate_hz: float | None = None
    frame: str = ""
    encoding: str = ""
    codec: str = ""
    size: tuple[int, int] = (0, 0)
    fields: tuple[str, ...] = ()
    depth_m: float | None = None

    @property
    def base(self) -> str:
        """The topic without the suffix of an image transport."""
        for end in ("/compressedDepth", "/compressed"):
            if self.type == INPUT_TYPES["image/compressed"] and self.topic.endswith(end):
                return self.topic.removesuffix(end)
        return self.topic


@dataclass(frozen=True)
class Survey:
    """topics: all existing ones. seen: those with the type of an input, in the order of their names.

    mounts: from /tf_static; None if it cannot be received. name: what was surveyed.
    """

    name: str
    topics: dict[str, Topic]
    seen: list[Seen]
    mounts: TransformSource | None = field(default_factory=StaticTransforms)


def survey_recording(path: Path) -> Survey:
    """A survey of a recording, by the first message of every topic. Raises DataError as `open_messages` does."""
    with closing(open_messages(path)) as source:
        mounts = StaticTransforms()
        for raw in until_broken(source, [TF_STATIC], _pass_over):
            mounts.add(TYPES.deserialize_cdr(raw.data, raw.type).transforms)  # type: ignore[attr-defined]
        seconds = (source.end_ns - source.start_ns) * 1e-9
        seen = []
        for name, topic in sorted(source.topics.items()):
            if topic.type not in (*INPUT_TYPES.values(), IMU):
                continue
            rate = (topic.messages - 1) / seconds if topic.messages > 1 and seconds > 0 else None
            first = next(until_broken(source, [name], _pass_over), None)
            message: Any = None
            if first is not None:
                with suppress(Exception):  # rosbags raises whatever its generated code runs into
                    message = TYPES.deserialize_cdr(first.data, first.type)
            seen.append(describe(name, topic.type, rate, message))
        return Survey(f"{path}", dict(source.topics), seen, mounts)


def describe(topic: str, kind: str, rate_hz: float | None, message: Any) -> Seen:
    """The properties of a topic from a message, of rosbags or rclpy; None for no message."""
    if message is None:
        return Seen(topic, kind, rate_hz)
    said: dict[str, Any] = {"frame": message.header.frame_id}
    if kind == INPUT_TYPES["image"]:
        said |= {"encoding": message.encoding, "size": (message.width, message.height)}
    elif kind == INPUT_TYPES["image/compressed"]:
        encoding, semicolon, codec = message.format.partition(";")
        said |= {"encoding": encoding.strip() if semicolon else "", "codec": (codec or encoding).strip()}
    elif kind == INPUT_TYPES["camera_info"]:
        said["size"] = message.width, message.height
    elif kind == INPUT_TYPES["points"]:
        said["size"] = message.width, message.height
        said["fields"] = tuple(each.name for each in message.fields)
    if said.get("encoding") in ("16UC1", "32FC1", "mono16"):
        with suppress(Exception):  # an image of another kind, or broken: its depth is unknown
            depth = read_depth(message)
            if np.isfinite(depth).any():
                said["depth_m"] = float(np.nanmedian(depth))
    return Seen(topic, kind, rate_hz, **said)


def _pass_over(_why: str) -> None:
    """Where the recording breaks is reported by the code that reads its frames."""

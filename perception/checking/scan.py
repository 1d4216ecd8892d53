# SPDX-License-Identifier: Apache-2.0
"""One pass over a recording for the metadata of its messages: times, frames and types, without pixels."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from contextlib import closing, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from perception.assembly.settings.naming import name_topics
from perception.assembly.settings.topic import Graph, Offer, Topic
from perception.assembly.settings.topics import CAMERA_INFOS, INPUT_TOPICS, INPUT_TYPES, SENSORS
from perception.assembly.transforms import StaticTransforms, transform_matrix
from perception.bags.raw import RawMessage
from perception.bags.writer import TYPES
from perception.errors import DataError, MessageError
from perception.messages.stamps import read_frame_id, read_stamp, with_stamp
from perception.recordings.opening import open_messages

SENSOR_OF: dict[str, str] = {name: sensor for sensor, names in SENSORS.items() for name in names}
"""The sensor by the node's input."""

CAMERA_OF: dict[str, str] = {name: sensor for sensor, name in CAMERA_INFOS.items()}
"""The sensor by the input of its camera_info."""

TF = ("/tf_static", "/tf")


@dataclass
class Heard:
    """The messages of one topic that the node listens to.

    name: the node's input. recorded_ns, stamps_ns: per message, by the receiver's clock and by the header; a stamp of
    zero stays 0.
    """

    topic: str
    name: str
    type: str
    offers: tuple[Offer, ...] = ()
    recorded_ns: list[int] = field(default_factory=list)
    stamps_ns: list[int] = field(default_factory=list)
    frame_ids: Counter[str] = field(default_factory=Counter)
    short: int = 0
    """Messages that are too short for a header."""

    @property
    def sensor(self) -> str | None:
        """The sensor that sends it; None for camera_info and odometry."""
        return SENSOR_OF.get(self.name)

    @property
    def frame_id(self) -> str:
        """The frame id of most messages, without the leading slash of ROS 1."""
        return self.frame_ids.most_common(1)[0][0].lstrip("/") if self.frame_ids else ""

    @property
    def times_ns(self) -> NDArray[np.int64]:
        """When each message was measured: by its stamp, or by its arrival if the stamp is zero."""
        pairs = zip(self.stamps_ns, self.recorded_ns, strict=True)
        return np.array([stamp or recorded for stamp, recorded in pairs], np.int64)

    @property
    def period_s(self) -> float:
        """The usual difference of its times, over two messages, so that jitter cancels; NaN for fewer than three."""
        times = np.unique(self.times_ns)
        return float(np.median(times[2:] - times[:-2])) * 0.5e-9 if len(times) > 2 else float("nan")


@dataclass
class Scan:
    """The metadata of a recording's messages.

    topics: the recorded topic by the node's input, if it has another name. heard: by topic, those that the node
    listens to. tree: /tf_static. links: its (parent, child, matrix), None for a transform that is not rigid. moving:
    the frames that /tf places. infos: by sensor, every camera_info that differs from the one before it.
    """

    path: Path
    topics: dict[str, str] = field(default_factory=dict)
    heard: dict[str, Heard] = field(default_factory=dict)
    tf_offers: tuple[Offer, ...] = ()
    tree: StaticTransforms = field(default_factory=StaticTransforms)
    links: list[tuple[str, str, NDArray[np.float64] | None]] = field(default_factory=list)
    moving: set[str] = field(default_factory=set)
    infos: dict[str, list[Any]] = field(default_factory=dict)
    children: Counter[str] = field(default_factory=Counter)
    """The child_frame_id of odometry."""
    words: list[str] = field(default_factory=list)
    """Messages about the topics' names."""

    calibration: Path | None = None
    """The file that names the topics, if it also has a calibration."""

    broken: str = ""

    def of(self, sensor: str) -> Heard | None:
        """The topic with most messages of a sensor; None if there is none."""
        found = [each for each in self.heard.values() if each.sensor == sensor and each.recorded_ns]
        return max(found, key=lambda each: len(each.recorded_ns), default=None)

    @property
    def sensors(self) -> dict[str, Heard]:
        """`of` every sensor with messages."""
        found = {sensor: self.of(sensor) for sensor in SENSORS}
        return {sensor: heard for sensor, heard in found.items() if heard is not None}

    @property
    def frames(self) -> set[str]:
        """Every frame that TF knows."""
        return {name for parent, child, _ in self.links for name in (parent, child)} | self.moving

    @property
    def seconds(self) -> float:
        """From the first message to the last, by the receiver's clock."""
        times = [time for each in self.heard.values() for time in (each.recorded_ns[:1] + each.recorded_ns[-1:])]
        return (max(times) - min(times)) * 1e-9 if times else 0.0


def of_graph(path: Path, topics: Mapping[str, str], offered: Mapping[str, Topic]) -> Scan:
    """The state before a message was read. path: where they come from. topics: see `Scan`. offered: see `Graph`."""
    names = {topics.get(name, f"/{name}"): name for name in INPUT_TOPICS}
    heard = {
        topic: Heard(topic, name, offered[topic].type, offered[topic].offers)
        for topic, name in names.items()
        if topic in offered
    }
    return Scan(path, dict(topics), heard, offered["/tf_static"].offers if "/tf_static" in offered else ())


def scan(
    path: Path,
    topics: Mapping[str, str] | str | None = None,
    graph: Graph | None = None,
    rig: Path | None = None,
) -> Scan:
    """Read the recording at `path` (see `open_messages`) once.

    topics, rig: as in `BagFrames`. graph: the live topics that the recording was made from. Raises DataError if
    there is no recording, and as `name_topics` does.
    """
    with closing(open_messages(path)) as source:
        known = {**source.topics, **(graph.offered if graph else {})}
        if graph is not None and topics is not None and not isinstance(topics, str):
            topics = {name: topic for name, topic in topics.items() if topic in known}  # live, every input has a name
        naming = name_topics(known, topics, rig)
        found = of_graph(path, naming.topics, known)
        found.words, found.calibration = naming.words, naming.calibration
        try:
            for raw in source.messages([*found.heard, *TF], source.start_ns, source.end_ns):
                _take(found, raw)
        except DataError as error:
            found.broken = str(error)
    return found


def _take(found: Scan, raw: RawMessage) -> None:
    if raw.topic in TF:
        with suppress(Exception):  # rosbags raises whatever its generated code runs into
            _take_transforms(found, raw)
        return
    heard = found.heard[raw.topic]
    try:
        stamp, frame_id = read_stamp(raw.data), read_frame_id(raw.data)
    except MessageError:
        heard.short += 1
        return
    heard.recorded_ns.append(raw.stamp_ns)
    heard.stamps_ns.append(stamp)
    heard.frame_ids[frame_id] += 1
    with suppress(Exception):
        if heard.name in CAMERA_OF and raw.type == INPUT_TYPES[heard.name]:
            infos = found.infos.setdefault(CAMERA_OF[heard.name], [])
            if not infos or infos[-1][0] != with_stamp(raw.data, 0):  # most cameras repeat theirs with every image
                infos.append((with_stamp(raw.data, 0), TYPES.deserialize_cdr(raw.data, raw.type)))
        elif heard.name == "odometry":
            message: Any = TYPES.deserialize_cdr(raw.data, raw.type)
            found.children[message.child_frame_id.lstrip("/")] += 1


def _take_transforms(found: Scan, raw: RawMessage) -> None:
    message: Any = TYPES.deserialize_cdr(raw.data, raw.type)
    if raw.topic == "/tf":
        for each in message.transforms:
            found.moving |= {each.header.frame_id.lstrip("/"), each.child_frame_id.lstrip("/")}
        return
    found.tree.add(message.transforms)
    for each in message.transforms:
        parent, child = each.header.frame_id.lstrip("/"), each.child_frame_id.lstrip("/")
        found.links.append((parent, child, transform_matrix(each.transform)))

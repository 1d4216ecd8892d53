# SPDX-License-Identifier: Apache-2.0
"""A bag with the node's outputs beside its inputs, from the labels that lie on disk."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from perception.bags.cursor import Key, key_of
from perception.bags.frames import BagFrames
from perception.bags.raw import RawBagWriter, header, raw
from perception.bags.sources import open_bag, until_broken
from perception.bags.writer import LIDAR_FRAME, TYPES, RawMessage, serialise, serialise_extrinsics
from perception.classes import UNLABELLED, Classes
from perception.datasets.io.named_frames import NamedFrames
from perception.labelling.clouds import point_colours
from perception.labelling.files import FrameFiles
from perception.messages.convert import cloud_fields, image_fields, numpy_fields
from perception.objects import Tracking

NODE = "/perception"
"""The node's name: its outputs are below."""


def write_label_bag(
    frames: NamedFrames,
    numbers: Sequence[int],
    files: FrameFiles,
    path: Path,
    storage: str,
    advance: Callable[[], None],
    tracking: Tracking | None = None,
) -> list[str]:
    """Write the bag `path`; the topics that could not be copied, each with the reason.

    A bag's messages are copied as they are, at their times; of other inputs each frame becomes the messages of
    `serialise`. numbers: of the frames that are done, whose labels, masks, confidence, labelled sweep and instances
    follow the message that they answer. advance: called after each. tracking: numbers the things anew; None leaves each
    frame its own. Raises DataError if the path is taken.
    """
    left_out: list[str] = []
    outputs = _Outputs(files, tracking)
    with RawBagWriter(path, storage) as writer:
        for message in _messages(frames, numbers, outputs, advance, left_out):
            writer.write(message)
    return left_out


def _messages(
    frames: NamedFrames, numbers: Sequence[int], outputs: _Outputs, advance: Callable[[], None], left_out: list[str]
) -> Iterator[RawMessage]:
    if not numbers:
        return
    if isinstance(frames, BagFrames):
        yield from _copied(frames, numbers, outputs, advance, left_out)
        return
    yield _label_info(frames.stamps_ns[numbers[0]], outputs.files.classes)
    mounted = False
    for number in numbers:
        frame = frames[number]
        if frame.camera is not None and frame.lidar_to_camera is not None and not mounted:
            mounted = True
            yield serialise_extrinsics(frame.stamp_ns, frame.lidar_to_camera, frame.camera)
        yield from serialise(frame)
        camera = frame.camera.frame_id if frame.camera else "camera"
        head = header(frame.stamp_ns, camera)
        sweep = header(frame.stamp_ns, LIDAR_FRAME)
        yield from outputs.of(frames.names[number], frame.stamp_ns, head, sweep, frame.points)
        advance()


def _copied(
    frames: BagFrames, numbers: Sequence[int], outputs: _Outputs, advance: Callable[[], None], left_out: list[str]
) -> Iterator[RawMessage]:
    waiting: dict[Key, int] = {frames.trigger(number): number for number in numbers}
    with closing(open_bag(frames.path)) as source:
        for name, topic in source.topics.items():
            if topic.type not in TYPES.types:
                left_out.append(f"{name}: {topic.type} is not known here")
            elif name.startswith(f"{NODE}/"):
                left_out.append(f"{name}: earlier labels, replaced by the new ones")
        known = [name for name in source.topics if not any(each.startswith(f"{name}: ") for each in left_out)]
        yield _label_info(source.start_ns, outputs.files.classes)
        for message in until_broken(source, known, lambda why: left_out.append(f"the rest: {why}")):
            yield message
            key = key_of(message.topic, message.stamp_ns, message.data)
            number = waiting.pop(key, None) if key is not None else None
            if number is None:
                continue
            seen = frames.observe(number)
            stamp = seen.header.stamp
            head = header(stamp.sec * 1_000_000_000 + stamp.nanosec, seen.frame_id)
            yield from outputs.of(frames.names[number], message.stamp_ns, head, seen.cloud_header, seen.frame.points)
            advance()


@dataclass(frozen=True)
class _Outputs:
    """The node's outputs for the frames in `files`."""

    files: FrameFiles
    tracking: Tracking | None

    def of(self, name: str, recorded_ns: int, head: Any, cloud_header: Any, points: Any) -> Iterator[RawMessage]:
        """Those of one frame, after those of the frames before."""
        files, labels = self.files, self.files.labels(name)
        images: dict[str, NDArray[Any]] = {"labels": labels, "confidence": files.confidence(name)}
        images |= {each: np.uint8(255) * (labels == number) for each, number in files.classes.foreground.items()}
        if (instances := files.instances(name)) is not None:
            if self.tracking is not None:
                instances = self.tracking(instances, recorded_ns)[instances]
            images["instances"] = instances
        for topic, image in images.items():
            fields = numpy_fields(image_fields(image, "16UC1" if topic == "instances" else "mono8"))
            yield raw(f"{NODE}/{topic}", "sensor_msgs/msg/Image", recorded_ns, {"header": head, **fields})
        if points is not None:
            classes = files.point_labels(name)
            point_field = TYPES.types["sensor_msgs/msg/PointField"]
            colours, confidence = point_colours(classes, files.classes), files.point_confidence(name)
            fields = numpy_fields(cloud_fields(points, point_field, classes, colours, confidence))
            yield raw(f"{NODE}/points", "sensor_msgs/msg/PointCloud2", recorded_ns, {"header": cloud_header, **fields})


def _label_info(recorded_ns: int, known: Classes) -> RawMessage:
    """The class of each id, as the node publishes it where vision_msgs is not installed."""
    classes = [{"class_id": number, "class_name": name} for number, name in enumerate(known.names)]
    text = json.dumps({"class_map": classes, "unlabelled": UNLABELLED})
    return raw(f"{NODE}/label_info", "std_msgs/msg/String", recorded_ns, {"data": text})

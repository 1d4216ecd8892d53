# SPDX-License-Identifier: Apache-2.0
"""Recordings → frames, for recordings in which the sensors of one instant share one stamp, as BagWriter's do."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import groupby
from typing import Any

from perception.assembly.transforms import StaticTransforms
from perception.bags.sources import Source
from perception.bags.writer import LIDAR_FRAME, TYPES
from perception.frame import CameraModel, Frame
from perception.messages.convert import read_camera, read_depth, read_infrared, read_points, read_rgb
from perception.sensors.spec import SPECS

_READERS: dict[str, Callable[[Any], Any]] = {
    "rgb": read_rgb,
    "depth": read_depth,
    "infrared": read_infrared,
    "lidar": lambda message: read_points(message, intensity_max=1.0),
}

MODALITY_OF_TOPIC = {f"/{next(iter(SPECS[name].topics))}": name for name in _READERS}
"""Which modality of a frame a topic holds."""


def read_frames(source: Source) -> Iterator[Frame]:
    """The frames of a recording, in order, read as they are asked for. Raises MessageError for broken messages."""
    camera: CameraModel | None = None
    mounts = StaticTransforms()
    messages = source.messages(list(source.topics), source.start_ns, source.end_ns)
    for stamp_ns, group in groupby(messages, key=lambda message: message.stamp_ns):
        values: dict[str, Any] = {}
        for raw in group:
            message: Any = TYPES.deserialize_cdr(raw.data, raw.type)
            if raw.topic == "/tf_static":
                mounts.add(message.transforms)
            elif raw.topic == "/camera_info":
                camera = read_camera(message)
            elif raw.topic in MODALITY_OF_TOPIC:
                name = MODALITY_OF_TOPIC[raw.topic]
                values[name] = _READERS[name](message)
        mount = mounts.lookup(camera.frame_id, LIDAR_FRAME) if camera else None
        if values:
            fields = {field: values[name] for name in values if (field := SPECS[name].field)}
            yield Frame(stamp_ns, **fields, camera=camera, lidar_to_camera=mount)

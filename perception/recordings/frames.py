# SPDX-License-Identifier: Apache-2.0
"""Recordings → frames, for recordings in which the sensors of one instant share one stamp, as BagWriter's do."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby
from typing import Any

from perception.assembly.transforms import StaticTransforms
from perception.bags.sources import Source
from perception.bags.writer import LIDAR_FRAME, TYPES
from perception.frame import CameraModel, Frame
from perception.messages.convert import read_camera, read_depth, read_infrared, read_points, read_rgb

_READERS: dict[str, tuple[str, Any]] = {
    "/image": ("rgb", read_rgb),
    "/depth": ("depth", read_depth),
    "/infrared": ("infrared", read_infrared),
    "/points": ("points", lambda message: read_points(message, intensity_max=1.0)),
}
"""Field of Frame and reader by topic."""

MODALITY_OF_TOPIC = {"/image": "rgb", "/depth": "depth", "/infrared": "infrared", "/points": "lidar"}
"""Which modality of a frame a topic holds."""


def read_frames(source: Source) -> Iterator[Frame]:
    """The frames of a recording, in order, read as they are asked for. Raises MessageError for broken messages."""
    camera: CameraModel | None = None
    mounts = StaticTransforms()
    messages = source.messages(list(source.topics), source.start_ns, source.end_ns)
    for stamp_ns, group in groupby(messages, key=lambda message: message.stamp_ns):
        fields: dict[str, Any] = {}
        for raw in group:
            message: Any = TYPES.deserialize_cdr(raw.data, raw.type)
            if raw.topic == "/tf_static":
                mounts.add(message.transforms)
            elif raw.topic == "/camera_info":
                camera = read_camera(message)
            elif raw.topic in _READERS:
                name, read = _READERS[raw.topic]
                fields[name] = read(message)
        mount = mounts.lookup(camera.frame_id, LIDAR_FRAME) if camera else None
        if fields:
            yield Frame(stamp_ns, **fields, camera=camera, lidar_to_camera=mount)

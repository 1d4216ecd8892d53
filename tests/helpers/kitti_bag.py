# SPDX-License-Identifier: Apache-2.0
"""The messages of a KITTI drive's bag, read back."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from perception.datasets.kitti_layouts import open_recording
from perception.ros.convert import stamp_ns
from perception.ros.kitti_bag import serialise_recording
from perception.ros.raw_bag import TYPES
from perception.ros.transforms import StaticTransforms


def messages(drive: Path, compressed: bool = False) -> dict[str, list[Any]]:
    """All messages by topic, deserialised, in their order."""
    found: dict[str, list[Any]] = {}
    for raw in serialise_recording(open_recording(drive), compressed, threads=2):
        message = TYPES.deserialize_cdr(raw.data, raw.type)
        found.setdefault(raw.topic, []).append(message)
        if raw.topic not in ("/tf", "/tf_static", "/kitti/tracklets"):
            assert stamp_ns(message) == raw.stamp_ns
    return found


def tree(found: dict[str, list[Any]]) -> StaticTransforms:
    transforms = StaticTransforms()
    for message in found["/tf_static"]:
        transforms.add(message.transforms)
    return transforms

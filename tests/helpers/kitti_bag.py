# SPDX-License-Identifier: Apache-2.0
"""The messages of a KITTI drive's bag, read back."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from perception.assembly.transforms import StaticTransforms
from perception.bags.kitti.bag import serialise_recording
from perception.bags.raw import TYPES
from perception.datasets.kitti.layouts import open_drive
from perception.messages.convert import stamp_ns


def messages(drive: Path, compressed: bool = False) -> dict[str, list[Any]]:
    """All messages by topic, deserialised, in their order."""
    found: dict[str, list[Any]] = {}
    for raw in serialise_recording(open_drive(drive), compressed, threads=2):
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

# SPDX-License-Identifier: Apache-2.0
"""tracklet_labels.xml: the objects of a raw drive as 3D boxes that move from frame to frame."""

from __future__ import annotations

import math
import xml.etree.ElementTree as ElementTree
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from perception.datasets.io.files import read_text
from perception.errors import DataError
from perception.storage import source

OCCLUSIONS: tuple[str, ...] = ("visible", "partly", "fully")


@dataclass(frozen=True)
class TrackletBox:
    """One object in one frame.

    object_type: Car, Van, Truck, Pedestrian, Person (sitting), Cyclist, Tram or Misc. size: (height, width, length) in
    metres. bottom: (3,) the centre of the box's floor in the velodyne frame. yaw: radians about z, 0 along x.
    occlusion: visible, partly, fully or unknown. truncation: 0 inside the image, 1 cut by its border, 2 outside,
    99 behind the camera, -1 unknown.
    """

    object_type: str
    size: tuple[float, float, float]
    bottom: NDArray[np.float64]
    yaw: float
    occlusion: str
    truncation: int

    def corners(self) -> NDArray[np.float64]:
        """(8, 3) in the velodyne frame, metres: the floor's four corners around, then the roof's above them."""
        height, width, length = self.size
        x = np.array([1, 1, -1, -1] * 2) * length / 2
        y = np.array([1, -1, -1, 1] * 2) * width / 2
        z = np.repeat([0.0, height], 4)
        c, s = math.cos(self.yaw), math.sin(self.yaw)
        return np.stack([c * x - s * y, s * x + c * y, z], axis=1) + self.bottom

    def contains(self, points: NDArray[np.float32]) -> NDArray[np.bool_]:
        """(N,) which of the (N, ≥3) points, in the velodyne frame, lie in the box."""
        height, width, length = self.size
        offset = points[:, :3] - self.bottom.astype(np.float32)
        c, s = np.float32(math.cos(self.yaw)), np.float32(math.sin(self.yaw))
        along, across = c * offset[:, 0] + s * offset[:, 1], c * offset[:, 1] - s * offset[:, 0]
        inside = (np.abs(along) <= length / 2) & (np.abs(across) <= width / 2)
        return np.asarray(inside & (offset[:, 2] >= 0) & (offset[:, 2] <= height))


@dataclass(frozen=True)
class Tracklet:
    """One object through the drive: its boxes in the frames first_frame, first_frame + 1, …"""

    first_frame: int
    boxes: tuple[TrackletBox, ...]

    @property
    def object_type(self) -> str:
        """Car, Van, Truck, Pedestrian, Person (sitting), Cyclist, Tram or Misc."""
        return self.boxes[0].object_type

    def at(self, frame_number: int) -> TrackletBox | None:
        """The box in this frame of the drive, None if the object was not seen."""
        index = frame_number - self.first_frame
        return self.boxes[index] if 0 <= index < len(self.boxes) else None


def read_tracklets(path: str | Path) -> list[Tracklet]:
    """Reads a tracklet_labels.xml. Raises DataError for a missing, truncated or malformed file."""
    path = source(path)
    try:
        root = ElementTree.fromstring(read_text(path))
    except ElementTree.ParseError as error:
        raise DataError(f"{path}: truncated or not XML ({error})") from error
    items = root.findall("./tracklets/item")
    if root.tag != "boost_serialization" or root.find("tracklets") is None:
        raise DataError(f"{path}: no boost_serialization/tracklets element: not a KITTI tracklet file")
    try:
        return [_tracklet(item) for item in items]
    except (TypeError, ValueError) as error:
        raise DataError(f"{path}: {error}") from error


def _tracklet(item: ElementTree.Element) -> Tracklet:
    kind = _text(item, "objectType")
    size = (_number(item, "h"), _number(item, "w"), _number(item, "l"))
    boxes = tuple(_box(pose, kind, size) for pose in item.findall("./poses/item"))
    if not boxes:
        raise ValueError(f"tracklet of a {kind} without poses")
    return Tracklet(int(_number(item, "first_frame")), boxes)


def _box(pose: ElementTree.Element, kind: str, size: tuple[float, float, float]) -> TrackletBox:
    bottom = np.array([_number(pose, name) for name in ("tx", "ty", "tz")])
    occlusion = int(_number(pose, "occlusion"))
    seen = OCCLUSIONS[occlusion] if 0 <= occlusion < len(OCCLUSIONS) else "unknown"
    return TrackletBox(kind, size, bottom, _number(pose, "rz"), seen, int(_number(pose, "truncation")))


def _number(element: ElementTree.Element, name: str) -> float:
    value = float(_text(element, name))
    if not math.isfinite(value):
        raise ValueError(f"<{name}> is {value}, expected a finite number")
    return value


def _text(element: ElementTree.Element, name: str) -> str:
    text = element.findtext(name)
    if not text:
        raise ValueError(f"a tracklet lacks <{name}>")
    return text.strip()

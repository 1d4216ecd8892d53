# SPDX-License-Identifier: Apache-2.0
"""The labelled clouds that several cameras' nodes made of one sweep → one cloud, each point as the camera says that
sees it best."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from perception.classes import UNLABELLED
from perception.errors import MessageError
from perception.messages.buffers import as_bytes, byte_array

SAME_M = 0.5
"""Points further apart than this are not the same point: nodes place a sweep alike, but for when odometry arrives."""

_TYPES: dict[str, dict[int, str]] = {
    "x": {7: "f4"},
    "y": {7: "f4"},
    "z": {7: "f4"},
    "label": {2: "u1", 4: "u2"},
    "class_id": {2: "u1", 4: "u2"},
    "probability": {7: "f4"},
}
"""NumPy's code by PointField.datatype, of the fields that are read; all others are copied."""


class Merged(NamedTuple):
    """fields: of the PointCloud2, with the header of one of the clouds. refused: by camera, why its cloud is left out.
    labelled: how many points have a label."""

    fields: dict[str, Any]
    refused: dict[str, str]
    labelled: int


def merge_clouds(clouds: Mapping[str, Any]) -> Merged:
    """PointCloud2 by camera, of one sweep → one of the same points and fields.

    Each point is that of the camera which labelled it with the highest `probability`; where clouds have no such field,
    of the first camera which labelled it. A point that no camera labelled keeps 255. A cloud that is not of the same
    points as the one with the most is left out. Raises MessageError if no cloud can be read.
    """
    read: dict[str, NDArray[Any]] = {}
    refused: dict[str, str] = {}
    for camera, message in clouds.items():
        try:
            read[camera] = _view(message)
        except MessageError as error:
            refused[camera] = str(error)
    if not read:
        raise MessageError("; ".join(f"{camera}: {reason}" for camera, reason in refused.items()) or "no cloud")
    fullest = max(read, key=lambda camera: len(read[camera]))
    first, message = read[fullest], clouds[fullest]
    rows = as_bytes(message.data).reshape(len(first), message.point_step).copy()
    best = np.full(len(first), -1.0, np.float32)
    for camera, cloud in read.items():
        reason = _other(clouds[camera], cloud, message, first)
        if reason:
            refused[camera] = f"{reason} {fullest}"
            continue
        sure = _probability(cloud)
        better = (_labels(cloud) != UNLABELLED) & (sure > best)
        rows[better] = as_bytes(clouds[camera].data).reshape(rows.shape)[better]
        best[better] = sure[better]
    copied = ("header", "height", "width", "fields", "is_bigendian", "point_step", "row_step", "is_dense")
    fields = {name: getattr(message, name) for name in copied}
    return Merged({**fields, "data": byte_array(rows)}, refused, int((best >= 0).sum()))


def _view(message: Any) -> NDArray[Any]:
    """The cloud as (N,) records of the fields that are read, a view. Raises MessageError."""
    present = {field.name: field for field in message.fields}
    order = ">" if message.is_bigendian else "<"
    kinds = {name: order + _TYPES[name][field.datatype] for name, field in present.items() if _readable(field)}
    if not {"x", "y", "z"} <= kinds.keys() or not {"label", "class_id"} & kinds.keys():
        raise MessageError(f"fields: {', '.join(present) or 'none'}; expected x, y, z and label or class_id")
    count, step = message.width * message.height, message.point_step
    data = as_bytes(message.data)
    if step <= 0 or len(data) != count * step:
        raise MessageError(f"data: {len(data)} bytes, but {message.width} × {message.height} points of {step}")
    offsets = [present[name].offset for name in kinds]
    try:
        kind = np.dtype({"names": list(kinds), "formats": list(kinds.values()), "offsets": offsets, "itemsize": step})
    except ValueError as error:
        raise MessageError(f"fields: {error}") from error
    return data.view(kind)


def _readable(field: Any) -> bool:
    return field.name in _TYPES and field.datatype in _TYPES[field.name] and field.count == 1


def _other(message: Any, cloud: NDArray[Any], first_message: Any, first: NDArray[Any]) -> str:
    """Why the cloud is not one of the same points as the first; "" if it is."""
    frames = message.header.frame_id, first_message.header.frame_id
    if frames[0] != frames[1]:
        return f"header.frame_id: '{frames[0]}' is not '{frames[1]}' as of"
    if message.is_bigendian != first_message.is_bigendian or _layout(message) != _layout(first_message):
        return "fields: not those of"
    if len(cloud) != len(first):
        return f"width: {len(cloud)} points, not the {len(first)} of"
    apart = max((float(np.abs(cloud[axis] - first[axis]).max(initial=0)) for axis in "xyz"), default=0.0)
    if not apart <= SAME_M:
        return f"data: points up to {apart:.1f} m from those of"
    return ""


def _layout(message: Any) -> tuple[Any, ...]:
    return message.point_step, [(each.name, each.offset, each.datatype, each.count) for each in message.fields]


def _labels(cloud: NDArray[Any]) -> NDArray[Any]:
    return cloud["label" if "label" in (cloud.dtype.names or ()) else "class_id"]


def _probability(cloud: NDArray[Any]) -> NDArray[np.float32]:
    """(N,) how sure the camera is; 0 where it does not say."""
    if "probability" not in (cloud.dtype.names or ()):
        return np.zeros(len(cloud), np.float32)
    return np.nan_to_num(np.asarray(cloud["probability"], np.float32), nan=0.0)

# SPDX-License-Identifier: Apache-2.0
"""sensor_msgs/PointCloud2 ↔ NumPy: any field order, offset and type, organised or not, padded or not."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from perception.errors import MessageError
from perception.messages.buffers import as_bytes, byte_array
from perception.sensors.intensity import IntensityScale
from perception.sensors.sweeps import echoes

_TYPES: dict[int, str] = {1: "i1", 2: "u1", 3: "i2", 4: "u2", 5: "i4", 6: "u4", 7: "f4", 8: "f8"}
"""PointField.datatype → NumPy code."""

_INTENSITY_NAMES = ("intensity", "i", "reflectivity", "reflectance")

_TIME_NAMES = ("t", "time", "timestamp", "time_stamp", "offset_time")
"""Field names of Ouster, Velodyne, Hesai and RoboSense, Autoware, Livox; `sensors.point_times` reads them."""

_READ = ("x", "y", "z", *_INTENSITY_NAMES, *_TIME_NAMES)
"""The fields of a sweep that are read."""

_MAX_POINTS = 1 << 24
"""The most points of a sweep; a message that claims more is broken."""

_FIELDS: dict[str, tuple[str, int, int]] = {
    **{name: ("<f4", 4 * place, 7) for place, name in enumerate(("x", "y", "z", "intensity"))},
    "rgb": ("<u4", 16, 7),  # RViz and PCL want the packed colour declared as FLOAT32
    "label": ("<u2", 20, 4), "class_id": ("u1", 22, 2), "probability": ("<f4", 24, 7),
}  # fmt: skip
"""The fields that are written, all but the first four only with labels: NumPy code, offset, PointField.datatype."""

_LABELLED = np.dtype(
    {
        "names": list(_FIELDS),
        "formats": [code for code, _, _ in _FIELDS.values()],
        "offsets": [offset for _, offset, _ in _FIELDS.values()],
        "itemsize": 28,
    }
)


@dataclass(frozen=True)
class Reading:
    """How sweeps are read. intensity_max: see `read_sweep`.

    stamp: position of the stamp in a sweep, one of `point_times.STAMPS`; length_ns: duration of a sweep; both for
    points without times.
    """

    intensity_max: float = 0.0
    stamp: str = "middle"
    length_ns: int = 100_000_000


class Sweep(NamedTuple):
    """points: (N, 4) float32 x, y, z [m], intensity [0–1]. times: (N,) of the field `time_field`, in its own type; None
    without such a field."""

    points: NDArray[np.float32]
    times: NDArray[Any] | None
    time_field: str

    def without(self, rows: NDArray[np.intp]) -> Sweep:
        """The sweep without these points."""
        if not len(rows):
            return self
        times = None if self.times is None else np.delete(self.times, rows, 0)
        return self._replace(points=np.delete(self.points, rows, 0), times=times)


def read_points(message: Any, intensity_max: float = 0.0, scale: IntensityScale | None = None) -> NDArray[np.float32]:
    """The points of `read_sweep`."""
    return read_sweep(message, intensity_max, scale).points


def read_sweep(
    message: Any,
    intensity_max: float = 0.0,
    scale: IntensityScale | None = None,
    into: NDArray[np.float64] | None = None,
) -> Sweep:
    """PointCloud2 → its points, without those that have no echo.

    Those are NaN or infinite, or at 0, 0, 0: organised clouds keep a place for them. intensity_max: the intensity that
    means 1; 0 for automatic. scale: the scale learnt from this sensor's earlier sweeps, updated by this one; None for a
    single sweep. Without intensity, reflectivity is used, and without either 0. into: (4, 4), a frame to transform the
    points to in their original precision, for frames with a distant origin. Raises MessageError, also for a cloud
    without any echo.
    """
    cloud = _structured(message)
    present = cloud.dtype.names or ()
    intensity = next((name for name in _INTENSITY_NAMES if name in present), None)
    time_field = next((name for name in _TIME_NAMES if name in present), "")
    if intensity and cloud.dtype == np.dtype([(name, "<f4") for name in ("x", "y", "z", intensity)]):
        points = cloud.view(np.float32).reshape(-1, 4).copy()  # the usual layout: four times as fast as by columns
    else:
        points = np.zeros((len(cloud), 4), np.float32)
        with np.errstate(over="ignore", invalid="ignore"):
            for column, name in enumerate(["x", "y", "z"] + ([intensity] if intensity else [])):
                points[:, column] = cloud[name]
    echo = echoes(points)
    if echo is not None:
        points = points.compress(echo, 0)  # takes a seventh of the time of indexing
        cloud = cloud.compress(echo) if into is not None or time_field else cloud
    if not len(points):
        raise MessageError(
            f"data: no point with an echo among {message.width * message.height}, all are NaN, infinite or 0, 0, 0"
        )
    if into is not None:
        exact = np.stack([cloud[name] for name in "xyz"], axis=1).astype(np.float64)
        points[:, :3] = exact @ into[:3, :3].T + into[:3, 3]
    scale = scale or IntensityScale()
    if intensity is None:
        scale.lack(", ".join(field.name for field in message.fields))
    else:
        scale.normalise(points[:, 3], intensity, cloud.dtype[intensity], intensity_max)
    return Sweep(points, cloud[time_field] if time_field else None, time_field)


def read_columns(message: Any, names: Collection[str]) -> dict[str, NDArray[np.float32]]:
    """PointCloud2 → the fields with these names, each (N,) float32, all points unchanged.

    Raises MessageError, also for a cloud without x, y and z; an empty cloud has empty columns.
    """
    if message.width * message.height == 0:
        return {name: np.zeros(0, np.float32) for name in ("x", "y", "z")}
    cloud = _structured(message, names)
    with np.errstate(over="ignore", invalid="ignore"):
        return {name: cloud[name].astype(np.float32) for name in cloud.dtype.names or ()}


def cloud_fields(
    points: NDArray[np.float32],
    point_field: Callable[..., Any],
    labels: NDArray[np.uint8] | None = None,
    colours: NDArray[np.uint8] | None = None,
    confidence: NDArray[np.uint8] | None = None,
) -> dict[str, Any]:
    """(N, 4) float32 x, y, z, intensity → the fields of a PointCloud2, except its header.

    point_field: the PointField class (rclpy's or rosbags'); called with name, offset, datatype, count.
    With labels (N,) and colours (N, 3) RGB the cloud also has `rgb` (as RViz reads it), `label`, and, by Autoware's
    names, the same as `class_id` and the `probability` of it, 0–1. confidence: (N,) that probability × 255; without it
    the probability is NaN.
    """
    names = list(_FIELDS)
    if labels is None or colours is None:
        names, step, cloud = names[:4], 16, points.astype("<f4", copy=False)
    else:
        step, cloud = _LABELLED.itemsize, np.zeros(len(points), _LABELLED)
        for column, name in enumerate(names[:4]):
            cloud[name] = points[:, column]
        red, green, blue = colours.astype(np.uint32).T
        cloud["rgb"] = red << 16 | green << 8 | blue
        cloud["label"] = cloud["class_id"] = labels
        cloud["probability"] = np.nan if confidence is None else confidence * np.float32(1 / 255)
    fields = [
        point_field(name=name, offset=offset, datatype=datatype, count=1)
        for name, (_, offset, datatype) in _FIELDS.items()
        if name in names
    ]
    return {
        "height": 1,
        "width": len(points),
        "fields": fields,
        "is_bigendian": False,
        "point_step": step,
        "row_step": step * len(points),
        "data": byte_array(cloud),
        "is_dense": True,
    }


def _structured(message: Any, names: Collection[str] = _READ) -> NDArray[Any]:
    """The cloud as a (N,) structured array of the fields with these names, a view of the message's data if its rows
    are not padded."""
    width, height, point_step, row_step = message.width, message.height, message.point_step, message.row_step
    if width <= 0 or height <= 0:
        raise MessageError(f"size: {width}×{height}, the cloud is empty")
    if width * height > _MAX_POINTS:
        raise MessageError(f"size: {width}×{height} points are more than any LiDAR sends")
    if point_step <= 0:
        raise MessageError(f"point_step: {point_step}, expected a positive number of bytes")
    dtype = _dtype(message, names)
    if row_step < width * point_step:
        raise MessageError(f"row_step: {row_step} bytes, but {width} points of {point_step} need {width * point_step}")
    data = as_bytes(message.data)
    if len(data) != row_step * height:
        raise MessageError(f"data: {len(data)} bytes, but row_step × height = {row_step} × {height}")
    if row_step != width * point_step:
        data = np.ascontiguousarray(data.reshape(height, row_step)[:, : width * point_step])
    return data.reshape(-1).view(dtype)


def _dtype(message: Any, wanted: Collection[str]) -> np.dtype[Any]:
    order = ">" if message.is_bigendian else "<"
    names, formats, offsets = [], [], []
    for field in message.fields:
        if field.name not in wanted or field.name in names:
            continue
        code = _TYPES.get(field.datatype)
        if field.name in _TIME_NAMES and (code is None or field.count > 1):
            continue  # not needed: some drivers have 64-bit fields that PointField lacks
        if code is None:
            raise MessageError(f"fields: '{field.name}' has datatype {field.datatype}, expected 1–8")
        if field.offset + np.dtype(code).itemsize > message.point_step:
            raise MessageError(
                f"fields: '{field.name}' at offset {field.offset} lies outside point_step {message.point_step}"
            )
        names.append(field.name)
        formats.append(order + code)
        offsets.append(field.offset)
    missing = [name for name in "xyz" if name not in names]
    if missing:
        present = ", ".join(field.name for field in message.fields) or "none"
        raise MessageError(f"fields: no {', '.join(missing)}; the cloud has {present}")
    return np.dtype({"names": names, "formats": formats, "offsets": offsets, "itemsize": message.point_step})

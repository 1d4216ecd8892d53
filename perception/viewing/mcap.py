# SPDX-License-Identifier: Apache-2.0
"""Frames and predictions → an MCAP file that Foxglove shows without ROS, on the topics of the node.

configs/foxglove/perception.json lays out both.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import foxglove
import numpy as np
from foxglove import channels
from foxglove import messages as fg
from numpy.typing import NDArray

from perception.assembly.settings.parameters import make_settings
from perception.bags.geometry import quaternion
from perception.bags.writer import LIDAR_FRAME
from perception.classes import CLASSES, UNLABELLED, Classes
from perception.disk import on_full_disk
from perception.frame import CameraModel, Frame, Prediction
from perception.labelling.clouds import point_colours
from perception.messages.grid import FREE, OCCUPIED, near_ground, road_grid
from perception.messages.polygons import LINE_WIDTH, outlines
from perception.objects import Object, find_objects
from perception.objects.boxes import BOX_ALPHA, LETTER_M
from perception.reporting.visualise import base, overlay
from perception.sensors.ground import expected_or_fitted
from perception.viewing.pictures import jpeg, kept_rows, thermal

NODE = "/perception"
"""The node's name: its outputs are below."""

DEPTH_MAX_M = 65.535
"""Depth is kept in millimetres of 16 bits; what is farther is invalid."""

_WHITE = np.full(3, 255, np.uint8)

_GRID_COLOURS = {FREE: (120, 90, 140, 110), OCCUPIED: (210, 60, 60, 170)}
"""RGBA of cells; the others are clear."""

_RGBA = ("red", "green", "blue", "alpha")
"""The fields by which Foxglove colours points and cells."""

_POINT = np.dtype(
    [(name, "<f4") for name in ("x", "y", "z", "intensity", "probability")]
    + [(name, "u1") for name in (*_RGBA, "class_id")]
)
_CELL = np.dtype([("cost", "i1"), *((name, "u1") for name in _RGBA)])
_NUMERIC = {
    "<f4": fg.PackedElementFieldNumericType.Float32,
    "|u1": fg.PackedElementFieldNumericType.Uint8,
    "|i1": fg.PackedElementFieldNumericType.Int8,
}


class McapLog:
    """Logs frames to the files that are open in `context`. classes: of the labels.

    Of sensors that are absent nothing is logged, but for a sweep: an empty one, so that old points never look new.
    """

    def __init__(self, context: foxglove.Context, classes: Classes = CLASSES) -> None:
        def channel(kind: Any, topic: str) -> Any:
            return kind(topic, context=context)

        image, raw = channels.CompressedImageChannel, channels.RawImageChannel
        self._classes = classes
        self._settings = make_settings({})
        self._rgb, self._infrared = channel(image, "/image"), channel(image, "/infrared")
        self._depth = channel(raw, "/depth")
        self._camera = channel(channels.CameraCalibrationChannel, "/camera_info")
        self._transforms = channel(channels.FrameTransformsChannel, "/tf")
        self._overlay = channel(image, f"{NODE}/overlay/compressed")
        self._outlines = channel(channels.ImageAnnotationsChannel, f"{NODE}/overlay/annotations")
        self._masks = {name: channel(raw, f"{NODE}/{name}") for name in ("labels", "confidence", *classes.foreground)}
        self._points = channel(channels.PointCloudChannel, f"{NODE}/points")
        self._grid = channel(channels.GridChannel, f"{NODE}/grid")
        numbers = {"type": "object", "additionalProperties": {"type": "number"}}
        # Of networks that tell things apart alone: the others have no such topics.
        self._things: tuple[Any, Any] | None = None
        self._add_things = lambda: (
            channel(raw, f"{NODE}/instances"),
            channel(channels.SceneUpdateChannel, f"{NODE}/objects/markers"),
        )
        self._weights, self._latency = (
            foxglove.Channel(f"{NODE}/{name}", schema={**numbers, "title": name}, context=context)
            for name in ("weights", "latency")
        )
        self._swept = False

    def log(self, frame: Frame, prediction: Prediction, number: int) -> None:
        """A frame with its labels, at its stamp. number: of the frame in its recording; Foxglove goes by the stamps."""
        now, stamp = frame.stamp_ns, fg.Timestamp(*divmod(frame.stamp_ns, 1_000_000_000))
        where: dict[str, Any] = {"timestamp": stamp, "frame_id": frame.camera.frame_id if frame.camera else "camera"}
        if frame.camera is not None:
            self._camera.log(_calibration(frame.camera, where), log_time=now)
            if frame.lidar_to_camera is not None:
                mount = _transform(stamp, frame.lidar_to_camera, where["frame_id"])
                self._transforms.log(fg.FrameTransforms(transforms=[mount]), log_time=now)
        if frame.rgb is not None:
            self._rgb.log(_picture(frame.rgb, where), log_time=now)
        if frame.infrared is not None:
            self._infrared.log(_picture(thermal(frame.infrared), where), log_time=now)
        if frame.depth is not None:
            self._depth.log(_raw(_millimetres(frame.depth), "16UC1", where), log_time=now)
        self._log_masks(frame, prediction, where)
        self._log_things(frame, prediction, where)
        self._log_sweep(frame, prediction, stamp)
        self._weights.log(_rounded(prediction.modality_weights), log_time=now)
        self._latency.log(
            _rounded({**prediction.timings_ms, "total": sum(prediction.timings_ms.values())}), log_time=now
        )

    def _log_masks(self, frame: Frame, prediction: Prediction, where: dict[str, Any]) -> None:
        now, labels = frame.stamp_ns, prediction.labels
        images = {"labels": labels, "confidence": prediction.confidence}
        images |= {name: np.uint8(255) * (labels == each) for name, each in self._classes.foreground.items()}
        for name, image in images.items():
            self._masks[name].log(_raw(image, "mono8", where), log_time=now)
        picture = overlay(base(frame), labels, self._settings.overlay_alpha, self._classes)
        self._overlay.log(_picture(picture, where), log_time=now)
        names = self._classes.names
        lines = [
            fg.PointsAnnotation(
                timestamp=where["timestamp"],
                type=fg.PointsAnnotationType.LineLoop,
                points=[fg.Point2(x=u, y=v) for u, v in corners.tolist()],
                outline_color=_colour(self._classes.palette[class_id]),
                thickness=LINE_WIDTH,
                metadata=[fg.KeyValuePair(key="class", value=names[class_id])],
            )
            for class_id, corners in outlines(labels, self._classes)
        ]
        self._outlines.log(fg.ImageAnnotations(timestamp=where["timestamp"], points=lines), log_time=now)

    def _log_things(self, frame: Frame, prediction: Prediction, where: dict[str, Any]) -> None:
        if prediction.instances is None:
            return
        if self._things is None:
            self._things = self._add_things()
        instances, objects = self._things
        instances.log(_raw(prediction.instances, "16UC1", where), log_time=frame.stamp_ns)
        drawn = [_drawn(each, where, self._classes) for each in find_objects(frame, prediction)]
        before = fg.SceneEntityDeletion(timestamp=where["timestamp"], type=fg.SceneEntityDeletionType.All)
        objects.log(fg.SceneUpdate(deletions=[before], entities=drawn), log_time=frame.stamp_ns)

    def _log_sweep(self, frame: Frame, prediction: Prediction, stamp: fg.Timestamp) -> None:
        if frame.points is None and not self._swept:
            return
        self._swept = frame.points is not None
        points = np.zeros((0, 4), np.float32) if frame.points is None else frame.points
        labels, sure = prediction.point_labels, prediction.point_confidence
        labels = np.full(len(points), UNLABELLED, np.uint8) if labels is None else labels
        sure = np.zeros_like(labels) if sure is None else sure
        cloud = _cloud(points, labels, sure, self._classes)
        self._points.log(
            fg.PointCloud(timestamp=stamp, frame_id=LIDAR_FRAME, pose=_pose(0, 0, 0), point_stride=_POINT.itemsize,
                          fields=_fields(_POINT), data=cloud.tobytes()),
            log_time=frame.stamp_ns,
        )  # fmt: skip
        if frame.points is not None:
            self._grid.log(self._from_above(frame, prediction, labels, stamp), log_time=frame.stamp_ns)

    def _from_above(
        self, frame: Frame, prediction: Prediction, labels: NDArray[np.uint8], stamp: fg.Timestamp
    ) -> fg.Grid:
        """The node's grid as its parameters are by default, in the LiDAR's frame, on the ground where that is known."""
        assert frame.points is not None
        assert frame.lidar_to_camera is not None  # every frame with points has it
        settings = self._settings
        near = near_ground(frame, prediction.ground, settings.grid_lowest_m, settings.grid_highest_m)
        size = settings.grid_resolution_m
        costs = road_grid(frame.points[near, :3], self._classes.first[labels[near]], size, settings.grid_size_m)
        cells = np.zeros(costs.shape, _CELL)
        cells["cost"] = costs
        for cost, colour in _GRID_COLOURS.items():
            for name, value in zip(_RGBA, colour, strict=True):
                cells[name][costs == cost] = value
        ground = expected_or_fitted(prediction.ground, frame.ground)
        height = 0.0 if ground is None else float(ground.up @ frame.lidar_to_camera[:3, 3] + ground.height)
        rows, columns = costs.shape
        corner = -size * rows / 2
        return fg.Grid(
            timestamp=stamp, frame_id=LIDAR_FRAME, pose=_pose(corner, corner, -height), column_count=columns,
            cell_size=fg.Vector2(x=size, y=size), row_stride=columns * _CELL.itemsize, cell_stride=_CELL.itemsize,
            fields=_fields(_CELL), data=cells.tobytes(),
        )  # fmt: skip


@contextmanager
def open_mcap(path: Path, classes: Classes = CLASSES) -> Iterator[McapLog]:
    """A log of the file `path`, which replaces what is there and is complete after the context.

    Raises DiskFull where there is no room, OSError where it cannot be written.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    context = foxglove.Context()
    with on_full_disk(path), foxglove.open_mcap(path, allow_overwrite=True, context=context):
        yield McapLog(context, classes)


def _picture(image: NDArray[np.uint8], where: dict[str, Any]) -> fg.CompressedImage:
    return fg.CompressedImage(**where, data=jpeg(image), format="jpeg")


def _raw(image: NDArray[Any], encoding: str, where: dict[str, Any]) -> fg.RawImage:
    height, width = image.shape
    step = width * image.dtype.itemsize
    return fg.RawImage(**where, width=width, height=height, encoding=encoding, step=step, data=image.tobytes())


def _millimetres(depth: NDArray[np.float32]) -> NDArray[np.uint16]:
    """(H, W) metres, NaN invalid → millimetres, 0 invalid."""
    near = (depth > 0) & (depth <= DEPTH_MAX_M)
    return np.rint(np.where(near, depth, 0) * 1e3).astype("<u2")


def _calibration(camera: CameraModel, where: dict[str, Any]) -> fg.CameraCalibration:
    projection = np.hstack([camera.intrinsics, np.zeros((3, 1))])
    return fg.CameraCalibration(
        **where, width=camera.width, height=camera.height, K=camera.intrinsics.ravel().tolist(),
        R=np.eye(3).ravel().tolist(), P=projection.ravel().tolist(),
    )  # fmt: skip


def _transform(stamp: fg.Timestamp, lidar_to_camera: NDArray[np.float64], camera: str) -> fg.FrameTransform:
    """Where the camera is in the LiDAR's frame."""
    mount = np.linalg.inv(lidar_to_camera)
    x, y, z = mount[:3, 3].tolist()
    turned = quaternion(mount[:3, :3].astype(np.float64))
    return fg.FrameTransform(
        timestamp=stamp, parent_frame_id=LIDAR_FRAME, child_frame_id=camera, translation=fg.Vector3(x=x, y=y, z=z),
        rotation=fg.Quaternion(x=turned.x, y=turned.y, z=turned.z, w=turned.w),
    )  # fmt: skip


def _cloud(
    points: NDArray[np.float32], labels: NDArray[np.uint8], sure: NDArray[np.uint8], classes: Classes
) -> NDArray[Any]:
    """(M,) of _POINT: the points that are kept."""
    rows = kept_rows(labels)
    cloud = np.zeros(len(rows), _POINT)
    for name, column in zip(("x", "y", "z", "intensity"), points[rows].T, strict=True):
        cloud[name] = column
    for name, colour in zip(_RGBA, point_colours(labels[rows], classes).T, strict=False):
        cloud[name] = colour
    cloud["alpha"], cloud["class_id"], cloud["probability"] = 255, labels[rows], sure[rows] / np.float32(255)
    return cloud


def _fields(kind: np.dtype[Any]) -> list[fg.PackedElementField]:
    return [
        fg.PackedElementField(name=name, offset=offset, type=_NUMERIC[each.str])
        for name, (each, offset, *_) in (kind.fields or {}).items()
    ]


def _drawn(each: Object, where: dict[str, Any], classes: Classes) -> fg.SceneEntity:
    """A box with a text above it; gone after a second, unless the next frame replaces it."""
    turned = quaternion(each.rotation)
    rotation = fg.Quaternion(x=turned.x, y=turned.y, z=turned.z, w=turned.w)
    (x, y, z), (length, width, height) = each.centre.tolist(), each.size
    cube = fg.CubePrimitive(
        pose=_pose(x, y, z, rotation),
        size=fg.Vector3(x=length, y=width, z=height),
        color=_colour(classes.palette[each.class_id], BOX_ALPHA),
    )
    text = fg.TextPrimitive(
        pose=_pose(*each.above.tolist()),
        billboard=True,
        font_size=LETTER_M,
        color=_colour(_WHITE),
        text=each.described(classes),
    )
    name = f"{classes.names[each.class_id]} {each.number}"
    return fg.SceneEntity(**where, id=name, lifetime=fg.Duration(1), cubes=[cube], texts=[text])


def _pose(x: float, y: float, z: float, rotation: fg.Quaternion | None = None) -> fg.Pose:
    rotation = rotation or fg.Quaternion(x=0, y=0, z=0, w=1)
    return fg.Pose(position=fg.Vector3(x=x, y=y, z=z), orientation=rotation)


def _colour(rgb: NDArray[np.uint8], alpha: float = 1.0) -> fg.Color:
    red, green, blue = (rgb / 255).tolist()
    return fg.Color(r=red, g=green, b=blue, a=alpha)


def _rounded(values: Mapping[str, float]) -> dict[str, float]:
    return {name: round(float(value), 4) for name, value in values.items()}

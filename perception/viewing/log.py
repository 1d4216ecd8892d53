# SPDX-License-Identifier: Apache-2.0
"""Frames and predictions → a Rerun recording."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import cv2
import numpy as np
import rerun as rr
from numpy.typing import NDArray

from perception.classes import CLASSES, UNLABELLED, Classes
from perception.frame import CameraModel, Frame, Prediction
from perception.objects import find_objects
from perception.rigid import quaternion
from perception.viewing import layout
from perception.viewing.pictures import jpeg, kept_rows, thermal

DEPTH_UNITS = 256.0
"""Depth is stored as in KITTI: PNG of 1/256 m in 16 bits, 0 is invalid."""

DEPTH_WIDTH = 640
"""Of a wider depth image, only every second (third …) pixel is kept."""

_FROM_LIDAR = np.array([[0, -1, 0, 0], [0, 0, -1, 0], [1, 0, 0, 0], [0, 0, 0, 1]], np.float64)
"""The pose of a camera with unknown mounting: at the LiDAR's place, looking ahead."""


class Box(NamedTuple):
    """An object as it is drawn. centre, size, rotation: as of `perception.objects.Object`."""

    centre: NDArray[np.float64]
    size: tuple[float, float, float]
    rotation: NDArray[np.float64]
    class_id: int
    label: str


class Log:
    """Logs to `recording`: `log` a frame with its prediction, or, after `at`, the parts of an instant one by one.

    None as a sensor's value says that it is absent: its view is cleared, so that old data never looks new.
    """

    def __init__(self, recording: rr.RecordingStream, classes: Classes = CLASSES) -> None:
        self.recording, self.classes = recording, classes
        self._shown: set[str] = set()
        self._styled: set[str] = set()
        self._mount: tuple[Any, ...] = ()
        self._pose = np.linalg.inv(_FROM_LIDAR)
        layout.describe(recording, classes)

    def log(self, frame: Frame, prediction: Prediction, number: int) -> None:
        """A frame, the `number`-th of its recording, with its labels and their timings."""
        self.at(frame.stamp_ns, number)
        self.rgb(frame.rgb)
        self.depth(frame.depth)
        self.infrared(frame.infrared)
        self.camera(frame.camera, frame.lidar_to_camera)
        self.labels(prediction.labels)
        self.instances(prediction.instances)
        self.boxes(
            [
                Box(each.centre, each.size, each.rotation, each.class_id, each.described(self.classes))
                for each in find_objects(frame, prediction)
            ]
        )
        self.points(frame.points, prediction.point_labels)
        self.weights(prediction.modality_weights)
        self.latency({**prediction.timings_ms, "total": sum(prediction.timings_ms.values())})

    def at(self, stamp_ns: int, number: int) -> None:
        """Everything logged from now on belongs to this instant."""
        self.recording.set_time(layout.STAMP, timestamp=np.datetime64(stamp_ns, "ns"))
        self.recording.set_time(layout.FRAME, sequence=number)

    def camera(self, camera: CameraModel | None, lidar_to_camera: NDArray[np.float64] | None) -> None:
        """The camera's pose and intrinsics, if they are known and have changed."""
        if camera is None:
            return
        pose = np.linalg.inv(_FROM_LIDAR if lidar_to_camera is None else lidar_to_camera)
        mount = (*camera.intrinsics.ravel(), camera.width, camera.height, *pose.ravel())
        if mount == self._mount:
            return
        self._mount, self._pose = mount, pose
        transform = rr.Transform3D(translation=pose[:3, 3], mat3x3=pose[:3, :3])
        pinhole = rr.Pinhole(
            image_from_camera=camera.intrinsics,
            width=camera.width,
            height=camera.height,
            camera_xyz=rr.ViewCoordinates.RDF,
            image_plane_distance=4.0,
        )
        self.recording.log(layout.CAMERA, transform, pinhole)

    def rgb(self, rgb: NDArray[np.uint8] | None) -> None:
        """The camera's image, (H, W, 3)."""
        self._show(layout.RGB, None if rgb is None else _jpeg(rgb))

    def depth(self, depth: NDArray[np.float32] | None) -> None:
        """(H, W) metres, NaN invalid."""
        self._show(layout.DEPTH, None if depth is None else _depth(depth))

    def infrared(self, infrared: NDArray[Any] | None) -> None:
        """(H, W) uint8 or uint16."""
        self._show(layout.INFRARED, None if infrared is None else _jpeg(thermal(infrared)))

    def labels(self, labels: NDArray[np.uint8] | None) -> None:
        """(H, W) class ids over the camera's image, and the share of each class."""
        self._show(layout.LABELS, None if labels is None else rr.SegmentationImage(labels, opacity=0.5))
        if labels is not None:
            counts = np.bincount(labels.ravel(), minlength=256)
            for name, number in self.classes.foreground.items():
                self._scalar(layout.SHARE, name, 100 * counts[number] / labels.size)

    def instances(self, instances: NDArray[np.uint16] | None) -> None:
        """(H, W) instances as in `Prediction`, over the labels; every code has a colour, and 0 has none."""
        image = None if instances is None else rr.SegmentationImage(instances, opacity=0.5, draw_order=1.0)
        self._show(layout.INSTANCES, image)

    def boxes(self, boxes: Sequence[Box] | None) -> None:
        """The boxes, which are placed as the camera is."""
        if not boxes:
            self._show(layout.OBJECTS, None)
            return
        turned = [quaternion(self._pose[:3, :3] @ box.rotation) for box in boxes]
        archetype = rr.Boxes3D(
            centers=[self._pose[:3, :3] @ box.centre + self._pose[:3, 3] for box in boxes],
            sizes=[box.size for box in boxes],
            quaternions=[rr.Quaternion(xyzw=each) for each in turned],
            class_ids=[box.class_id for box in boxes],
            labels=[box.label for box in boxes],
        )
        self._show(layout.OBJECTS, archetype)

    def points(self, points: NDArray[np.float32] | None, labels: NDArray[np.uint8] | None) -> None:
        """(N, 3 or more) x, y, z [m] in the LiDAR's frame, coloured by their class ids where there are any.

        Without class ids every point is kept, with them `kept_rows`.
        """
        if points is None:
            self._show(layout.POINTS, None)
            return
        ids = np.full(len(points), UNLABELLED, np.uint8) if labels is None else labels
        rows = np.arange(len(points)) if labels is None else kept_rows(labels)
        # Negative radii are in screen pixels, which suit near and far points.
        self._show(layout.POINTS, rr.Points3D(points[rows, :3], class_ids=ids[rows], radii=[-1.5]))

    def weights(self, weights: Mapping[str, float]) -> None:
        """The weight of each sensor, by modality."""
        for name, weight in weights.items():
            self._scalar(layout.WEIGHTS, name, weight)

    def latency(self, milliseconds: Mapping[str, float]) -> None:
        """The durations of the steps."""
        for name, value in milliseconds.items():
            if name not in self._styled:
                colour = layout.STAGE_COLOURS[len(self._styled) % len(layout.STAGE_COLOURS)]
                layout.style(self.recording, layout.LATENCY, name, colour)
                self._styled.add(name)
            self._scalar(layout.LATENCY, name, value)

    def _scalar(self, group: str, name: str, value: float) -> None:
        self.recording.log(f"{group}/{name}", rr.Scalars(value))

    def _show(self, entity: str, archetype: Any) -> None:
        if archetype is not None:
            self.recording.log(entity, archetype)
            self._shown.add(entity)
        elif entity in self._shown:
            self.recording.log(entity, rr.Clear(recursive=False))
            self._shown.remove(entity)


def _jpeg(image: NDArray[np.uint8]) -> rr.EncodedImage:
    return rr.EncodedImage(contents=jpeg(image), media_type="image/jpeg")


def _depth(depth: NDArray[np.float32]) -> rr.EncodedDepthImage:
    step = -(-depth.shape[1] // DEPTH_WIDTH)
    units = np.nan_to_num(depth[::step, ::step] * DEPTH_UNITS, nan=0.0, posinf=0.0, neginf=0.0)
    image = np.clip(units, 0, 65535).astype(np.uint16)
    _, encoded = cv2.imencode(".png", image, [cv2.IMWRITE_PNG_COMPRESSION, 1])
    return rr.EncodedDepthImage(encoded.tobytes(), media_type="image/png", meter=DEPTH_UNITS, colormap="turbo")

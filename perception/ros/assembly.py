# SPDX-License-Identifier: Apache-2.0
"""The messages of one instant → a `Frame`. What is broken or lacks its calibration is left out, with a complaint."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from perception.errors import MessageError
from perception.frame import CameraModel, Frame
from perception.ros.calibration import Calibration
from perception.ros.collector import TRIGGER_ORDER, SensorSet
from perception.ros.complaints import Complaints
from perception.ros.convert import read_depth, read_infrared, read_points, read_rgb
from perception.ros.motion import EgoMotion
from perception.sensors.intensity import IntensityScale
from perception.sensors.presence import without_frozen
from perception.sensors.registration import register_depth, register_infrared


class Input(NamedTuple):
    """A message and the topic it came on."""

    topic: str
    message: Any


@dataclass(frozen=True)
class Observation:
    """A frame, and what its outputs need of the messages that it is made of.

    header: the triggering message's; frame_id: the frame that the labels are seen from; cloud_header: the sweep's.
    frozen: the sensors that were taken out of the frame since they are, each with the reason.
    """

    frame: Frame
    header: Any
    frame_id: str
    cloud_header: Any
    frozen: Mapping[str, str]


SeeFrozen = Callable[[str, int, Any], "str | None"]
"""Sensor, stamp [ns] and content of a message → why the sensor counts as frozen; None where it does not."""


class Assembler:
    """Makes frames. `drop(sensor, cause)` is told of every message that could not be used.

    infos: the topics of the cameras' camera_info, by sensor. motion: moves a sweep to the instant of the image by
    moving its extrinsics; None leaves it where it was measured. intensity: what is known of the LiDAR's intensities.
    frozen: says which sensors repeat themselves (`FrozenWatch.see`); they are left out while others are not.

    A depth or infrared image counts as registered to the camera unless its own camera_info names another frame: then it
    is registered here.
    """

    def __init__(
        self,
        calibration: Calibration,
        infos: Mapping[str, str],
        complaints: Complaints,
        drop: Callable[[str, str], None],
        motion: EgoMotion | None = None,
        intensity: IntensityScale | None = None,
        frozen: SeeFrozen = lambda sensor, stamp_ns, content: None,
    ) -> None:
        self._calibration = calibration
        self._infos = infos
        self._complaints = complaints
        self._drop = drop
        self._motion = motion
        self._intensity = intensity or IntensityScale()
        self._frozen = frozen

    def __call__(
        self, matched: SensorSet, intensity_max: float = 0.0, infrared_distance: float = 20.0
    ) -> Observation | None:
        """The frame of these messages; None where none of them can be used.

        intensity_max: see `read_points`. infrared_distance: see `register_infrared` [m].
        """
        readers: dict[str, Callable[[Any], Any]] = {
            "rgb": read_rgb,
            "depth": read_depth,
            "infrared": read_infrared,
            "lidar": lambda message: read_points(message, intensity_max, self._intensity),
        }
        inputs: dict[str, Input] = {name: arrival.message for name, arrival in matched.arrivals.items()}
        if "rgb" in inputs:
            self._calibration.put_image_frame(inputs["rgb"].message.header.frame_id)
        camera = self._camera("rgb")
        if camera is None and "lidar" in inputs and self._calibration.broken() is None:
            self._complaints.warn(
                inputs["lidar"].topic,
                f"camera: nothing on {self._infos['rgb']} and no calibration_file with a camera; the LiDAR is left out",
            )
        lidar_to_camera = self._lidar_to_camera(matched, inputs.get("lidar"), camera)
        if lidar_to_camera is None and "lidar" in inputs:
            del inputs["lidar"]
            self._drop("lidar", "no calibration")
        read = {name: self._read(name, inputs[name], readers[name]) for name in inputs}
        for word in self._intensity.words():
            self._complaints.warn(inputs["lidar"].topic, word)
        values = {name: value for name, value in read.items() if value is not None}
        if camera is not None and "rgb" in values:
            camera = self._fitted(camera, *values["rgb"].shape[1::-1])
        for name in {"depth", "infrared"} & set(values):
            values[name] = self._registered(name, values[name], inputs[name], camera, infrared_distance)
        values = {name: value for name, value in values.items() if value is not None}
        if not values:
            return None

        said = {name: self._frozen(name, matched.arrivals[name].stamp_ns, values[name]) for name in values}
        frame = Frame(
            stamp_ns=matched.stamp_ns,
            rgb=values.get("rgb"),
            depth=values.get("depth"),
            infrared=values.get("infrared"),
            points=values.get("lidar"),
            camera=camera,
            lidar_to_camera=lidar_to_camera if "lidar" in values else None,
        )
        thawed = without_frozen(frame, {name: why for name, why in said.items() if why is not None})
        frame = thawed.frame
        for name, why in thawed.kept.items():
            self._complaints.warn(inputs[name].topic, why)
        trigger = next(name for name in TRIGGER_ORDER if name in frame.modalities)
        frame.stamp_ns, header = matched.arrivals[trigger].stamp_ns, inputs[trigger].message.header
        by_another = trigger == "lidar" or self._is_another(self._camera(trigger), camera)
        frame_id = camera.frame_id if camera is not None and by_another else header.frame_id
        cloud_header = inputs["lidar"].message.header if "lidar" in frame.modalities else None
        return Observation(frame, header, frame_id, cloud_header, thawed.taken)

    def _read(self, sensor: str, given: Input, reader: Callable[[Any], Any]) -> Any:
        try:
            return reader(given.message)
        except MessageError as error:
            self._complaints.error(given.topic, error)
            self._drop(sensor, "broken")
            return None

    def _camera(self, sensor: str) -> CameraModel | None:
        camera, broken = self._calibration.camera(sensor), self._calibration.broken(sensor)
        if broken is not None:
            self._complaints.error(self._infos[sensor], broken)
        return camera

    def _fitted(self, camera: CameraModel, width: int, height: int) -> CameraModel:
        """The camera at the size of its image, which a driver may have binned."""
        if (camera.width, camera.height) == (width, height):
            return camera
        if abs(camera.width * height - camera.height * width) > 0.02 * camera.width * height:
            self._complaints.warn(
                self._infos["rgb"],
                f"size: {camera.width}×{camera.height}, but images are {width}×{height}, of another shape: where "
                "points fall in them is a guess",
            )
        return camera.resized(width, height)

    @staticmethod
    def _is_another(own: CameraModel | None, camera: CameraModel | None) -> bool:
        """Whether a sensor's own camera is another than `camera`, so that its image is registered to that."""
        return own is not None and camera is not None and own.frame_id not in ("", camera.frame_id)

    def _registered(self, sensor: str, image: Any, given: Input, camera: CameraModel | None, distance: float) -> Any:
        """The image as `camera` would see it; None where its place is not known."""
        own = self._camera(sensor)
        if own is None or camera is None or not self._is_another(own, camera):
            return image
        try:
            extrinsics = self._calibration.to_camera(sensor, own.frame_id, camera.frame_id)
        except MessageError as error:
            self._complaints.warn(given.topic, error)
            self._drop(sensor, "no calibration")
            return None
        if sensor == "depth":
            return register_depth(image, own, camera, extrinsics)
        return register_infrared(image, own, camera, extrinsics, distance)

    def _lidar_to_camera(self, matched: SensorSet, lidar: Input | None, camera: CameraModel | None) -> Any:
        if lidar is None or camera is None:
            return None
        frame_id = lidar.message.header.frame_id
        try:
            extrinsics = self._calibration.lidar_to_camera(frame_id, camera.frame_id)
        except MessageError as error:
            self._complaints.warn(lidar.topic, error)
            return None
        swept_ns = matched.arrivals["lidar"].stamp_ns
        moved = self._motion.between(frame_id, swept_ns, matched.stamp_ns) if self._motion else None
        return extrinsics if moved is None else extrinsics @ moved

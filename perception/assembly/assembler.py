# SPDX-License-Identifier: Apache-2.0
"""The messages of one instant → a `Frame`. Broken or uncalibrated data is left out with a log message."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping
from copy import copy
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from perception.assembly.calibration import Calibration
from perception.assembly.collector import Arrival, SensorSet
from perception.assembly.lidar_names import first_of, modality_of
from perception.assembly.lidars import Cloud, Lidars, SeeFrozen
from perception.assembly.lidars import Input as Input
from perception.assembly.motion import EgoMotion
from perception.assembly.own_vehicle import OwnVehicle
from perception.assembly.pairing import TRIGGER_ORDER
from perception.assembly.registration import Anchor, Seen, register
from perception.assembly.throttled_log import ThrottledLog
from perception.classes import UNLABELLED
from perception.errors import MessageError
from perception.frame import Frame, Prediction, Returns
from perception.messages.bit_depth import BitDepth
from perception.messages.cameras import CameraView
from perception.messages.clouds import Reading, read_columns
from perception.messages.convert import read_depth, read_infrared, read_rgb
from perception.sensors.intensity import IntensityScale
from perception.sensors.lens import Lens
from perception.sensors.presence import without_frozen
from perception.sensors.spec import FURTHER, SPECS
from perception.sensors.thermal import white_hot


@dataclass(frozen=True)
class Observation:
    """A frame, and what its outputs need from the messages that it is made of.

    header: the triggering message's; frame_id: the frame that the labels are seen from; cloud_header: the sweep's; with
    several LiDARs, the first one's.
    lens: the lens of the camera's own image; the frame's images are rectified. None if the image came rectified.
    image: (H, W, 3) the camera's own image, if there is a lens and an image.
    frozen: the sensors that were left out of the frame because they are frozen, each with the reason.
    """

    frame: Frame
    header: Any
    frame_id: str
    cloud_header: Any
    lens: Lens | None = None
    image: NDArray[np.uint8] | None = None
    frozen: Mapping[str, str] = field(default_factory=dict)

    @property
    def shown(self) -> Frame:
        """The frame with its image as the camera sent it, for pictures together with the result of `returned`."""
        if self.lens is None:
            return self.frame
        if self.image is not None:
            return replace(self.frame, rgb=self.image)
        infrared = self.frame.infrared
        if infrared is None:
            return self.frame
        whole = cv2.resize(infrared, self.frame.size, interpolation=cv2.INTER_NEAREST)
        return replace(self.frame, infrared=self.lens.unrectify(whole, 0))

    def returned(self, prediction: Prediction) -> Prediction:
        """The prediction for the image as the camera sent it: pixels that the frame does not cover are 255, confidence
        and instance 0."""
        if self.lens is None:
            return prediction
        labels = self.lens.unrectify(prediction.labels, UNLABELLED)
        confidence, instances = self.lens.unrectify(prediction.confidence, 0), prediction.instances
        instances = None if instances is None else self.lens.unrectify(instances, 0)
        return replace(prediction, labels=labels, confidence=confidence, instances=instances)


class Assembler:
    """Makes frames. `drop(sensor, cause)` is called for every message that could not be used.

    infos: the topics of the cameras' camera_info, by sensor. motion: deskews a sweep, and moves it to the instant of
    the image by moving its extrinsics; None leaves it where it was measured. bit_depth: of the camera's images, learnt
    from the images. scales: what is known about each LiDAR's intensities, by sensor. frozen: finds sensors that repeat
    themselves (`FrozenWatch.see`); they are left out while other sensors are not frozen.

    Images that are not rectified are rectified here by their camera_info (`cameras.CameraView`); depth and infrared
    images are registered to the camera's (`registering.register`).
    """

    def __init__(
        self,
        calibration: Calibration,
        infos: Mapping[str, str],
        complaints: ThrottledLog,
        drop: Callable[[str, str], None],
        motion: EgoMotion | None = None,
        bit_depth: BitDepth | None = None,
        scales: defaultdict[str, IntensityScale] | None = None,
        frozen: SeeFrozen = lambda sensor, stamp_ns, content: None,
    ) -> None:
        self._calibration = calibration
        self._infos = infos
        self._complaints = complaints
        self._drop = drop
        self._bit_depth = bit_depth or BitDepth()
        self._frozen, self._motion = frozen, motion
        scales = defaultdict(IntensityScale) if scales is None else scales
        self._lidars = Lidars(calibration, complaints, drop, motion, scales, frozen)

    def __call__(
        self,
        matched: SensorSet,
        reading: Reading = Reading(),  # noqa: B008
        infrared_distance: float = 20.0,
        image_rectified: str = "auto",
        black_hot: bool = False,
        vehicle: OwnVehicle = OwnVehicle(),  # noqa: B008 (frozen)
    ) -> Observation | None:
        """The frame of these messages; None if none of them can be used.

        reading: how sweeps are read. infrared_distance: see `register_infrared` [m]. image_rectified: whether images
        are rectified, one of `cameras.RECTIFIED`; with auto, the calibration file decides. black_hot:
        warm things are dark in infrared images. vehicle: the box whose points are left out.
        """
        rectified = image_rectified if image_rectified != "auto" else self._calibration.rectified
        inputs: dict[str, Input] = {name: arrival.message for name, arrival in matched.arrivals.items()}
        if "rgb" in inputs:
            self._calibration.put_image_frame(inputs["rgb"].message.header.frame_id)
        readers: dict[str, Callable[[Any], Any]] = {
            "rgb": lambda message: read_rgb(message, self._bit_depth),
            "depth": read_depth,
            "infrared": lambda message: white_hot(read_infrared(message)) if black_hot else read_infrared(message),
        }
        values: dict[str, Any] = {
            name: self._read(name, inputs[name], reader) for name, reader in readers.items() if name in inputs
        }
        values = {name: value for name, value in values.items() if value is not None}
        camera = self._fitted(values["rgb"].shape[1::-1] if "rgb" in values else None)
        lens = self._lens("rgb", camera, inputs.get("rgb"), rectified)
        image = values.get("rgb") if lens is not None else None
        if image is not None and lens is not None:
            values["rgb"] = lens.rectify(image)
        cloud = self._cloud(matched, camera, reading, vehicle)
        if cloud is not None:
            values["lidar"] = cloud.points
        values |= self._further(matched, camera)
        lens = self._register(values, inputs, camera, lens, infrared_distance, rectified)
        if not values:
            return None

        given = {name: first_of(matched.arrivals, name) for name in values}
        said = {
            name: cloud.frozen if name == "lidar" and cloud else self._frozen(name, given[name].stamp_ns, values[name])
            for name in values
        }
        frame = Frame(
            stamp_ns=matched.stamp_ns,
            rgb=values.get("rgb"),
            depth=values.get("depth"),
            infrared=values.get("infrared"),
            points=values.get("lidar"),
            camera=camera.model if camera is not None else None,
            lidar_to_camera=cloud.lidar_to_camera if cloud is not None else None,
            extra={name: values[name] for name in FURTHER if name in values},
        )
        thawed = without_frozen(frame, {name: why for name, why in said.items() if why is not None})
        frame = thawed.frame
        for name, why in thawed.kept.items():
            self._complaints.warn(given[name].message.topic, why)
        trigger = next(name for name in TRIGGER_ORDER if name in frame.modalities)
        frame.stamp_ns, header = given[trigger].stamp_ns, given[trigger].message.message.header
        frame_id = header.frame_id if trigger == "rgb" or camera is None else camera.model.frame_id or header.frame_id
        cloud_header = None
        if cloud is not None and "lidar" in frame.modalities:
            cloud_header = cloud.header or _in_frame(header, frame_id)
        return Observation(frame, header, frame_id, cloud_header, lens, image, thawed.taken)

    def _cloud(
        self, matched: SensorSet, camera: CameraView | None, reading: Reading, vehicle: OwnVehicle
    ) -> Cloud | None:
        lidars = {name: each for name, each in matched.arrivals.items() if modality_of(name) == "lidar"}
        if camera is not None:
            return self._lidars(lidars, camera, matched.stamp_ns, reading, matched.apart, vehicle)
        unknown = self._camera("rgb") is None and not self._calibration.broken()
        for name, arrival in lidars.items():
            if unknown:
                self._complaints.warn(
                    arrival.message.topic,
                    f"camera: nothing on {self._infos['rgb']} and no calibration_file with a camera; the LiDAR is left "
                    "out",
                )
            self._drop(name, "no calibration")
        return None

    def _further(self, matched: SensorSet, camera: CameraView | None) -> dict[str, Returns]:
        """The data of the sensors beside MODALITIES at the frame's instant; what cannot be used is left out."""
        found = {
            name: self._returns(name, matched.arrivals[name], camera, matched.stamp_ns)
            for name in FURTHER
            if name in matched.arrivals
        }
        return {name: returns for name, returns in found.items() if returns is not None}

    def _returns(self, name: str, arrival: Arrival, camera: CameraView | None, at_ns: int) -> Returns | None:
        spec, given = SPECS[name], arrival.message
        frame, velocity = given.message.header.frame_id, None
        try:
            if camera is None:
                raise MessageError(f"camera: the intrinsics are unknown; the {spec.noun} is left out")
            mount = self._calibration.further_to_camera(frame, camera.model.frame_id, spec.noun)
            mount = camera.from_frame @ mount
        except MessageError as error:
            self._complaints.warn(given.topic, error)
            self._drop(name, "no calibration")
            return None
        try:
            if self._motion is not None:
                velocity = self._motion.velocity(frame, arrival.stamp_ns)
                moved = self._motion.between(frame, arrival.stamp_ns, at_ns)
                mount = mount if moved is None else mount @ moved
        except MessageError as error:  # its speeds are then not over the ground
            self._complaints.warn(given.topic, error)
        read = spec.read
        assert read is not None  # the table has a reader for each of FURTHER
        return self._read(name, given, lambda message: read(read_columns(message, spec.fields), mount, velocity))

    def _read(self, sensor: str, given: Input, reader: Callable[[Any], Any]) -> Any:
        try:
            return reader(given.message)
        except MessageError as error:
            self._complaints.error(given.topic, error)
            self._drop(sensor, "broken")
            return None

    def _camera(self, sensor: str) -> CameraView | None:
        camera, broken = self._calibration.camera(sensor), self._calibration.broken(sensor)
        if broken is not None:
            self._complaints.error(self._infos[sensor], broken)
        elif camera is not None and camera.note is not None:
            self._complaints.warn(self._infos[sensor], camera.note)
        return camera

    def _fitted(self, size: tuple[int, int] | None) -> CameraView | None:
        """The camera at the size of its image, which a driver may have binned; None if it does not fit this image."""
        camera = self._camera("rgb")
        if camera is None or size is None:
            return camera
        try:
            return camera.fitted(*size)
        except MessageError as error:
            self._complaints.error(self._infos["rgb"], error)
            return None

    def _lens(self, sensor: str, view: CameraView | None, given: Input | None, rectified: str) -> Lens | None:
        """What the sensor's own image is rectified with."""
        if view is None:
            return None
        topic = given.topic if given is not None else ""
        lens = view.raw_lens(topic, rectified)
        if lens is not None and view.unclear is not None and rectified == "auto":
            self._complaints.warn(self._infos[sensor], view.unclear)
        return lens

    def _register(
        self,
        values: dict[str, Any],
        inputs: Mapping[str, Input],
        camera: CameraView | None,
        lens: Lens | None,
        distance: float,
        rectified: str,
    ) -> Lens | None:
        """Register depth and infrared among the values to the camera, in place; where there is none, to each other.

        Returns the lens that the frame's labels go back through.
        """
        anchor: Anchor | None = None
        if camera is not None:
            model = camera.model
            frames = (model.frame_id, self._calibration.image_frame)
            anchor = Anchor((model.width, model.height), tuple(filter(None, frames)), camera, lens)
        elif "rgb" in values:
            anchor = Anchor(values["rgb"].shape[1::-1], tuple(filter(None, (self._calibration.image_frame,))))
        for name in ("infrared", "depth"):
            if name not in values:
                continue
            given, own = inputs[name], self._camera(name)
            frame, image = given.message.header.frame_id, values[name]
            self._lens(name, own, given, rectified)  # called for its messages only
            if anchor is None:
                anchor, lens = self._anchored(frame, image, own, given.topic, rectified)
            seen = Seen(name, image, frame, given.topic, self._infos[name], own)
            try:
                lookup = partial(self._calibration.to_camera, name)
                values[name] = register(seen, anchor, lookup, distance, rectified)
            except MessageError as error:
                del values[name]
                self._complaints.warn(given.topic, error)
                self._drop(name, "no calibration")
        return lens

    @staticmethod
    def _anchored(
        frame: str, image: Any, own: CameraView | None, topic: str, rectified: str
    ) -> tuple[Anchor, Lens | None]:
        """The camera of a depth or infrared image, and its lens, when there is no other image to register it to."""
        size = image.shape[1], image.shape[0]
        try:
            view = own.fitted(*size) if own is not None else None
        except MessageError:
            view = None
        lens = view.raw_lens(topic, rectified) if view is not None else None
        return Anchor(size, (frame,) if frame else (), view, lens), lens


def _in_frame(header: Any, frame_id: str) -> Any:
    """The same header in another frame."""
    header = copy(header)
    header.frame_id = frame_id
    return header

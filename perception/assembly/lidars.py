# SPDX-License-Identifier: Apache-2.0
"""The sweeps of one instant → one cloud: each read, deskewed, timed and placed by itself."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from perception.assembly.aiming import off_target
from perception.assembly.calibration import Calibration
from perception.assembly.collector import Arrival
from perception.assembly.motion import EgoMotion
from perception.assembly.own_vehicle import OwnVehicle
from perception.assembly.throttled_log import ThrottledLog
from perception.errors import MessageError
from perception.messages.cameras import CameraView
from perception.messages.clouds import Reading, Sweep, read_sweep
from perception.messages.convert import stamp_ns
from perception.sensors.intensity import IntensityScale
from perception.sensors.motion import BIN_NS, move_points
from perception.sensors.point_times import PointTimes, read_times, stamp_shift_ns

FAR = 1000.0
"""Metres; a frame whose origin is so far from the camera is not a LiDAR's: it stands still, and float32 would round its
points."""

SeeFrozen = Callable[[str, int, Any], "str | None"]
"""Sensor, stamp [ns] and content of a message → why the sensor counts as frozen; None where it does not."""


class Input(NamedTuple):
    """A message and the topic it arrived on."""

    topic: str
    message: Any


class Cloud(NamedTuple):
    """points: (N, 4) as in `Frame`, as seen by the first LiDAR at its stamp. lidar_to_camera: (4, 4), from there to the
    camera at the frame's instant. header: the first LiDAR's; None where the points are in the frame that the camera's
    messages name, at that instant. frozen: why all of it counts as frozen."""

    points: NDArray[np.float32]
    lidar_to_camera: NDArray[np.float64]
    header: Any
    frozen: str | None


class Lidars:
    """Reads the sweeps of an instant and merges them. What cannot be used is left out, logged and counted by LiDAR.

    scales: what is known about each LiDAR's intensities; missing ones are created. For the others see `Assembler`.
    """

    def __init__(
        self,
        calibration: Calibration,
        complaints: ThrottledLog,
        drop: Callable[[str, str], None],
        motion: EgoMotion | None,
        scales: Mapping[str, IntensityScale],
        frozen: SeeFrozen,
    ) -> None:
        self._calibration, self._complaints, self._drop = calibration, complaints, drop
        self._motion, self._scales, self._frozen = motion, scales, frozen

    def __call__(
        self,
        arrivals: Mapping[str, Arrival],
        camera: CameraView,
        at_ns: int,
        reading: Reading,
        apart: Collection[str] = (),
        vehicle: OwnVehicle = OwnVehicle(),  # noqa: B008 (frozen)
    ) -> Cloud | None:
        """The cloud of these LiDARs' messages at the instant `at_ns`; None if none of them can be used.

        apart: the LiDARs whose message is usable only if the vehicle's motion since then is known. vehicle: the box
        whose points are left out.
        """
        found = {
            name: self._cloud(name, arrivals[name], camera, at_ns, reading, name in apart, vehicle)
            for name in sorted(arrivals)
        }
        clouds = {name: cloud for name, cloud in found.items() if cloud is not None}
        living = {name: cloud for name, cloud in clouds.items() if cloud.frozen is None}
        for name, cloud in clouds.items():
            if living and cloud.frozen is not None:
                self._complaints.warn(arrivals[name].message.topic, cloud.frozen)
                self._drop(name, "frozen")
        first, *others = (living or clouds).values() or (None,)
        if first is None or not others:
            return first
        back = np.linalg.inv(first.lidar_to_camera)
        for other in others:
            mount = (back @ other.lidar_to_camera).astype(np.float32)
            other.points[:, :3] = other.points[:, :3] @ mount[:3, :3].T + mount[:3, 3]
        return first._replace(points=np.concatenate([each.points for each in (first, *others)]))

    def _cloud(
        self,
        name: str,
        arrival: Arrival,
        camera: CameraView,
        at_ns: int,
        reading: Reading,
        apart: bool,
        vehicle: OwnVehicle,
    ) -> Cloud | None:
        given: Input = arrival.message
        header, frames = given.message.header, (given.message.header.frame_id, camera.model.frame_id)
        still = self._motion is not None and self._motion.still(header.frame_id)
        try:
            placed = self._calibration.lidar_to_camera(*frames, name, at_ns if still else None)
            if not still and np.abs(placed[:3, 3]).max() > FAR:
                still, placed = True, self._calibration.lidar_to_camera(*frames, name, at_ns)
        except MessageError as error:
            self._complaints.warn(given.topic, error)
            self._drop(name, "no calibration")
            return None
        scale = self._scales[name]
        try:
            sweep = read_sweep(given.message, reading.intensity_max, scale, placed if still else None)
            sweep = self._around(sweep, frames[1] if still else frames[0], vehicle, still)
        except MessageError as error:
            self._complaints.error(given.topic, error)
            self._drop(name, "broken")
            return None
        for word in scale.words():
            self._complaints.warn(given.topic, word)
        frozen = self._frozen(name, arrival.stamp_ns, sweep.points)
        if still:
            return Cloud(sweep.points, camera.from_frame, None, frozen)
        moved = self._moved(given, sweep, arrival.stamp_ns, at_ns, reading)
        if moved is None and apart:
            self._complaints.warn(
                given.topic,
                f"{1e-6 * (at_ns - arrival.stamp_ns):.0f} ms older than the frame, and neither odometry nor TF says "
                "how the vehicle moved since: left out; 'pairing: completeness' waits for a nearer sweep",
            )
            self._drop(name, "no motion")
            return None
        mount = camera.from_frame @ placed @ (np.eye(4) if moved is None else moved)
        reason = off_target(sweep.points, mount, camera.model, *frames)
        if reason is not None:
            self._complaints.warn(given.topic, reason)
            self._drop(name, "out of view")
            return None
        return Cloud(sweep.points, mount, header, frozen)

    def _around(self, sweep: Sweep, frame: str, vehicle: OwnVehicle, still: bool) -> Sweep:
        """The points in `frame` that are not on the vehicle itself. Raises MessageError if no others are left.

        A cloud in a frame that stands still is cut only if `vehicle.frame` is named: no LiDAR is at the origin of its
        frame.
        """
        to_vehicle = None
        if still and not vehicle.frame:
            return sweep
        if vehicle.frame and vehicle.frame != frame:
            to_vehicle = self._calibration.to_frame(vehicle.frame, frame)
            if to_vehicle is None:
                self._complaints.warn(
                    "vehicle.frame",
                    f"no TF from '{frame}' to '{vehicle.frame}'; points on the vehicle itself stay in",
                )
                return sweep
        inside = vehicle.inside(sweep.points, to_vehicle)
        if len(inside) == len(sweep.points):
            raise MessageError(
                f"data: all {len(sweep.points)} points are in vehicle.box, on the vehicle itself; is the box right?"
            )
        return sweep.without(inside)

    def _moved(
        self, given: Input, sweep: Sweep, swept_ns: int, at_ns: int, reading: Reading
    ) -> NDArray[np.float64] | None:
        """Deskew the sweep's points to its stamp `swept_ns`, in place; returns (4, 4) from there to `at_ns`, or
        None."""
        if self._motion is None:
            return None
        frame = given.message.header.frame_id
        from_ns = swept_ns + stamp_shift_ns(reading.stamp, reading.length_ns)
        times = self._times(given, sweep, swept_ns, reading.stamp)
        try:
            if times is not None:
                place = (times.since * np.float32(1e9 / BIN_NS)).astype(np.intp)
                bins = np.arange(int(place.max()) + 1) * BIN_NS + BIN_NS // 2
                path = self._motion.path(frame, swept_ns + times.begin_ns + bins, swept_ns)
                from_ns = swept_ns
                if path is not None:
                    move_points(sweep.points, place, path)
                else:  # TF may know the image's instant but not yet the sweep's end
                    from_ns += times.begin_ns + int(bins[-1]) // 2
            return self._motion.between(frame, from_ns, at_ns)
        except MessageError as error:
            self._complaints.warn(given.topic, error)
            return None

    def _times(self, given: Input, sweep: Sweep, swept_ns: int, habit: str) -> PointTimes | None:
        """When the points were measured; None if they carry no times."""
        if sweep.times is None:
            return None
        found = read_times(sweep.times, sweep.time_field, stamp_ns(given.message) or swept_ns, habit)
        word = found if isinstance(found, str) else found.word if found is not None else ""
        if word:
            self._complaints.warn(given.topic, word)
        return None if isinstance(found, str) else found

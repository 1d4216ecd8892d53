# SPDX-License-Identifier: Apache-2.0
"""Sensors that publish over DDS, and ears that keep what the node says."""

from __future__ import annotations

import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
from diagnostic_msgs.msg import DiagnosticArray
from rcl_interfaces.srv import GetParameters, SetParameters
from rclpy.node import Node
from rclpy.parameter import Parameter, parameter_value_to_python
from rclpy.qos import QoSProfile, ReliabilityPolicy, qos_profile_sensor_data
from sensor_msgs.msg import CameraInfo, CompressedImage, Image, PointCloud2, PointField
from std_msgs.msg import Header

from perception.classes import FOREGROUND
from perception.frame import CameraModel
from perception.messages.convert import camera_info_fields, cloud_fields, image_fields, stamp_ns

WIDTH, HEIGHT = 320, 96
CAMERA = CameraModel(np.array([[180.0, 0, 160], [0, 180.0, 48], [0, 0, 1]]), WIDTH, HEIGHT, "left")
LIDAR_TO_CAMERA = "[0.0, -1.0, 0.0, 0.0, 0.0, 0.0, -1.0, 0.0, 1.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 1.0]"
PATIENT = ["-p", "wait_s:=1.0", "-p", "rgb.timeout_s:=5.0", "-p", "lidar.timeout_s:=5.0"]
"""Times that hold on a machine that does much else besides."""
EARS = QoSProfile(depth=50, reliability=ReliabilityPolicy.BEST_EFFORT)
"""Hears publishers of either reliability."""
NOISE, SWEEP_NOISE = np.random.default_rng(0), 1e-3
"""Of the sensors; the sweep's in metres."""
IMAGES = ("labels", "confidence", *FOREGROUND)


class Vehicle:
    """Sensors that publish and ears that keep what the node says, by topic."""

    def __init__(self, node: Node) -> None:
        self.node = node
        self.heard: dict[str, list[Any]] = {}
        self.lock = threading.Lock()
        self.calibration: dict[str, Any] = {}
        """What camera_info says of the camera's own image, where that is not rectified."""

        self.image, self.compressed = self._sensor(Image, "/image"), self._sensor(CompressedImage, "/image/compressed")
        self.info, self.points = self._sensor(CameraInfo, "/camera_info"), self._sensor(PointCloud2, "/points")
        for name in IMAGES:
            self.listen(Image, f"/perception/{name}")
        self.listen(DiagnosticArray, "/diagnostics")

    @contextmanager
    def no_plain_images(self) -> Iterator[None]:
        """A camera that has compressed images alone."""
        self.node.destroy_publisher(self.image)
        try:
            yield
        finally:
            self.image = self._sensor(Image, "/image")

    def listen(self, kind: Any, topic: str, qos: QoSProfile = EARS) -> None:
        self.node.create_subscription(kind, topic, lambda message: self._keep(topic, message), qos)

    def labels(self) -> dict[int, Any]:
        """The label images so far, by stamp."""
        return {stamp_ns(message): message for message in self.all("/perception/labels")}

    def all(self, topic: str) -> list[Any]:
        with self.lock:
            return list(self.heard.get(topic, []))

    def sense(self, level: int, camera: bool = True, lidar: bool = True, **changes: Any) -> int:
        """Publish one instant: an image whose red is `level` in its left half, and a sweep. Returns its stamp."""
        header = self.header("left")
        if camera:
            self.info.publish(CameraInfo(header=header, **{**camera_info_fields(CAMERA), **self.calibration}))
            self.image.publish(Image(header=header, **{**image_fields(picture(level), "rgb8"), **changes}))
        if lidar:
            cloud = cloud_fields(sweep(), PointField)
            self.points.publish(PointCloud2(header=Header(stamp=header.stamp, frame_id="velo"), **cloud))
        return stamp_ns(Image(header=header))

    def header(self, frame_id: str) -> Header:
        return Header(stamp=self.node.get_clock().now().to_msg(), frame_id=frame_id)

    def drive(self, count: int, **what: Any) -> list[int]:
        """Publish `count` instants, each when the one before is answered, and return their stamps."""
        return [self._until_answered(64 * (index % 4) + 32, **what) for index in range(count)]

    def _sensor(self, kind: Any, topic: str) -> Any:
        return self.node.create_publisher(kind, topic, qos_profile_sensor_data)

    def _until_answered(self, level: int, **what: Any) -> int:
        """Sensor data may get lost, or come so late that it is left out: sense again until there is an answer."""
        for _ in range(10):
            stamp = self.sense(level, **what)
            deadline = time.monotonic() + 2
            while time.monotonic() < deadline:
                time.sleep(0.06)  # longer than the tolerance, so that instants do not mix
                if stamp in self.labels():
                    return stamp
        raise AssertionError(f"not answered: {what or 'all sensors'}")

    def at(self, topic: str, stamp: int) -> Any:
        """The message of this stamp."""
        found: list[Any] = []
        wait_for(lambda: found.extend(m for m in self.all(topic) if stamp_ns(m) == stamp) or found)
        return found[0]

    def statuses(self) -> dict[str, Any]:
        """The newest diagnostics: (level, message, values) by name; stale and empty what was not heard of yet."""
        newest = self.all("/diagnostics")[-1:]
        said = defaultdict[str, Any](lambda: (b"\x03", "", {}))
        for status in (status for array in newest for status in array.status):
            values = {value.key: value.value for value in status.values}
            said[status.name.removeprefix("perception: ")] = status.level, status.message, values
        return said

    def set_parameter(self, name: str, value: Any) -> Any:
        request = SetParameters.Request(parameters=[Parameter(name, value=value).to_parameter_msg()])
        return self.call(SetParameters, "/perception/set_parameters", request).results[0]

    def parameter(self, name: str) -> Any:
        """The node's value of a parameter."""
        request = GetParameters.Request(names=[name])
        values = self.call(GetParameters, "/perception/get_parameters", request).values
        return parameter_value_to_python(values[0])

    def call(self, kind: Any, name: str, request: Any) -> Any:
        client = self.node.create_client(kind, name)
        assert client.wait_for_service(10)
        answer = client.call_async(request)
        wait_for(answer.done, 30)
        self.node.destroy_client(client)
        return answer.result()

    def _keep(self, topic: str, message: Any) -> None:
        with self.lock:
            self.heard.setdefault(topic, []).append(message)


def picture(level: int) -> np.ndarray:
    """The left half's red is `level`; its blue is noise, as no camera is without."""
    rgb = np.full((HEIGHT, WIDTH, 3), 32, np.uint8)
    rgb[:, : WIDTH // 2, 0] = level
    rgb[:, : WIDTH // 2, 2] = NOISE.integers(16, 48, (HEIGHT, WIDTH // 2))
    return rgb


def sweep() -> np.ndarray:
    """Points in front, in the left and the right half of the image, and one behind; each time a little elsewhere."""
    points = np.array([[10, 2, 0, 0.5], [10, -2, 0, 0.5], [-10, 0, 0, 0.5]], np.float32)
    points[:, :3] += NOISE.uniform(-SWEEP_NOISE, SWEEP_NOISE, (3, 3)).astype(np.float32)
    return points


def wait_for(condition: Callable[[], Any], timeout: float = 10.0) -> None:
    deadline = time.monotonic() + timeout
    while not condition():
        assert time.monotonic() < deadline, "nothing happened in time"
        time.sleep(0.02)

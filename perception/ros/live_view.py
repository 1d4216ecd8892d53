# SPDX-License-Identifier: Apache-2.0
"""A running node, its sensors and its answers → `Log`. Nothing is computed again, and nothing queues."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

from diagnostic_msgs.msg import DiagnosticArray
from geometry_msgs.msg import Transform, Vector3
from rclpy.node import Node
from rclpy.serialization import deserialize_message
from sensor_msgs.msg import CameraInfo, Image, PointCloud2
from visualization_msgs.msg import Marker, MarkerArray

from perception.assembly.calibration import Calibration, FileCalibration
from perception.assembly.live_pairing import LivePairing, Moment
from perception.assembly.throttled_log import ThrottledLog
from perception.assembly.transforms import transform_matrix
from perception.errors import MessageError
from perception.frame import MODALITIES
from perception.messages.bit_depth import BitDepth
from perception.messages.convert import read_array, read_depth, read_infrared, read_points, read_rgb
from perception.messages.labelled_clouds import read_labelled
from perception.messages.stamps import read_stamp
from perception.ros.spinning import spinning
from perception.ros.subscriptions import INPUTS, NEWEST, LatchedInfo
from perception.ros.tf.listener import listen
from perception.sensors.intensity import IntensityScale
from perception.viewing.log import Box, Log

_LOOK_S = 0.01
"""How often to check for a new moment."""


class Heard(NamedTuple):
    """A message, still serialised: most are replaced before they are shown."""

    topic: str
    kind: Any
    data: bytes

    def read(self) -> Any:
        """The message."""
        return deserialize_message(self.data, self.kind)


class LiveView:
    """Listens with `node` to the perception node's inputs and outputs and shows them.

    rate_hz: the most moments per second. calibration: used for what camera_info and TF lack. target: the perception
    node's name, which is remapped like any other.
    """

    def __init__(
        self,
        node: Node,
        log: Log,
        rate_hz: float = 10.0,
        calibration: FileCalibration | None = None,
        target: str = "perception",
    ) -> None:
        self._node, self._log, self._period_s = node, log, 1 / rate_hz
        self._lock, self._moments = threading.Lock(), LivePairing()
        self._values: dict[str, str] | None = None
        self._complaints = ThrottledLog(node.get_logger().error, node.get_logger().warning)
        self._bit_depth = BitDepth()
        self._calibration = Calibration(calibration, transforms=listen(node))
        self._intensity = IntensityScale()
        self._target = node.resolve_topic_name(target)
        sensors = [(name, topic, kind) for name in MODALITIES for topic, kind in INPUTS[name]]
        answers = [("labels", f"{target}/labels", Image), ("cloud", f"{target}/points", PointCloud2)]
        # Of a network that tells things apart:
        answers += [("instances", f"{target}/instances", Image), ("objects", f"{target}/objects/markers", MarkerArray)]
        for name, topic, kind in sensors + answers:
            keep = partial(self._keep, name, node.resolve_topic_name(topic), kind)
            node.create_subscription(kind, topic, keep, NEWEST, raw=True)
        node.create_subscription(CameraInfo, "camera_info", self._calibration.put_camera_info, NEWEST)
        self._latched = LatchedInfo(node, "camera_info", self._calibration.put_camera_info)
        node.create_subscription(DiagnosticArray, "/diagnostics", self._diagnosed, 10)
        self.topics = [node.resolve_topic_name(topic) for _, topic, _ in sensors + answers]
        self.shown = 0

    def run(self, wanted: Callable[[], bool]) -> None:
        """Show new moments until stopped."""
        with spinning(self._node, "live view"):
            while wanted():
                began = time.monotonic()
                with self._lock:
                    moment = self._moments.take(began)
                    values, self._values = (self._values, None) if moment else (None, self._values)
                if moment is not None:
                    self._show(moment, values)
                    # Wait until the viewer has taken it: newer moments wait here, where an even newer one can still
                    # replace them.
                    self._log.recording.flush(timeout_sec=5.0)
                time.sleep(max(_LOOK_S, self._period_s - (time.monotonic() - began) if moment else 0.0))

    def _keep(self, name: str, topic: str, kind: Any, data: bytes) -> None:
        try:
            # A MarkerArray has no header of its own: that of its first marker follows their number.
            stamp_ns = read_stamp(data[:4] + data[8:] if kind is MarkerArray else data)
        except MessageError as error:
            self._complaints.error(topic, error)
            return
        with self._lock:
            self._moments.offer(name, stamp_ns, Heard(topic, kind, data), time.monotonic())

    def _diagnosed(self, message: DiagnosticArray) -> None:
        """The node's reported weights and latency, once a second."""
        self._latched.settle()
        for status in message.status:
            if status.name == f"{self._target.lstrip('/')}: fusion":
                with self._lock:
                    self._values = {each.key: each.value for each in status.values}

    def _show(self, moment: Moment, values: dict[str, str] | None) -> None:
        self._log.at(moment.stamp_ns, self.shown)
        self._sensor(moment, "rgb", partial(read_rgb, depth=self._bit_depth), self._log.rgb)
        self._sensor(moment, "depth", read_depth, self._log.depth)
        self._sensor(moment, "infrared", read_infrared, self._log.infrared)
        self._sensor(moment, "labels", read_array, self._log.labels)
        self._sensor(moment, "instances", read_array, self._log.instances)
        self._sensor(moment, "objects", self._boxes, self._log.boxes)
        if "cloud" in moment.alive:
            self._sensor(moment, "cloud", self._labelled, self._points)
        else:
            self._sensor(moment, "lidar", self._unlabelled, self._points)
        if values:
            self._log.weights(_numbers(values, "weight_", ""))
            self._log.latency({**_numbers(values, "stage_", "_ms"), **_numbers(values, "latency_", "_ms")})
        self.shown += 1

    def _sensor(self, moment: Moment, name: str, read: Callable[[Any], Any], show: Callable[[Any], None]) -> None:
        """Show a message of the moment; sensors that are alive but slower keep their last message, silent ones are
        removed."""
        heard: Heard | None = moment.messages.get(name)
        if heard is None:
            if name not in moment.alive:
                show(None)
            return
        try:
            show(read(heard.read()))
        except MessageError as error:
            self._complaints.error(heard.topic, error)

    def _boxes(self, message: MarkerArray) -> list[Box]:
        """Those that `object_publishers.markers` made markers of."""
        names = self._log.classes.names
        labels = {(each.ns, each.id): each.text for each in message.markers if each.type == Marker.TEXT_VIEW_FACING}
        boxes = []
        for each in message.markers:
            if each.type != Marker.CUBE or each.action != Marker.ADD or each.ns not in names:
                continue
            place, size = each.pose.position, each.scale
            moved = Transform(translation=Vector3(x=place.x, y=place.y, z=place.z), rotation=each.pose.orientation)
            pose = transform_matrix(moved)
            if pose is None:
                continue
            label = labels.get((f"{each.ns}/text", each.id), each.ns)
            boxes.append(Box(pose[:3, 3], (size.x, size.y, size.z), pose[:3, :3], names.index(each.ns), label))
        return boxes

    def _points(self, found: tuple[Any, Any] | None) -> None:
        self._log.points(*(found or (None, None)))

    def _labelled(self, message: PointCloud2) -> Any:
        self._mount(message)
        return read_labelled(message)

    def _unlabelled(self, message: PointCloud2) -> Any:
        self._mount(message)
        return read_points(message, scale=self._intensity), None

    def _mount(self, message: PointCloud2) -> None:
        """The camera's pose in this sweep's LiDAR frame; drawn looking ahead if it is unknown."""
        view = self._calibration.camera()
        if view is None:
            return
        try:
            mount = self._calibration.lidar_to_camera(message.header.frame_id, view.model.frame_id)
        except MessageError:
            mount = None
        self._log.camera(view.model, None if mount is None else view.from_frame @ mount)


def _numbers(values: dict[str, str], prefix: str, suffix: str) -> dict[str, float]:
    """The values whose keys are prefix + name + suffix, by name."""
    return {
        key[len(prefix) : len(key) - len(suffix)]: float(value)
        for key, value in values.items()
        if key.startswith(prefix) and key.endswith(suffix)
    }

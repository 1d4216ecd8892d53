# SPDX-License-Identifier: Apache-2.0
"""The node's work on a frame, stage by stage, through the same functions as in the node, without its threads."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, NoReturn

import rclpy
from rclpy.context import Context
from rclpy.lifecycle import LifecycleNode
from rclpy.serialization import deserialize_message
from rclpy.signals import SignalHandlerOptions
from sensor_msgs.msg import CameraInfo

from perception.assembly.assembler import Assembler, Input
from perception.assembly.calibration import Calibration
from perception.assembly.collector import Arrival, SensorSet
from perception.assembly.levelling import Levelling
from perception.assembly.settings.parameters import Settings, make_settings
from perception.assembly.settings.topics import CAMERA_INFOS
from perception.assembly.throttled_log import ThrottledLog
from perception.bags.writer import serialise
from perception.classes import FOREGROUND
from perception.errors import PerceptionError
from perception.frame import MODALITIES, Frame
from perception.pipeline import Pipeline
from perception.ros.bench.listener import listener
from perception.ros.dds import use_profile
from perception.ros.node_process import private_network
from perception.ros.publishers import Publishers
from perception.ros.subscriptions import INPUTS

DISCOVERY_TIMEOUT_S = 15.0
SETTLE_S = 0.01
"""The wait before each frame: the listener is done with the frame before, and takes no core from this one's stages."""

IMAGE = "sensor_msgs/msg/Image"
DEFAULT_OUTPUTS: dict[str, str] = {f"/perception/{name}": IMAGE for name in ("labels", "confidence", *FOREGROUND)}
"""What the node publishes for every frame: type by topic."""

ALL_OUTPUTS: dict[str, str] = {
    **DEFAULT_OUTPUTS,
    "/perception/overlay": IMAGE,
    "/perception/overlay/compressed": "sensor_msgs/msg/CompressedImage",
    "/perception/points": "sensor_msgs/msg/PointCloud2",
}
"""Everything that the node can publish."""

_INPUTS: dict[str, tuple[str, Any]] = {
    f"/{topic}": (name, kind) for name in MODALITIES for topic, kind in INPUTS[name][:1]
}
"""Sensor and message class by topic."""

Messages = dict[str, bytes]
"""A frame as its serialised messages, by topic."""


class FrameStages:
    """Takes frames of one drive from serialised messages to published ones, and returns the milliseconds of each stage.

    node: an active lifecycle node. frame: any frame, for the LiDAR's mounting.
    """

    def __init__(self, node: LifecycleNode, outputs: Publishers, pipeline: Pipeline, frame: Frame) -> None:
        self._node, self._outputs, self._pipeline = node, outputs, pipeline
        self._calibration = Calibration(lidar_to_camera=frame.lidar_to_camera)
        complaints = ThrottledLog(_refuse, _refuse)
        infos = {sensor: f"/{topic}" for sensor, topic in CAMERA_INFOS.items()}
        self._assembler = Assembler(self._calibration, infos, complaints, lambda sensor, cause: None)
        self._levelling = Levelling()
        self.settings: Settings = make_settings({})

    def __call__(self, messages: Messages, settings: Settings | None = None) -> dict[str, float]:
        """One frame. settings: what to publish; the node's defaults. Raises PerceptionError for broken messages."""
        time.sleep(SETTLE_S)
        began = time.perf_counter()
        arrivals = {}
        for topic, (sensor, kind) in _INPUTS.items():
            arrivals[sensor] = Arrival(0, 0.0, Input(topic, deserialize_message(messages[topic], kind)))
        self._calibration.put_camera_info(deserialize_message(messages["/camera_info"], CameraInfo))
        received = time.perf_counter()
        seen = self._assembler(SensorSet("rgb", arrivals))
        assert seen is not None  # _refuse has raised before
        seen.frame.ground = self._levelling.expected(seen.frame)
        converted = time.perf_counter()
        task = self._pipeline.infer(self._pipeline.prepare(seen.frame))
        prediction = self._pipeline.decode(task, self._outputs.instances_heard, self._outputs.points_heard)
        self._levelling.add(seen.frame, prediction)
        spent = self._outputs.publish(seen, prediction, settings or self.settings)
        stages = {"receive": 1e3 * (received - began), "convert": 1e3 * (converted - received)}
        return {**stages, **prediction.timings_ms, **spent}


@contextmanager
def frame_stages(pipeline: Pipeline, frame: Frame, topics: Mapping[str, str]) -> Iterator[FrameStages]:
    """`FrameStages` on a separate ROS domain, with a process that listens to `topics` there."""
    use_profile()
    with private_network() as domain, listener(topics):
        context = Context()
        rclpy.init(context=context, domain_id=domain, signal_handler_options=SignalHandlerOptions.NO)
        try:
            node = LifecycleNode("perception", context=context)
            outputs = Publishers(node, classes=pipeline.classes)
            node.trigger_configure()
            node.trigger_activate()
            _wait_for_listener(node, list(topics))
            yield FrameStages(node, outputs, pipeline, frame)
            node.destroy_node()
        finally:
            rclpy.try_shutdown(context=context)  # type: ignore[attr-defined]


def serialised(frame: Frame) -> Messages:
    """The messages of a frame with every sensor."""
    return {message.topic: message.data for message in serialise(frame)}


def _wait_for_listener(node: LifecycleNode, topics: Sequence[str]) -> None:
    deadline = time.monotonic() + DISCOVERY_TIMEOUT_S
    while lonely := [topic for topic in topics if not node.count_subscribers(topic)]:
        if time.monotonic() > deadline:
            raise PerceptionError(f"no subscriber of {', '.join(lonely)} within {DISCOVERY_TIMEOUT_S:g} s")
        time.sleep(0.05)
    time.sleep(0.3)  # the publishers notice the subscribers a little later


def _refuse(line: str) -> NoReturn:
    raise PerceptionError(f"benchmark: {line}")

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import pytest

pytest.importorskip("rclpy")

from helpers.readers.topics import told_outputs
from nav_msgs.msg import OccupancyGrid
from rclpy.executors import SingleThreadedExecutor
from rclpy.lifecycle import LifecycleNode
from rclpy.parameter import Parameter
from rclpy.qos import DurabilityPolicy, QoSProfile
from sensor_msgs.msg import CompressedImage
from std_msgs.msg import Header

from perception.assembly.assembler import Observation
from perception.assembly.settings.parameters import make_settings
from perception.assembly.throttled_log import ThrottledLog
from perception.classes import CLASSES, PALETTE, ROAD, UNLABELLED
from perception.frame import CameraModel, Frame, Prediction
from perception.ros.publishers import Publishers, image_topics, overlay

CAMERA = CameraModel(np.eye(3), 8, 4)
LABELS = np.zeros((4, 8), np.uint8)
LABELS[:, 4:] = ROAD
LABELS[0, 7] = UNLABELLED


def test_colours_cover_the_classes_and_nothing_else() -> None:
    rgb = np.full((4, 8, 3), 100, np.uint8)
    image = overlay(Frame(0, rgb=rgb), LABELS, 0.5)
    assert (image[:, :4] == 100).all()
    assert (image[0, 7] == 100).all()
    np.testing.assert_allclose(image[2, 5], PALETTE[ROAD] * 0.5 + 50, atol=1)
    assert (rgb == 100).all()


@pytest.mark.parametrize(("alpha", "wanted"), [(0.0, [100, 100, 100]), (1.0, PALETTE[ROAD])])
def test_alpha(alpha: float, wanted: list[int]) -> None:
    image = overlay(Frame(0, rgb=np.full((4, 8, 3), 100, np.uint8)), LABELS, alpha)
    np.testing.assert_array_equal(image[2, 5], wanted)


def test_infrared_stands_in_for_the_camera() -> None:
    infrared = np.full((2, 4), 4000, np.uint16)
    infrared[:, 0] = 16000
    image = overlay(Frame(0, infrared=infrared), LABELS, 0.5)
    assert image.shape == (4, 8, 3)
    assert (image[1, 0] == 255).all()
    assert (image[1, 3] == 64).all()


def test_a_sweep_alone_is_drawn_on_black() -> None:
    frame = Frame(0, points=np.ones((3, 4), np.float32), camera=CAMERA, lidar_to_camera=np.eye(4))
    image = overlay(frame, LABELS, 1.0)
    assert (image[:, :4] == 0).all()
    np.testing.assert_array_equal(image[2, 5], PALETTE[ROAD])


LISTENER = """
import sys

import rclpy
from rclpy.qos import QoSProfile, ReliabilityPolicy
from sensor_msgs.msg import Image

rclpy.init()
node, heard = rclpy.create_node("listener"), set()
for name in ("labels", "road", "vehicle", "pedestrian"):
    qos = QoSProfile(depth=5, reliability=ReliabilityPolicy[sys.argv[1]])
    node.create_subscription(Image, f"/perception/{name}", lambda _, name=name: heard.add(name), qos)
while len(heard) < 4:
    rclpy.spin_once(node, timeout_sec=0.1)
    print("there", flush=True)
print("heard", flush=True)
while True:
    rclpy.spin_once(node, timeout_sec=0.1)
"""


class Mouth:
    """The node's publishers, and four masks of 1920×1200 to publish."""

    def __init__(self, context: Any, *overrides: Parameter) -> None:
        self.node = LifecycleNode("perception", context=context, parameter_overrides=list(overrides))
        self.said: list[str] = []
        self.publishers = Publishers(self.node, complaints=ThrottledLog(self.said.append, self.said.append))
        self.node.trigger_configure()
        self.node.trigger_activate()
        labels = np.zeros((1200, 1920), np.uint8)
        self.prediction = Prediction(0, labels, labels, {})
        frame, header = Frame(0, rgb=np.zeros((1200, 1920, 3), np.uint8)), Header()
        self.seen = Observation(frame, header, "camera", header)
        self.settings = make_settings({"publish_confidence": False})
        self.executor = SingleThreadedExecutor(context=context)
        self.executor.add_node(self.node)

    def say(self, count: int) -> list[float]:
        """Publish `count` times at 10 Hz; the milliseconds that each took."""
        spent = []
        for _ in range(count):
            began = time.perf_counter()
            spent.append(self.publishers.publish(self.seen, self.prediction, self.settings)["publish"])
            self.executor.spin_once(timeout_sec=0.0)
            time.sleep(max(0.0, 0.1 - (time.perf_counter() - began)))
        return spent

    def until(self, condition: Callable[[], object]) -> None:
        end = time.monotonic() + 20.0
        while not condition():
            assert time.monotonic() < end, self.said
            self.say(1)

    def close(self) -> None:
        self.executor.shutdown()
        self.node.destroy_node()


@pytest.fixture
def mouth(ros: Any) -> Iterator[Mouth]:
    made = Mouth(ros)
    yield made
    made.close()


@contextmanager
def listening(mouth: Mouth, reliability: str, until: str) -> Iterator[subprocess.Popen[str]]:
    """A process that subscribes to all four; the context is entered when it prints `until`."""
    command = [sys.executable, "-c", LISTENER, reliability]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        os.set_blocking(process.stdout.fileno(), False)
        try:
            mouth.until(lambda: until in (process.stdout.readline() or ""))
            yield process
        finally:
            os.kill(process.pid, signal.SIGCONT)
            process.terminate()  # it takes its leave; one that is killed stays in the graph for twenty seconds
            process.wait(10)


def test_reliable_listeners_that_stop_reading_slow_nobody(mouth: Mouth) -> None:
    """With reliable publishers, of 1920×1200, two of them cost 100 ms a frame."""
    with listening(mouth, "BEST_EFFORT", "heard"):
        alone = np.median(mouth.say(20))
        with listening(mouth, "RELIABLE", "there") as one, listening(mouth, "RELIABLE", "there") as other:
            mouth.until(lambda: mouth.publishers.complain_of_refused() or mouth.said)
            mouth.publishers.complain_of_refused()
            for process in (one, other):
                os.kill(process.pid, signal.SIGSTOP)
            assert np.median(mouth.say(30)) < 2 * alone + 10
    told = "QoS: a subscriber requests another reliability and receives nothing; let it request best effort"
    assert told in mouth.said[0]
    assert "set qos_overrides./perception/" in mouth.said[0]
    assert len(mouth.said) == len(set(mouth.said)), "each once"


def test_a_subscriber_of_another_type_is_told_of(mouth: Mouth, stranger: Any) -> None:
    stranger.create_subscription(CompressedImage, "/perception/labels", print, 1)
    told = "type: a subscriber expects sensor_msgs/msg/CompressedImage in place of sensor_msgs/msg/Image"
    line = f"/perception/labels: {told} and receives nothing"
    mouth.until(lambda: mouth.publishers.complain_of_refused() or line in mouth.said)


def test_no_event_is_waited_for(mouth: Mouth) -> None:
    """Each costs time with every message that comes."""
    before = len(list(mouth.node.waitables))
    mouth.publishers.destroy()
    assert len(list(mouth.node.waitables)) == before


def test_points_are_asked_for_once_somebody_listens(mouth: Mouth) -> None:
    assert not mouth.publishers.points_heard
    mouth.node.create_subscription(OccupancyGrid, "/perception/road_grid", print, 1)
    mouth.until(lambda: mouth.publishers.points_heard)


def test_an_override_serves_reliable_listeners(ros: Any) -> None:
    topics = ("labels", "road", "vehicle", "pedestrian")
    mouth = Mouth(
        ros,
        *(Parameter(f"qos_overrides./perception/{name}.publisher.reliability", value="reliable") for name in topics),
    )
    try:
        with listening(mouth, "RELIABLE", "heard"):
            assert mouth.said == []
    finally:
        mouth.close()


def test_each_class_that_the_network_knows_has_a_mask_and_a_name_in_the_label_info(ros: Any) -> None:
    five = CLASSES.extended([dict(name="bicycle", colour=(255, 200, 0), within="vehicle")])
    node = LifecycleNode("perception", context=ros)
    publishers = Publishers(node, classes=five)
    try:
        topics = {publisher.topic_name for publisher in node.publishers}
        assert {f"/perception/{name}" for name in ("road", "vehicle", "pedestrian", "bicycle")} <= topics
        assert image_topics(CLASSES) == ("labels", "confidence", "overlay", "road", "vehicle", "pedestrian")
    finally:
        publishers.destroy()
        node.destroy_node()


def test_the_docs_tell_every_topic_with_its_type(ros: Any) -> None:
    node = LifecycleNode("perception", context=ros)
    publishers = Publishers(node, instances=True)
    try:
        kinds: dict[str, Any] = {each.topic_name: each.msg_type for each in node.publishers}
    finally:
        publishers.destroy()
        node.destroy_node()
    published = {name: kind.__name__ for name, kind in kinds.items() if name.startswith("/perception/")}
    told = {f"/perception/{name}": kind for name, kind in told_outputs().items()}
    assert told.pop("/perception/objects") == published.pop("/perception/objects", "Detection3DArray")
    assert told.pop("/perception/label_info") == "LabelInfo"
    assert published.pop("/perception/label_info") in {"LabelInfo", "String"}
    published.pop("/perception/transition_event", None)
    assert published == told


def test_the_overlay_has_the_colour_of_the_networks_own_class() -> None:
    five = CLASSES.extended([dict(name="bicycle", colour=(255, 200, 0), within="vehicle")])
    frame = Frame(0, np.zeros((1, 2, 3), np.uint8))
    assert overlay(frame, np.array([[0, 4]], np.uint8), 1.0, five)[0].tolist() == [[0, 0, 0], [255, 200, 0]]


def test_a_costmap_that_comes_later_gets_no_grid_of_another_place(ros: Any) -> None:
    """A grid is latched for a second: the vehicle has left the place of an older one."""
    costmap = QoSProfile(depth=1, durability=DurabilityPolicy.TRANSIENT_LOCAL)
    mouth = Mouth(ros)
    points = np.float32([[5, 0, 0, 0]])
    frame = Frame(0, points=points, camera=CAMERA, lidar_to_camera=np.eye(4))
    lidar = Header(frame_id="lidar")
    mouth.seen = Observation(frame, lidar, "camera", lidar)
    mouth.prediction = Prediction(0, LABELS, LABELS, {}, np.uint8([ROAD]))
    heard: list[OccupancyGrid] = []
    try:
        first = mouth.node.create_subscription(OccupancyGrid, "/perception/grid", heard.append, costmap)
        mouth.until(lambda: heard)
        assert (heard[0].header.frame_id, sorted(set(heard[0].data))) == ("lidar", [-1, 0])
        mouth.node.destroy_subscription(first)
        time.sleep(1.5)
        late: list[OccupancyGrid] = []
        mouth.node.create_subscription(OccupancyGrid, "/perception/grid", late.append, costmap)
        mouth.executor.spin_once(timeout_sec=1.0)
        assert late == []
        mouth.until(lambda: late)
    finally:
        mouth.close()


def test_what_nobody_listens_to_is_not_made(ros: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    mouth = Mouth(ros)
    mouth.prediction = Prediction(0, LABELS, LABELS, {}, np.uint8([ROAD]))
    try:
        for name in ("png_fields", "outlines", "road_grid", "cloud_fields", "compressed_fields"):
            monkeypatch.setattr(f"perception.ros.publishers.{name}", lambda *_: pytest.fail("made"))
        mouth.say(1)
    finally:
        mouth.close()

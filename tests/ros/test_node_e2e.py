# SPDX-License-Identifier: Apache-2.0
"""The node in its own process, sensors and listeners in this one, real DDS between them.

Each instant waits for the answer to the one before, so that a busy machine makes the tests slow but not wrong; that the
node keeps up in real time is the demo's to show. rclpy's field checks are on in the node, as some distributions have.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("rclpy")

from diagnostic_msgs.msg import DiagnosticArray
from lifecycle_msgs.msg import Transition
from lifecycle_msgs.srv import ChangeState
from nav_msgs.msg import OccupancyGrid
from rcl_interfaces.srv import SetParameters
from rclpy.executors import SingleThreadedExecutor
from rclpy.node import Node
from rclpy.parameter import Parameter
from rclpy.qos import DurabilityPolicy, QoSProfile, qos_profile_sensor_data
from sensor_msgs.msg import CameraInfo, CompressedImage, Image, PointCloud2, PointField
from std_msgs.msg import Header, String

from perception.classes import FOREGROUND
from perception.frame import CameraModel
from perception.ros.convert import (
    camera_info_fields,
    cloud_fields,
    compressed_fields,
    image_fields,
    read_array,
    read_points,
    read_rgb,
    stamp_ns,
)
from perception.ros.node_process import NodeProcess

WIDTH, HEIGHT = 320, 96
CAMERA = CameraModel(np.array([[180.0, 0, 160], [0, 180.0, 48], [0, 0, 1]]), WIDTH, HEIGHT, "left")
LIDAR_TO_CAMERA = "[0.0, -1.0, 0.0, 0.0, 0.0, 0.0, -1.0, 0.0, 1.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 1.0]"
PATIENT = ["-p", "wait_s:=1.0", "-p", "rgb.timeout_s:=5.0", "-p", "lidar.timeout_s:=5.0"]
"""Times that hold on a machine that does much else besides."""
IMAGES = ("labels", "confidence", *FOREGROUND)


class Vehicle:
    """Sensors that publish and ears that keep what the node says, by topic."""

    def __init__(self, node: Node) -> None:
        self.node = node
        self.heard: dict[str, list[Any]] = {}
        self.lock = threading.Lock()

        def sensor(kind: Any, topic: str) -> Any:
            return node.create_publisher(kind, topic, qos_profile_sensor_data)

        self.image, self.compressed = sensor(Image, "/image"), sensor(CompressedImage, "/image/compressed")
        self.info, self.points = sensor(CameraInfo, "/camera_info"), sensor(PointCloud2, "/points")
        for name in IMAGES:
            self.listen(Image, f"/perception/{name}")
        self.listen(DiagnosticArray, "/diagnostics")

    def listen(self, kind: Any, topic: str, qos: Any = 50) -> None:
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
            self.info.publish(CameraInfo(header=header, **camera_info_fields(CAMERA)))
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
        """The newest diagnostics: (level, message, values) by name."""
        newest = self.all("/diagnostics")[-1:]
        return {
            status.name.removeprefix("perception: "): (
                status.level,
                status.message,
                {value.key: value.value for value in status.values},
            )
            for array in newest
            for status in array.status
        }

    def set_parameter(self, name: str, value: Any) -> Any:
        request = SetParameters.Request(parameters=[Parameter(name, value=value).to_parameter_msg()])
        return self.call(SetParameters, "/perception/set_parameters", request).results[0]

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
    rgb = np.full((HEIGHT, WIDTH, 3), 32, np.uint8)
    rgb[:, : WIDTH // 2, 0] = level
    return rgb


def sweep() -> np.ndarray:
    """Points in front, in the left and the right half of the image, and one behind."""
    return np.array([[10, 2, 0, 0.5], [10, -2, 0, 0.5], [-10, 0, 0, 0.5]], np.float32)


def wait_for(condition: Callable[[], Any], timeout: float = 10.0) -> None:
    deadline = time.monotonic() + timeout
    while not condition():
        assert time.monotonic() < deadline, "nothing happened in time"
        time.sleep(0.02)


@pytest.fixture(scope="module")
def vehicle(ros: Any) -> Iterator[Vehicle]:
    node = Node("vehicle", context=ros)
    vehicle = Vehicle(node)
    executor = SingleThreadedExecutor(context=ros)
    executor.add_node(node)
    thread = threading.Thread(target=executor.spin)
    thread.start()
    yield vehicle
    executor.shutdown()
    thread.join()
    node.destroy_node()


@pytest.fixture(scope="module")
def node(vehicle: Vehicle, tiny_model: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[NodeProcess]:
    """A node that is active and knows its sensors and listeners."""
    parameters = ["-p", f"model:={tiny_model}", "-p", f"lidar_to_camera:={LIDAR_TO_CAMERA}", *PATIENT]
    log = tmp_path_factory.mktemp("node") / "node.log"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ROS_PYTHON_CHECK_FIELDS", "1")
        process = NodeProcess(["--ros-args", *parameters], log)
    with process:
        process.wait_until_active(vehicle.node)
        wait_for(lambda: all(p.get_subscription_count() for p in (vehicle.image, vehicle.points, vehicle.info)))
        wait_for(lambda: len(vehicle.node.get_publishers_info_by_topic("/perception/pedestrian")) == 1)
        time.sleep(0.3)  # both sides must know of each other, and only one of them can be asked
        yield process


@pytest.fixture(autouse=True)
def settled(request: pytest.FixtureRequest, vehicle: Vehicle) -> None:
    """Let the sensors run until the node knows them both; then forget what was heard."""
    if "node" in request.fixturenames:
        request.getfixturevalue("node")
        vehicle.drive(3)
    with vehicle.lock:
        vehicle.heard.clear()


def test_every_instant_is_answered_with_the_right_labels(vehicle: Vehicle, node: NodeProcess) -> None:
    vehicle.listen(Image, "/perception/overlay")
    vehicle.listen(CompressedImage, "/perception/overlay/compressed")
    vehicle.listen(PointCloud2, "/perception/points")
    vehicle.listen(OccupancyGrid, "/perception/road_grid")
    vehicle.listen(String, "/perception/label_info", QoSProfile(depth=1, durability=DurabilityPolicy.TRANSIENT_LOCAL))
    wait_for(lambda: vehicle.all("/perception/label_info"))
    lazy = ("overlay", "overlay/compressed", "points", "road_grid")
    wait_for(lambda: vehicle.drive(1) and all(vehicle.all(f"/perception/{name}") for name in lazy), 30)
    for index, stamp in enumerate(vehicle.drive(12)):
        message = vehicle.labels()[stamp]
        assert (message.encoding, message.header.frame_id) == ("mono8", "left")
        image = read_array(message)
        assert image.shape == (HEIGHT, WIDTH)
        assert (image[:, : WIDTH // 2 - 4] == index % 4).all()
        assert (image[:, WIDTH // 2 + 4 :] == 0).all()
        for name, class_id in FOREGROUND.items():
            mask = read_array(vehicle.at(f"/perception/{name}", stamp))
            np.testing.assert_array_equal(mask, np.where(image == class_id, 255, 0))
        assert (read_array(vehicle.at("/perception/confidence", stamp)) == 200).all()

    stamp = vehicle.drive(3)[2]  # a vehicle on the left
    cloud = vehicle.at("/perception/points", stamp)
    assert cloud.header.frame_id == "velo"
    np.testing.assert_array_equal(read_points(cloud), sweep())
    raw = np.frombuffer(cloud.data, np.uint8).reshape(3, cloud.point_step)
    offset = next(field.offset for field in cloud.fields if field.name == "label")
    assert raw[:, offset].tolist() == [2, 0, 255]
    grid = vehicle.at("/perception/road_grid", stamp)
    assert (grid.header.frame_id, grid.info.width, grid.info.height) == ("velo", 240, 240)
    assert sorted(value for value in grid.data if value != -1) == [100, 100]
    overlay = read_rgb(vehicle.at("/perception/overlay", stamp))
    np.testing.assert_array_equal(overlay[:, WIDTH // 2 + 4 :], picture(0)[:, WIDTH // 2 + 4 :])
    assert (overlay[:, : WIDTH // 2 - 4] != picture(160)[:, : WIDTH // 2 - 4]).any(axis=2).all()
    squeezed = read_rgb(vehicle.at("/perception/overlay/compressed", stamp))
    assert np.abs(squeezed.astype(int) - overlay).mean() < 10
    classes = json.loads(vehicle.all("/perception/label_info")[0].data)["class_map"]
    assert classes[2] == {"class_id": 2, "class_name": "vehicle"}
    assert "[ERROR]" not in node.log.read_text()


def test_a_camera_that_is_lost_leaves_the_lidar_and_comes_back(vehicle: Vehicle, node: NodeProcess) -> None:
    assert vehicle.set_parameter("rgb.timeout_s", 0.5).successful
    for stamp in vehicle.drive(3, camera=False):
        message = vehicle.labels()[stamp]
        assert (message.header.frame_id, message.width, message.height) == ("left", WIDTH, HEIGHT)
    log = node.log.read_text()
    assert "rgb: silent for 0.5 s on /image or /image/compressed, going on without it" in log
    assert vehicle.set_parameter("rgb.timeout_s", 5.0).successful
    again = vehicle.drive(3)[2]
    assert (read_array(vehicle.labels()[again])[:, : WIDTH // 2 - 4] == 2).all()
    assert "rgb: back on" in node.log.read_text()


def test_compressed_images_are_taken(vehicle: Vehicle, node: NodeProcess) -> None:
    def publish() -> int:
        header = vehicle.header("left")
        vehicle.compressed.publish(CompressedImage(header=header, **compressed_fields(picture(160), "png")))
        return stamp_ns(Image(header=header))

    wait_for(vehicle.compressed.get_subscription_count)
    time.sleep(0.5)
    stamp = publish()
    wait_for(lambda: stamp in vehicle.labels())
    assert (read_array(vehicle.labels()[stamp])[:, : WIDTH // 2 - 4] == 2).all()


def test_broken_messages_are_named_once_and_the_node_goes_on(vehicle: Vehicle, node: NodeProcess) -> None:
    # The LiDAR is fine: its instants are answered without the camera.
    vehicle.drive(3, step=7)
    vehicle.drive(3, encoding="fancy8")
    vehicle.drive(3)
    log = node.log.read_text()
    for line in ("step: 7 bytes, but a row of 320 pixels 'rgb8' needs 960", "encoding: 'fancy8' is unknown"):
        assert 1 <= log.count(f"/image: {line}") <= 2  # of three, in less than the 5 s after which it is said again


def test_diagnostics_tell_sensors_and_fusion(vehicle: Vehicle, node: NodeProcess) -> None:
    def all_is_well() -> bool:
        vehicle.drive(3)
        said = vehicle.statuses()
        return bool(said) and said["fusion"][1].startswith("rgb+lidar, ") and {s[0] for s in said.values()} == {b"\x00"}

    wait_for(all_is_well, 30)  # the node still speaks of what another test broke
    wait_for(lambda: vehicle.drive(1) and float(vehicle.statuses()["rgb"][2]["rate_hz"]) > 0, 30)
    statuses = vehicle.statuses()
    values = statuses["fusion"][2]
    assert values["modalities"] == "rgb lidar"
    assert float(values["weight_rgb"]) == 0.5
    assert float(values["rate_hz"]) > 0
    assert float(values["latency_p50_ms"]) > 0
    assert statuses["infrared"][1] == "nothing yet on /infrared or /infrared/compressed"


def test_parameters_and_lifecycle_while_running(vehicle: Vehicle, node: NodeProcess) -> None:
    def transition(number: int) -> bool:
        request = ChangeState.Request(transition=Transition(id=number))
        return bool(vehicle.call(ChangeState, "/perception/change_state", request).success)

    refused = vehicle.set_parameter("lidar_to_camera", [1.0, 2.0])
    assert not refused.successful
    assert "16" in refused.reason
    assert vehicle.set_parameter("publish_masks", False).successful
    stamps = vehicle.drive(3)
    assert stamps[1] not in {stamp_ns(message) for message in vehicle.all("/perception/road")}
    assert vehicle.set_parameter("publish_masks", True).successful

    for _ in range(2):
        assert transition(Transition.TRANSITION_DEACTIVATE)
        assert transition(Transition.TRANSITION_CLEANUP)
        silent = vehicle.sense(32)
        assert transition(Transition.TRANSITION_CONFIGURE)
        assert transition(Transition.TRANSITION_ACTIVATE)
        wait_for(vehicle.image.get_subscription_count)
    vehicle.drive(3)
    assert silent not in vehicle.labels()

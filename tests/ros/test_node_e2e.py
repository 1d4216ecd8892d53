# SPDX-License-Identifier: Apache-2.0
"""The node in its own process, sensors and listeners in this one, real DDS between them.

rclpy's field checks are on in the node, as some distributions have them.
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
PATIENT = ["-p", "wait_s:=0.5", "-p", "rgb.timeout_s:=0.6", "-p", "lidar.timeout_s:=0.6"]
"""Times that hold on a machine that does much else besides; sensors at RATE_HZ are slow enough for it, too."""
RATE_HZ = 5.0
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

    def drive(self, count: int, rate_hz: float = RATE_HZ, **what: Any) -> list[int]:
        """Publish `count` instants in real time and return their stamps."""
        stamps, start = [], time.monotonic() + 1 / rate_hz  # after what a drive before this one sent last
        for index in range(count):
            time.sleep(max(0.0, start + index / rate_hz - time.monotonic()))
            stamps.append(self.sense(64 * (index % 4) + 32, **what))
        return stamps

    def is_answered(self) -> bool:
        """Whether the node answers three instants in a row, none late."""
        stamps = self.drive(3)
        time.sleep(1 / RATE_HZ)
        return all(stamp in self.labels() for stamp in stamps)

    def is_well(self) -> bool:
        """Whether the node's diagnostics, with the sensors running, complain of nothing."""
        self.drive(3)
        newest = self.all("/diagnostics")[-1:]
        return bool(newest) and all(status.level == b"\x00" for status in newest[0].status)

    def call(self, kind: Any, name: str, request: Any) -> Any:
        client = self.node.create_client(kind, name)
        assert client.wait_for_service(10)
        answer = client.call_async(request)
        wait_for(answer.done)
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
    """Let the sensors run until the node knows them and its engine their size; then forget what was heard."""
    if "node" in request.fixturenames:
        request.getfixturevalue("node")
        wait_for(vehicle.is_answered, 30)
    with vehicle.lock:
        vehicle.heard.clear()


def test_every_instant_is_answered_with_the_right_labels(vehicle: Vehicle, node: NodeProcess) -> None:
    vehicle.listen(Image, "/perception/overlay")
    vehicle.listen(CompressedImage, "/perception/overlay/compressed")
    vehicle.listen(PointCloud2, "/perception/points")
    vehicle.listen(String, "/perception/label_info", QoSProfile(depth=1, durability=DurabilityPolicy.TRANSIENT_LOCAL))
    wait_for(lambda: vehicle.all("/perception/label_info"))
    vehicle.drive(3)
    stamps = vehicle.drive(12)
    wait_for(lambda: stamps[-1] in vehicle.labels(), 3)
    time.sleep(0.3)

    labels = vehicle.labels()
    answered = [stamp for stamp in stamps if stamp in labels]
    assert len(answered) >= 10  # all of them, unless the machine is so busy that one is overtaken by the next
    for stamp in answered:
        index, message = stamps.index(stamp), labels[stamp]
        assert (message.encoding, message.header.frame_id) == ("mono8", "left")
        image = read_array(message)
        assert image.shape == (HEIGHT, WIDTH)
        assert (image[:, : WIDTH // 2 - 4] == index % 4).all()
        assert (image[:, WIDTH // 2 + 4 :] == 0).all()
        for name, class_id in FOREGROUND.items():
            mask = next(m for m in vehicle.all(f"/perception/{name}") if stamp_ns(m) == stamp)
            np.testing.assert_array_equal(read_array(mask), np.where(image == class_id, 255, 0))
    confidence = next(m for m in vehicle.all("/perception/confidence") if stamp_ns(m) == stamps[-1])
    assert (read_array(confidence) == 200).all()

    vehicles = stamps[10]  # 10 % 4 = 2
    cloud = next(m for m in vehicle.all("/perception/points") if stamp_ns(m) == vehicles)
    assert cloud.header.frame_id == "velo"
    np.testing.assert_array_equal(read_points(cloud), sweep())
    raw = np.frombuffer(cloud.data, np.uint8).reshape(3, cloud.point_step)
    offset = next(field.offset for field in cloud.fields if field.name == "label")
    assert raw[:, offset].tolist() == [2, 0, 255]
    overlay = read_rgb(next(m for m in vehicle.all("/perception/overlay") if stamp_ns(m) == vehicles))
    squeezed = read_rgb(next(m for m in vehicle.all("/perception/overlay/compressed") if stamp_ns(m) == vehicles))
    np.testing.assert_array_equal(overlay[:, WIDTH // 2 + 4 :], picture(0)[:, WIDTH // 2 + 4 :])
    assert (overlay[:, : WIDTH // 2 - 4] != picture(160)[:, : WIDTH // 2 - 4]).any(axis=2).all()
    assert np.abs(squeezed.astype(int) - overlay).mean() < 10
    classes = json.loads(vehicle.all("/perception/label_info")[0].data)["class_map"]
    assert classes[2] == {"class_id": 2, "class_name": "vehicle"}
    assert "[ERROR]" not in node.log.read_text()


def test_a_camera_that_is_lost_leaves_the_lidar_and_comes_back(vehicle: Vehicle, node: NodeProcess) -> None:
    vehicle.drive(5)
    alone = vehicle.drive(10, camera=False)
    wait_for(lambda: alone[-1] in vehicle.labels(), 3)
    labels = vehicle.labels()
    assert all(stamp in labels for stamp in alone[5:])  # after the timeout of 0.6 s
    assert labels[alone[-1]].header.frame_id == "left"
    assert (labels[alone[-1]].width, labels[alone[-1]].height) == (WIDTH, HEIGHT)
    again = vehicle.drive(5)
    wait_for(lambda: again[-1] in vehicle.labels(), 3)
    assert all(stamp in vehicle.labels() for stamp in again[1:])
    log = node.log.read_text()
    assert "rgb: silent for 0.6 s on /image or /image/compressed, going on without it" in log
    assert "rgb: back on" in log


def test_compressed_images_are_taken(vehicle: Vehicle, node: NodeProcess) -> None:
    def publish() -> int:
        header = vehicle.header("left")
        vehicle.compressed.publish(CompressedImage(header=header, **compressed_fields(picture(160), "png")))
        return stamp_ns(Image(header=header))

    wait_for(vehicle.compressed.get_subscription_count)
    time.sleep(0.5)
    stamp = publish()
    wait_for(lambda: stamp in vehicle.labels(), 3)
    assert (read_array(vehicle.labels()[stamp])[:, : WIDTH // 2 - 4] == 2).all()


def test_broken_messages_are_named_once_and_the_node_goes_on(vehicle: Vehicle, node: NodeProcess) -> None:
    broken = vehicle.drive(5, step=7) + vehicle.drive(5, encoding="fancy8")
    good = vehicle.drive(3)
    wait_for(lambda: good[-1] in vehicle.labels(), 3)
    # The LiDAR is fine: its instants are answered without the camera.
    assert [i for i, stamp in enumerate(broken) if stamp not in vehicle.labels()] == []
    log = node.log.read_text()
    assert log.count("/image: step: 7 bytes, but a row of 320 pixels 'rgb8' needs 960") == 1
    assert log.count("/image: encoding: 'fancy8' is unknown") == 1


def test_diagnostics_tell_sensors_and_fusion(vehicle: Vehicle, node: NodeProcess) -> None:
    wait_for(vehicle.is_well, 8)  # after what another test broke
    vehicle.drive(12)
    statuses = {
        status.name: (status.level, status.message, {value.key: value.value for value in status.values})
        for status in vehicle.all("/diagnostics")[-1].status
    }
    level, message, values = statuses["perception: fusion"]
    assert level == b"\x00", message
    assert values["modalities"] == "rgb lidar"
    assert float(values["weight_rgb"]) == 0.5
    assert 2 < float(values["rate_hz"]) < 9
    assert 0 < float(values["latency_p50_ms"]) < 500
    level, message, values = statuses["perception: rgb"]
    assert level == b"\x00", message
    assert 2 < float(values["rate_hz"]) < 9
    assert statuses["perception: infrared"][1] == "nothing yet on /infrared"


def test_parameters_and_lifecycle_while_running(vehicle: Vehicle, node: NodeProcess) -> None:
    def set_parameter(name: str, value: Any) -> Any:
        request = SetParameters.Request(parameters=[Parameter(name, value=value).to_parameter_msg()])
        return vehicle.call(SetParameters, "/perception/set_parameters", request).results[0]

    def transition(number: int) -> bool:
        request = ChangeState.Request(transition=Transition(id=number))
        return bool(vehicle.call(ChangeState, "/perception/change_state", request).success)

    refused = set_parameter("lidar_to_camera", [1.0, 2.0])
    assert not refused.successful
    assert "16" in refused.reason
    assert set_parameter("publish_masks", False).successful
    vehicle.drive(1)
    stamps = vehicle.drive(3)
    wait_for(lambda: stamps[-1] in vehicle.labels(), 3)
    assert stamps[-1] not in {stamp_ns(message) for message in vehicle.all("/perception/road")}
    assert set_parameter("publish_masks", True).successful

    for _ in range(2):
        assert transition(Transition.TRANSITION_DEACTIVATE)
        assert transition(Transition.TRANSITION_CLEANUP)
        silent = vehicle.sense(32)
        assert transition(Transition.TRANSITION_CONFIGURE)
        assert transition(Transition.TRANSITION_ACTIVATE)
        wait_for(vehicle.image.get_subscription_count)
    time.sleep(1)
    vehicle.drive(2)
    stamps = vehicle.drive(3)
    wait_for(lambda: stamps[-1] in vehicle.labels(), 3)
    assert silent not in vehicle.labels()

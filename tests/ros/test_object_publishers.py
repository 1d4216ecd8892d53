# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

pytest.importorskip("rclpy")

from helpers.vehicle import CAMERA, HEIGHT, LIDAR_TO_CAMERA, WIDTH, Vehicle, picture
from rclpy.lifecycle import LifecycleNode
from rclpy.parameter import Parameter
from rclpy.serialization import deserialize_message, serialize_message
from rosbags.typesys import Stores, get_types_from_msg, get_typestore
from sensor_msgs.msg import CameraInfo, Image, PointCloud2, PointField
from std_msgs.msg import Header
from visualization_msgs.msg import Marker, MarkerArray

from perception.assembly.assembler import Observation
from perception.assembly.settings.parameters import make_settings
from perception.classes import CLASSES, VEHICLE
from perception.frame import Frame, Prediction
from perception.messages.convert import camera_info_fields, cloud_fields, image_fields, read_array, stamp_ns
from perception.objects import Object
from perception.ros.node import PerceptionNode
from perception.ros.object_publishers import detections, markers
from perception.ros.publishers import Publishers
from perception.ros.spinning import spinning
from perception.sensors.lens import Lens

HEADER = Header(frame_id="left")
TURNED = np.array([[0.6, 0.8, 0], [0, 0, -1], [-0.8, 0.6, 0]])
OBJECTS = (
    Object(2007, 0.9, np.array([1.0, 0.5, 12.0]), (4.0, 1.8, 1.5), TURNED, 10.5, 80),
    Object(3001, 0.75, np.array([-2.0, 0.4, 6.0]), (0.5, 0.4, 1.7), TURNED, 5.9, 20),
)


def test_each_object_is_a_cube_and_a_text_after_the_last_frames_are_removed() -> None:
    message = deserialize_message(serialize_message(markers(HEADER, OBJECTS, CLASSES)), MarkerArray)
    first, *drawn = message.markers
    assert first.action == Marker.DELETEALL
    assert [(each.ns, each.id, each.type) for each in drawn] == [
        ("vehicle", 7, Marker.CUBE),
        ("vehicle/text", 7, Marker.TEXT_VIEW_FACING),
        ("pedestrian", 1, Marker.CUBE),
        ("pedestrian/text", 1, Marker.TEXT_VIEW_FACING),
    ]
    cube, text = drawn[:2]
    assert {each.header.frame_id for each in message.markers} == {"left"}
    assert (cube.scale.x, cube.scale.y, cube.scale.z) == (4.0, 1.8, 1.5)
    assert (cube.pose.position.x, cube.pose.position.y, cube.pose.position.z) == (1.0, 0.5, 12.0)
    turn = cube.pose.orientation
    x, y, z, w = turn.x, turn.y, turn.z, turn.w
    ahead = (1 - 2 * (y * y + z * z), 2 * (x * y + z * w), 2 * (x * z - y * w))
    np.testing.assert_allclose(ahead, TURNED[:, 0], atol=1e-9)
    np.testing.assert_allclose(np.multiply([cube.color.r, cube.color.g, cube.color.b], 255), CLASSES.palette[VEHICLE])
    assert text.text == "vehicle 7, 10.5 m, 0.90"
    assert text.pose.position.y == pytest.approx(0.5 - 0.75 - 0.5)  # above, where y points down
    assert markers(HEADER, [], CLASSES).markers[0].action == Marker.DELETEALL


VISION_MSGS = {
    "vision_msgs/msg/ObjectHypothesis": "string class_id\nfloat64 score",
    "vision_msgs/msg/ObjectHypothesisWithPose": (
        "vision_msgs/ObjectHypothesis hypothesis\ngeometry_msgs/PoseWithCovariance pose"
    ),
    "vision_msgs/msg/BoundingBox3D": "geometry_msgs/Pose center\ngeometry_msgs/Vector3 size",
    "vision_msgs/msg/Detection3D": (
        "std_msgs/Header header\nvision_msgs/ObjectHypothesisWithPose[] results\n"
        "vision_msgs/BoundingBox3D bbox\nstring id"
    ),
    "vision_msgs/msg/Detection3DArray": "std_msgs/Header header\nvision_msgs/Detection3D[] detections",
}
"""As vision_msgs 4 defines them, which has no wheel."""


def test_detections_fit_the_definition_of_vision_msgs() -> None:
    store = get_typestore(Stores.ROS2_JAZZY)
    for name, definition in VISION_MSGS.items():
        store.register(get_types_from_msg(definition, name))
    module = SimpleNamespace(**{name.rpartition("/")[2]: store.types[name] for name in VISION_MSGS})
    kind = "vision_msgs/msg/Detection3DArray"
    message: Any = store.deserialize_cdr(store.serialize_cdr(detections(HEADER, OBJECTS, CLASSES, module), kind), kind)
    assert message.header.frame_id == "left"
    first, second = message.detections
    assert [(each.id, each.results[0].hypothesis.class_id) for each in (first, second)] == [
        ("vehicle 7", "vehicle"),
        ("pedestrian 1", "pedestrian"),
    ]
    assert first.results[0].hypothesis.score == 0.9
    assert (first.bbox.size.x, first.bbox.size.y, first.bbox.size.z) == (4.0, 1.8, 1.5)
    assert first.bbox.center.position.z == first.results[0].pose.pose.position.z == 12.0
    assert first.header.frame_id == "left"


def test_a_network_without_an_instance_head_has_none_of_the_topics(ros: Any) -> None:
    node = LifecycleNode("perception", context=ros)
    publishers = Publishers(node)
    try:
        topics = {publisher.topic_name for publisher in node.publishers}
        assert not {each for each in topics if "objects" in each or "instances" in each}
    finally:
        publishers.destroy()
        node.destroy_node()


@dataclass
class Street:
    """The vehicle's sensors: a wall to the left, whose left half of the image is a vehicle at 10 m."""

    vehicle: Vehicle

    def sense(self) -> None:
        vehicle, header = self.vehicle, self.vehicle.header("left")
        y, z = (each.ravel() for each in np.meshgrid(np.arange(1.0, 4.0, 0.1), np.arange(-1.0, 1.0, 0.2)))
        rows = np.stack([np.full(len(y), 10.0), y, z, np.full(len(y), 0.5)], 1)
        rows[:, :3] += np.random.default_rng().normal(0, 1e-3, (len(y), 3))
        vehicle.info.publish(CameraInfo(header=header, **camera_info_fields(CAMERA)))
        vehicle.image.publish(Image(header=header, **image_fields(picture(160), "rgb8")))
        cloud = cloud_fields(rows.astype(np.float32), PointField)
        vehicle.points.publish(PointCloud2(header=Header(stamp=header.stamp, frame_id="velo"), **cloud))


def test_a_node_whose_network_tells_things_apart_publishes_them_over_dds(
    ros: Any, vehicle: Vehicle, tiny_instances_model: Path
) -> None:
    mount = [float(number) for number in LIDAR_TO_CAMERA[1:-1].split(",")]
    values: dict[str, Any] = {"model": str(tiny_instances_model), "lidar_to_camera": mount}
    values |= {"wait_s": 1.0, "rgb.timeout_s": 5.0, "lidar.timeout_s": 5.0}
    overrides = [Parameter(name, value=value) for name, value in values.items()]
    node, street = PerceptionNode(context=ros, parameter_overrides=overrides), Street(vehicle)

    def until_heard(topic: str) -> Any:
        """The last message of it after some frames."""
        before = len(vehicle.all(topic))
        for _ in range(60):
            street.sense()
            time.sleep(0.2)
            if len(vehicle.all(topic)) >= before + 2:
                return vehicle.all(topic)[-1]
        raise AssertionError(f"{topic}: nothing came")

    try:
        node.trigger_configure()
        node.trigger_activate()
        with spinning(node, "node"):
            until_heard("/perception/labels")
            vehicle.listen(Image, "/perception/instances")
            instances = until_heard("/perception/instances")
            assert (instances.encoding, instances.width, instances.height) == ("16UC1", WIDTH, HEIGHT)
            assert instances.header == vehicle.labels()[stamp_ns(instances)].header
            found = read_array(instances)
            assert np.unique(found).tolist() == [0, 2001]
            assert (found[:, : WIDTH // 2 - 4] == 2001).all()
            vehicle.listen(MarkerArray, "/perception/objects/markers")
            shown = until_heard("/perception/objects/markers").markers
        assert [(each.ns, each.id) for each in shown] == [("", 0), ("vehicle", 1), ("vehicle/text", 1)]
        cube = shown[1]
        assert cube.header.frame_id == "left"
        assert cube.scale.x == pytest.approx(2.9, abs=0.1)
        assert cube.pose.position.x == pytest.approx(-2.45, abs=0.1)
        assert cube.pose.position.z == pytest.approx(10.0, abs=0.1)
    finally:
        node.destroy_node()


def test_instances_are_in_the_image_that_came_in_and_boxes_where_the_rectified_one_saw_them(
    ros: Any, vehicle: Vehicle
) -> None:
    """The raw image's centre is 20 pixels further right than the rectified one's."""
    instances = np.zeros((HEIGHT, WIDTH), np.uint16)
    instances[30:60, 100:140] = 2005
    labels = (instances // 1000).astype(np.uint8)
    raw = np.add(CAMERA.intrinsics, [[0, 0, 20], [0, 0, 0], [0, 0, 0]])
    k, d, r, p = (tuple(each.ravel().tolist()) for each in (raw, np.zeros(5), np.eye(3), CAMERA.intrinsics))
    frame = Frame(0, depth=np.full((HEIGHT, WIDTH), 10, np.float32), camera=CAMERA)
    node = LifecycleNode("perception", context=ros)
    publishers = Publishers(node, instances=True)
    topics = ("/perception/instances", "/perception/objects/markers")
    try:
        node.trigger_configure()
        node.trigger_activate()
        before = [len(vehicle.all(topic)) for topic in topics]
        for kind, topic in zip((Image, MarkerArray), topics, strict=True):
            vehicle.listen(kind, topic)
        for number in range(100):
            frame.stamp_ns = number * 100_000_000
            header = vehicle.header("left")
            seen = Observation(frame, header, "left", header, Lens(k, d, r, p, WIDTH, HEIGHT))
            prediction = Prediction(frame.stamp_ns, labels, labels, {}, instances=instances)
            publishers.publish(seen, prediction, make_settings({}))
            if all(len(vehicle.all(topic)) > count for topic, count in zip(topics, before, strict=True)):
                break
            time.sleep(0.1)
        image, boxes = (vehicle.all(topic)[-1] for topic in topics)
    finally:
        publishers.destroy()
        node.destroy_node()
    rows, columns = np.nonzero(read_array(image))
    assert (rows.min(), rows.max(), columns.min(), columns.max()) == (30, 59, 120, 159)
    cube = boxes.markers[1]
    assert cube.pose.position.x == pytest.approx((119 - 160) / 180 * 10, abs=0.06)
    assert read_array(image)[40, 140] == 2000 + cube.id

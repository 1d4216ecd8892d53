# SPDX-License-Identifier: Apache-2.0
"""The node in its own process, sensors and listeners in this one, real DDS between them.

Each instant waits for the answer to the one before, so that a busy machine makes the tests slow but not wrong; the
demo shows that the node keeps up in real time. rclpy's field checks are on in the node, as in some distributions.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("rclpy")

from helpers.readers.nav2 import LETHAL_OBSTACLE, costs
from helpers.vehicle import HEIGHT, LIDAR_TO_CAMERA, PATIENT, SWEEP_NOISE, WIDTH, Vehicle, picture, sweep, wait_for
from lifecycle_msgs.msg import Transition
from lifecycle_msgs.srv import ChangeState
from nav_msgs.msg import OccupancyGrid
from rclpy.qos import DurabilityPolicy, QoSProfile
from sensor_msgs.msg import CompressedImage, Image, PointCloud2
from std_msgs.msg import String
from visualization_msgs.msg import ImageMarker

from perception.classes import FOREGROUND
from perception.messages.convert import (
    compressed_fields,
    read_array,
    read_infrared,
    read_points,
    read_rgb,
    stamp_ns,
)
from perception.ros.node_process import NodeProcess

COSTMAP = QoSProfile(depth=1, durability=DurabilityPolicy.TRANSIENT_LOCAL)
"""As nav2's static layer subscribes."""


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
    """Let the sensors run until the node knows them both; then forget the messages so far."""
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
    vehicle.listen(OccupancyGrid, "/perception/grid", COSTMAP)
    vehicle.listen(ImageMarker, "/perception/overlay/annotations")
    for name in ("labels", *FOREGROUND):
        vehicle.listen(CompressedImage, f"/perception/{name}/compressed")
    vehicle.listen(String, "/perception/label_info", QoSProfile(depth=1, durability=DurabilityPolicy.TRANSIENT_LOCAL))
    wait_for(lambda: vehicle.all("/perception/label_info"))
    lazy = (
        "overlay", "overlay/compressed", "overlay/annotations", "points", "road_grid", "grid", "labels/compressed",
        "vehicle/compressed",
    )  # fmt: skip
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
    np.testing.assert_allclose(read_points(cloud), sweep(), atol=2.1 * SWEEP_NOISE)
    raw = np.frombuffer(cloud.data, np.uint8).reshape(3, cloud.point_step)
    offset = next(field.offset for field in cloud.fields if field.name == "label")
    assert raw[:, offset].tolist() == [2, 0, 255]
    grid = vehicle.at("/perception/road_grid", stamp)
    assert (grid.header.frame_id, grid.info.width, grid.info.height) == ("velo", 240, 240)
    assert sorted(value for value in grid.data if value != -1) == [100, 100]
    assert vehicle.at("/perception/grid", stamp) == grid
    corner, turned = grid.info.origin.position, grid.info.origin.orientation
    assert (corner.x, corner.y, turned.x, turned.y, turned.z, turned.w) == (-30, -30, 0, 0, 0, 1)
    lethal = np.argwhere(costs(np.array(grid.data, np.int8).reshape(240, 240)) == LETHAL_OBSTACLE)
    places = lethal[:, ::-1] * grid.info.resolution + [corner.x, corner.y]
    np.testing.assert_allclose(places, [[10, -2], [10, 2]], atol=grid.info.resolution)
    offset = next(field.offset for field in cloud.fields if field.name == "probability")
    np.testing.assert_allclose(raw[:, offset : offset + 4].copy().view("<f4").ravel(), [200 / 255, 200 / 255, 0])
    overlay = read_rgb(vehicle.at("/perception/overlay", stamp))
    np.testing.assert_array_equal(overlay[:, WIDTH // 2 + 4 :], picture(0)[:, WIDTH // 2 + 4 :])
    assert (overlay[:, : WIDTH // 2 - 4] != picture(160)[:, : WIDTH // 2 - 4]).any(axis=2).all()
    squeezed = read_rgb(vehicle.at("/perception/overlay/compressed", stamp))
    assert np.abs(squeezed.astype(int) - overlay).mean() < 10
    labels = read_array(vehicle.labels()[stamp])
    np.testing.assert_array_equal(read_infrared(vehicle.at("/perception/labels/compressed", stamp)), labels)
    mask = read_infrared(vehicle.at("/perception/vehicle/compressed", stamp))
    np.testing.assert_array_equal(mask == 255, labels == 2)
    lines = vehicle.at("/perception/overlay/annotations", stamp)
    assert (lines.type, lines.header.frame_id, len(lines.outline_colors)) == (ImageMarker.LINE_LIST, "left", 4)
    assert {(point.x, point.y) for point in lines.points} == {
        (u, v) for u in (0, np.flatnonzero(labels[0] == 2)[-1]) for v in (0, HEIGHT - 1)
    }
    classes = json.loads(vehicle.all("/perception/label_info")[0].data)["class_map"]
    assert classes[2] == {"class_id": 2, "class_name": "vehicle"}
    assert "[ERROR]" not in node.log.read_text()


def test_explanations_of_weights_that_are_not_there_are_complained_of_and_no_more(
    vehicle: Vehicle, node: NodeProcess
) -> None:
    vehicle.listen(Image, "/perception/explanation")
    assert vehicle.set_parameter("publish_explanation", True).successful
    wait_for(lambda: vehicle.drive(1) and "gradients need the weights" in node.log.read_text(), 120)
    assert vehicle.set_parameter("publish_explanation", False).successful
    vehicle.drive(3)
    assert "[ERROR]" not in node.log.read_text()


def test_a_camera_that_is_lost_leaves_the_lidar_and_comes_back(vehicle: Vehicle, node: NodeProcess) -> None:
    assert vehicle.set_parameter("rgb.timeout_s", 0.5).successful
    for stamp in vehicle.drive(3, camera=False):
        message = vehicle.labels()[stamp]
        assert (message.header.frame_id, message.width, message.height) == ("left", WIDTH, HEIGHT)
    log = node.log.read_text()
    assert "rgb: silent for 0.5 s on /image or /image/compressed, now left out" in log
    assert vehicle.set_parameter("rgb.timeout_s", 5.0).successful
    again = vehicle.drive(3)[2]
    assert (read_array(vehicle.labels()[again])[:, : WIDTH // 2 - 4] == 2).all()
    assert "rgb: back on" in node.log.read_text()


def test_compressed_images_are_taken(vehicle: Vehicle, node: NodeProcess) -> None:
    def publish() -> int:
        header = vehicle.header("left")
        vehicle.compressed.publish(CompressedImage(header=header, **compressed_fields(picture(160), "png")))
        return stamp_ns(Image(header=header))

    wait_for(lambda: vehicle.drive(1) and not vehicle.compressed.get_subscription_count())
    with vehicle.no_plain_images():
        wait_for(vehicle.compressed.get_subscription_count)
        time.sleep(0.5)
        stamp = publish()
        wait_for(lambda: stamp in vehicle.labels())
    vehicle.drive(1)
    assert (read_array(vehicle.labels()[stamp])[:, : WIDTH // 2 - 4] == 2).all()


def test_labels_of_images_that_are_not_rectified_are_in_the_images_as_they_came(
    vehicle: Vehicle, node: NodeProcess
) -> None:
    k = np.array([190.0, 0, 165, 0, 190, 45, 0, 0, 1])
    vehicle.calibration = {"k": k, "d": [-0.3, 0.1, 0.001, 0.0005, 0.0]}
    vehicle.drive(1)
    for index, stamp in enumerate(vehicle.drive(3)):
        labels = read_array(vehicle.labels()[stamp])
        known = labels != 255
        assert 0.8 < known.mean() < 1
        left, right = (slice(None), slice(0, WIDTH // 2 - 5)), (slice(None), slice(WIDTH // 2 + 5, None))
        # At the edge of the rectified image, the network sees a mixture with the black outside.
        assert (labels[left][known[left]] == index % 4).mean() > 0.98
        assert (labels[right][known[right]] == 0).all()
    vehicle.calibration = {}
    stamp = vehicle.drive(2)[1]
    assert (read_array(vehicle.labels()[stamp]) != 255).all()


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


def test_how_sensors_are_paired_is_in_the_diagnostics(vehicle: Vehicle, node: NodeProcess) -> None:
    wait_for(lambda: vehicle.drive(3) and "lidar.share" in vehicle.statuses()["fusion"][2], 30)
    values = vehicle.statuses()["fusion"][2]
    for sensor in ("rgb", "lidar"):
        assert float(values[f"{sensor}.offset_ms_p50"]) == 0
        assert float(values[f"{sensor}.offset_ms_max"]) >= 0
        assert 0 < float(values[f"{sensor}.share"]) <= 1
        assert f"{sensor}.latency_ms_p95" in values


def test_masks_that_are_too_old_are_counted_instead(vehicle: Vehicle, node: NodeProcess) -> None:
    vehicle.drive(2)
    assert vehicle.set_parameter("max_age_s", 0.0001).successful
    late = vehicle.sense(32)
    wait_for(lambda: int(vehicle.statuses()["rgb"][2].get("dropped_too_old", 0)) > 0, 10)
    assert late not in vehicle.labels()
    assert "> max_age_s 0.0001: not published" in node.log.read_text()
    assert vehicle.set_parameter("max_age_s", 2.0).successful
    vehicle.drive(1)


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

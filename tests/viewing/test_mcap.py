# SPDX-License-Identifier: Apache-2.0
"""What Foxglove is given, read back from the file: it must be what the sensors and the pipeline gave."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

pytest.importorskip("foxglove")

from helpers.readers.mcap_file import Mcap
from helpers.vehicle import CAMERA, picture

from perception.classes import CLASSES, PALETTE, PEDESTRIAN, ROAD, UNLABELLED, VEHICLE
from perception.frame import Frame, Prediction
from perception.ground import Ground
from perception.objects import find_objects
from perception.viewing.mcap import open_mcap

LIDAR_TO_CAMERA = np.array([[0, -1, 0, 0.1], [0, 0, -1, 0.2], [1, 0, 0, -0.3], [0, 0, 0, 1]], np.float64)
STAMPS = (1_700_000_000_000_000_123, 1_700_000_000_100_000_123)
POINTS = np.array([[10, 1, -1.5, 0.5], [12, -1, -1.5, 0.25], [20, 0, 0, 1], [-5, 0, 0, 0.5]], np.float32)
POINT_LABELS, SURE = np.array([ROAD, VEHICLE, PEDESTRIAN, UNLABELLED], np.uint8), np.array([255, 51, 102, 0], np.uint8)


def labels() -> np.ndarray:
    image = np.zeros((CAMERA.height, CAMERA.width), np.uint8)
    image[60:], image[40:70, 100:140] = ROAD, VEHICLE
    return image


def frames() -> list[Frame]:
    """Two instants; the second has neither thermal camera nor LiDAR."""
    depth = np.full((CAMERA.height, CAMERA.width), 12.5, np.float32)
    depth[0, :3] = np.nan, 70.0, 65.535
    first = Frame(
        STAMPS[0], picture(160), depth, np.full((48, 160), 77, np.uint8), POINTS, CAMERA, LIDAR_TO_CAMERA,
        ground=Ground.mounted(1.5),
    )  # fmt: skip
    return [first, Frame(STAMPS[1], picture(96), depth, camera=CAMERA, lidar_to_camera=LIDAR_TO_CAMERA)]


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> Mcap:
    path = tmp_path_factory.mktemp("view") / "new/drive.mcap"
    weights = {"rgb": 0.5, "depth": 0.125, "infrared": 0.125, "lidar": 0.25}
    sure = np.full_like(labels(), 200)
    with open_mcap(path) as log:
        for number, frame in enumerate(frames()):
            swept = dict(point_labels=POINT_LABELS, point_confidence=SURE) if frame.points is not None else {}
            log.log(
                frame, Prediction(frame.stamp_ns, labels(), sure, weights, timings_ms={"infer": 7.5}, **swept), number
            )
    return Mcap(path)


def test_every_topic_is_there_in_foxgloves_own_schemas(found: Mcap) -> None:
    assert {name: channel.schema for name, channel in found.channels.items()} == {
        "/image": "foxglove.CompressedImage",
        "/infrared": "foxglove.CompressedImage",
        "/depth": "foxglove.RawImage",
        "/camera_info": "foxglove.CameraCalibration",
        "/tf": "foxglove.FrameTransforms",
        "/perception/overlay/compressed": "foxglove.CompressedImage",
        "/perception/overlay/annotations": "foxglove.ImageAnnotations",
        **{f"/perception/{name}": "foxglove.RawImage" for name in ("labels", "confidence", *CLASSES.foreground)},
        "/perception/points": "foxglove.PointCloud",
        "/perception/grid": "foxglove.Grid",
        "/perception/weights": "weights",
        "/perception/latency": "latency",
    }
    assert found.indexed


def test_messages_are_at_the_stamps_of_their_frames(found: Mcap) -> None:
    once = {"/infrared", "/perception/grid"}
    for topic, messages in found.messages.items():
        assert [stamp for stamp, _ in messages] == list(STAMPS[:1] if topic in once else STAMPS), topic
    stamp = found.last("/perception/labels").timestamp
    assert (stamp.seconds, stamp.nanos) == (1_700_000_000, 100_000_123)


def test_images_and_masks_are_what_they_were(found: Mcap) -> None:
    shown = frames()[1]
    for name, wanted in (("/image", shown.rgb), ("/infrared", np.zeros((48, 160)))):
        message = found.last(name)
        assert (message.format, message.frame_id) == ("jpeg", "left")
        image = cv2.imdecode(np.frombuffer(message.data, np.uint8), cv2.IMREAD_COLOR_RGB)
        assert image.shape[:2] == wanted.shape[:2]
    assert np.abs(_picture(found, "/image").astype(int) - shown.rgb).mean() < 4
    np.testing.assert_array_equal(_raw(found, "/perception/labels"), labels())
    for name, number in CLASSES.foreground.items():
        np.testing.assert_array_equal(_raw(found, f"/perception/{name}"), np.where(labels() == number, 255, 0))
    depth = found.last("/depth")
    assert depth.encoding == "16UC1"
    assert _raw(found, "/depth", "<u2")[0, :4].tolist() == [0, 0, 65535, 12500]
    painted = _picture(found, "/perception/overlay/compressed")[80, 10]
    np.testing.assert_allclose(painted, (PALETTE[ROAD] + np.array([96, 32, 32])) / 2, atol=20)


def test_things_are_an_image_and_boxes_with_a_text_and_the_next_frame_replaces_them(tmp_path: Path) -> None:
    instances = np.where(labels() == VEHICLE, 2007, 0).astype(np.uint16)
    sure = np.full_like(labels(), 204)
    with open_mcap(tmp_path / "drive.mcap") as log:
        for number, frame in enumerate(frames()):
            told = Prediction(frame.stamp_ns, labels(), sure, {}, instances=instances if number == 0 else 0 * instances)
            log.log(frame, told, number)
    found = Mcap(tmp_path / "drive.mcap")
    assert found.channels["/perception/instances"].schema == "foxglove.RawImage"
    image = found.messages["/perception/instances"][0][1]
    assert image.encoding == "16UC1"
    np.testing.assert_array_equal(np.frombuffer(image.data, "<u2").reshape(instances.shape), instances)
    (_, scene), (_, after) = found.messages["/perception/objects/markers"]
    assert len(scene.deletions) == len(after.deletions) == 1
    assert (scene.deletions[0].type, list(after.entities)) == (1, [])  # ALL
    (thing,) = scene.entities
    assert (thing.id, thing.frame_id, thing.lifetime.seconds) == ("vehicle 7", "left", 1)
    (cube,), (text,) = thing.cubes, thing.texts
    np.testing.assert_allclose([cube.color.r, cube.color.g, cube.color.b, cube.color.a], [*PALETTE[VEHICLE] / 255, 0.5])
    assert text.text == "vehicle 7, 12.6 m, 0.80"
    (box,) = find_objects(frames()[0], Prediction(STAMPS[0], labels(), sure, {}, instances=instances))
    middle = [cube.pose.position.x, cube.pose.position.y, cube.pose.position.z]
    np.testing.assert_allclose(middle, box.centre)
    np.testing.assert_allclose([cube.size.x, cube.size.y, cube.size.z], box.size)
    assert middle[2] == pytest.approx(12.5)  # the depth image's
    above = np.array([text.pose.position.x, text.pose.position.y, text.pose.position.z]) - middle
    np.testing.assert_allclose(above, [0, -box.size[2] / 2 - 0.5, 0], atol=1e-9)


def test_outlines_are_polygons_of_the_masks(found: Mcap) -> None:
    lines = found.last("/perception/overlay/annotations").points
    assert [line.metadata[0].value for line in lines] == ["road", "vehicle"]
    assert {line.type for line in lines} == {2}  # LINE_LOOP
    vehicle = lines[1]
    assert {(point.x, point.y) for point in vehicle.points} == {(100, 40), (139, 40), (139, 69), (100, 69)}
    colour = vehicle.outline_color
    np.testing.assert_allclose([colour.r, colour.g, colour.b, colour.a], [*PALETTE[VEHICLE] / 255, 1])


def test_points_have_place_colour_class_and_probability(found: Mcap) -> None:
    cloud = found.messages["/perception/points"][0][1]
    kinds = {1: "u1", 7: "<f4"}
    assert [(field.name, kinds[field.type]) for field in cloud.fields] == [
        *((name, "<f4") for name in ("x", "y", "z", "intensity", "probability")),
        *((name, "u1") for name in ("red", "green", "blue", "alpha", "class_id")),
    ]
    points = _packed(cloud.fields, cloud.point_stride, cloud.data)
    np.testing.assert_array_equal(np.stack([points[name] for name in ("x", "y", "z", "intensity")], 1), POINTS)
    np.testing.assert_array_equal(points["class_id"], POINT_LABELS)
    np.testing.assert_allclose(points["probability"], SURE / 255, rtol=1e-6)
    assert [points[name][1] for name in ("red", "green", "blue", "alpha")] == [*PALETTE[VEHICLE], 255]
    assert found.last("/perception/points").data == b""  # the LiDAR is gone: no old points


def test_the_camera_is_where_the_calibration_says(found: Mcap) -> None:
    (mount,) = found.last("/tf").transforms
    assert (mount.parent_frame_id, mount.child_frame_id) == ("lidar", "left")
    wanted = np.linalg.inv(LIDAR_TO_CAMERA)
    np.testing.assert_allclose([mount.translation.x, mount.translation.y, mount.translation.z], wanted[:3, 3])
    x, y, z, w = mount.rotation.x, mount.rotation.y, mount.rotation.z, mount.rotation.w
    forward = [2 * (x * z + w * y), 2 * (y * z - w * x), 1 - 2 * (x * x + y * y)]
    np.testing.assert_allclose(forward, wanted[:3, 2], atol=1e-9)  # the optical axis
    camera = found.last("/camera_info")
    assert (camera.width, camera.height) == (CAMERA.width, CAMERA.height)
    np.testing.assert_array_equal(list(camera.K), CAMERA.intrinsics.ravel())
    np.testing.assert_array_equal(list(camera.P)[::4][:2], [180, 0])


def test_the_grid_lies_on_the_ground_with_road_and_things_where_they_are(found: Mcap) -> None:
    grid = found.last("/perception/grid")
    cells = _packed(grid.fields, grid.cell_stride, grid.data).reshape(-1, grid.column_count)
    assert (cells.shape, grid.row_stride) == ((240, 240), 240 * grid.cell_stride)
    corner = grid.pose.position
    assert (corner.x, corner.y, grid.cell_size.x) == (-30, -30, 0.25)
    assert corner.z == pytest.approx(-1.3)  # 0.2 m below a camera at 1.5 m
    places = {cost: np.argwhere(cells["cost"] == cost)[:, ::-1] * 0.25 - 30 for cost in (0, 100)}
    np.testing.assert_allclose(places[0], [[10, 1]], atol=0.25)
    np.testing.assert_allclose(places[100], [[12, -1], [20, 0]], atol=0.25)
    assert set(cells["alpha"][cells["cost"] == -1]) == {0}


def test_weights_and_latency_are_numbers(found: Mcap) -> None:
    assert found.channels["/perception/weights"].encoding == "json"
    assert found.last("/perception/weights") == {"rgb": 0.5, "depth": 0.125, "infrared": 0.125, "lidar": 0.25}
    assert found.last("/perception/latency") == {"infer": 7.5, "total": 7.5}


def _picture(found: Mcap, topic: str) -> np.ndarray:
    return np.asarray(cv2.imdecode(np.frombuffer(found.last(topic).data, np.uint8), cv2.IMREAD_COLOR_RGB))


def _raw(found: Mcap, topic: str, code: str = "u1") -> np.ndarray:
    image = found.last(topic)
    assert image.step == image.width * np.dtype(code).itemsize
    return np.frombuffer(image.data, code).reshape(image.height, image.width)


def _packed(fields: list[Any], stride: int, data: bytes) -> np.ndarray:
    codes = {1: "u1", 2: "i1", 7: "<f4"}
    kind: Any = {
        "names": [field.name for field in fields],
        "formats": [codes[field.type] for field in fields],
        "offsets": [field.offset for field in fields],
        "itemsize": stride,
    }
    return np.frombuffer(data, np.dtype(kind))

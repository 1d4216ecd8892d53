# SPDX-License-Identifier: Apache-2.0
"""What is logged, read back from the file with Rerun's own reader: it must be what the pipeline gave."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

pytest.importorskip("rerun")

import rerun as rr
from helpers.rerun_file import columns, rows
from helpers.vehicle import CAMERA, picture

from perception.frame import Frame, Prediction
from perception.pipeline import Pipeline
from perception.viewing.log import DEPTH_UNITS, Log
from perception.viewing.pictures import SURROUNDINGS

LIDAR_TO_CAMERA = np.array([[0, -1, 0, 0.1], [0, 0, -1, 0.2], [1, 0, 0, -0.3], [0, 0, 0, 1]], np.float64)
STAMPS = (1_700_000_000_000_000_123, 1_700_000_000_100_000_123)


def frames() -> list[Frame]:
    """Two instants; the second has neither thermal camera nor LiDAR."""
    rng = np.random.default_rng(0)
    points = rng.uniform((2, -5, -2, 0), (40, 5, 1, 1), (200, 4)).astype(np.float32)
    depth = np.full((48, 160), 12.5, np.float32)
    depth[0, 0] = np.nan
    first = Frame(
        STAMPS[0], picture(160), depth, np.full((48, 160), 77, np.uint8), points, CAMERA, LIDAR_TO_CAMERA
    )  # fmt: skip
    return [first, Frame(STAMPS[1], picture(96), depth, camera=CAMERA, lidar_to_camera=LIDAR_TO_CAMERA)]


@pytest.fixture(scope="module")
def logged(tiny_model: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[Frame], list[Prediction]]:
    path = tmp_path_factory.mktemp("view") / "drive.rrd"
    pipeline = Pipeline.load(tiny_model)
    recording = rr.RecordingStream("test")
    recording.save(path)
    log = Log(recording)
    shown, predictions = frames(), []
    for number, frame in enumerate(shown):
        predictions.append(pipeline(frame))
        log.log(frame, predictions[-1], number)
    recording.disconnect()
    return path, shown, predictions


def test_every_entity_is_there(logged: tuple[Path, list[Frame], list[Prediction]]) -> None:
    names = set(columns(logged[0]))
    assert {"/world", "/world/camera", "/world/camera/rgb", "/world/camera/labels", "/world/points"} <= names
    assert {"/infrared", "/depth", "/share/road", "/share/vehicle", "/share/pedestrian"} <= names
    assert {f"/weights/{name}" for name in ("rgb", "depth", "infrared", "lidar")} <= names
    assert {f"/latency/{name}" for name in ("project", "normalise", "infer", "decode", "total")} <= names


def test_labels_and_points_are_the_pipelines(logged: tuple[Path, list[Frame], list[Prediction]]) -> None:
    path, shown, predictions = logged
    labels = rows(path, "/world/camera/labels", "SegmentationImage:buffer")
    assert len(labels) == 2
    for given, prediction in zip(labels, predictions, strict=True):
        np.testing.assert_array_equal(np.asarray(given, np.uint8).ravel(), prediction.labels.ravel())
    (classes,) = rows(path, "/world/points", "Points3D:class_ids")[:1]
    assert predictions[0].point_labels is not None
    np.testing.assert_array_equal(np.asarray(classes).ravel(), predictions[0].point_labels)
    (positions,) = rows(path, "/world/points", "Points3D:positions")[:1]
    assert shown[0].points is not None
    np.testing.assert_array_equal(np.asarray(positions, np.float32), shown[0].points[:, :3])


def test_series_have_the_values_at_the_stamps(logged: tuple[Path, list[Frame], list[Prediction]]) -> None:
    path, _, predictions = logged
    for name in ("rgb", "lidar"):
        values = np.ravel(rows(path, f"/weights/{name}", "Scalars:scalars")).tolist()
        assert values == pytest.approx([prediction.modality_weights[name] for prediction in predictions])
    infer = np.ravel(rows(path, "/latency/infer", "Scalars:scalars")).tolist()
    assert infer == pytest.approx([prediction.timings_ms["infer"] for prediction in predictions])
    road = np.ravel(rows(path, "/share/road", "Scalars:scalars")).tolist()
    assert road == pytest.approx([100 * float((prediction.labels == 1).mean()) for prediction in predictions])
    assert rows(path, "/share/road", "stamp") == [*STAMPS]
    assert rows(path, "/share/road", "frame") == [0, 1]


def test_images_are_those_of_the_sensors(logged: tuple[Path, list[Frame], list[Prediction]]) -> None:
    path, shown, _ = logged
    image = cv2.imdecode(_bytes(path, "/world/camera/rgb", "EncodedImage:blob"), cv2.IMREAD_COLOR_RGB)
    assert shown[0].rgb is not None
    assert np.abs(image.astype(int) - shown[0].rgb).mean() < 3
    depth = cv2.imdecode(_bytes(path, "/depth", "EncodedDepthImage:blob"), cv2.IMREAD_UNCHANGED)
    assert (depth.shape, depth.dtype) == ((48, 160), np.uint16)
    assert depth[0, 0] == 0
    assert set(depth.ravel()[1:]) == {12.5 * DEPTH_UNITS}


def test_the_camera_is_where_the_calibration_says(logged: tuple[Path, list[Frame], list[Prediction]]) -> None:
    (translation,) = rows(logged[0], "/world/camera", "Transform3D:translation")
    np.testing.assert_allclose(np.ravel(translation), np.linalg.inv(LIDAR_TO_CAMERA)[:3, 3], atol=1e-6)


def test_a_sensor_that_is_gone_is_cleared(logged: tuple[Path, list[Frame], list[Prediction]]) -> None:
    for entity in ("/infrared", "/world/points"):
        assert len(rows(logged[0], entity, "Clear:is_recursive")) == 1
    assert "Clear:is_recursive" not in columns(logged[0])["/depth"]


def test_what_is_large_is_kept_small(tmp_path: Path) -> None:
    """Half of the depth's pixels, thermal counts as 8 bits, and all that has a class of the sweep."""
    recording, path = rr.RecordingStream("test"), tmp_path / "drive.rrd"
    recording.save(path)
    log = Log(recording)
    ahead = np.tile(np.linspace(1, 300, 1242, dtype=np.float32), (375, 1))
    points = np.random.default_rng(0).uniform(-40, 40, (100_000, 4)).astype(np.float32)
    labels = np.where(np.arange(100_000) % 10 == 0, 1, 255).astype(np.uint8)
    log.at(STAMPS[0], 0)
    log.depth(ahead)
    log.infrared(np.tile(np.linspace(21_000, 24_000, 160).astype(np.uint16), (48, 1)))
    log.points(points, labels)
    log.at(STAMPS[1], 1)
    log.points(points, None)
    recording.disconnect()

    depth = cv2.imdecode(_bytes(path, "/depth", "EncodedDepthImage:blob"), cv2.IMREAD_UNCHANGED)
    np.testing.assert_array_equal(depth[0], np.clip(ahead[0, ::2] * DEPTH_UNITS, 0, 65535).astype(np.uint16))
    assert depth.shape == (188, 621)
    thermal = cv2.imdecode(_bytes(path, "/infrared", "EncodedImage:blob"), cv2.IMREAD_UNCHANGED)
    assert (thermal.shape, thermal.dtype) == ((48, 160), np.uint8)
    assert thermal[24, 2] < 20
    assert thermal[24, -2] > 235
    (thinned, whole) = rows(path, "/world/points", "Points3D:positions")
    assert 10_000 + SURROUNDINGS // 2 < len(thinned) <= 10_000 + SURROUNDINGS
    assert len(whole) == len(points)
    ids = np.ravel(rows(path, "/world/points", "Points3D:class_ids")[0])
    np.testing.assert_array_equal(np.asarray(thinned, np.float32)[ids == 1], points[labels == 1, :3])


def _bytes(path: Path, entity: str, column: str) -> np.ndarray:
    return np.asarray(rows(path, entity, column)[0], np.uint8).ravel()


def test_instances_and_boxes_are_where_they_were_measured(tmp_path: Path) -> None:
    """A wall 10 m ahead of the camera, in the LiDAR's frame."""
    instances = np.zeros((96, 320), np.uint16)
    instances[40:60, 100:220] = 2003
    labels = (instances // 1000).astype(np.uint8)
    depth = np.full((96, 320), 10, np.float32)
    frame = Frame(STAMPS[0], picture(96), depth, camera=CAMERA, lidar_to_camera=LIDAR_TO_CAMERA)
    path, recording = tmp_path / "things.rrd", rr.RecordingStream("test")
    recording.save(path)
    log = Log(recording)
    log.log(frame, Prediction(STAMPS[0], labels, labels, {}, instances=instances), 0)
    log.log(frame, Prediction(STAMPS[0], labels, labels, {}, instances=np.zeros_like(instances)), 1)
    recording.disconnect()
    shown = rows(path, "/world/camera/instances", "SegmentationImage:buffer")
    np.testing.assert_array_equal(np.asarray(shown[0], np.uint8).view(np.uint16).ravel(), instances.ravel())
    (half,) = rows(path, "/world/objects", "Boxes3D:half_sizes")[:1]
    assert half[0] == pytest.approx(119 / 180 * 10 / 2, abs=0.1)
    (centre,) = rows(path, "/world/objects", "Boxes3D:centers")[:1]
    to_lidar = np.linalg.inv(LIDAR_TO_CAMERA)
    expected = to_lidar @ [0, (49.5 - 48) / 180 * 10, 10, 1]
    np.testing.assert_allclose(centre, expected[:3], atol=0.1)
    (label,) = rows(path, "/world/objects", "Boxes3D:labels")[:1]
    assert label == "vehicle 3, 10.0 m, 0.01"
    assert "Clear:is_recursive" in columns(path)["/world/objects"]

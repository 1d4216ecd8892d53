# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from perception import MODALITIES, CameraModel, Frame, Pipeline
from perception.classes import VEHICLE
from perception.engines.base import NetworkOutput
from perception.errors import FrameError
from perception.instances import CELL
from perception.pipeline import STAGES
from perception.sensors import NetworkInput

CAMERA = CameraModel(np.array([[70.0, 0, 39.5], [0, 70, 19.5], [0, 0, 1]]), 80, 40)
TO_CAMERA = np.array([[0, -1, 0, 0.0], [0, 0, -1, 0], [1, 0, 0, 0], [0, 0, 0, 1]])


@pytest.fixture(scope="module")
def pipeline() -> Pipeline:
    return Pipeline.load(threads=1)


def sensors() -> dict:
    rng = np.random.default_rng(0)
    return dict(
        rgb=rng.integers(0, 256, (40, 80, 3), np.uint8),
        depth=rng.uniform(1, 50, (40, 80)).astype(np.float32),
        infrared=rng.integers(0, 65536, (20, 40), np.uint16),
        points=rng.uniform((-10, -10, -2, 0), (40, 10, 2, 1), (500, 4)).astype(np.float32),
    )


@pytest.mark.parametrize("subset", range(1, 16), ids=lambda i: f"{i:04b}")
def test_every_subset_of_sensors_gives_labels(pipeline: Pipeline, subset: int) -> None:
    kept = {k: v for i, (k, v) in enumerate(sensors().items()) if subset >> i & 1}
    prediction = pipeline(Frame(5, **kept, camera=CAMERA, lidar_to_camera=TO_CAMERA))
    assert prediction.stamp_ns == 5
    assert prediction.labels.shape == prediction.confidence.shape == (40, 80)
    assert prediction.labels.dtype == np.uint8
    assert prediction.labels.max() <= 3
    assert sum(prediction.modality_weights.values()) == pytest.approx(1, abs=1e-3)
    for i, name in enumerate(MODALITIES):
        assert (prediction.modality_weights[name] > 0) == bool(subset >> i & 1)
    assert (prediction.point_labels is not None) == ("points" in kept)
    assert set(prediction.timings_ms) == set(STAGES)


def test_points_get_the_label_of_their_pixel(pipeline: Pipeline) -> None:
    points = np.array([[10, 0, 0, 1], [-10, 0, 0, 1], [10, 2, 1, 1], [np.nan, 0, 0, 0]], np.float32)
    frame = Frame(0, sensors()["rgb"], points=points, camera=CAMERA, lidar_to_camera=TO_CAMERA)
    prediction = pipeline(frame)
    assert prediction.point_labels is not None
    labels = prediction.labels
    # u = 39.5 − 70·y/x, v = 19.5 − 70·z/x; halves round to even
    assert prediction.point_labels.tolist() == [labels[20, 40], 255, labels[12, 26], 255]
    assert prediction.point_confidence is not None
    sure = prediction.confidence
    assert prediction.point_confidence.tolist() == [sure[20, 40], 0, sure[12, 26], 0]


def test_the_frame_is_left_as_it_is(pipeline: Pipeline) -> None:
    given = sensors()
    frame = Frame(0, **{k: v.copy() for k, v in given.items()}, camera=CAMERA, lidar_to_camera=TO_CAMERA)
    pipeline(frame)
    for name, value in given.items():
        np.testing.assert_array_equal(getattr(frame, name), value)


def test_the_same_frame_gives_the_same_labels(pipeline: Pipeline) -> None:
    frame = Frame(0, **sensors(), camera=CAMERA, lidar_to_camera=TO_CAMERA)
    np.testing.assert_array_equal(pipeline(frame).labels, pipeline(frame).labels)


def test_knows_what_it_runs(pipeline: Pipeline) -> None:
    assert len(pipeline.weights_sha256) == 64
    assert pipeline.engine.name.startswith("openvino")


def nothing(name: str) -> dict[str, np.ndarray]:
    kinds: dict[str, dict[str, np.ndarray]] = {
        "rgb": dict(rgb=np.zeros((40, 80, 3), np.uint8)),
        "depth": dict(depth=np.full((40, 80), np.nan, np.float32)),
        "infrared": dict(infrared=np.full((20, 40), 7000, np.uint16)),
        "lidar": dict(points=np.zeros((500, 4), np.float32)),
    }
    return kinds[name]


@pytest.mark.parametrize("name", MODALITIES)
def test_a_sensor_that_tells_nothing_is_as_one_that_is_not_there(pipeline: Pipeline, name: str) -> None:
    key = "points" if name == "lidar" else name
    rest = {k: v for k, v in sensors().items() if k != key}
    without = pipeline(Frame(0, **rest, camera=CAMERA, lidar_to_camera=TO_CAMERA))
    dull = pipeline(Frame(0, **rest, **nothing(name), camera=CAMERA, lidar_to_camera=TO_CAMERA))
    np.testing.assert_array_equal(dull.labels, without.labels)
    assert dull.modality_weights[name] == 0
    assert list(dull.absent) == [name]
    assert dull.absent[name].startswith(f"{name} ")
    assert not without.absent
    if name == "lidar":
        assert dull.point_labels is not None
        assert (dull.point_labels == 255).all()
        assert dull.point_confidence is not None
        assert not dull.point_confidence.any()


def test_where_nothing_tells_anything_nothing_is_claimed(pipeline: Pipeline) -> None:
    prediction = pipeline(Frame(0, **nothing("rgb"), **nothing("infrared"), camera=CAMERA))
    assert (prediction.labels == 255).all()
    assert not prediction.confidence.any()
    assert not any(prediction.modality_weights.values())
    assert set(prediction.absent) == {"rgb", "infrared"}


def test_at_a_reduced_resolution_labels_have_the_size_of_the_frame(tiny_model: Path) -> None:
    """The tiny network's class is red // 64: four stripes, each 24 columns wide, at any resolution."""
    rgb = np.repeat(np.array([0, 64, 128, 192], np.uint8), 24)[None, :, None].repeat(48, 0).repeat(3, 2)
    points = np.array([[10.0, 0.0, 0.0, 0.5]], np.float32)
    frame = Frame(0, rgb, points=points, camera=CAMERA, lidar_to_camera=TO_CAMERA)
    whole = Pipeline.load(tiny_model)
    smaller = Pipeline(whole.engine, tiny_model, scale=0.5)
    task = smaller.prepare(frame)
    assert task.network_input is not None
    full = whole.prepare(frame).network_input
    assert full is not None
    assert task.network_input.rgb.shape[1] / full.rgb.shape[1] == pytest.approx(0.5, abs=0.1)
    prediction = smaller.decode(smaller.infer(task))
    assert prediction.labels.shape == prediction.confidence.shape == (48, 96)
    np.testing.assert_array_equal(prediction.labels[:, 12::24], np.tile(np.arange(4, dtype=np.uint8), (48, 1)))
    assert prediction.point_labels is not None


def test_a_sensor_that_is_left_out_is_as_one_that_is_not_there(tiny_model: Path) -> None:
    rng = np.random.default_rng(0)
    rgb, depth = rng.integers(0, 256, (48, 96, 3), np.uint8), rng.uniform(2, 30, (48, 96)).astype(np.float32)
    blind = Pipeline.load(tiny_model, without=["rgb"])
    prediction = blind(Frame(0, rgb, depth))
    np.testing.assert_array_equal(prediction.labels, Pipeline.load(tiny_model)(Frame(0, None, depth)).labels)
    assert prediction.absent == {"rgb": "rgb is left out: so it was asked"}
    assert prediction.modality_weights["rgb"] == 0
    assert (blind(Frame(0, rgb)).labels == 255).all()
    with pytest.raises(FrameError, match="no modality radar: there are rgb, depth"):
        Pipeline.load(tiny_model, without=["radar"])


def test_a_network_of_the_camera_alone_says_so_and_labels_the_points_too(tiny_camera_model: Path) -> None:
    pipeline = Pipeline.load(tiny_camera_model, threads=1)
    assert pipeline.sensors == ("rgb",)
    given = sensors()
    given["rgb"][:, :40, 0], given["rgb"][:, 40:, 0] = 10, 200
    prediction = pipeline(Frame(0, **given, camera=CAMERA, lidar_to_camera=TO_CAMERA))
    assert prediction.modality_weights == {"rgb": 1.0}
    assert (prediction.labels[:, :38] == 0).all()
    assert (prediction.labels[:, 42:] == 3).all()
    assert prediction.absent["lidar"] == "the network tiny_camera has no channels for lidar: it has rgb"
    assert set(prediction.absent) == {"depth", "infrared", "lidar"}
    assert prediction.point_labels is not None
    assert (prediction.point_labels < 4).any()
    black = pipeline(
        Frame(0, **{**given, "rgb": np.zeros((40, 80, 3), np.uint8)}, camera=CAMERA, lidar_to_camera=TO_CAMERA)
    )
    assert (black.labels == 255).all()
    assert black.modality_weights == {"rgb": 0.0}


def test_a_network_of_the_camera_alone_refuses_a_frame_without_it(tiny_camera_model: Path) -> None:
    pipeline = Pipeline.load(tiny_camera_model, threads=1)
    frame = Frame(0, points=sensors()["points"], camera=CAMERA, lidar_to_camera=TO_CAMERA)
    with pytest.raises(FrameError, match="a frame of lidar: the network tiny_camera sees rgb alone"):
        pipeline(frame)


class ToldApart:
    """An engine that sees one vehicle in the left and the right half, with one centre, at the middle of the image."""

    name = "told apart"

    def infer(self, network_input: NetworkInput) -> NetworkOutput:
        height, width = network_input.rgb.shape[:2]
        found = np.zeros((4, height // CELL, width // CELL), np.float32)
        found[0, height // CELL // 2, width // CELL // 2] = 1
        labels = np.full((height, width), VEHICLE, np.uint8)
        labels[: height // 4] = 0
        return NetworkOutput(labels, labels, network_input.present / network_input.present.sum(), found)


def _wall(left: float, right: float) -> NDArray[np.float32]:
    """(40, 80) depth of a wall whose halves are so far away."""
    return np.where(np.arange(80) < 40, left, right)[None].repeat(40, 0).astype(np.float32)


@pytest.mark.parametrize("sensor", ["depth", "points"])
def test_things_that_touch_in_the_image_are_parted_by_the_sweep_and_by_depth(sensor: str) -> None:
    told_apart = Pipeline(ToldApart(), Path("model"), overlap=False)
    rgb, depth = sensors()["rgb"], _wall(8, 14)
    alone = told_apart(Frame(0, rgb)).instances
    assert alone is not None
    assert (alone.shape, alone.dtype) == ((40, 80), np.uint16)
    assert np.unique(alone).tolist() == [0, 2001]
    if sensor == "depth":
        frame = Frame(0, rgb, depth=depth, camera=CAMERA)
    else:
        v, u = (axis.ravel() for axis in np.mgrid[0:40:2, 0:80])
        away = depth[v, u]
        points = np.stack([away, -(u - 39.5) * away / 70, -(v - 19.5) * away / 70, np.full(len(u), 0.5)], 1)
        frame = Frame(0, rgb, points=points.astype(np.float32), camera=CAMERA, lidar_to_camera=TO_CAMERA)
    instances = told_apart(frame).instances
    assert instances is not None
    assert np.unique(instances).tolist() == [0, 2001, 2002]
    assert (instances[14:, :36] == 2001).all()
    assert (instances[14:, 44:] == 2002).all()


def test_a_network_without_an_instance_head_and_a_frame_that_tells_nothing_have_none(pipeline: Pipeline) -> None:
    assert pipeline(Frame(0, sensors()["rgb"])).instances is None
    assert Pipeline(ToldApart(), Path("model"))(Frame(0, np.zeros((40, 80, 3), np.uint8))).instances is None


def test_instances_are_left_out_where_they_are_not_asked_for() -> None:
    told_apart = Pipeline(ToldApart(), Path("model"))
    task = told_apart.infer(told_apart.prepare(Frame(0, sensors()["rgb"])))
    assert told_apart.decode(task, instances=False).instances is None
    assert told_apart.decode(task).instances is not None


def test_a_model_at_a_part_of_its_resolution_gives_labels_of_the_frame_s_size(tiny_model: Path) -> None:
    smaller = Pipeline.load(f"{tiny_model}@0.5", threads=1)
    assert (smaller.scale, smaller.name) == (0.5, f"{tiny_model.name}@0.5")
    assert Pipeline.load(tiny_model, threads=1).name == tiny_model.name
    frame = Frame(0, sensors()["rgb"])
    assert smaller(frame).labels.shape == frame.size[::-1]


def test_a_warm_pipeline_knows_whether_its_network_tells_instances(pipeline: Pipeline) -> None:
    told_apart = Pipeline(ToldApart(), Path("model"), overlap=False)
    told_apart.warm_up(80, 40)
    pipeline.warm_up(80, 40)
    assert (told_apart.tells_instances, pipeline.tells_instances) == (True, False)

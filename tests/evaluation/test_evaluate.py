# SPDX-License-Identifier: Apache-2.0
"""Evaluation of a segmentation by colour, whose answers are known."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest

from perception.classes import PALETTE
from perception.errors import DataError
from perception.evaluation.evaluate import evaluate
from perception.frame import CameraModel, Frame, Prediction
from perception.sample import Sample
from perception.sensors.presence import keep_modalities

CAMERA = CameraModel(np.array([[10.0, 0, 8], [0, 10, 6], [0, 0, 1]]), 16, 12)


def by_colour(frame: Frame) -> Prediction:
    """Reads the classes off the palette's colours, or calls all road without a colour image."""
    width, height = frame.size
    labels = np.ones((height, width), np.uint8)
    if frame.rgb is not None:
        labels = (frame.rgb[:, :, None] == PALETTE).all(3).argmax(2).astype(np.uint8)
    weights = dict.fromkeys(frame.modalities, 1 / len(frame.modalities))
    return Prediction(frame.stamp_ns, labels, np.full_like(labels, 255), weights)


def painted(classes: np.ndarray, **truth: np.ndarray) -> Sample:
    infrared = np.zeros((6, 8), np.uint8)
    points = np.ones((3, 4), np.float32)
    frame = Frame(0, rgb=PALETTE[classes], infrared=infrared, points=points, camera=CAMERA, lidar_to_camera=np.eye(4))
    return Sample("painted", frame, **truth)


@pytest.fixture
def labels() -> np.ndarray:
    return np.random.default_rng(0).integers(0, 4, (12, 16)).astype(np.uint8)


def test_a_perfect_answer_scores_one(labels):
    done: list[int] = []
    result = evaluate(by_colour, [painted(labels, labels=labels)] * 3, progress=done.append)
    assert done == [1, 2, 3]
    assert result.confusion.mean_iou() == result.confusion.pixel_accuracy() == 1
    assert len(result.frames) == 3
    assert result.fps > 0
    assert result.latency_ms()["p50"] <= result.latency_ms()["p99"]
    assert result.modality_weights == pytest.approx({"rgb": 1 / 3, "depth": 0, "infrared": 1 / 3, "lidar": 1 / 3})


def test_only_the_kept_modalities_reach_the_pipeline(labels):
    result = evaluate(by_colour, [painted(labels, labels=labels)], modalities=["infrared"])
    assert result.modality_weights["infrared"] == 1
    assert result.confusion.pixel_accuracy() == pytest.approx((labels == 1).mean())  # all was called road


def test_labels_of_another_size_are_resized(labels):
    sample = painted(labels, labels=np.ones((12, 16), np.uint8))
    sample.frame.camera = sample.frame.lidar_to_camera = sample.frame.points = None
    result = evaluate(by_colour, [sample], modalities=["infrared"])  # 8×6 without a camera that says otherwise
    assert result.confusion.pixels == 12 * 16
    assert result.confusion.pixel_accuracy() == 1


def test_soft_labels_count_where_they_are_confident(labels):
    probabilities = np.zeros((12, 16, 4), np.float32)
    probabilities[..., 1] = 1
    probabilities[:6] = 0.25
    result = evaluate(by_colour, [painted(labels, probabilities=probabilities)])
    assert result.confusion.pixels == 6 * 16
    assert result.soft_frames == 1
    assert result.frames[0].soft


def test_points_are_scored_inside_the_image():
    classes = np.ones((12, 16), np.uint8)
    classes[:, 10:] = 2
    sample = painted(classes, labels=classes, point_labels=np.array([1, 1, 1], np.uint8))
    sample.frame.points = np.array([[0, 0, 5, 0], [1.5, 0, 5, 0], [9, 0, 5, 0]], np.float32)  # the third is outside
    points = evaluate(by_colour, [sample]).point_confusion
    assert points.pixels == 2
    assert points.recall()["road"] == 0.5


def test_points_that_the_camera_does_not_see_count_apart():
    classes = np.full((12, 16), 2, np.uint8)
    u, v = (each.ravel() for each in np.meshgrid(np.arange(16), np.arange(12)))
    board = np.stack([(u - 8) * 0.3, (v - 6) * 0.3, np.full(len(u), 3.0), u * 0], axis=1)
    points = np.concatenate([board, [[0, 0, 30, 0]]]).astype(np.float32)
    truth = np.full(len(points), 2, np.uint8)
    truth[-1] = 254
    sample = painted(classes, point_labels=truth)
    sample.frame.points = points
    result = evaluate(by_colour, [sample])
    report = result.to_dict()
    assert (result.point_confusion.pixels, report["hidden_points"]) == (len(board), 1)
    assert report["point_iou"]["vehicle"] == 1
    assert report["point_iou_hidden_too"]["vehicle"] == len(board) / len(points)


def test_points_are_scored_without_the_lidar_too(labels):
    classes = np.full((12, 16), 2, np.uint8)
    sample = painted(classes, point_labels=np.array([2, 254, 2], np.uint8))
    sample.frame.points = np.array([[0, 0, 5, 0], [1, 0, 5, 0], [9, 0, 5, 0]], np.float32)  # the third is outside
    result = evaluate(by_colour, [sample], modalities=["rgb"])
    assert result.point_confusion.pixels == 2
    assert result.point_confusion.iou()["vehicle"] == 0.5
    report = json.loads(json.dumps(result.to_dict(), allow_nan=False))
    assert report["point_iou"] == {"road": None, "vehicle": 0.5, "pedestrian": None}
    assert report["per_frame"][0]["pixel_accuracy"] is None  # no truth of pixels at all
    assert "distance" not in report


def test_samples_without_truth_are_counted(labels):
    result = evaluate(by_colour, [painted(labels), painted(labels, labels=labels)])
    assert (result.without_truth, len(result.frames)) == (1, 1)
    with pytest.raises(DataError, match="none of the 2 samples has labels of any kind"):
        evaluate(by_colour, [painted(labels), painted(labels)])


def test_the_report_is_valid_json(labels):
    empty = np.zeros_like(labels)
    result = evaluate(by_colour, [painted(empty, labels=empty)])
    assert math.isnan(result.confusion.iou()["road"])
    report = json.loads(json.dumps(result.to_dict(), allow_nan=False))
    assert report["iou"] == {"road": None, "vehicle": None, "pedestrian": None}
    assert report["per_frame"][0]["name"] == "painted"
    assert {"distance", "object_size", "kitti_road", "kitti_road_bev", "calibration"} < report.keys()


def test_impossible_subsets_are_refused(labels):
    frame = painted(labels).frame
    assert keep_modalities(frame, ["lidar", "depth"]).modalities == ("lidar",)
    with pytest.raises(DataError, match="unknown modality sonar: choose from rgb, depth"):
        keep_modalities(frame, ["sonar", "rgb"])
    with pytest.raises(DataError, match="painted: the frame has rgb, infrared, lidar but only depth"):
        evaluate(by_colour, [painted(labels, labels=labels)], modalities=["depth"])


def test_instances_are_scored_where_the_network_and_the_truth_have_them(labels):
    labels = np.where(np.arange(32) < 16, 2, 3)[None].repeat(24, 0).astype(np.uint8)
    instances = (labels.astype(np.uint16) * 1000) + 1
    of_points = np.array([2001, 0, 0], np.uint16)
    sample = painted(labels, labels=labels, instances=instances, point_labels=np.array([2, 254, 255], np.uint8))
    sample.point_instances = of_points

    def told_apart(frame: Frame) -> Prediction:
        prediction = by_colour(frame)
        prediction.instances = (prediction.labels.astype(np.uint16) * 1000) + 5
        return prediction

    scores = evaluate(told_apart, [sample]).to_dict()["instances"]
    assert scores["mean"]["pq"] == 1
    assert scores["ap"] == {"vehicle": 1, "pedestrian": 1}
    assert scores["boxes"]["vehicle"] == {"boxes": 0, "matched": None}
    assert "instances" not in evaluate(by_colour, [sample]).to_dict()
    assert "instances" not in evaluate(told_apart, [painted(labels, labels=labels)]).to_dict()

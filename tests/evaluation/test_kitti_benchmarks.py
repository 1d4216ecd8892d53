# SPDX-License-Identifier: Apache-2.0
"""KITTI's road and semantics figures, computed by hand, and the road seen from above."""

from __future__ import annotations

import numpy as np
import pytest
from helpers.kitti_benchmarks import write_road, write_semantics

from perception.classes import BACKGROUND, PEDESTRIAN, ROAD, UNLABELLED, VEHICLE
from perception.datasets.kitti.road import KittiRoad
from perception.datasets.kitti.semantics import KittiSemantics
from perception.evaluation.kitti.birds_eye import COLUMNS, ROWS, birds_eye
from perception.evaluation.kitti.road_benchmark import RoadBenchmark, RoadSamples
from perception.evaluation.kitti.semantics_benchmark import SemanticsBenchmark
from perception.frame import Prediction


def predicted(labels):
    return Prediction(0, labels.astype(np.uint8), np.full(labels.shape, 255, np.uint8), {})


def road_in(columns):
    labels = np.full((20, 32), BACKGROUND, np.uint8)
    labels[:, columns] = ROAD
    return predicted(labels)


def test_the_view_from_above_has_the_far_end_on_top():
    image = np.arange(ROWS * COLUMNS, dtype=np.uint32).reshape(ROWS, COLUMNS).astype(np.uint8)
    plane = np.array([[20, 0, 201], [0, -20, 46 * 20 + 1], [0, 0, 1.0]])  # cell (0, 0) is the first pixel
    assert (ROWS, COLUMNS) == (800, 400)
    view = birds_eye(image, plane)
    assert (view[:-1, :-1] == image[:-1, :-1]).all()
    assert not view[-1].any()  # half a pixel beyond the image, as the development kit counts
    assert not view[:, -1].any()


def test_nothing_behind_the_camera_is_seen():
    plane = np.array([[1, 0, 0], [0, 0, 1], [0, -1, 0.0]])
    assert not birds_eye(np.full((50, 50), 9, np.uint8), plane).any()


def test_road_figures_by_category(tmp_path):
    """Truth has 160 pixels of road in columns 0–15. um finds 12 of its 16 columns and 4 others; uu all of it."""
    reader = KittiRoad(write_road(tmp_path), "val")
    benchmark = RoadBenchmark(reader)
    um, _, uu = reader
    benchmark.update(um, road_in(slice(4, 20)))
    benchmark.update(uu, road_in(slice(0, 16)))
    scores = benchmark.scores()
    assert list(scores) == ["um_road", "uu_road", "URBAN"]
    assert scores["um_road"]["perspective"][:6] == pytest.approx(
        (0.75, 8 / 11 * 0.75 + 3 / 11 * 0.5, 0.75, 0.75, 0.25, 0.25)
    )
    assert scores["uu_road"]["perspective"][:6] == pytest.approx((1, 1, 1, 1, 0, 0))
    assert scores["URBAN"]["perspective"][:6] == pytest.approx(
        (0.875, 9 / 11 * 0.875 + 2 / 11 * 0.5, 0.875, 0.875, 0.125, 0.125)
    )
    assert scores["uu_road"]["birds_eye"].max_f == pytest.approx(1)
    assert scores["um_road"]["birds_eye"].max_f < 1
    assert benchmark.report()["URBAN"].images == benchmark.from_above == 2


def test_the_ego_lane_is_a_category_of_its_own(tmp_path):
    """The lane has 4 of the 16 columns that are found: 40 of 160 pixels."""
    root = write_road(tmp_path)
    for path in (*root.glob("training/gt_image_2/um_road_*"), *root.glob("training/calib/um_*")):
        path.unlink()
    for path in root.glob("training/velodyne/um_*"):
        path.unlink()
    reader = KittiRoad(root, "val")
    benchmark = RoadBenchmark(reader)
    benchmark.update(reader[0], road_in(slice(0, 16)))
    scores = benchmark.scores()
    assert list(scores) == ["um_lane"]
    assert scores["um_lane"]["perspective"][2:4] == pytest.approx((0.25, 1))
    assert scores["um_lane"]["birds_eye"] is None
    assert set(np.unique(RoadSamples(reader)[0].labels)) == {ROAD, UNLABELLED}


def test_for_scoring_there_is_background_beside_the_road(tmp_path):
    samples = RoadSamples(KittiRoad(write_road(tmp_path), "val"))
    assert samples[0].labels[15].tolist() == [ROAD] * 16 + [BACKGROUND] * 16
    assert (samples[0].labels[0] == UNLABELLED).all()
    test = RoadSamples(KittiRoad(tmp_path, "test"))
    assert test[0].labels is None


def test_semantics_figures(tmp_path):
    """Truth: road, sidewalk, person, rider, car, bicycle, trailer, unlabelled; the last two are not evaluated."""
    reader = KittiSemantics(write_semantics(tmp_path), "val")
    benchmark = SemanticsBenchmark(reader)
    said = [ROAD, ROAD, PEDESTRIAN, VEHICLE, VEHICLE, VEHICLE, VEHICLE, PEDESTRIAN]
    benchmark.update(reader[0], predicted(np.repeat(said, 4)[None].repeat(20, 0)))
    classes, categories = benchmark.class_iou(), benchmark.category_iou()
    assert {name: classes[name] for name in ("road", "sidewalk", "person", "rider", "car", "bicycle")} == {
        "road": 0.5, "sidewalk": 0, "person": 1, "rider": 0, "car": pytest.approx(1 / 3), "bicycle": 0,
    }  # fmt: skip
    assert np.isnan(classes["building"])
    assert (len(classes), len(categories)) == (19, 7)
    assert (categories["flat"], categories["human"], categories["vehicle"]) == (1, 0.5, pytest.approx(2 / 3))
    report = benchmark.report()
    assert report.mean_class_iou == pytest.approx((0.5 + 1 + 1 / 3) / 6)
    assert report.mean_category_iou == pytest.approx((1 + 0.5 + 2 / 3) / 3)

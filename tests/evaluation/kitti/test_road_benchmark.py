# SPDX-License-Identifier: Apache-2.0
"""KITTI's road figures by category, computed by hand."""

from __future__ import annotations

import numpy as np
import pytest
from helpers.kitti_benchmarks import write_road

from perception.classes import BACKGROUND, ROAD, UNLABELLED
from perception.datasets.kitti.road import KittiRoad
from perception.evaluation.kitti.road_benchmark import RoadBenchmark, RoadSamples
from perception.frame import Prediction


def predicted(labels):
    return Prediction(0, labels.astype(np.uint8), np.full(labels.shape, 255, np.uint8), {})


def road_in(columns):
    labels = np.full((20, 32), BACKGROUND, np.uint8)
    labels[:, columns] = ROAD
    return predicted(labels)


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

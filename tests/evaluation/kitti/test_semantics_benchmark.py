# SPDX-License-Identifier: Apache-2.0
"""KITTI's semantics figures, computed by hand."""

from __future__ import annotations

import numpy as np
import pytest
from helpers.kitti_benchmarks import write_semantics

from perception.classes import PEDESTRIAN, ROAD, VEHICLE
from perception.datasets.kitti.semantics import KittiSemantics
from perception.evaluation.kitti.semantics_benchmark import SemanticsBenchmark
from perception.frame import Prediction


def predicted(labels):
    return Prediction(0, labels.astype(np.uint8), np.full(labels.shape, 255, np.uint8), {})


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

# SPDX-License-Identifier: Apache-2.0
"""KITTI's road metrics: against counts by hand and by brute force."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from perception.classes import ROAD
from perception.evaluation.kitti.road import RoadCurve, ground_pixels, road_confidence
from perception.frame import CameraModel

KITTI = CameraModel(np.array([[721.5, 0, 609.6], [0, 721.5, 172.9], [0, 0, 1]]), 1242, 375)


bytes_ = hnp.arrays(np.uint8, 60, elements=st.integers(0, 255))


road_or_not = hnp.arrays(np.uint8, 60, elements=st.sampled_from([0, 1, 2, 255]))


@given(confidence=bytes_, truth=road_or_not)
@settings(max_examples=40)
def test_the_road_curve_agrees_with_brute_force(confidence, truth):
    curve = RoadCurve()
    curve.update(confidence, truth)
    score = curve.score()
    road, other = truth == ROAD, (truth != ROAD) & (truth != 255)
    if not road.any():
        assert math.isnan(score.max_f)
        return
    f1, precisions, recalls = [], [], []
    for threshold in range(256):
        called = confidence >= threshold
        tp, fp, fn = (called & road).sum(), (called & other).sum(), (~called & road).sum()
        f1.append(2 * tp / (2 * tp + fp + fn))
        precisions.append(tp / max(tp + fp, 1))
        recalls.append(tp / road.sum())
    assert score.max_f == pytest.approx(max(f1), abs=1e-6)
    best = [max((p for p, r in zip(precisions, recalls, strict=True) if r >= k / 10), default=0) for k in range(11)]
    assert score.average_precision == pytest.approx(np.mean(best), abs=1e-6)
    assert score.recall + score.false_negative_rate == pytest.approx(1)


def test_frames_are_summed_before_they_are_divided():
    whole, parts = RoadCurve(), RoadCurve()
    confidence, truth = np.array([9, 200, 90, 4], np.uint8), np.array([1, 1, 0, 0], np.uint8)
    whole.update(confidence, truth)
    parts.update(confidence[:1], truth[:1])
    parts.update(confidence[1:], truth[1:])
    assert whole.score() == parts.score()


def test_confidence_of_road_where_something_else_won():
    confidence = road_confidence(np.array([1, 2], np.uint8), np.array([200, 200], np.uint8))
    assert confidence.tolist() == [200, 55]


def test_birds_eye_view_of_kittis_camera():
    rows, columns = ground_pixels(KITTI)
    assert rows.min() == round(172.9 + 721.5 * 1.65 / 45.975)  # the farthest cell
    assert rows.max() <= 374
    assert 0.9 * 400 * 800 < len(rows) <= 400 * 800  # near its corners the view is wider than the image
    assert abs(columns.mean() - 609.6) < 3

# SPDX-License-Identifier: Apache-2.0
"""The metrics, against counts by hand and by brute force."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from perception.classes import FOREGROUND
from perception.evaluation.scores.metrics import ConfusionMatrix

labels = hnp.arrays(np.uint8, (6, 8), elements=st.sampled_from([0, 1, 2, 3, 255]))


def matrix(predicted: list[int], truth: list[int]) -> ConfusionMatrix:
    confusion = ConfusionMatrix()
    confusion.update(np.array(predicted, np.uint8), np.array(truth, np.uint8))
    return confusion


def test_counts_by_hand():
    confusion = matrix([1, 1, 2, 0, 1], [1, 1, 1, 0, 0])
    assert confusion.iou()["road"] == pytest.approx(2 / 4)
    assert confusion.iou()["vehicle"] == 0  # predicted but never there
    assert math.isnan(confusion.iou()["pedestrian"])  # never occurs
    assert confusion.mean_iou() == pytest.approx(0.25)
    assert confusion.recall()["road"] == pytest.approx(2 / 3)
    assert confusion.pixel_accuracy() == pytest.approx(3 / 5)


def test_unlabelled_truth_is_ignored_and_unlabelled_predictions_are_misses():
    confusion = matrix([1, 2, 255], [1, 255, 1])
    assert confusion.pixels == 2
    assert confusion.iou()["road"] == pytest.approx(1 / 2)
    assert math.isnan(confusion.iou()["vehicle"])
    assert confusion.pixel_accuracy() == pytest.approx(1 / 2)


def test_truth_from_boxes_says_nothing_of_road():
    confusion = matrix([2, 2, 2, 1, 0, 3, 1], [2, 2, 254, 254, 254, 254, 2])
    assert confusion.iou()["vehicle"] == pytest.approx(2 / 4)  # one outside the boxes, one of three missed
    assert confusion.iou()["pedestrian"] == 0
    assert math.isnan(confusion.iou()["road"])
    assert confusion.recall()["vehicle"] == pytest.approx(2 / 3)
    assert confusion.pixel_accuracy() == pytest.approx(2 / 3)  # of the three whose class is known
    assert confusion.pixels == 7


def test_nothing_scored_is_nan():
    confusion = ConfusionMatrix()
    assert math.isnan(confusion.pixel_accuracy())
    assert math.isnan(confusion.mean_iou())


@given(predicted=labels, truth=labels)
def test_brute_force_agrees(predicted, truth):
    confusion = ConfusionMatrix()
    confusion.update(predicted, truth)
    for name, index in FOREGROUND.items():
        known = truth != 255
        both = (predicted == index) & (truth == index)
        either = known & ((predicted == index) | (truth == index))
        expected = both.sum() / either.sum() if either.any() else math.nan
        np.testing.assert_allclose(confusion.iou()[name], expected)


@given(predicted=labels, truth=labels)
def test_frames_add_up(predicted, truth):
    whole, parts = ConfusionMatrix(), ConfusionMatrix()
    whole.update(predicted, truth)
    for rows in (slice(0, 2), slice(2, 6)):
        part = ConfusionMatrix()
        part.update(predicted[rows], truth[rows])
        parts.add(part)
    np.testing.assert_array_equal(whole.counts, parts.counts)


def test_wrong_input_is_refused():
    with pytest.raises(ValueError, match="differ in shape"):
        matrix([1, 2], [1])
    with pytest.raises(ValueError, match="class ids must be"):
        matrix([1], [7])

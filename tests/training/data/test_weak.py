# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import cv2
import numpy as np
import pytest

from perception.classes import BACKGROUND, PEDESTRIAN, ROAD, UNLABELLED, VEHICLE
from perception.frame import INSTANCE_STEP, Frame
from perception.sample import Sample
from perception.training.data.weak import WAYS, boxes, scribbles, skeleton, weakened


def _street() -> np.ndarray:
    """A car as a disc of 20 pixels on the road, and somebody before it; above the horizon an unknown square."""
    labels = np.full((60, 80), ROAD, np.uint8)
    labels[:20] = BACKGROUND
    labels[2:6, 2:6] = UNLABELLED
    cv2.circle(labels, (30, 40), 10, VEHICLE, -1)
    labels[30:50, 36:40] = PEDESTRIAN
    return labels


def test_the_inner_fifth_of_a_box_is_its_class_and_the_rest_of_it_unknown() -> None:
    labels = np.full((60, 80), ROAD, np.uint8)
    cv2.circle(labels, (30, 40), 10, VEHICLE, -1)
    weak = boxes(labels)
    box = weak[30:51, 20:41]
    assert (np.delete(weak.ravel(), np.ravel_multi_index(np.mgrid[30:51, 20:41], weak.shape)) == ROAD).all()
    assert {*np.unique(box)} == {VEHICLE, UNLABELLED}
    assert (weak[36:45, 26:35] == VEHICLE).all()  # 9 × 9 of 21 × 21
    assert (box == VEHICLE).sum() == 81


def test_a_smaller_box_lies_before_a_larger_one_and_what_is_unknown_stays_so() -> None:
    labels = _street()
    weak = boxes(labels)
    assert (weak[2:6, 2:6] == UNLABELLED).all()
    assert (weak[30:50, 36:40] != VEHICLE).all()
    assert (weak == PEDESTRIAN).sum() == 2 * 9  # of 4 × 20
    outside = weak != UNLABELLED
    outside[30:51, 20:41] = False
    assert (weak[outside] == labels[outside]).all()


def test_boxes_are_about_things_that_are_told_apart() -> None:
    labels = np.full((30, 60), BACKGROUND, np.uint8)
    labels[5:25, 10:50] = VEHICLE
    instances = np.where(labels == VEHICLE, INSTANCE_STEP * VEHICLE + 1, 0).astype(np.uint16)
    instances[:, 30:] += instances[:, 30:] > 0
    assert (boxes(labels)[10:19, 28:32] == VEHICLE).all()
    assert (boxes(labels, instances)[5:25, 28:32] == UNLABELLED).all()
    assert (boxes(labels, instances)[14:16, [19, 20, 39, 40]] == VEHICLE).all()


def test_strokes_run_along_the_middle_of_every_region_and_are_never_wrong() -> None:
    labels = _street()
    weak = scribbles(labels)
    known = weak != UNLABELLED
    assert (weak[known] == labels[known]).all()
    assert {*np.unique(weak)} == {BACKGROUND, ROAD, VEHICLE, PEDESTRIAN, UNLABELLED}
    assert known.mean() < 0.06
    assert not known[:, 36][labels[:, 36] == PEDESTRIAN].any()  # its outline; the stroke is inside
    assert known[38:42, 37:39].any(1).all()


def test_a_bar_becomes_its_middle_line() -> None:
    bar = np.zeros((11, 31), np.uint8)
    bar[3:8, 3:28] = 1
    thin = skeleton(bar)
    assert set(thin.sum(0)) <= {0, 1}
    assert (thin[5, 6:25] == 1).all()
    assert thin.sum() == thin[5].sum()


@pytest.mark.parametrize("way", WAYS)
def test_a_sample_gets_the_same_weak_labels_each_time_also_of_soft_ones(way: str) -> None:
    soft = np.eye(4, dtype=np.float32)[np.where(_street() == UNLABELLED, BACKGROUND, _street())][::2, ::2]
    sample = Sample("a", Frame(0, np.zeros((60, 80, 3), np.uint8)), probabilities=soft)
    first, again = weakened(sample, way), weakened(sample, way)
    assert first.probabilities is None
    assert first.labels is not None
    assert first.labels.shape == (60, 80)
    assert {ROAD, VEHICLE, PEDESTRIAN} <= {*np.unique(first.labels)}
    np.testing.assert_array_equal(first.labels, again.labels)

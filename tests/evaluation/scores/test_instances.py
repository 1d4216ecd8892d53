# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import math

import numpy as np

from perception.classes import NO_OBJECT, PEDESTRIAN, ROAD, UNLABELLED, VEHICLE
from perception.evaluation.scores.instances import FEWEST, Instances
from perception.reporting.reports import plain


def _truth() -> tuple[np.ndarray, np.ndarray]:
    """Two vehicles side by side and a pedestrian."""
    labels, instances = np.full((20, 60), ROAD, np.uint8), np.zeros((20, 60), np.uint16)
    labels[3:17, :40], labels[3:17, 50:58] = VEHICLE, PEDESTRIAN
    instances[3:17, :20], instances[3:17, 20:40], instances[3:17, 50:58] = 2001, 2002, 3001
    return labels, instances


def test_what_is_right_is_right_and_numbers_mean_nothing() -> None:
    labels, instances = _truth()
    scores = Instances()
    found = np.where(instances > 0, instances + 7, 0).astype(np.uint16)
    scores.update(found, np.full(labels.shape, 200, np.uint8), labels, instances)
    result = scores.scores()
    assert result is not None
    assert result.mean is not None
    assert (result.mean.pq, result.mean.tp) == (1.0, 3)
    assert result.ap == result.ap50 == {"vehicle": 1.0, "pedestrian": 1.0}
    assert result.boxes is None
    assert "boxes" not in plain(result)


def test_two_that_are_one_are_half_missed() -> None:
    labels, instances = _truth()
    scores, found = Instances(), instances.copy()
    found[found == 2002] = 2001
    scores.update(found, np.full(labels.shape, 200, np.uint8), labels, instances)
    result = scores.scores()
    assert result is not None
    assert result.panoptic is not None
    vehicle = result.panoptic["vehicle"]
    assert (vehicle.tp, vehicle.fp, vehicle.fn) == (0, 1, 2)  # an IoU of one half is no match


def test_things_that_nobody_told_apart_are_not_wrong() -> None:
    labels, instances = _truth()
    instances[instances == 2002] = 0
    scores, found = Instances(), _truth()[1]
    scores.update(found, np.full(labels.shape, 200, np.uint8), labels, instances)
    result = scores.scores()
    assert result is not None
    assert result.panoptic is not None
    assert (result.panoptic["vehicle"].tp, result.panoptic["vehicle"].fp) == (1, 0)


def test_what_is_too_small_is_neither_missed_nor_wrong() -> None:
    labels, instances = _truth()
    labels[0, :40] = VEHICLE
    instances[0, :20], instances[0, 20:40] = 2003, 2004
    found = instances.copy()
    found[0, 20:40], found[19, :40] = 0, 2006  # one of theirs is missed; one of ours, as small, is nowhere
    scores = Instances()
    scores.update(found, np.full(labels.shape, 200, np.uint8), labels, instances)
    result = scores.scores()
    assert result is not None
    assert result.mean is not None
    assert (result.mean.pq, result.mean.tp, result.mean.fp, result.mean.fn) == (1.0, 3, 0, 0)


def test_boxes_are_matched_at_their_points() -> None:
    labels = np.full(1000, NO_OBJECT, np.uint8)
    labels[:300], labels[300:400], labels[400:450] = VEHICLE, VEHICLE, VEHICLE
    labels[900:] = UNLABELLED
    truth, found = np.zeros((2, 1000), np.uint16)
    truth[:300], truth[300:400], truth[400:450] = 2001, 2002, 2003
    found[:200], found[300:360], found[360:399] = 2004, 2005, 3001
    found[900:] = 2004  # unknown points count in no union
    scores = Instances()
    scores.update_points(found, labels, truth)
    result = scores.scores()
    assert result is not None
    assert result.boxes is not None
    assert result.panoptic is None
    assert FEWEST == 100
    assert (result.boxes["vehicle"].boxes, result.boxes["vehicle"].matched) == (2, 1.0)
    assert math.isnan(result.boxes["pedestrian"].matched)
    found[200:300] = 2005
    scores.update_points(found, labels, truth)
    result = scores.scores()
    assert result is not None
    assert result.boxes is not None
    assert (result.boxes["vehicle"].boxes, result.boxes["vehicle"].matched) == (4, 0.75)


def test_without_such_truth_there_is_nothing() -> None:
    assert Instances().scores() is None

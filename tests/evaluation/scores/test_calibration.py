# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import numpy as np
import pytest

from perception.classes import UNLABELLED
from perception.evaluation.scores.calibration import Calibration


def test_two_bins_by_hand() -> None:
    """Four pixels of confidence 1 of which three are right, four of 0.2 of which one is: (0.25 + 0.05) / 2."""
    calibration = Calibration()
    truth = np.array([[1, 1, 1, 1, 1, 1, 1, 1]], np.uint8)
    labels = np.array([[1, 1, 1, 0, 1, 0, 0, 0]], np.uint8)
    confidence = np.array([[255] * 4 + [51] * 4], np.uint8)
    calibration.update(labels, confidence, truth)
    assert calibration.score().expected_calibration_error == pytest.approx((0.25 + 0.05) / 2)
    low, high = calibration.bins()
    assert (low.confidence, low.accuracy, low.pixels) == pytest.approx((0.2, 0.25, 4))
    assert (high.confidence, high.accuracy, high.pixels) == pytest.approx((1.0, 0.75, 4))


def test_without_truth_there_is_no_error() -> None:
    calibration = Calibration()
    unknown = np.full((2, 2), UNLABELLED, np.uint8)
    calibration.update(np.zeros((2, 2), np.uint8), np.full((2, 2), 200, np.uint8), unknown)
    assert np.isnan(calibration.score().expected_calibration_error)
    assert calibration.bins() == []

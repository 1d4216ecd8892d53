# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import numpy as np
import pytest

from perception.evaluation.scores.drive_score import DriveScore

START = 1_700_000_000_000_000_000
MS = 1_000_000


def labels(*values: int) -> np.ndarray:
    return np.array([values], np.uint8)


def test_latencies_rate_and_drops_of_a_drive() -> None:
    """Sent every 100 ms; answered after 30, 50 and 70 ms, the third not at all."""
    score = DriveScore()
    for number, latency in enumerate((30, 50, None, 70)):
        sent = START + number * 100 * MS
        frame = score.add(sent, None if latency is None else sent + latency * MS)
        assert frame.time_s == pytest.approx(0.1 * number)
        assert frame.latency_ms == latency
    found = score.summary()
    assert (found.frames_sent, found.frames_answered, found.frames_dropped) == (4, 3, 1)
    assert found.latency_ms["p50"] == pytest.approx(50)
    assert found.latency_ms["p95"] == pytest.approx(68)  # nine tenths of the way from 50 to 70
    assert found.fps == pytest.approx(2 / 0.34)  # two steps between the first answer at 30 and the last at 370 ms
    assert score.extremes() == {"fastest": 0, "slowest": 3}
    assert found.mean_iou is None


def test_pixels_are_summed_before_they_are_divided() -> None:
    """Road: 2 of 2 in one frame, 1 of 3 in the other; the mean of the frames would be 2/3, that of the pixels 3/5."""
    score = DriveScore()
    first = score.add(START, START + MS, labels(1, 1, 0, 0), labels(1, 1, 0, 0))
    second = score.add(START + MS, START + 2 * MS, labels(1, 0, 0, 0), labels(1, 1, 1, 255))
    assert first.iou is not None
    assert second.iou is not None
    assert (first.iou["road"], first.iou["vehicle"]) == (1, None)
    assert second.iou["road"] == pytest.approx(1 / 3)
    assert second.pixel_accuracy == pytest.approx(1 / 3)
    found = score.summary()
    assert found.iou["road"] == found.mean_iou == pytest.approx(3 / 5)
    assert found.pixel_accuracy == pytest.approx(5 / 7)
    assert score.extremes() == {"best": 0, "worst": 1}


def test_a_drive_without_answers_has_no_figures() -> None:
    score = DriveScore()
    assert score.extremes() == {}
    score.add(START)
    found = score.summary()
    assert (found.frames_sent, found.frames_dropped, found.fps, found.pixel_accuracy) == (1, 1, None, None)
    assert set(found.latency_ms.values()) == {None}
    assert score.extremes() == {}


def test_one_answer_has_no_rate() -> None:
    score = DriveScore()
    score.add(START, START + MS)
    assert score.summary().fps is None

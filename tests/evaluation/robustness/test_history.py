# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from helpers.coloured import sample

from perception.evaluation.robustness.history import RecordedHistory, RenderedHistory
from perception.sample import Sample


def test_recorded_history_stays_in_its_drive():
    samples = [sample(0), sample(1), sample(0, "b"), sample(1, "b"), sample(2, "b")]
    history = RecordedHistory(samples)
    assert history(1, 0.1).stamp_ns == 0
    assert history(2, 0.1) is None
    assert history(3, 0.2) is None
    assert len(history(4, 0.2).points) == 5
    assert history(4, 0.15) is None


def test_rendered_history_counts_in_steps():
    asked = []

    def drive(seed: int) -> list[Sample]:
        asked.append(seed)
        return [sample(number, f"drive {seed}") for number in range(10)]

    history = RenderedHistory(drive, [3, 4], frames=5, period_s=0.1, steps=2)
    assert history(2, 0.05).stamp_ns == 3 * 100_000_000  # frame 2 is moment 4
    assert history(5, 0.05) is None
    assert history(6, 0.1).stamp_ns == 0
    assert history(6, 0.1).depth is None
    assert asked == [3, 4]

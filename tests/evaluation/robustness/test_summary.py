# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from perception.evaluation.robustness.corruptions import CORRUPTIONS
from perception.evaluation.robustness.suite import CORRUPTION, EMM, RMM, Row, RowScore
from perception.evaluation.robustness.summary import summarise


def scored(group: str, hits: int, frames: int = 1, **facts: Any) -> RowScore:
    """A row with an IoU of hits / 100 of road, and of nothing else."""
    score = RowScore(Row(group, f"{group} {hits} {facts}", lambda moment: moment.frame, facts), frames)
    truth = np.ones((1, 100), np.uint8)
    score.confusion.update(np.where(np.arange(100) < hits, 1, 0).astype(np.uint8)[None], truth)
    return score


SUBSETS = [
    scored(EMM, 80, kept=("rgb", "lidar")),
    scored(EMM, 60, kept=("rgb",)),
    scored(EMM, 20, kept=("lidar",)),
]


def test_subsets_are_averaged_plainly_and_by_how_likely_they_are() -> None:
    found = summarise(SUBSETS)
    assert found.all_sensors == pytest.approx(0.8)
    assert found.emm.average == pytest.approx((0.8 + 0.6 + 0.2) / 3)
    assert found.emm.share_of_all == pytest.approx((0.8 + 0.6 + 0.2) / 3 / 0.8)
    both, one = 0.9 * 0.9, 0.9 * 0.1  # each lost in one of ten; that both are lost does not count
    assert found.emm.expected["0.10"] == pytest.approx((both * 0.8 + one * 0.6 + one * 0.2) / (both + 2 * one))
    assert list(found.emm.expected) == ["0.05", "0.10", "0.20"]
    assert found.corruptions is None


def test_damaged_subsets_are_told_apart_by_their_share() -> None:
    rows = [scored(RMM, 50, kept=("rgb",), ratio=0.25), scored(RMM, 10, kept=("rgb",), ratio=0.75)]
    found = summarise([*SUBSETS, *rows])
    assert found.rmm["0.25"].average == pytest.approx(0.5)
    assert found.rmm["0.75"].average == pytest.approx(0.1)
    assert math.isnan(found.rmm["0.50"].average)
    assert math.isnan(found.rmm["0.50"].expected["0.05"])


def test_corruptions_over_all_and_by_kind() -> None:
    fog, snow = "fog", "snow"
    rows = [
        scored(CORRUPTION, 40, corruption=fog, severity=1),
        scored(CORRUPTION, 20, corruption=fog, severity=5),
        scored(CORRUPTION, 60, corruption=snow, severity=1),
        scored(CORRUPTION, 0, frames=0, corruption=snow, severity=5),  # no frame could be changed so
    ]
    found = summarise([*SUBSETS, *rows]).corruptions
    assert found is not None
    assert found.mean == pytest.approx(0.4)
    assert found.share_of_all == pytest.approx(0.5)
    assert found.mean_error == pytest.approx(0.6)
    assert found.by_corruption[fog] == pytest.approx(0.3)
    assert found.by_corruption[snow] == pytest.approx(0.6)
    assert set(found.by_corruption) == set(CORRUPTIONS)


def test_without_the_row_of_all_sensors_there_is_no_share() -> None:
    found = summarise([scored(CORRUPTION, 40, corruption="fog", severity=1)])
    assert math.isnan(found.all_sensors)
    assert found.corruptions is not None
    assert math.isnan(found.corruptions.share_of_all)

# SPDX-License-Identifier: Apache-2.0
"""Summary of the robustness suite, group by group. All figures are mean IoU unless they say otherwise."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from perception.evaluation.robustness.corruptions import CORRUPTIONS
from perception.evaluation.robustness.suite import CORRUPTION, EMM, RATIOS, RMM, RowScore

LOSS_PROBABILITIES = (0.05, 0.1, 0.2)


def summarise(scores: Sequence[RowScore]) -> dict[str, Any]:
    """Figures of the groups that are among `scores`; a row without any frame counts nowhere.

    all_sensors: every sensor, undisturbed. emm, rmm (by ratio of loss): average, the plain mean over the subsets;
    share_of_all, that divided by all_sensors; expected, the mean where each sensor is lost with a probability of
    LOSS_PROBABILITIES independently of the others, given that one is left. corruptions (Michaelis et al., 2019):
    mean, over all corruptions and severities (mPC); share_of_all (rPC); mean_error, the mean of 1 − mean IoU;
    by_corruption, the mean over its severities.
    """
    scored = [score for score in scores if score.frames]
    whole = next((score.confusion.mean_iou() for score in scored if score.row.group == EMM), float("nan"))
    emm = [score for score in scored if score.row.group == EMM]
    summary: dict[str, Any] = {"all_sensors": whole, "emm": _subsets(emm, whole)}
    summary["rmm"] = {
        f"{ratio:.2f}": _subsets([s for s in scored if s.row.group == RMM and s.row.facts["ratio"] == ratio], whole)
        for ratio in RATIOS
    }
    corrupted = [score for score in scored if score.row.group == CORRUPTION]
    if corrupted:
        mean = _mean(corrupted)
        summary["corruptions"] = {
            "mean": mean,
            "share_of_all": mean / whole if whole else float("nan"),
            "mean_error": 1 - mean,
            "by_corruption": {
                name: _mean([score for score in corrupted if score.row.facts["corruption"] == name])
                for name in CORRUPTIONS
            },
        }
    return summary


def _subsets(scores: Sequence[RowScore], whole: float) -> dict[str, Any]:
    average = _mean(scores)
    sensors = max((len(score.row.facts["kept"]) for score in scores), default=0)
    expected = {}
    for loss in LOSS_PROBABILITIES:
        left = np.array([len(score.row.facts["kept"]) for score in scores])
        weights = (1 - loss) ** left * loss ** (sensors - left)
        values = np.array([score.confusion.mean_iou() for score in scores])
        expected[f"{loss:.2f}"] = float((weights * values).sum() / weights.sum()) if len(scores) else float("nan")
    return {"average": average, "share_of_all": average / whole if whole else float("nan"), "expected": expected}


def _mean(scores: Sequence[RowScore]) -> float:
    values = [score.confusion.mean_iou() for score in scores]
    return float(np.mean(values)) if values else float("nan")

# SPDX-License-Identifier: Apache-2.0
"""Summary of the robustness suite, group by group. All figures are mean IoU unless they say otherwise."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from perception.evaluation.robustness.corruptions import CORRUPTIONS
from perception.evaluation.robustness.suite import CORRUPTION, EMM, RATIOS, RMM, RowReport, RowScore
from perception.reporting.reports import OPTIONAL

LOSS_PROBABILITIES = (0.05, 0.1, 0.2)


@dataclass(frozen=True)
class SubsetScore:
    """average: the plain mean over the subsets; share_of_all: that divided by what all sensors reach.

    expected: by probability, the mean where each sensor is lost so likely, independently of the others, given that one
    is left.
    """

    average: float
    share_of_all: float
    expected: dict[str, float]


@dataclass(frozen=True)
class CorruptionScore:
    """After Michaelis et al., 2019: mean, over all corruptions and severities (mPC); share_of_all (rPC).

    mean_error: the mean of 1 − mean IoU; by_corruption: the mean over its severities.
    """

    mean: float
    share_of_all: float
    mean_error: float
    by_corruption: dict[str, float]


@dataclass(frozen=True)
class Summary:
    """all_sensors: every sensor, undisturbed. emm: every subset; rmm: by the share of the others that is lost."""

    all_sensors: float
    emm: SubsetScore
    rmm: dict[str, SubsetScore]
    corruptions: CorruptionScore | None = field(default=None, metadata=OPTIONAL)


def summarise(scores: Sequence[RowScore]) -> Summary:
    """Figures of the groups that are among `scores`; a row without any frame counts nowhere."""
    scored = [score for score in scores if score.frames]
    whole = next((score.confusion.mean_iou() for score in scored if score.row.group == EMM), float("nan"))
    emm = [score for score in scored if score.row.group == EMM]
    rmm = {
        f"{ratio:.2f}": _subsets([s for s in scored if s.row.group == RMM and s.row.facts["ratio"] == ratio], whole)
        for ratio in RATIOS
    }
    corrupted = [score for score in scored if score.row.group == CORRUPTION]
    return Summary(whole, _subsets(emm, whole), rmm, _corruptions(corrupted, whole) if corrupted else None)


@dataclass(frozen=True)
class SuiteScores:
    """Every row, and what the groups of rows come to; all figures are mean IoU unless they say otherwise."""

    summary: Summary
    rows: list[RowReport]


def suite_scores(scores: Sequence[RowScore]) -> SuiteScores:
    """Everything, as figures."""
    return SuiteScores(summarise(scores), [score.report() for score in scores])


def _corruptions(corrupted: Sequence[RowScore], whole: float) -> CorruptionScore:
    mean = _mean(corrupted)
    return CorruptionScore(
        mean,
        mean / whole if whole else float("nan"),
        1 - mean,
        {name: _mean([score for score in corrupted if score.row.facts["corruption"] == name]) for name in CORRUPTIONS},
    )


def _subsets(scores: Sequence[RowScore], whole: float) -> SubsetScore:
    average = _mean(scores)
    sensors = max((len(score.row.facts["kept"]) for score in scores), default=0)
    expected = {}
    for loss in LOSS_PROBABILITIES:
        left = np.array([len(score.row.facts["kept"]) for score in scores])
        weights = (1 - loss) ** left * loss ** (sensors - left)
        values = np.array([score.confusion.mean_iou() for score in scores])
        expected[f"{loss:.2f}"] = float((weights * values).sum() / weights.sum()) if len(scores) else float("nan")
    return SubsetScore(average, average / whole if whole else float("nan"), expected)


def _mean(scores: Sequence[RowScore]) -> float:
    values = [score.confusion.mean_iou() for score in scores]
    return float(np.mean(values)) if values else float("nan")

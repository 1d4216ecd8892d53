# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from typing import Any

import numpy as np

from perception.classes import ROAD
from perception.evaluation.evaluate import evaluate
from perception.evaluation.extremes import Extremes
from perception.evaluation.scores_report import scores_page, suite_plots
from perception.frame import Frame, Prediction
from perception.reporting.reports import plain
from perception.sample import Sample


def row(group: str, name: str, mean_iou: float, **facts: Any) -> dict[str, Any]:
    return {"group": group, "name": name, "mean_iou": mean_iou, **facts}


ROWS = [
    row("EMM", "rgb + lidar", 0.8, kept=["rgb", "lidar"]),
    row("EMM", "rgb", 0.6, kept=["rgb"]),
    row("corruption", "fog 1", 0.6, corruption="fog", severity=1),
    row("corruption", "fog 5", 0.2, corruption="fog", severity=5),
    row("corruption", "snow 1", 0.5, corruption="snow", severity=1),
    row("lidar", "late by 50 ms", 0.7),
]


def test_a_suite_has_a_bar_per_subset_and_per_corruption_the_mean_of_its_severities() -> None:
    subsets, corrupted = suite_plots(ROWS)  # there was no other weather
    assert subsets.alt.endswith(": rgb + lidar 0.800, rgb 0.600.")
    assert corrupted.alt.endswith(": fog 0.400, snow 0.500.")
    assert suite_plots([]) == []


def test_a_suite_s_page_has_its_means() -> None:
    summary = {"emm": {"average": 0.7}, "corruptions": {"mean": 0.45}}
    page = scores_page("set", 9, {"rows": ROWS, "summary": summary}, Extremes())
    assert page.tiles == [
        ("rows", "6"), ("mean IoU over every subset", "0.700"), ("mean IoU over corruptions", "0.450"),
    ]  # fmt: skip
    assert "9 frames" in page.lead
    del summary["corruptions"]
    assert len(scores_page("set", 9, {"rows": ROWS, "summary": summary}, Extremes()).tiles) == 2


def half_right(frame: Frame) -> Prediction:
    labels = np.zeros((8, 10), np.uint8)
    labels[:, :5] = ROAD
    return Prediction(0, labels, np.full((8, 10), 255, np.uint8), {"rgb": 1.0})


def test_scores_become_tiles_plots_and_pictures() -> None:
    samples = [
        Sample(name, Frame(0, rgb=np.full((8, 10, 3), 90, np.uint8)), labels=np.full((8, 10), ROAD, np.uint8))
        for name in ("a", "b")
    ]
    samples.append(Sample("c", samples[0].frame))
    extremes = Extremes()
    result = evaluate(half_right, samples, None, lambda done: None, extremes.observe)
    page = scores_page("set", 3, plain(result.scores()), extremes)
    tiles = dict(page.tiles)
    assert (tiles["mean IoU"], tiles["IoU road"], tiles["IoU vehicle"]) == ("0.500", "0.500", "n/a")
    assert tiles["pixel accuracy"] == "0.5000"
    assert page.notes == ["1 samples without labels were left out."]
    assert len(page.plots) == 4  # latency, IoU twice, weights
    assert "road 0.500" in page.plots[1].alt
    assert [each.caption.split(",")[0] for each in page.pictures][::2] == ["The best frame", "The worst frame"]


def test_frames_without_truth_have_weights_alone() -> None:
    extremes = Extremes()
    extremes.observe(
        Sample("a", Frame(0, rgb=np.full((8, 10, 3), 90, np.uint8))),
        half_right(Frame(0, depth=np.ones((8, 10), np.float32))),
    )
    page = scores_page("set", 1, {}, extremes)
    assert (page.tiles, len(page.plots)) == ([], 1)

# SPDX-License-Identifier: Apache-2.0
"""The report's figures by hand, and its page read back as a browser would."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from perception.classes import PEDESTRIAN, ROAD, VEHICLE
from perception.evaluation.scores.drive_score import DriveScore
from perception.reporting.drive_report import write_report
from perception.reporting.dropout import Dropout
from perception.reporting.page import Picture
from perception.reporting.provenance import sha256, versions
from perception.reporting.reports import plain

SECOND = 1_000_000_000


def make_score() -> DriveScore:
    """Four frames 0.1 s apart: right, dropped, half of the road missed, right but late."""
    truth = np.zeros((10, 10), np.uint8)
    truth[5:] = ROAD
    truth[0, :5] = VEHICLE
    half = truth.copy()
    half[5:, :5] = 0
    score = DriveScore()
    start = 1_700_000_000 * SECOND
    score.add(start, start + 50_000_000, truth, truth)
    score.add(start + 100_000_000, None, None, truth)
    score.add(start + 200_000_000, start + 240_000_000, half, truth)
    score.add(start + 300_000_000, start + 450_000_000, truth, truth)
    return score


def make_report(**changes: Any) -> dict[str, Any]:
    score = make_score()
    return {
        "source": "a <test> drive",
        **plain(score.summary()),
        "iou_reason": None,
        "drops_by_cause": {"superseded": 1},
        "period_ms": 100.0,
        "stages_ms": {"infer": 31.4},
        "modality_weights": {"rgb": 0.7, "lidar": 0.3},
        "sensor_dropouts": [plain(Dropout("lidar", 0.1, 0.25))],
        "seconds": {"draw": 1.0},
        "versions": {"python": "3.x"},
        "weights_sha256": "0" * 64,
        "series": {"frames": plain(score.frames), "modality_weights": [{"time_s": 0.5, "rgb": 0.7, "lidar": 0.3}]},
        **changes,
    }


def test_figures_of_a_drive() -> None:
    summary = make_score().summary()
    assert (summary.frames_sent, summary.frames_answered, summary.frames_dropped) == (4, 3, 1)
    assert summary.latency_ms["p50"] == pytest.approx(50)
    assert summary.latency_ms["p99"] == pytest.approx(np.percentile([50, 40, 150], 99))
    assert summary.fps == pytest.approx(2 / 0.4)
    assert summary.iou == {"road": pytest.approx(125 / 150), "vehicle": 1.0, "pedestrian": None}
    assert summary.pixel_accuracy == pytest.approx(275 / 300)
    json.dumps(plain(summary), allow_nan=False)


def test_best_and_worst_frames() -> None:
    score = make_score()
    assert score.extremes()["worst"] == 2
    assert score.frames[2].iou == {"road": pytest.approx(0.5), "vehicle": 1.0, "pedestrian": None}
    timed = DriveScore()
    timed.add(0, 30, np.zeros((2, 2), np.uint8))
    timed.add(100, 110, np.zeros((2, 2), np.uint8))
    assert timed.extremes() == {"fastest": 1, "slowest": 0}
    assert DriveScore().extremes() == {}


def test_a_drive_without_answers_or_truth() -> None:
    score = DriveScore()
    score.add(5)
    summary = score.summary()
    assert summary.latency_ms == {"p50": None, "p95": None, "p99": None}
    assert summary.fps is None
    assert summary.iou == {"road": None, "vehicle": None, "pedestrian": None}


class Page(HTMLParser):
    """Collects what a page would load, and its text."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.sources: list[str] = []
        self.tags: set[str] = set()
        self.text = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.sources += [value for key, value in attrs if key in ("src", "href", "srcset") and value]

    def handle_data(self, data: str) -> None:
        self.text += data


def test_the_page_needs_nothing_else(tmp_path: Path) -> None:
    picture = Picture(np.full((20, 30, 3), 90, np.uint8), "The worst frame <3>")
    write_report(tmp_path / "report.html", make_report(), [picture], animation=b"RIFF")
    text = (tmp_path / "report.html").read_text("utf-8")
    page = Page(text)
    assert len(page.sources) == 7  # the animation, five plots, one picture
    assert all(source.startswith("data:image/") for source in page.sources)
    assert not page.tags & {"script", "link", "iframe"}
    assert not re.search(r"https?://|url\(|@import", text)
    for words in (
        "a <test> drive",
        "4 frames were sent, 3 answered, 1 dropped (1 superseded)",
        "0.833",
        "0" * 64,
        "lidar 0.1–0.2 s",
    ):
        assert words in page.text
    assert "The worst frame <3>" in page.text


def test_the_page_of_a_drive_without_truth(tmp_path: Path) -> None:
    score = DriveScore()
    score.add(0, 40_000_000, np.full((4, 4), PEDESTRIAN, np.uint8))
    reason = "n/a: the drive has no ground truth per pixel"
    series = {"frames": plain(score.frames), "modality_weights": []}
    report = make_report(**plain(score.summary()), iou_reason=reason, drops_by_cause={}, series=series)
    write_report(tmp_path / "report.html", report)
    page = Page((tmp_path / "report.html").read_text("utf-8"))
    assert reason in page.text
    assert len(page.sources) == 1


def test_provenance(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"abc")
    assert sha256(tmp_path / "file") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    assert {"perception", "python", "cpu", "numpy"} <= set(versions())

# SPDX-License-Identifier: Apache-2.0
"""bench.json as a page."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from perception.benchmark.report import bench_page, bench_pictures
from perception.frame import Frame, Prediction


def told(frame: Frame) -> Prediction:
    labels = np.zeros((4, 8), np.uint8)
    return Prediction(frame.stamp_ns, labels, labels, {})


@pytest.fixture
def frames() -> list[Frame]:
    """Two, which a drive sends in turn."""
    return [Frame(stamp_ns=i, rgb=np.full((4, 8, 3), 100 * i, np.uint8)) for i in range(2)]


def test_the_page_has_what_was_measured(report: dict[str, Any]) -> None:
    report["dds"][0]["series"] = [{"time_s": 0.0, "latency_ms": 40.0}, {"time_s": 0.1, "latency_ms": None}]
    page = bench_page(report)
    tiles = dict(page.tiles)
    assert tiles["network [ms]"] == "12.0"
    assert tiles["network / PIDNet-S"] == "0.40"
    assert tiles["answered at 10 Hz"] == "97 / 100"
    assert (tiles["latency p99 at 10 Hz [ms]"], tiles["latency p99 at 20 Hz [ms]"]) == ("60", "n/a")
    assert [figure.alt for figure in page.plots] == [
        "latency at 10 Hz, sensor → mask [ms], of every frame: p50 40, p95 50, p99 60.",
        "networks, bf16 [ms]: ours 12.0, ours, camera alone 12.0, PIDNet-S 30.0.",
        "stages of one frame [ms]: receive 1.0, infer 20.0.",
        "Frames dropped by cause: superseded, 10 Hz 3, superseded, 20 Hz 3.",
    ]
    assert page.provenance["weights sha256"] == "0" * 64
    assert page.notes == []
    for text in ("C × 2", "superseded, 20 Hz 3", "1" * 64, "PIDNet-S"):
        assert text in page.html()


def test_a_busy_machine_is_told(report: dict[str, Any]) -> None:
    report["machine"]["load"] = 1.5
    assert bench_page(report).notes == ["The machine was busy (load 1.5): trust ratios, not milliseconds."]


def test_without_peers_and_drives(report: dict[str, Any], frames: list[Frame]) -> None:
    report.update(ratio_to_pidnet_s=None, peers={}, dds=[], growth=None)
    page = bench_page(report, bench_pictures(report, frames, told))
    assert dict(page.tiles)["network / PIDNet-S"] == "n/a"
    assert len(page.plots) == 2
    assert [picture.caption for picture in page.pictures] == ["The first frame."]


def test_pictures_are_of_the_fastest_and_the_slowest_answer(report: dict[str, Any], frames: list[Frame]) -> None:
    """The third and the fourth frame that were sent are the first and the second again."""
    latencies = (30.0, 31.0, 90.0, 20.0, None)
    report["dds"][0]["series"] = [{"time_s": i / 10, "latency_ms": ms} for i, ms in enumerate(latencies)]
    pictures = bench_pictures(report, frames, told)
    assert [picture.caption for picture in pictures] == [
        "The fastest frame at 10 Hz, number 4: 20 ms.",
        "The slowest frame at 10 Hz, number 3: 90 ms.",
    ]
    assert [int(picture.image[0, 0, 0]) for picture in pictures] == [100, 0]

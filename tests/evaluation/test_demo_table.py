# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from dataclasses import replace

from perception.evaluation.demo_report import DemoReport, Series
from perception.evaluation.demo_table import table
from perception.evaluation.scores.drive_score import DriveSummary

SUMMARY = DriveSummary(
    10, 8, 2, 9.876, {"p50": 41.2, "p95": 60.0, "p99": None}, {"road": 0.9, "vehicle": None}, 0.9, 0.98765
)
REPORT = DemoReport(
    source="street", seed=1, condition="day", summary=SUMMARY, classes=[], iou_reason=None,
    drops_by_cause={"superseded": 2}, falls_behind="", period_ms=100.0, replay_late_ms=1.0, stages_ms={},
    modality_weights={"rgb": 0.625, "lidar": 0.375}, sensor_dropouts=[], seconds={"drive": 12.4},
    model="m.xml", model_scale=0.7, model_looks=2, weights_sha256="0", versions={}, series=Series([], []), distance={},
)  # fmt: skip


def rows(report: DemoReport) -> dict[str, str]:
    names, values = ([str(cell) for cell in column.cells] for column in table(report).columns)
    return dict(zip(names, values, strict=True))


def test_figures_at_a_glance() -> None:
    assert rows(REPORT) == {
        "frames sent": "10",
        "frames answered": "8",
        "frames dropped": "2 (2 superseded)",
        "FPS": "9.9 (sensors: 10.0)",
        "latency, sensor → mask": "p50 41 ms · p95 60 ms · p99 n/a ms",
        "IoU": "road 0.900 · vehicle n/a",
        "pixel accuracy": "0.9877",
        "model": "m at 0.7 of its resolution, looking twice",
        "sensor weights": "rgb 0.62 · lidar 0.38",
        "seconds": "drive 12",
    }


def test_a_drive_without_truth_says_why_it_has_no_iou() -> None:
    bare = replace(SUMMARY, iou={}, mean_iou=None, pixel_accuracy=None)
    found = rows(replace(REPORT, summary=bare, iou_reason="n/a: no truth", falls_behind="by 30 ms a frame"))
    assert found["IoU, pixel accuracy"] == "n/a: no truth"
    assert found["frames dropped"] == "2 (by 30 ms a frame)"
    assert "pixel accuracy" not in found

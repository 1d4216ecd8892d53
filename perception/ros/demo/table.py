# SPDX-License-Identifier: Apache-2.0
"""The one table that the demo prints."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rich.table import Table


def table(report: Mapping[str, Any]) -> Table:
    """The figures of report.json that matter at a glance."""
    result = Table(title=f"perception demo: {report['source']}", show_header=False, title_justify="left")
    result.add_column(style="bold")
    result.add_column()
    why = report["falls_behind"] or ", ".join(f"{count} {cause}" for cause, count in report["drops_by_cause"].items())
    latency = report["latency_ms"]
    result.add_row("frames sent", str(report["frames_sent"]))
    result.add_row("frames answered", str(report["frames_answered"]))
    result.add_row("frames dropped", f"{report['frames_dropped']}{f' ({why})' if why else ''}")
    result.add_row("FPS", f"{_number(report['fps'], 1)} (sensors: {1000 / report['period_ms']:.1f})")
    result.add_row("latency, sensor → mask", " · ".join(f"{k} {_number(v, 0)} ms" for k, v in latency.items()))
    if report["pixel_accuracy"] is None:
        result.add_row("IoU, pixel accuracy", report["iou_reason"])
    else:
        result.add_row("IoU", " · ".join(f"{name} {_number(value, 3)}" for name, value in report["iou"].items()))
        result.add_row("pixel accuracy", _number(report["pixel_accuracy"], 4))
    weights = report["modality_weights"]
    result.add_row("sensor weights", " · ".join(f"{name} {value:.2f}" for name, value in weights.items()) or "n/a")
    result.add_row("seconds", " · ".join(f"{name} {value:.0f}" for name, value in report["seconds"].items()))
    return result


def _number(value: float | None, digits: int) -> str:
    return "n/a" if value is None else f"{value:.{digits}f}"

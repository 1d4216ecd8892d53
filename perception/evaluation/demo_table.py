# SPDX-License-Identifier: Apache-2.0
"""The one table that the demo prints."""

from __future__ import annotations

from rich.table import Table

from perception.evaluation.demo_report import DemoReport


def table(report: DemoReport) -> Table:
    """The most important figures of report.json."""
    result = Table(title=f"perception demo: {report.source}", show_header=False, title_justify="left")
    result.add_column(style="bold")
    result.add_column()
    summary = report.summary
    why = report.falls_behind or ", ".join(f"{count} {cause}" for cause, count in report.drops_by_cause.items())
    result.add_row("frames sent", str(summary.frames_sent))
    result.add_row("frames answered", str(summary.frames_answered))
    result.add_row("frames dropped", f"{summary.frames_dropped}{f' ({why})' if why else ''}")
    result.add_row("FPS", f"{_number(summary.fps, 1)} (sensors: {1000 / report.period_ms:.1f})")
    latency = " · ".join(f"{name} {_number(value, 0)} ms" for name, value in summary.latency_ms.items())
    result.add_row("latency, sensor → mask", latency)
    if summary.pixel_accuracy is None:
        result.add_row("IoU, pixel accuracy", report.iou_reason)
    else:
        result.add_row("IoU", " · ".join(f"{name} {_number(value, 3)}" for name, value in summary.iou.items()))
        result.add_row("pixel accuracy", _number(summary.pixel_accuracy, 4))
    smaller = f" at {report.model_scale:g} of its resolution" if report.model_scale != 1 else ""
    smaller += ", looking twice" if report.model_looks > 1 else ""
    result.add_row("model", f"{report.model.partition('.')[0]}{smaller}")
    weights = report.modality_weights
    result.add_row("sensor weights", " · ".join(f"{name} {value:.2f}" for name, value in weights.items()) or "n/a")
    result.add_row("seconds", " · ".join(f"{name} {value:.0f}" for name, value in report.seconds.items()))
    return result


def _number(value: float | None, digits: int) -> str:
    return "n/a" if value is None else f"{value:.{digits}f}"

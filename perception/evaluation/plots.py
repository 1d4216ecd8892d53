# SPDX-License-Identifier: Apache-2.0
"""The report's plots as PNG, drawn without a display. Sizes and letters suit a screen of 400 pixels as well as 1280."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from perception.classes import FOREGROUND, PALETTE

MODALITY_COLOURS = {"rgb": "#2a9d5c", "depth": "#3d7bd9", "infrared": "#e07a1f", "lidar": "#8a5cc7"}
INK, FADED, ALARM = "#22272e", "#8a929c", "#c8322b"


def latency_plot(frames: Sequence[Mapping[str, Any]], latency: Mapping[str, float | None], period_ms: float) -> bytes:
    """Latency of each answer over the drive, with p50, p95 and the camera's period; ticks below for drops."""
    figure, axes = _figure("latency, sensor → mask [ms]")
    answered = [f for f in frames if f["latency_ms"] is not None]
    axes.plot([f["time_s"] for f in answered], [f["latency_ms"] for f in answered], ".-", color="#3d7bd9", lw=0.8, ms=5)
    axes.axhline(period_ms, color=FADED, lw=1, ls=":")
    label = f"sensor period {period_ms:.0f}"
    axes.text(0.99, period_ms, label, transform=axes.get_yaxis_transform(), **_ON_LINE | {"ha": "right"})
    for name, x in (("p50", 0.3), ("p95", 0.01)):  # side by side, for they may be close
        value = latency.get(name)
        if value is not None:
            axes.axhline(value, color=INK, lw=1, ls="--")
            axes.text(x, value, f"{name} {value:.0f}", transform=axes.get_yaxis_transform(), **_ON_LINE)
    dropped = [f["time_s"] for f in frames if f["latency_ms"] is None]
    if dropped:
        axes.plot(dropped, [0] * len(dropped), "|", color=ALARM, ms=14, mew=2, label="dropped")
    axes.set_ylim(bottom=0)
    axes.set_xlabel("seconds of the drive")
    _legend_below(axes)
    return _png(figure)


def iou_plot(iou: Mapping[str, float | None]) -> bytes:
    """IoU per class as bars."""
    figure, axes = _figure("IoU per class", height=2.2)
    names = list(FOREGROUND)[::-1]
    values = [iou.get(name) or 0.0 for name in names]
    axes.barh(names, values, color=[_class_colour(name) for name in names], height=0.6)
    for row, name in enumerate(names):
        known = iou.get(name) is not None
        axes.text(values[row] + 0.01, row, f"{values[row]:.3f}" if known else "none seen", va="center", color=INK)
    axes.set_xlim(0, 1.12)
    axes.set_xticks([0, 0.25, 0.5, 0.75, 1])
    return _png(figure)


def iou_over_time_plot(frames: Sequence[Mapping[str, Any]]) -> bytes:
    """IoU per class and frame."""
    figure, axes = _figure("IoU, frame by frame")
    for name in FOREGROUND:
        points = [(f["time_s"], f["iou"][name]) for f in frames if f["iou"] and f["iou"][name] is not None]
        if points:
            axes.plot(*zip(*points, strict=True), color=_class_colour(name), label=name, lw=1.5)
    axes.set_ylim(0, 1.02)
    axes.set_xlabel("seconds of the drive")
    _legend_below(axes)
    return _png(figure)


def weights_plot(series: Sequence[Mapping[str, float]]) -> bytes:
    """How much each sensor counted over time; each entry has time_s and the weights by modality."""
    figure, axes = _figure("weight of each sensor")
    times = [entry["time_s"] for entry in series]
    for name, colour in MODALITY_COLOURS.items():
        axes.plot(times, [entry.get(name, 0.0) for entry in series], ".-", color=colour, label=name, lw=1.5)
    axes.set_ylim(0, None)
    axes.set_xlabel("seconds of the drive")
    _legend_below(axes)
    return _png(figure)


def drops_plot(drops: Mapping[str, int]) -> bytes:
    """Frames without an answer, by cause, as bars."""
    figure, axes = _figure("frames dropped, by cause", height=0.9 + 0.45 * len(drops))
    names = list(drops)[::-1]
    axes.barh(names, [drops[name] for name in names], color=ALARM, height=0.6)
    for row, name in enumerate(names):
        axes.text(drops[name], row, f" {drops[name]}", va="center", color=INK)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.margins(x=0.12)
    return _png(figure)


_GROUND = {"facecolor": "white", "edgecolor": "none", "pad": 1.5}
_ON_LINE: dict[str, Any] = {"va": "center", "color": INK, "bbox": _GROUND}


def _figure(title: str, height: float = 2.9) -> tuple[Figure, Axes]:
    figure = Figure(figsize=(5.4, height), dpi=160, layout="constrained")
    axes = figure.add_subplot()
    axes.set_title(title, loc="left", color=INK, fontsize=12, fontweight="bold")
    axes.spines[["top", "right"]].set_visible(False)
    axes.tick_params(colors=INK)
    return figure, axes


def _legend_below(axes: Axes) -> None:
    if axes.get_legend_handles_labels()[0]:
        axes.legend(frameon=False, loc="upper center", bbox_to_anchor=(0.5, -0.22), ncols=4, columnspacing=1.2)


def _class_colour(name: str) -> tuple[float, ...]:
    return tuple(PALETTE[FOREGROUND[name]] / 255)


def _png(figure: Figure) -> bytes:
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png")
    return buffer.getvalue()

# SPDX-License-Identifier: Apache-2.0
"""Plots over time as PNG, drawn without a display. Sizes and letters suit a screen of 400 pixels as well as 1280.

Every entry of a series has time_s, which may be a frame number, as xlabel says.
"""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from perception.classes import CLASSES, Classes
from perception.reporting.dropout import Dropout
from perception.sensors.spec import FURTHER, SPECS

MODALITY_COLOURS = {name: spec.colour for name, spec in SPECS.items()}
INK, FADED, ALARM, CALM = "#22272e", "#8a929c", "#c8322b", "#3d7bd9"

DRIVE_TIME = "seconds of the drive"


def latency_plot(
    frames: Sequence[Mapping[str, Any]],
    latency: Mapping[str, float | None],
    period_ms: float | None = None,
    title: str = "latency, sensor → mask [ms]",
    xlabel: str = DRIVE_TIME,
) -> bytes:
    """Latency of each answer over the drive, with p50, p95 and the camera's period; ticks below for drops."""
    figure, axes = new_figure(title)
    answered = [f for f in frames if f["latency_ms"] is not None]
    axes.plot([f["time_s"] for f in answered], [f["latency_ms"] for f in answered], ".-", color=CALM, lw=0.8, ms=5)
    if period_ms is not None:
        axes.axhline(period_ms, color=FADED, lw=1, ls=":")
        label = f"sensor period {period_ms:.0f}"
        axes.text(0.99, period_ms, label, transform=axes.get_yaxis_transform(), **_ON_LINE | {"ha": "right"})
    for name, x in (("p50", 0.3), ("p95", 0.01)):  # side by side, because they may be close
        value = latency.get(name)
        if value is not None:
            axes.axhline(value, color=INK, lw=1, ls="--")
            axes.text(x, value, f"{name} {value:.0f}", transform=axes.get_yaxis_transform(), **_ON_LINE)
    dropped = [f["time_s"] for f in frames if f["latency_ms"] is None]
    if dropped:
        axes.plot(dropped, [0] * len(dropped), "|", color=ALARM, ms=14, mew=2, label="dropped")
    axes.set_ylim(0, 1.08 * axes.get_ylim()[1])  # room for the text at the top line
    axes.set_xlabel(xlabel)
    legend_below(axes)
    return png(figure)


def iou_over_time_plot(
    frames: Sequence[Mapping[str, Any]], xlabel: str = DRIVE_TIME, classes: Classes = CLASSES
) -> bytes:
    """IoU per class and frame."""
    figure, axes = new_figure("IoU, frame by frame")
    for name in classes.foreground:
        points = [(f["time_s"], f["iou"][name]) for f in frames if f["iou"] and f["iou"][name] is not None]
        if points:
            axes.plot(*zip(*points, strict=True), ".-", color=class_colour(name, classes), label=name, lw=1.5, ms=4)
    axes.set_ylim(0, 1.02)
    axes.set_xlabel(xlabel)
    legend_below(axes)
    return png(figure)


def weights_plot(
    series: Sequence[Mapping[str, float]], dropouts: Sequence[Dropout] = (), xlabel: str = DRIVE_TIME
) -> bytes:
    """The weight of each sensor over time; each entry has time_s and the weights by modality.

    dropouts: are shaded and named.
    """
    figure, axes = new_figure("weight of each sensor")
    times = [entry["time_s"] for entry in series]
    for name, colour in MODALITY_COLOURS.items():
        if name in FURTHER and not any(name in entry for entry in series):
            continue  # no network is asked of what it has no channels for
        axes.plot(times, [entry.get(name, 0.0) for entry in series], ".-", color=colour, label=name, lw=1.5)
    axes.set_ylim(0, None)
    named = set()
    for gap in dropouts:
        name = gap.modality
        label = None if name in named else f"no {name}"
        axes.axvspan(gap.from_s, gap.to_s, color=MODALITY_COLOURS[name], alpha=0.18, lw=0, label=label)
        named.add(name)
    axes.set_xlabel(xlabel)
    legend_below(axes)
    return png(figure)


def line_plot(title: str, points: Sequence[tuple[float, float]], xlabel: str) -> bytes:
    """One line of (x, y)."""
    figure, axes = new_figure(title)
    axes.plot(*zip(*points, strict=True), ".-", color=CALM, lw=0.8, ms=5)
    axes.set_ylim(bottom=0)
    axes.set_xlabel(xlabel)
    return png(figure)


_GROUND = {"facecolor": "white", "edgecolor": "none", "pad": 1.5}
_ON_LINE: dict[str, Any] = {"va": "center", "color": INK, "bbox": _GROUND}


def new_figure(title: str, height: float = 2.9) -> tuple[Figure, Axes]:
    """An empty plot, in inches of which 5.4 fill the width of a telephone."""
    figure = Figure(figsize=(5.4, height), dpi=160, layout="constrained")
    axes = figure.add_subplot()
    axes.set_title(title, loc="left", color=INK, fontsize=12, fontweight="bold")
    axes.spines[["top", "right"]].set_visible(False)
    axes.tick_params(colors=INK)
    return figure, axes


def legend_below(axes: Axes) -> None:
    """The legend, if there is anything to explain."""
    if axes.get_legend_handles_labels()[0]:
        axes.legend(frameon=False, loc="upper center", bbox_to_anchor=(0.5, -0.22), ncols=4, columnspacing=1.2)


def class_colour(name: str, classes: Classes) -> tuple[float, ...]:
    """The colour of a class, as its masks have it."""
    return tuple(classes.palette[classes.foreground[name]] / 255)


def png(figure: Figure) -> bytes:
    """The drawn plot."""
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png")
    return buffer.getvalue()

# SPDX-License-Identifier: Apache-2.0
"""Bar plots, as PNG."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from matplotlib.ticker import MaxNLocator

from perception.classes import CLASSES, Classes
from perception.reporting.plots import ALARM, CALM, INK, class_colour, legend_below, new_figure, png


def bars_plot(
    title: str,
    values: Mapping[str, float | None],
    form: str = "{:.1f}",
    colours: str | Sequence[Any] = CALM,
    unknown: str = "n/a",
) -> bytes:
    """A bar per name, from above, its value beside it; `unknown` where there is none."""
    figure, axes = new_figure(title, height=0.9 + 0.36 * len(values))
    names = list(values)
    lengths = [values[name] or 0.0 for name in names]
    axes.barh(names, lengths, color=colours, height=0.65)
    for row, name in enumerate(names):
        value = values[name]
        axes.text(lengths[row], row, " " + (unknown if value is None else form.format(value)), va="center", color=INK)
    axes.invert_yaxis()
    axes.set_xlim(0, 1.2 * max(lengths, default=0) or 1)
    axes.xaxis.set_major_locator(MaxNLocator(5, integer="d" in form))
    return png(figure)


def iou_plot(iou: Mapping[str, float | None], classes: Classes = CLASSES) -> bytes:
    """IoU per class as bars, from 0 to 1."""
    figure, axes = new_figure("IoU per class", height=1.0 + 0.4 * len(classes.foreground))
    for row, name in enumerate(classes.foreground):
        value = iou.get(name)
        axes.barh(name, value or 0.0, color=class_colour(name, classes), height=0.6)
        axes.text((value or 0) + 0.01, row, "none seen" if value is None else f"{value:.3f}", va="center", color=INK)
    axes.invert_yaxis()
    axes.set_xlim(0, 1.12)
    axes.set_xticks([0, 0.25, 0.5, 0.75, 1])
    return png(figure)


def distance_plot(bands: Mapping[str, Mapping[str, Any]], classes: Classes = CLASSES) -> bytes:
    """IoU per class and distance; bands: as `DistanceBands.scores` has them."""
    figure, axes = new_figure("IoU by distance")
    count = len(classes.foreground)
    width = 0.8 / count
    for number, name in enumerate(classes.foreground):
        for place, band in enumerate(bands.values()):
            value = band["iou"][name]
            x = place + (number - (count - 1) / 2) * width
            label = name if place == 0 else None
            axes.bar(x, value or 0.0, width=width * 0.92, color=class_colour(name, classes), label=label)
            text = "–" if value is None else f"{value:.2f}"
            axes.text(x, (value or 0.0) + 0.015, text, ha="center", color=INK, fontsize=8.5)
    axes.set_xticks(range(len(bands)), list(bands))
    axes.set_ylim(0, 1.1)
    legend_below(axes)
    return png(figure)


def drops_plot(drops: Mapping[str, int]) -> bytes:
    """Frames without an answer, by cause."""
    return bars_plot("frames dropped, by cause", dict(drops), "{:d}", ALARM)

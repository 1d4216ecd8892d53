# SPDX-License-Identifier: Apache-2.0
"""The plot of real IoU against time, with the networks that no other one beats."""

from __future__ import annotations

from matplotlib.ticker import LogLocator, NullFormatter

from perception.comparing.report import CompareReport
from perception.reporting.plots import ALARM, CALM, FADED, INK, new_figure, png


def pareto_plot(report: CompareReport) -> bytes:
    """A PNG: a dot for each network that is scored and timed, a line through the front, a cross for weights that were
    trained elsewhere."""
    figure, axes = new_figure("mean IoU on real sets [%] against time ÷ PIDNet-S", height=4.6)
    places = {
        name: (row.timing.ratio, 100 * row.real.mean_iou)
        for name, row in report.networks.items()
        if row.timing and row.real and row.real.mean_iou is not None
    }
    line = sorted(places[name] for name in report.pareto_front if name in places)
    if line:
        axes.plot(*zip(*line, strict=True), color=CALM, lw=1.2, zorder=1, label="Pareto front")
    for name, (time, iou) in places.items():
        alike, first = report.networks[name].training is not None, name in report.pareto_front
        colour = CALM if first else FADED if alike else ALARM
        axes.plot(time, iou, "o" if alike else "x", color=colour, ms=6, zorder=2)
        axes.annotate(name, (time, iou), (4, 3), textcoords="offset points", fontsize=7, color=INK if first else FADED)
    axes.set_xscale("log")
    axes.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    axes.xaxis.set_major_formatter("{x:g}")
    axes.xaxis.set_minor_formatter(NullFormatter())
    axes.set_xlabel("time ÷ PIDNet-S, one frame, OpenVINO float32")
    return png(figure)

# SPDX-License-Identifier: Apache-2.0
"""The report of `perception label` as a page."""

from __future__ import annotations

from collections.abc import Sequence

from perception.classes import BACKGROUND, FIRST
from perception.labelling.report import Labelled, LabelReport
from perception.reporting import plots_bars
from perception.reporting.page import Figure, Page, Table, listed, number
from perception.reporting.plots import ALARM

MOST = 200
"""Rows of a table of inputs; the JSON has all."""


def label_page(report: LabelReport) -> Page:
    """Sums, shares of the classes, failures by cause, and the inputs: the worst first, then all by name."""
    refused = len(report.inputs) - len(report.good)
    lead = (
        f"{len(report.inputs)} inputs were given, {len(report.good)} labelled, {refused} not. Of their {report.frames} "
        f"frames {report.labelled} were labelled in this run and {report.failed} could not be."
    )
    page = Page("Perception labels", lead)
    page.tiles = [
        ("frames", str(report.frames)),
        ("hours of drive", number(report.hours, 2)),
        ("frames per second", number(report.fps, 1)),
        ("inputs not labelled", str(refused)),
        ("given again", str(report.retried)),
    ]
    names = [name for name in report.share if name != FIRST[BACKGROUND]]
    shares = {name: report.share[name] for name in names}
    page.plots = [Figure(plots_bars.bars_plot("share of the pixels", shares, "{:.3f}"), f"Shares: {listed(shares)}.")]
    if report.failures:
        title, most = "failures by cause", dict(list(report.failures.items())[:12])
        drawn = plots_bars.bars_plot(title, dict(most), "{:d}", ALARM)
        page.plots.append(Figure(drawn, f"Failures by cause: {listed(dict(most), 0)}."))
    worst = [(each.input, f"{each.missing:.1%}", each.why) for each in report.worst]
    page.first = [Table(f"Worst inputs{_of(worst)}", worst[:MOST], ("input", "frames missing", "why"), prose=True)]
    rows = [_row(each, names) for each in sorted(report.good, key=lambda each: each.input)]
    header = ("input", "frames", "hours", "failed", *names, "seconds", "attempts")
    page.tables = [Table(f"Inputs{_of(rows)}", rows[:MOST], header)]
    if report.provenance:
        by = report.provenance
        page.provenance = {**by.versions, "model": by.model, "weights sha256": by.weights_sha256, "engine": by.engine}
    return page


def _of(rows: Sequence[tuple[str, ...]]) -> str:
    return f", the first {MOST} of {len(rows)}" if len(rows) > MOST else ""


def _row(each: Labelled, names: list[str]) -> tuple[str, ...]:
    summary = each.summary
    shares = [f"{summary.share[name]:.1%}" for name in names]
    hours = "–" if each.drive_s is None else f"{each.drive_s / 3600:.3f}"
    figures = (str(summary.frames), hours, str(len(summary.failed)))
    return (each.input, *figures, *shares, f"{each.seconds['total']:.1f}", str(each.attempts))

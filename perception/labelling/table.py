# SPDX-License-Identifier: Apache-2.0
"""The table of `perception label`, and what is said below it."""

from __future__ import annotations

from collections.abc import Iterator

from rich.table import Table

from perception.classes import BACKGROUND, FIRST
from perception.labelling.contradiction import ENOUGH, TOO_MUCH
from perception.labelling.report import Labelled, LabelReport, Refused

MOST = 40
"""Inputs of which the terminal tells; the report's JSON and page have the others."""


def table(report: LabelReport) -> Table:
    """A row per labelled input, as far as they are not too many; counted: the weight of each sensor."""
    result = Table(title=f"{report.labelled} frames labelled in {report.seconds:.1f} s", title_justify="left")
    result.add_column("input", overflow="fold")
    failed = ["failed"] if report.failed else []
    names = [name for name in report.share if name != FIRST[BACKGROUND]]
    for name in ("frames", "new", *failed, "fps", *names):
        result.add_column(name, justify="right", no_wrap=True)
    result.add_column("counted", no_wrap=True)
    for each in report.good[:MOST]:
        name, summary = each.input.rsplit("/", 1)[-1], each.summary
        shares = [f"{summary.share[name]:.1%}" for name in names]
        fps = f"{each.fps:.1f}" if each.fps else "–"
        counts = (str(summary.frames), str(summary.labelled), *([str(len(summary.failed))] if failed else ()))
        weights = (f"{sensor} {share:.0%}" for sensor, share in summary.weights.items())
        result.add_row(name, *counts, fps, *shares, "\n".join(weights))
    return result


def notes(report: LabelReport) -> list[str]:
    """Lines about each input: its sensors, its output folder, what was left out."""
    found = []
    for each in report.good[:MOST]:
        summary = each.summary
        sensors = ", ".join(f"{sensor} {count}" for sensor, count in summary.sensors.items())
        found.append(f"{each.input} ({sensors or 'nothing'}) → {each.output}")
        found += [f"  WARN: {line}" for line in _contradictions(each)]
        found += [f"  {remark}" for remark in each.remarks]
        found += [f"  absent: {reason} ({count}×)" for reason, count in summary.absent.items()]
        complaints = [f"{reason} ({count}×)" for reason, count in summary.complaints.items()]
        found += [f"  left out: {line}" for line in (*complaints, *each.topics_left_out)]
    if len(report.good) > MOST:
        found.append(f"… and {len(report.good) - MOST} more inputs: --json FILE and --report FILE tell of all")
    return found


def _contradictions(each: Labelled) -> Iterator[str]:
    """A line for every sensor that contradicts the others, by `contradiction.overturned`."""
    for sensor, seen in each.summary.overturns.items():
        if seen.share >= TOO_MUCH and seen.frames >= ENOUGH:
            others = " and ".join(name for name in each.summary.sensors if name != sensor)
            yield (
                f"{sensor} contradicts confident labels of {others} on {seen.share:.1%} of the image (median of "
                f"{seen.frames} frames). One of them is wrong, late or not where its calibration says: "
                f"`perception explain {each.input}:{seen.frame}` shows which"
            )


def mistakes(report: LabelReport) -> list[str]:
    """One line for everything that was not labelled."""
    found = []
    for each in report.inputs:
        if isinstance(each, Refused):
            found.append(each.error)
            continue
        if each.broken:
            found.append(f"{each.broken} ({each.summary.frames - len(each.summary.failed)} frames)")
        found += each.summary.failed.values()
    return found

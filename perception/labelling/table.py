# SPDX-License-Identifier: Apache-2.0
"""The table of `perception label`, and the sum of its inputs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from rich.table import Table

from perception.classes import BACKGROUND, CLASS_NAMES, FIRST
from perception.labelling.contradiction import ENOUGH, TOO_MUCH


def total(reports: Sequence[dict[str, Any]], seconds: float) -> dict[str, Any]:
    """One report of several: sums, and shares by frames. seconds: of everything, from the first to the last."""
    good = [report for report in reports if "error" not in report]
    frames, labelled = sum(each["frames"] for each in good), sum(each["labelled"] for each in good)
    provenance = {key: good[0][key] for key in ("model", "weights_sha256", "engine", "versions")} if good else {}
    shares = {
        name: round(sum(each["share"][name] * each["frames"] for each in good) / max(1, frames), 5)
        for name in (good[0]["share"] if good else CLASS_NAMES)
    }
    return {
        "frames": frames,
        "labelled": labelled,
        "failed": sum(len(each["failed"]) for each in good),
        "seconds": round(seconds, 2),
        "fps": round(labelled / seconds, 2),
        "share": shares,
        **provenance,
        "inputs": list(reports),
    }


def table(report: dict[str, Any]) -> Table:
    """A row per input that was labelled; counted: how much each sensor did."""
    result = Table(title=f"{report['labelled']} frames labelled in {report['seconds']:.1f} s", title_justify="left")
    result.add_column("input", overflow="fold")
    failed = ["failed"] if report["failed"] else []
    names = [name for name in report["share"] if name != FIRST[BACKGROUND]]
    for name in ("frames", "new", *failed, "fps", *names):
        result.add_column(name, justify="right", no_wrap=True)
    result.add_column("counted", no_wrap=True)
    for each in report["inputs"]:
        if "error" in each:
            continue  # it is told below the table
        name = each["input"].rsplit("/", 1)[-1]
        shares = [f"{each['share'][name]:.1%}" for name in names]
        fps = f"{each['fps']:.1f}" if each["fps"] else "–"
        counts = (str(each["frames"]), str(each["labelled"]), *([str(len(each["failed"]))] if failed else ()))
        weights = (f"{sensor} {share:.0%}" for sensor, share in each["weights"].items())
        result.add_row(name, *counts, fps, *shares, "\n".join(weights))
    return result


def notes(report: dict[str, Any]) -> list[str]:
    """A line for everything that the user should know of each input: its sensors, where it went, what was left out."""
    found = []
    for each in report["inputs"]:
        if "error" in each:
            continue
        sensors = ", ".join(f"{sensor} {count}" for sensor, count in each.get("sensors", {}).items())
        found.append(f"{each['input']} ({sensors or 'nothing'}) → {each['output']}")
        found += [f"  WARN: {line}" for line in _contradictions(each)]
        found += [f"  {remark}" for remark in each.get("remarks", ())]
        found += [f"  absent: {reason} ({count}×)" for reason, count in each.get("absent", {}).items()]
        complaints = [f"{reason} ({count}×)" for reason, count in each.get("complaints", {}).items()]
        found += [f"  left out: {line}" for line in (*complaints, *each.get("topics_left_out", ()))]
    return found


def _contradictions(each: dict[str, Any]) -> Iterator[str]:
    """A line for every sensor that overturns the others, by `contradiction.overturned`."""
    for sensor, seen in each["overturns"].items():
        if seen["share"] >= TOO_MUCH and seen["frames"] >= ENOUGH:
            others = " and ".join(name for name in each["sensors"] if name != sensor)
            yield (
                f"{sensor} overturns what {others} would say: on {seen['share']:.1%} of the image (median of "
                f"{seen['frames']} frames) where that is sure. One of them is wrong, late or not where its calibration "
                f"says: `perception explain {each['input']}:{seen['frame']}` shows which"
            )


def mistakes(report: dict[str, Any]) -> list[str]:
    """One line for everything that was not labelled."""
    found = []
    for each in report["inputs"]:
        if "error" in each:
            found.append(each["error"])
            continue
        if each["broken"]:
            found.append(f"{each['broken']} ({each['frames'] - len(each['failed'])} frames)")
        found += each["failed"].values()
    return found

# SPDX-License-Identifier: Apache-2.0
"""The table of `perception label`, and the sum of its inputs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rich.table import Table

from perception.classes import CLASS_NAMES, FOREGROUND


def total(reports: Sequence[dict[str, Any]], seconds: float) -> dict[str, Any]:
    """One report of several: sums, and shares by frames. seconds: of everything, from the first to the last."""
    good = [report for report in reports if "error" not in report]
    frames, labelled = sum(each["frames"] for each in good), sum(each["labelled"] for each in good)
    provenance = {key: good[0][key] for key in ("model", "weights_sha256", "engine", "versions")} if good else {}
    shares = {
        name: round(sum(each["share"][name] * each["frames"] for each in good) / max(1, frames), 5)
        for name in CLASS_NAMES
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
    """A row per input."""
    result = Table(title=f"{report['labelled']} frames labelled in {report['seconds']:.1f} s", title_justify="left")
    result.add_column("input")
    for name in ("frames", "new", "failed", "fps", *FOREGROUND):
        result.add_column(name, justify="right", no_wrap=True)
    for each in report["inputs"]:
        name = each["input"].rsplit("/", 1)[-1]
        if "error" in each:
            result.add_row(name, *["–"] * (4 + len(FOREGROUND)))
            continue
        shares = [f"{each['share'][name]:.1%}" for name in FOREGROUND]
        fps = f"{each['fps']:.1f}" if each["fps"] else "–"
        counts = (str(each["frames"]), str(each["labelled"]), str(len(each["failed"])))
        result.add_row(name, *counts, fps, *shares)
    return result


def notes(report: dict[str, Any]) -> list[str]:
    """A line for everything that the user should know of each input: its sensors, where it went, what was left out."""
    found = []
    for each in report["inputs"]:
        sensors = ", ".join(f"{sensor} {count}" for sensor, count in each.get("sensors", {}).items())
        found.append(f"{each['input']} ({sensors or 'nothing'}) → {each['output']}")
        found += [f"  {remark}" for remark in each.get("remarks", ())]
        found += [f"  absent: {reason} ({count}×)" for reason, count in each.get("absent", {}).items()]
        complaints = [f"{reason} ({count}×)" for reason, count in each.get("complaints", {}).items()]
        found += [f"  left out: {line}" for line in (*complaints, *each.get("topics_left_out", ()))]
    return found


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

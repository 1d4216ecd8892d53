# SPDX-License-Identifier: Apache-2.0
"""A report as JSON and as a page."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from perception.checking.check import Report
from perception.checking.findings import ERROR, INFO, WARN
from perception.classes import BACKGROUND, FIRST
from perception.disk import write_json
from perception.reporting.page import Page, Picture, Table, number, photograph
from perception.reporting.provenance import versions


def to_dict(report: Report) -> dict[str, Any]:
    """For JSON; what is not known is null."""
    return {
        "source": report.source,
        "seconds": round(report.seconds, 3),
        "frames": report.frames,
        "looked_at": report.looked_at,
        "errors": report.count(ERROR),
        "warnings": report.count(WARN),
        "findings": [each.to_dict() for each in report.findings],
        "topics": report.topics,
        "pairs": {
            name: {key: _rounded(value) for key, value in asdict(told).items()} for name, told in report.pairs.items()
        },
        "ground": {
            name: {
                "height_m": round(plane.height, 3),
                "pitch_deg": round(float(np.degrees(plane.pitch)), 2),
                "roll_deg": round(float(np.degrees(plane.roll)), 2),
            }
            for name, plane in report.planes.items()
        },
        "alignment": report.alignment,
        "changes": {
            name: {
                "pixels": round(each.pixels, 5),
                "classes": {kind: round(share, 5) for kind, share in each.classes.items()},
                "weight": round(each.weight, 4),
            }
            for name, each in report.changes.items()
        },
        "versions": versions(),
    }


def lead(report: Report) -> str:
    """What came of it, in a sentence."""
    counts = [(report.count(each), words) for each, words in ((ERROR, "errors"), (WARN, "warnings"), (INFO, "notes"))]
    said = (
        ", ".join(f"{count} {words if count != 1 else words[:-1]}" for count, words in counts if count) or "no finding"
    )
    return f"{said}; {report.looked_at} of {report.frames} frames of {report.seconds:.1f} s were looked at"


def write(report: Report, folder: Path) -> None:
    """Write check.json and check.html into the folder, which is made."""
    content = to_dict(report)
    folder.mkdir(parents=True, exist_ok=True)
    write_json(folder / "check.json", content)
    page(report, content).write(folder / "check.html")


def page(report: Report, content: Mapping[str, Any]) -> Page:
    """content: as `to_dict` has it."""
    result = Page(f"Perception check: {Path(report.source).name}", f"{lead(report).capitalize()}.")
    result.tiles = [("errors", str(report.count(ERROR))), ("warnings", str(report.count(WARN)))]
    result.tiles += [(f"{row['topic']} [Hz]", number(row["rate_hz"], 1)) for row in report.topics if _is_sensor(row)]
    result.first = [
        Table(
            "Findings",
            [(each.severity, each.code, each.where, each.what, each.mend) for each in report.findings],
            ("", "code", "where", "what", "what to do"),
            prose=True,
        )
    ]
    result.pictures = [photograph(Picture(image, caption)) for caption, image in report.pictures]
    result.tables = [_topics(report), _pairs(content), _ground(content), _changes(report)]
    result.provenance = content["versions"]
    return result


def _is_sensor(row: Mapping[str, Any]) -> bool:
    return row["type"].rsplit("/", 1)[-1] in ("Image", "CompressedImage", "PointCloud2")


def _topics(report: Report) -> Table:
    rows = [
        (
            row["topic"], row["type"].rsplit("/", 1)[-1], row["messages"], number(row["rate_hz"], 2), row["frame_id"],
            number(row["latency_ms_p50"], 1), number(row["latency_ms_p95"], 1),
        )
        for row in report.topics
    ]  # fmt: skip
    return Table("Topics", rows, ("topic", "type", "messages", "Hz", "frame", "latency p50 [ms]", "p95 [ms]"))


def _pairs(content: Mapping[str, Any]) -> Table:
    rows = [
        (name, f"{told['share']:.0%}", number(told["offset_ms_p50"], 1), number(told["offset_ms_max"], 1))
        for name, told in content["pairs"].items()
    ]
    return Table("Beside the trigger", rows, ("sensor", "share of sets", "offset p50 [ms]", "max [ms]"))


def _ground(content: Mapping[str, Any]) -> Table:
    rows = [(name, *(f"{value:.2f}" for value in plane.values())) for name, plane in content["ground"].items()]
    return Table("Camera above the ground, by", rows, ("source", "height [m]", "pitch [°]", "roll [°]"))


def _changes(report: Report) -> Table:
    known = next((each.classes for each in report.changes.values()), dict.fromkeys(FIRST))
    kinds = [kind for kind in known if kind != FIRST[BACKGROUND]]
    rows = [
        (name, f"{each.pixels:.2%}", *(f"{each.classes[kind]:.2%}" for kind in kinds), f"{each.weight:.2f}")
        for name, each in report.changes.items()
    ]
    return Table("Pixels that change without a sensor", rows, ("sensor", "all", *kinds, "weight"))


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 3)

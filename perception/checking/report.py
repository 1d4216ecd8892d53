# SPDX-License-Identifier: Apache-2.0
"""A report as JSON and as a page."""

from __future__ import annotations

from dataclasses import astuple, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from perception.checking.check import Report, TopicRow
from perception.checking.findings import ERROR, INFO, WARN, Finding
from perception.checking.influence import Change
from perception.checking.timing import Pairing
from perception.classes import BACKGROUND, FIRST
from perception.reporting.page import Page, Picture, Table, number, photograph
from perception.reporting.provenance import versions
from perception.reporting.reports import write_report


@dataclass(frozen=True)
class Pose:
    """The camera's pose above the ground."""

    height_m: float
    pitch_deg: float
    roll_deg: float


@dataclass(frozen=True, kw_only=True)
class CheckReport:
    """check.json; unknown values are null. See `Report`; ground: by the sensor that measured it."""

    source: str
    seconds: float
    frames: int
    looked_at: int
    errors: int
    warnings: int
    findings: list[Finding]
    topics: list[TopicRow]
    pairs: dict[str, Pairing]
    ground: dict[str, Pose]
    alignment: str
    changes: dict[str, Change]
    versions: dict[str, str]


def figures(report: Report) -> CheckReport:
    """The part that goes into JSON, rounded."""
    return CheckReport(
        source=report.source,
        seconds=round(report.seconds, 3),
        frames=report.frames,
        looked_at=report.looked_at,
        errors=report.count(ERROR),
        warnings=report.count(WARN),
        findings=report.findings,
        topics=report.topics,
        pairs={name: Pairing(*map(_rounded, astuple(told))) for name, told in report.pairs.items()},
        ground={
            name: Pose(
                height_m=round(plane.height, 3),
                pitch_deg=round(float(np.degrees(plane.pitch)), 2),
                roll_deg=round(float(np.degrees(plane.roll)), 2),
            )
            for name, plane in report.planes.items()
        },
        alignment=report.alignment,
        changes={
            name: Change(
                round(each.pixels, 5),
                {kind: round(share, 5) for kind, share in each.classes.items()},
                round(each.weight, 4),
            )
            for name, each in report.changes.items()
        },
        versions=versions(),
    )


def lead(report: Report) -> str:
    """The result, in a sentence."""
    counts = [(report.count(each), words) for each, words in ((ERROR, "errors"), (WARN, "warnings"), (INFO, "notes"))]
    said = (
        ", ".join(f"{count} {words if count != 1 else words[:-1]}" for count, words in counts if count) or "no finding"
    )
    return f"{said}; {report.looked_at} of {report.frames} frames of {report.seconds:.1f} s were looked at"


def write(report: Report, folder: Path) -> None:
    """Write check.json and check.html into the folder, which is created."""
    found = figures(report)
    folder.mkdir(parents=True, exist_ok=True)
    write_report(folder / "check.json", "check", found)
    page(report, found).write(folder / "check.html")


def page(report: Report, found: CheckReport) -> Page:
    """found: the report's `figures`."""
    result = Page(f"Perception check: {Path(report.source).name}", f"{lead(report).capitalize()}.")
    result.tiles = [("errors", str(report.count(ERROR))), ("warnings", str(report.count(WARN)))]
    result.tiles += [(f"{row.topic} [Hz]", number(row.rate_hz, 1)) for row in report.topics if _is_sensor(row)]
    result.first = [
        Table(
            "Findings",
            [(each.severity, each.code, each.where, each.what, each.mend) for each in report.findings],
            ("", "code", "where", "what", "what to do"),
            prose=True,
        )
    ]
    result.pictures = [photograph(Picture(image, caption)) for caption, image in report.pictures]
    result.tables = [_topics(report), _pairs(found), _ground(found), _changes(report)]
    result.provenance = dict(found.versions)
    return result


def _is_sensor(row: TopicRow) -> bool:
    return row.type.rsplit("/", 1)[-1] in ("Image", "CompressedImage", "PointCloud2")


def _topics(report: Report) -> Table:
    rows = [
        (
            row.topic, row.type.rsplit("/", 1)[-1], row.messages, number(row.rate_hz, 2), row.frame_id,
            number(row.latency_ms_p50, 1), number(row.latency_ms_p95, 1),
        )
        for row in report.topics
    ]  # fmt: skip
    return Table("Topics", rows, ("topic", "type", "messages", "Hz", "frame", "latency p50 [ms]", "p95 [ms]"))


def _pairs(found: CheckReport) -> Table:
    rows = [
        (name, f"{told.share:.0%}", number(told.offset_ms_p50, 1), number(told.offset_ms_max, 1))
        for name, told in found.pairs.items()
    ]
    return Table("Beside the trigger", rows, ("sensor", "share of sets", "offset p50 [ms]", "max [ms]"))


def _ground(found: CheckReport) -> Table:
    rows = [(name, *(f"{value:.2f}" for value in astuple(plane))) for name, plane in found.ground.items()]
    return Table("Camera above the ground, by", rows, ("source", "height [m]", "pitch [°]", "roll [°]"))


def _changes(report: Report) -> Table:
    known = next((each.classes for each in report.changes.values()), dict.fromkeys(FIRST))
    kinds = [kind for kind in known if kind != FIRST[BACKGROUND]]
    rows = [
        (name, f"{each.pixels:.2%}", *(f"{each.classes[kind]:.2%}" for kind in kinds), f"{each.weight:.2f}")
        for name, each in report.changes.items()
    ]
    return Table("Pixels that change without a sensor", rows, ("sensor", "all", *kinds, "weight"))


def _rounded(value: Any) -> Any:
    return None if value is None else round(value, 3)

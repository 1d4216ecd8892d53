# SPDX-License-Identifier: Apache-2.0
"""compare.json as the tables of docs/zoo.md; no figure in them is typed by hand."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from pathlib import Path

import yaml

from perception.benchmark.tables import NONE, Table
from perception.classes import FOREGROUND
from perception.comparing.report import ALL, CompareReport, Known, Row, names_of
from perception.errors import DataError
from perception.paths import config_path

PUBLISHED = "networks/zoo/published.yaml"
"""In configs/: figures of others, each with where it stands."""

BLOCK = re.compile(r"(?<=<!-- zoo:begin -->\n).*?(?=<!-- zoo:end -->)", re.DOTALL)


def tables(report: CompareReport, published: Mapping[str, str]) -> dict[str, Table]:
    """By name: networks; fusion, where a network sees more than the camera."""
    made = {"networks": _networks(report, published)}
    fused = {name: row for name, row in report.networks.items() if len(row.sensors) > 1}
    if fused:
        made["fusion"] = _fusion(report, fused)
    return made


def _networks(report: CompareReport, published: Mapping[str, str]) -> Table:
    header = (
        "network", "M", "GMAC", "time ÷ PIDNet-S", *FOREGROUND, "mean IoU, real", "simulated", "points for fusion",
        "ECE", "flicker", "steadied", "learning rate", "iterations", "published",
    )  # fmt: skip
    rows = []
    for name in ordered(report):
        row = report.networks[name]
        real, iou = row.real, row.real.iou if row.real else {}
        rows.append(
            (
                f"**`{name}`**" if name in report.pareto_front else f"`{name}`",
                NONE if row.parameters is None else f"{row.parameters / 1e6:.2f}",
                NONE if row.gmac is None else f"{row.gmac:.1f}",
                f"{row.timing.ratio:.2f}" if row.timing else NONE,
                *(_percent(iou.get(label)) for label in FOREGROUND),
                _percent(real.mean_iou if real else None),
                _percent(row.simulated.mean_iou if row.simulated else None),
                _points(real.points.get(ALL) if real else None),
                _percent(real.calibration_error if real else None),
                _share(row.flicker.share if row.flicker else None),
                _share(row.flicker.steadied if row.flicker else None),
                f"{row.training.learning_rate:g}, {row.training.optimizer}" if row.training else "trained elsewhere",
                str(row.training.iterations) if row.training else NONE,
                published.get(name, NONE),
            )
        )
    return Table("Networks", header, rows)


def _fusion(report: CompareReport, fused: Mapping[str, Row]) -> Table:
    """The points of mean IoU that each subset is better than the camera alone."""
    columns = [
        (real, name)
        for real in (True, False)
        for name in ("+depth", "+infrared", "+lidar", ALL)
        if any(name in part.points for row in fused.values() if (part := row.real if real else row.simulated))
    ]
    rows = []
    for name in ordered(report):
        if name in fused:
            parts = {True: fused[name].real, False: fused[name].simulated}
            cells = [_points(part.points.get(each) if (part := parts[real]) else None) for real, each in columns]
            rows.append((f"`{name}`", *cells))
    header = ("network", *(f"{'real' if real else 'simulated'}: {name}" for real, name in columns))
    return Table("What fusion brings, in points", header, rows)


def ordered(report: CompareReport) -> list[str]:
    """The best first, then those that are not scored; weights that were trained elsewhere at the end."""
    rows = report.networks

    def place(name: str) -> tuple[bool, float, str]:
        real = rows[name].real
        iou = real.mean_iou if real and real.mean_iou is not None else -1.0
        return rows[name].training is None, -iou, name

    return sorted(rows, key=place)


def notes(report: CompareReport) -> list[str]:
    """What the tables mean, in sentences."""
    trained = [row.training for row in report.networks.values() if row.training]
    real, simulated = (names_of(report.sets, each) for each in (True, False))

    soft = {name for row in report.networks.values() for name, score in row.sets.items() if score.soft_frames}

    def listed(names: Iterable[str]) -> str:
        return ", ".join(
            f"{name} ({report.sets[name].part}, {report.sets[name].frames} frames{', soft labels' * (name in soft)})"
            for name in names
        )

    said = []
    if trained:
        one = trained[0]
        said.append(
            f"Trained alike: {one.budget} each, recipe `{one.recipe}`{_at(one.resolution)} on {', '.join(one.data)}, "
            f"seed {one.seed}, {one.batch_size} crops of {one.crop[0]}×{one.crop[1]} a step; of a time, the iterations "
            "that fit follow from the seconds of a step, measured before."
        )
    if real:
        seen = _at(report.sets[real[0]].resolution)
        said.append(f"Real: {listed(real)}; IoU, ECE and flicker in %, means over the sets{seen and ', seen' + seen}.")
    if simulated:
        said.append(f"Simulated: {listed(simulated)}.")
    timing = next((row.timing for row in report.networks.values() if row.timing), None)
    if timing:
        height, width = report.image
        reference = "" if report.reference_ms is None else f" ({report.reference_ms:.0f} ms)"
        said.append(
            f"Timed in turns, OpenVINO in float32, {width}×{height}, {timing.threads} threads of {timing.cpu}, as a "
            f"ratio to PIDNet-S{reference}."
        )
    if report.pareto_front:
        said.append("In bold: no other network trained alike is as good in both real IoU and time.")
    stale = [name for name, row in report.networks.items() if report.sets and not (row.real or row.simulated)]
    if stale:
        said.append(f"Not scored on these frames: {', '.join(stale)}.")
    if report.left_out:
        said.append("Left out: " + "; ".join(f"{name}, {reason}" for name, reason in report.left_out.items()) + ".")
    return said


def read_published(path: Path | None = None) -> dict[str, str]:
    """Markdown by network, from the file beside the configs. Raises DataError for one of another form."""
    path = path or config_path(PUBLISHED)
    try:
        found = yaml.safe_load(path.read_text("utf-8")) or {}
        return {str(name): f"[{entry['figure']}]({entry['source']})" for name, entry in found.items()}
    except (yaml.YAMLError, KeyError, TypeError, AttributeError) as error:
        raise DataError(f"{path}: expected NAME: {{figure: …, source: URL}} ({error})") from error


def check_document(path: Path) -> None:
    """Raises DataError where the document has no place for the tables."""
    if not BLOCK.search(path.read_text("utf-8")):
        raise DataError(f"{path}: no place for the tables; write <!-- zoo:begin --> and <!-- zoo:end -->, a line each")


def fill(path: Path, report: CompareReport, published: Mapping[str, str]) -> None:
    """Write the tables and what they mean between the markers of a Markdown document. Raises as `check_document`."""
    check_document(path)
    made = tables(report, published)
    text = " ".join(notes(report))
    parts = [made["networks"].markdown(), text]
    if "fusion" in made:
        parts += ["Points of mean IoU over the camera alone, of the same network:", made["fusion"].markdown()]
    block = "\n" + "\n\n".join(parts) + "\n\n"
    path.write_text(BLOCK.sub(lambda _: block, path.read_text("utf-8")), "utf-8")


def _at(resolution: float) -> str:
    return "" if resolution == 1 else f" at {resolution:g} of the resolution"


def _percent(value: Known) -> str:
    return NONE if value is None else f"{100 * value:.1f}"


def _share(value: Known) -> str:
    return NONE if value is None else f"{100 * value:.2f}"


def _points(value: Known) -> str:
    return NONE if value is None else f"{value:+.1f}"

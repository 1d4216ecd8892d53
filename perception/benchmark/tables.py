# SPDX-License-Identifier: Apache-2.0
"""bench.json as tables for the terminal and the documents, so that no figure is typed by hand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from perception.benchmark.stages import STAGES

if TYPE_CHECKING:
    from rich.table import Table as RichTable

Report = Mapping[str, Any]

GROWTH: tuple[str, ...] = ("image_scale", "points", "outputs", "cameras")
NAMES: tuple[str, ...] = ("machine", "targets", "networks", "stages", "dds", *GROWTH)
"""Every table that a report can have."""

NONE = "–"
BEYOND_MS = 10.0
"""What an overloaded node may add to the network's time and a period."""


@dataclass(frozen=True)
class Table:
    """A title, the names of the columns, and rows of text."""

    title: str
    header: Sequence[str]
    rows: Sequence[Sequence[str]]

    def rich(self) -> RichTable:
        """For the terminal."""
        from rich.table import Table as RichTable

        table = RichTable(title=self.title, title_justify="left")
        table.add_column(self.header[0], no_wrap=True)
        for name in self.header[1:]:
            table.add_column(name, justify="right")
        for row in self.rows:
            table.add_row(*row)
        return table

    def markdown(self) -> str:
        """For a document: without the title."""
        alignment = ["---", *["---:"] * (len(self.header) - 1)]
        return "\n".join("| " + " | ".join(row) + " |" for row in (self.header, alignment, *self.rows))


def tables(report: Report) -> dict[str, Table]:
    """Every table that the report has figures for, by name."""
    made = {
        "machine": _machine(report),
        "targets": _targets(report),
        "networks": _networks(report),
        "stages": _stages(report),
    }
    if report["dds"]:
        made["dds"] = _dds([*report["dds"], *filter(None, [report["overload"]])])
    if report["growth"]:
        made |= _growth(report["growth"])
    return made


def _machine(report: Report) -> Table:
    machine, given = report["machine"], report["input"]
    versions = {name: version for name, version in machine["versions"].items() if name != "cpu"}
    rows = [
        ("processor", machine["versions"]["cpu"]),
        ("of use to networks", ", ".join(machine["flags"]) or "none"),
        ("cores, memory, load before", f"{machine['cores']}, {machine['memory_gb']:.0f} GB, {machine['load']:.2f}"),
        ("engine", f"{report['engine']}, {report['threads']} threads"),
        ("model", f"{report['model']}, {report['weights_sha256'][:12]}"),
        ("input", f"{given['source']}: {given['frames']} frames {_size(given['image'])}, {given['points']:,} points"),
        ("input's hash", given["sha256"][:12]),
        ("versions", ", ".join(f"{name} {version}" for name, version in versions.items())),
    ]
    return Table("Measured on", ("", "value"), rows)


def _targets(report: Report) -> Table:
    drives = {drive["hz"]: drive for drive in report["dds"]}
    slow, fast = drives.get(10.0, {}), drives.get(20.0, {})
    late, late_fast = (each.get("latency_ms", {}).get("p99") for each in (slow, fast))
    fastest = next((precision for precision in reversed(report["network"]) if precision != "int8"), "float")
    float_ratio, int8_ratio = (report["network"].get(each, {}).get("ratio") for each in (fastest, "int8"))
    over, over_aim = _beyond(report["overload"])
    rows = [
        _target(f"network / PIDNet-S, {fastest}", float_ratio, 0.42, 0.35, "{:.2f}"),
        _target("network / PIDNet-S, int8", int8_ratio, 0.42, 0.30, "{:.2f}"),
        _target("outside the network / network", report["overhead_ratio"], 0.10, 0.06, "{:.2f}"),
        _target("frames answered at 10 Hz", slow.get("answered_share"), 1, 1, "{:.1%}", least=True),
        _target("frames answered at 20 Hz", fast.get("answered_share"), 0.98, 1, "{:.1%}", least=True),
        _target("stamp → masks received, p99 at 10 Hz", late, 140, 100, "{:.0f} ms"),
        _target("stamp → masks received, p99 at 20 Hz", late_fast, None, 80, "{:.0f} ms"),
        _target("overload ×3: p99 less network and period", over, BEYOND_MS, over_aim, "{:.0f} ms"),
        _target("node ready, first start", slow.get("ready_s"), 3, 1, "{:.1f} s"),
        _target("node ready, later starts", slow.get("ready_again_s"), 1.5, 1, "{:.1f} s"),
        _target("memory of the node, steady", (slow.get("memory_mb") or {}).get("steady"), 400, 300, "{:.0f} MB"),
    ]
    return Table("Targets", ("figure", "must", "aim", "measured", "met"), rows)


def _beyond(overload: Mapping[str, Any] | None) -> tuple[float | None, float]:
    """By how much the 99th percentile of the masks' age exceeds the network's time and one period [ms], and the aim:
    that it is BEYOND_MS more than the network's time alone."""
    if overload is None:
        return None, BEYOND_MS
    period, age = 1000 / overload["hz"], overload["latency_ms"]["p99"]
    infer = overload["stages_ms"].get("infer")
    return None if age is None or infer is None else age - infer - period, BEYOND_MS - period


def _target(
    name: str, value: float | None, must: float | None, aim: float, form: str, least: bool = False
) -> tuple[str, ...]:
    def met(bound: float | None) -> bool:
        return value is not None and bound is not None and (value >= bound if least else value <= bound)

    sign = "" if least else "≤ "
    verdict = NONE if value is None else "aim" if met(aim) else "must" if met(must) else "no"
    bounds = (NONE if bound is None else sign + form.format(bound) for bound in (must, aim))
    return (name, *bounds, NONE if value is None else form.format(value), verdict)


def _networks(report: Report) -> Table:
    rows = {"ours": report["network"], "ours, camera alone": report["network_camera_alone"], **report["peers"]}
    precisions = list(report["network"])
    header = ["network", *(f"{precision} {what}" for precision in precisions for what in ("ms", "p95", "/ PIDNet-S"))]
    lines = []
    for name, figures in sorted(rows.items(), key=lambda item: item[1][report["precision"]]["median"]):
        cells: list[str] = []
        for spent in figures.values():
            cells += [f"{spent['median']:.1f}", f"{spent['p95']:.1f}", _number(spent["ratio"], "{:.2f}")]
        lines.append((name, *cells))
    title = f"Networks at {_size(report['input']['network'])}, batch 1, {report['threads']} threads"
    return Table(title, header, lines)


def _stages(report: Report) -> Table:
    rows = [
        (name, *(f"{figures[key]:.2f}" for key in ("median", "p95", "p99")))
        for name, figures in (*report["stages"].items(), ("outside the network", report["overhead_ms"]))
    ]
    return Table("Stages of one frame", ("stage", "ms", "p95", "p99"), rows)


def _dds(drives: Sequence[Mapping[str, Any]]) -> Table:
    columns = [_drive_column(drive) for drive in drives]
    rows = [(name, *(column[name] for column in columns)) for name in columns[0]]
    return Table("The node over DDS, in a separate process", ("", *(f"{d['hz']:.3g} Hz" for d in drives)), rows)


def _drive_column(drive: Mapping[str, Any]) -> dict[str, str]:
    drops = ", ".join(f"{count} {cause}" for cause, count in drive["drops_by_cause"].items())
    latency, memory = drive["latency_ms"], drive["memory_mb"] or {}
    return {
        "model": drive["model"],
        "seconds": str(drive["seconds"]),
        "frames answered / sent": f"{drive['frames_answered']} / {drive['frames_sent']}",
        "drops": drops or "none",
        **{f"stamp → masks received, {p}, ms": _number(late, "{:.0f}") for p, late in latency.items()},
        "ready after, s": f"{drive['ready_s']:.1f}",
        "ready after a second start, s": _number(drive["ready_again_s"], "{:.1f}"),
        **{f"memory, {m}, MB": _number(memory.get(m), "{:.0f}") for m in ("start", "steady", "peak", "growth")},
        "processor, % of a core": _number(drive["cpu_percent"], "{:.0f}"),
    }


def _growth(growth: Mapping[str, Any]) -> dict[str, Table]:
    images = {f"{row['scale']:g}×, {row['width']}×{row['height']}": row for row in growth["image_scale"]}
    points = {f"{row['points']:,}": row for row in growth["points"]}
    outputs = {str(row["outputs"]): row for row in growth["outputs"]}
    rows = []
    for row in growth["cameras"]:
        spent = row["all_ms"]
        rows.append((str(row["cameras"]), f"{spent['median']:.1f}", f"{spent['p95']:.1f}", f"{row['rate_hz']:.1f}"))
    header = ("cameras", "all of them once, ms", "p95", "frames a second of each")
    return {
        "image_scale": _stage_rows("By image size, ms", "image", images),
        "points": _stage_rows("By points of a sweep, ms", "points", points),
        "outputs": _stage_rows("By what is published, ms", "outputs", outputs),
        "cameras": Table("Cameras that share one engine", header, rows),
    }


def _stage_rows(title: str, key: str, named: Mapping[str, Mapping[str, Any]]) -> Table:
    rows = []
    for name, row in named.items():
        cells = [_number(row["stages_ms"].get(stage), "{:.1f}") for stage in STAGES]
        rows.append((name, *cells, f"{row['total_ms']:.1f}"))
    return Table(title, (key, *STAGES, "sum"), rows)


def _size(size: Sequence[int]) -> str:
    return f"{size[0]}×{size[1]}"


def _number(value: float | None, form: str) -> str:
    return NONE if value is None else form.format(value)

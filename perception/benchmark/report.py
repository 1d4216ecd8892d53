# SPDX-License-Identifier: Apache-2.0
"""bench.json as a page."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from perception.benchmark.tables import tables
from perception.frame import Frame, Prediction
from perception.reporting import plots, plots_bars
from perception.reporting.page import Figure, Page, Picture, Table, listed, number, photograph
from perception.reporting.visualise import overlay

Report = Mapping[str, Any]


def bench_page(report: Report, pictures: Sequence[Picture] = ()) -> Page:
    """Every figure of `report`, and pictures of the network's input."""
    machine, given = report["machine"], report["input"]
    lead = (
        f"{report['engine']} on {machine['versions']['cpu']}, {report['threads']} threads, in {report['precision']}; "
        f"{given['frames']} frames of {given['source']}, {given['image'][0]}×{given['image'][1]}."
    )
    page = Page("Perception benchmark", lead, tiles=_tiles(report), plots=_plots(report))
    if machine["load"] > 1:
        page.notes = [f"The machine was busy (load {machine['load']:.1f}): trust ratios, not milliseconds."]
    page.pictures = [photograph(picture) for picture in pictures]
    page.tables = [Table(t.title, t.rows, t.header) for name, t in tables(report).items() if name != "machine"]
    page.provenance = {
        **machine["versions"],
        "model": report["model"],
        "weights sha256": report["weights_sha256"],
        "input sha256": given["sha256"],
        "processor's flags": ", ".join(machine["flags"]) or "none",
        "cores": machine["cores"],
        "memory [GB]": f"{machine['memory_gb']:.0f}",
    }
    return page


def bench_pictures(report: Report, frames: Sequence[Frame], pipeline: Callable[[Frame], Prediction]) -> list[Picture]:
    """The frames of the first drive that were answered fastest and slowest; without a drive, the first of `frames`."""
    found = {"The first frame": (0, "")}
    answered = [(f["latency_ms"], i) for i, f in enumerate(_series(report)) if f["latency_ms"] is not None]
    if answered:
        (fast, first), (slow, last) = min(answered), max(answered)
        at = f"at {report['dds'][0]['hz']:g} Hz, number"
        found = {
            "The fastest frame": (first, f" {at} {first + 1}: {fast:.0f} ms"),
            "The slowest frame": (last, f" {at} {last + 1}: {slow:.0f} ms"),
        }
    pictures = []
    for name, (index, text) in found.items():
        frame = frames[index % len(frames)]
        if frame.rgb is not None:
            seen = pipeline(frame)
            pictures.append(Picture(overlay(frame.rgb, seen.labels, classes=seen.classes), f"{name}{text}."))
    return pictures


def _series(report: Report) -> list[dict[str, Any]]:
    return list(report["dds"][0].get("series", [])) if report["dds"] else []


def _tiles(report: Report) -> list[tuple[str, str]]:
    tiles = [
        ("network [ms]", number(report["network"][report["precision"]]["median"], 1)),
        ("network / PIDNet-S", number(report["ratio_to_pidnet_s"], 2)),
        ("outside the network / network", number(report["overhead_ratio"], 2)),
    ]
    for drive in report["dds"]:
        at = f"at {drive['hz']:g} Hz"
        tiles += [
            (f"answered {at}", f"{drive['frames_answered']} / {drive['frames_sent']}"),
            (f"latency p50 {at} [ms]", number(drive["latency_ms"]["p50"], 0)),
            (f"latency p99 {at} [ms]", number(drive["latency_ms"]["p99"], 0)),
        ]
    return tiles


def _plots(report: Report) -> list[Figure]:
    figures = []
    for drive in report["dds"]:
        if drive.get("series"):
            title = f"latency at {drive['hz']:g} Hz, sensor → mask [ms]"
            drawn = plots.latency_plot(drive["series"], drive["latency_ms"], 1000 / drive["hz"], title)
            figures.append(Figure(drawn, f"{title}, of every frame: {listed(drive['latency_ms'], 0)}."))
    rows = {"ours": report["network"], "ours, camera alone": report["network_camera_alone"], **report["peers"]}
    networks = {name: row[report["precision"]]["median"] for name, row in rows.items()}
    networks = dict(sorted(networks.items(), key=lambda item: item[1]))
    drops = {f"{cause}, {d['hz']:g} Hz": count for d in report["dds"] for cause, count in d["drops_by_cause"].items()}
    stages = {name: float(spent) for name, spent in report["stages_ms"].items()}
    ours = [plots.CALM if name.startswith("ours") else plots.FADED for name in networks]
    for title, values, colours in (
        (f"networks, {report['precision']} [ms]", networks, ours),
        ("stages of one frame [ms]", stages, plots.CALM),
    ):
        figures.append(Figure(plots_bars.bars_plot(title, values, colours=colours), f"{title}: {listed(values, 1)}."))
    if drops:
        figures.append(Figure(plots_bars.drops_plot(drops), f"Frames dropped by cause: {listed(drops, 0)}."))
    return figures

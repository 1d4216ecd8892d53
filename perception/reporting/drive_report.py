# SPDX-License-Identifier: Apache-2.0
"""A drive's report: report.json as a page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from perception.classes import CLASSES, Classes
from perception.reporting import plots, plots_bars
from perception.reporting.dropout import Dropout
from perception.reporting.page import Figure, Page, Picture, listed, number, photograph, table_of


def write_report(
    path: Path, report: Mapping[str, Any], pictures: Sequence[Picture] = (), animation: bytes | None = None
) -> None:
    """Write `path` (HTML) from the content of report.json.

    report: what DriveScore.summary gives, with source, drops_by_cause, stages_ms, modality_weights, seconds, versions,
    weights_sha256, and series {frames, modality_weights}; where they are known, distance as `DistanceBands.scores`
    has it, sensor_dropouts, and classes as `Classes.beyond` has them. animation: an animated WebP.
    """
    page = Page(f"Perception report: {report['source']}", lead(report), tiles=_tiles(report), plots=drive_plots(report))
    page.notes = [report["iou_reason"]] if report.get("iou_reason") else []
    if animation:
        caption = "The drive: what the sensors saw, and the masks that came back."
        page.films = [Figure(animation, caption, caption, "image/webp")]
    page.pictures = [photograph(picture) for picture in pictures]
    page.tables = [
        *table_of("Milliseconds by stage, in the node", report["stages_ms"]),
        *table_of("Weight of each sensor, mean", report["modality_weights"]),
        *table_of("Seconds by step of the demo", report["seconds"]),
    ]
    page.provenance = {
        **report["versions"],
        "model": report.get("model", ""),
        "weights sha256": report["weights_sha256"],
    }
    page.write(path)


def lead(report: Mapping[str, Any]) -> str:
    """The number of answered and dropped frames, in a sentence."""
    sent, answered, dropped = (report[f"frames_{name}"] for name in ("sent", "answered", "dropped"))
    why = ", ".join(f"{count} {cause}" for cause, count in report["drops_by_cause"].items())
    told = f"{sent} frames were sent, {answered} answered, {dropped} dropped{f' ({why})' if why else ''}."
    return f"{told} The node {report['falls_behind']}." if report.get("falls_behind") else told


def drive_plots(report: Mapping[str, Any], time: str = plots.DRIVE_TIME) -> list[Figure]:
    """Plots of a drive, over time and in total."""
    frames, weights = report["series"]["frames"], report["series"]["modality_weights"]
    latency, iou = report["latency_ms"], report["iou"]
    classes = CLASSES.extended(report.get("classes", ()))
    drawn = [
        Figure(
            plots.latency_plot(frames, latency, report["period_ms"], xlabel=time),
            f"Latency of every answer over time, in milliseconds: {listed(latency, 0)}.",
        )
    ]
    if report["pixel_accuracy"] is not None:
        drawn += [
            Figure(plots_bars.iou_plot(iou, classes), f"IoU per class: {listed(iou)}."),
            Figure(plots.iou_over_time_plot(frames, time, classes), "IoU of each class, frame by frame."),
        ]
    if report.get("distance"):
        drawn.append(distance_figure(report["distance"], classes))
    if weights:
        dropouts = [Dropout(**each) for each in report.get("sensor_dropouts", ())]
        drawn.append(weights_figure(weights, report["modality_weights"], dropouts, time))
    if drops := report["drops_by_cause"]:
        drawn.append(Figure(plots_bars.drops_plot(drops), f"Frames dropped by cause: {listed(drops, 0)}."))
    return drawn


def distance_figure(bands: Mapping[str, Mapping[str, Any]], classes: Classes = CLASSES) -> Figure:
    """IoU per class and distance."""
    alt = "; ".join(f"{name}: {listed(band['iou'], 2)}" for name, band in bands.items())
    return Figure(plots_bars.distance_plot(bands, classes), f"IoU by distance. {alt}.")


def weights_figure(
    series: Sequence[Mapping[str, float]], mean: Mapping[str, float], dropouts: Sequence[Dropout], time: str
) -> Figure:
    """The weight of each sensor over time, and when it was absent."""
    unit = "" if time != plots.DRIVE_TIME else " s"
    gaps = [f"{gap.modality} {gap.from_s:.1f}–{gap.to_s:.1f}{unit}" for gap in dropouts]
    caption = (
        f"Away: {', '.join(gaps)}." if 0 < len(gaps) <= 8 else f"Sensors were away {len(gaps)} times." if gaps else ""
    )
    alt = f"Weight of each sensor over time; mean: {listed(mean, 2)}. {caption or 'No sensor was away.'}"
    return Figure(plots.weights_plot(series, dropouts, time), alt, caption)


def _tiles(report: Mapping[str, Any]) -> list[tuple[str, str]]:
    latency = report["latency_ms"]
    return [
        ("answered", f"{report['frames_answered']} / {report['frames_sent']}"),
        ("FPS", number(report["fps"], 1)),
        *((f"latency {name} [ms]", number(latency[name], 0)) for name in ("p50", "p95", "p99")),
        *((f"IoU {name}", number(value, 3)) for name, value in report["iou"].items()),
        ("pixel accuracy", number(report["pixel_accuracy"], 4)),
    ]

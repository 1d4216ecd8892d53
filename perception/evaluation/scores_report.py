# SPDX-License-Identifier: Apache-2.0
"""What `perception eval` writes to JSON, as a page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from perception.classes import CLASSES
from perception.evaluation.extremes import Extremes
from perception.frame import MODALITIES
from perception.reporting import plots, plots_bars
from perception.reporting.drive_report import distance_figure, weights_figure
from perception.reporting.page import Figure, Page, listed, number, photograph
from perception.sensors.spec import SPECS

FRAMES = "frame"
"""Caption of plots: the frames of a data set have no common time."""


def scores_page(title: str, frames: int, report: Mapping[str, Any], extremes: Extremes) -> Page:
    """The page without its tables and provenance.

    report: of `Evaluation.to_dict`, of the robustness suite, or empty for frames without truth.
    """
    page = Page(f"Perception scores: {title}", f"{frames} frames were given to the network.")
    if "rows" in report:
        page.plots = suite_plots(report["rows"])
        page.tiles = [("rows", str(len(report["rows"]))), *_means(report["summary"])]
    elif "per_frame" in report:
        page.tiles, page.plots, page.notes = _tiles(report), _plots(report), _notes(report)
    if extremes.weights:
        counted = {name for weights in extremes.weights for name in weights}
        names = [name for name in SPECS if name in MODALITIES or name in counted]
        mean = {name: _mean([w.get(name, 0.0) for w in extremes.weights]) for name in names}
        page.plots.append(weights_figure(extremes.weights, mean, extremes.dropouts(), FRAMES))
    page.pictures = [photograph(picture) for picture in extremes.pictures]
    return page


def suite_plots(rows: Sequence[Mapping[str, Any]]) -> list[Figure]:
    """Mean IoU with sensors missing, in other weather, and of the corruptions, the mean of their severities."""
    drawn = []
    for group, title in (("EMM", "mean IoU of each subset of sensors"), ("weather", "mean IoU in other weather")):
        values = {row["name"]: row["mean_iou"] for row in rows if row["group"] == group}
        drawn.append((title, values))
    names = dict.fromkeys(row["corruption"] for row in rows if row["group"] == "corruption")
    corrupted = {n: _mean([r["mean_iou"] for r in rows if r.get("corruption") == n]) for n in names}
    drawn.append(("mean IoU, camera corrupted", corrupted))
    return [
        Figure(plots_bars.bars_plot(title, values, "{:.3f}"), f"{title}: {listed(values)}.")
        for title, values in drawn
        if values
    ]


def _means(summary: Mapping[str, Any]) -> list[tuple[str, str]]:
    tiles = [("mean IoU over every subset", number(summary["emm"]["average"], 3))]
    if "corruptions" in summary:
        tiles.append(("mean IoU over corruptions", number(summary["corruptions"]["mean"], 3)))
    return tiles


def _tiles(report: Mapping[str, Any]) -> list[tuple[str, str]]:
    latency, points = report["latency_ms"], report["point_iou"] or {}
    tiles = [("mean IoU", number(report["mean_iou"], 3))]
    tiles += [(f"IoU {name}", number(value, 3)) for name, value in report["iou"].items()]
    tiles.append(("pixel accuracy", number(report["pixel_accuracy"], 4)))
    tiles += [(f"IoU {name}, LiDAR points", number(value, 3)) for name, value in points.items() if value is not None]
    tiles.append(("frames per second", number(report["fps"], 1)))
    return tiles + [(f"latency {name} [ms]", number(latency[name], 0)) for name in ("p50", "p95", "p99")]


def _plots(report: Mapping[str, Any]) -> list[Figure]:
    frames = [
        {"time_s": place, "latency_ms": score["milliseconds"], "iou": score["iou"]}
        for place, score in enumerate(report["per_frame"], start=1)
    ]
    latency, iou = report["latency_ms"], report["iou"]
    classes = CLASSES.extended(report.get("classes", ()))
    title = "latency of the pipeline [ms]"
    drawn = [
        Figure(
            plots.latency_plot(frames, latency, title=title, xlabel=FRAMES),
            f"Latency of every frame, in milliseconds: {listed(latency, 0)}.",
        )
    ]
    if report["pixel_accuracy"] is not None:
        drawn += [
            Figure(plots_bars.iou_plot(iou, classes), f"IoU per class: {listed(iou)}."),
            Figure(plots.iou_over_time_plot(frames, FRAMES, classes), "IoU of each class, frame by frame."),
        ]
    if report.get("distance"):
        drawn.append(distance_figure(report["distance"], classes))
    return drawn


def _notes(report: Mapping[str, Any]) -> list[str]:
    notes = []
    if soft := report["frames_scored_on_soft_labels"]:
        notes.append(f"{soft} frames have soft labels: a teacher's confident predictions, not ground truth.")
    if report["frames_without_truth"]:
        notes.append(f"{report['frames_without_truth']} samples without labels were left out.")
    if report["pixel_accuracy"] is None:
        notes.append("No pixel has truth: LiDAR points are scored.")
    return notes


def _mean(values: Sequence[float | None]) -> float:
    known = [value for value in values if value is not None]
    return sum(known) / len(known) if known else float("nan")

# SPDX-License-Identifier: Apache-2.0
"""The tables of `perception eval`."""

from __future__ import annotations

import math
from collections.abc import Iterator

from rich.table import Table

from perception.classes import Classes
from perception.evaluation.evaluate import Evaluation
from perception.evaluation.kitti.road import RoadScore
from perception.evaluation.scores.distance import BandScore
from perception.evaluation.scores.instances import InstanceScores
from perception.evaluation.scores.object_size import SizeScore

_COUNTS = {2: "two", 3: "three", 4: "four", 5: "five", 6: "six"}


def score_table(result: Evaluation) -> Table:
    """IoU and recall by class, of pixels and of LiDAR points, whichever had truth."""
    with_pixels, with_points = result.confusion.pixels > 0, result.point_confusion.pixels > 0
    pixels, points = result.confusion, result.point_confusion
    columns: list[tuple[str, dict[str, float]]] = []
    if with_pixels:
        columns += [("IoU", pixels.iou()), ("recall", pixels.recall())]
    if with_points:
        columns += [("IoU of LiDAR points", points.iou()), ("recall of LiDAR points", points.recall())]
    table = Table("", *(title for title, _ in columns))
    for name in result.classes.foreground:
        table.add_row(name, *(number(values[name]) for _, values in columns))
    if with_pixels:
        table.add_section()
        count = len(result.classes.foreground)
        table.add_row(f"mean of the {_COUNTS.get(count, count)}", number(pixels.mean_iou()))
        table.add_row("pixel accuracy", number(pixels.pixel_accuracy()))
    return table


def notes(result: Evaluation) -> Iterator[str]:
    """The lines below the table."""
    latency, weights = result.latency_ms(), result.modality_weights
    yield f"{result.fps:.1f} frames/s; latency p50 {latency['p50']:.1f} ms, p95 {latency['p95']:.1f} ms"
    yield "weight of each sensor: " + ", ".join(f"{name} {weight:.0%}" for name, weight in weights.items())
    if result.soft_frames:
        yield f"{result.soft_frames} frames have soft labels: a teacher's confident predictions, not ground truth"
    if result.point_confusion.pixels:
        yield f"{result.point_confusion.pixels} LiDAR points in the image have truth"
    if result.without_truth:
        yield f"{result.without_truth} samples without labels were left out"


def detail_tables(result: Evaluation) -> Iterator[Table | str]:
    """By distance, by size of object, as KITTI's road, and calibration; nothing where no pixel had truth."""
    if not result.confusion.pixels:
        return
    details = result.details.scores()
    if details.distance:
        yield _by_distance(details.distance, result.classes)
    yield _by_size(details.object_size)
    yield _road(details.kitti_road, details.kitti_road_bev)
    error = details.calibration.expected_calibration_error
    yield f"expected calibration error: {error:.3f} (15 bins, every pixel with truth)"


def instance_tables(scores: InstanceScores | None) -> Iterator[Table]:
    """PQ, SQ, RQ and AP of pixels, and the share of boxes that are found at LiDAR points; nothing without truth."""
    if scores is not None and scores.panoptic and scores.mean and scores.ap and scores.ap50:
        table = Table("instances", "PQ", "SQ", "RQ", "AP", "AP at 0.5", "right", "wrong", "missed")
        for name, score in scores.panoptic.items():
            figures = score.pq, score.sq, score.rq, scores.ap[name], scores.ap50[name]
            table.add_row(name, *map(number, figures), str(score.tp), str(score.fp), str(score.fn))
        table.add_section()
        table.add_row("mean", *map(number, (scores.mean.pq, scores.mean.sq, scores.mean.rq)))
        yield table
    if scores is not None and scores.boxes:
        table = Table("boxes of 100 visible LiDAR points and more", "boxes", "matched")
        for name, of_class in scores.boxes.items():
            table.add_row(name, str(of_class.boxes), number(of_class.matched))
        yield table


def number(value: float) -> str:
    """Three decimals, – for NaN."""
    return "–" if math.isnan(value) else f"{value:.3f}"


def _by_distance(bands: dict[str, BandScore], classes: Classes) -> Table:
    table = Table("distance", *(f"{figure}\n{name}" for figure in ("IoU", "recall") for name in classes.foreground))
    for band, figures in bands.items():
        values = [of_class[name] for of_class in (figures.iou, figures.recall) for name in classes.foreground]
        table.add_row(band, *map(number, values))
    return table


def _by_size(classes: dict[str, dict[str, SizeScore]]) -> Table:
    table = Table("object", "size", "objects", "half found", "recall of pixels")
    for name, sizes in classes.items():
        for size, figures in sizes.items():
            table.add_row(name, size, str(figures.objects), number(figures.found), number(figures.recall))
    return table


def _road(image: RoadScore, bev: RoadScore | None) -> Table:
    table = Table("road, as KITTI scores it", "MaxF", "AP", "PRE", "REC", "FPR", "FNR")
    for name, score in (("image", image), ("bird's-eye view", bev)):
        if score is not None:
            table.add_row(name, *map(number, score[:6]))
    return table

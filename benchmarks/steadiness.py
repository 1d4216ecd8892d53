# SPDX-License-Identifier: Apache-2.0
"""How steady labels are over a drive, and what the parameter `steady` does to them: a table in docs/accuracy.md.

    python benchmarks/steadiness.py DATA docs/accuracy.md [--drives DRIVES]

DATA holds kitti_frustum/drive_0005; DRIVES simulated drives at 10 Hz, as of `perception simulate --hz 10`, which the
network has not been trained on. The flicker is the share of pixels that change their class although they show the same
surface as in the frame before (`perception/evaluation/scores/flicker.py`). Every model sees the camera and the LiDAR.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from accuracy_tables import NAMES
from tables import fill

from perception.benchmark.tables import Table
from perception.classes import FOREGROUND
from perception.datasets.registry import open_dataset
from perception.evaluation.evaluate import evaluate
from perception.evaluation.scores.flicker import Flicker
from perception.frame import Prediction
from perception.pipeline import Pipeline
from perception.sample import Sample

SENSORS = ("rgb", "lidar")


class Row(NamedTuple):
    """flicker: share of the pixels. points, pixels: IoU by class, where the set has such truth."""

    flicker: float
    points: dict[str, float]
    pixels: dict[str, float]


def measure(samples: Sequence[Sample], steady: bool) -> Row:
    """Over consecutive frames of drives; another drive begins where the stamp does not rise."""
    flicker, last_ns = Flicker(), -1

    def observe(sample: Sample, prediction: Prediction) -> None:
        nonlocal last_ns
        if sample.frame.stamp_ns <= last_ns:
            flicker.restart()
        last_ns = sample.frame.stamp_ns
        flicker.add(sample.frame, prediction.labels)

    pipeline = Pipeline.load("dual_branch_s", steady=steady)
    result = evaluate(pipeline, samples, SENSORS, observe=observe)
    return Row(flicker.share, result.point_confusion.iou(), result.confusion.iou())


def table(found: dict[str, tuple[Row, Row]]) -> Table:
    """Each set without and with `steady`."""
    kinds = [f"{name}, {what}" for what in ("points", "pixels") for name in FOREGROUND]
    rows = []
    for name, pair in found.items():
        for title, row in zip(("off", "on"), pair, strict=True):
            scores = [values.get(each, float("nan")) for values in (row.points, row.pixels) for each in FOREGROUND]
            rows.append((name, title, f"{row.flicker:.2%}", *("" if x != x else f"{x:.3f}" for x in scores)))
    return Table("Steadiness", ("drive", "steady", "flicker", *kinds), rows)


def sets(data: Path, drives: Path | None) -> Iterator[tuple[str, Sequence[Sample]]]:
    """Name and frames of each."""
    yield "KITTI drive 0005 (partly trained on)", open_dataset("kitti-frames", data / "kitti_frustum/drive_0005", "all")
    if drives is not None:
        yield "simulated", open_dataset("simulated", drives, "all")


def main() -> None:
    """Measure, and write the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("document", type=Path)
    parser.add_argument("--drives", type=Path)
    args = parser.parse_args()
    found = {name: (measure(samples, False), measure(samples, True)) for name, samples in sets(args.data, args.drives)}
    made = table(found)
    print(made.markdown())
    text = args.document.read_text("utf-8")
    args.document.write_text(fill(text, {"steadiness": made}, NAMES), "utf-8")


if __name__ == "__main__":
    main()

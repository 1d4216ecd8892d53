# SPDX-License-Identifier: Apache-2.0
"""Compares the IoU of a network in float and in INT8 on every evaluation set, and writes the table of a document.

    python benchmarks/precisions.py perception/weights/dual_branch_s DATA out/precisions.json docs/performance.md

DATA holds the folders of REAL (sets that are not there are left out); NAME.xml is compared with NAME_int8.xml, each in
the precision that it runs in by itself. Says by how many points IoU falls at most.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path

from rich.progress import track
from tables import fill

from perception.benchmark.tables import Table
from perception.classes import FOREGROUND
from perception.datasets.registry import open_dataset
from perception.evaluation.evaluate import evaluate
from perception.pipeline import Pipeline
from perception.sample import Sample
from perception.simulation import SimulatedDrives

REAL = {
    "camvid": "camvid",
    "idd-lite": "idd_lite",
    "cityscapes-small": "cityscapes_small",
    "kitti-frames": "kitti_frustum",
    "kitti-stereo": "kitti_frustum/drive_0005",
    "roadscene": "roadscene",
    "msrs-more": "msrs_more",
}
"""Sets and their folders, of which the val split is scored: frames that nothing was trained on."""

SEEDS, FRAMES, EACH = range(10), 100, 5
SUBSETS: dict[str, list[str] | None] = {"": None, ", camera alone": ["rgb"], ", LiDAR alone": ["lidar"]}


def thinned(samples: Sequence[Sample], count: int) -> list[Sample]:
    """`count` samples of a sequence, evenly spaced, each made once."""
    return [samples[i * len(samples) // count] for i in track(range(count), "rendering", transient=True)]


def sets(data: Path) -> dict[str, tuple[Sequence[Sample], list[str] | None]]:
    """Samples and the modalities to keep, by the name of the evaluation."""
    found: dict[str, tuple[Sequence[Sample], list[str] | None]] = {
        name: (open_dataset(name, data / folder, "val"), None)
        for name, folder in REAL.items()
        if (data / folder).is_dir()
    }
    for condition in ("day", "night"):
        samples = thinned(SimulatedDrives(SEEDS, condition, FRAMES), EACH * len(SEEDS))
        for suffix, kept in SUBSETS.items():
            found[f"simulated {condition}{suffix}"] = samples, kept
    return found


def compare(name: str, data: Path) -> dict[str, dict[str, dict[str, float]]]:
    """IoU by evaluation, precision and class."""
    pipelines = {"float": Pipeline.load(f"{name}.xml"), "int8": Pipeline.load(f"{name}_int8.xml")}
    return {
        title: {
            precision: evaluate(pipeline, samples, kept).confusion.iou() for precision, pipeline in pipelines.items()
        }
        for title, (samples, kept) in sets(data).items()
    }


def table(found: dict[str, dict[str, dict[str, float]]]) -> Table:
    """IoU in float and what INT8 changes of it, in points."""
    rows = []
    for title, by_precision in found.items():
        cells = []
        for each in FOREGROUND:
            before, after = by_precision["float"][each], by_precision["int8"][each]
            cells += [f"{before:.3f}", f"{100 * (after - before):+.2f}"]
        rows.append((title, *cells))
    header = ["set", *(column for each in FOREGROUND for column in (each, "INT8"))]
    return Table("IoU in float, and what INT8 adds in points", header, rows)


if __name__ == "__main__":
    if len(sys.argv) != 5:
        sys.exit(__doc__)
    name, data, report, document = sys.argv[1], *map(Path, sys.argv[2:])
    found = compare(name, data)
    report.parent.mkdir(parents=True, exist_ok=True)
    report.write_text(json.dumps(found, indent=1) + "\n", "utf-8")
    document.write_text(fill(document.read_text("utf-8"), {"precisions": table(found)}), "utf-8")
    worst = min(found[s]["int8"][c] - found[s]["float"][c] for s in found for c in FOREGROUND)
    print(table(found).markdown(), f"\nat worst {100 * worst:+.2f} points")

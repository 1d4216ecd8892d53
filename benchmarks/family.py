# SPDX-License-Identifier: Apache-2.0
"""Measures what each shipped model costs in accuracy, for those who let the node choose, and writes it beside them.

    python benchmarks/family.py DATA docs/performance.md

DATA holds camvid, idd_lite and kitti_frustum (sets that are not there are left out). Every member of the family that
OpenVINO runs (`perception/engines/family.py`) is scored on the part of each set that training did not see; the figures
go into `accuracy.json` in the folder of the weights, with the hash of the weights that they are of, and as a table into
the document.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from precisions import REAL
from tables import fill

from perception.benchmark.tables import Table
from perception.classes import FOREGROUND
from perception.datasets.registry import open_dataset
from perception.disk import write_json
from perception.engines import load_engine
from perception.engines.family import ACCURACY, Member, accuracies, family, weights_of
from perception.engines.manifest import digest_of
from perception.evaluation.evaluate import evaluate
from perception.paths import WEIGHTS
from perception.pipeline import Pipeline


def measure(members: tuple[Member, ...], data: Path) -> dict[str, dict[str, Any]]:
    """The rows of the table beside the weights, by member."""
    sets = {name: open_dataset(name, data / folder, "val") for name, folder in REAL.items() if (data / folder).is_dir()}
    rows = {}
    for member in members:
        engine = load_engine(member.engine, member.path, None)
        pipeline = Pipeline(engine, member.path, scale=member.scale)
        found = {name: evaluate(pipeline, samples).confusion.iou() for name, samples in sets.items()}
        iou = {name: {each: round(scores[each], 4) for each in FOREGROUND} for name, scores in found.items()}
        rows[member.name] = {"weights": digest_of(weights_of(member.path)), "iou": iou}
        print(member.name, iou, flush=True)
    return rows


def table(rows: dict[str, dict[str, Any]], means: dict[str, float]) -> Table:
    """The mean IoU of each member, what it lacks to the best, and the IoU of each class in the mean of the sets."""
    best = max(means.values())
    lines = []
    for name in sorted(means, key=lambda each: -means[each]):
        by_set = list(rows[name]["iou"].values())
        classes = [f"{sum(scores[each] for scores in by_set) / len(by_set):.3f}" for each in FOREGROUND]
        lines.append((f"`{name}`", f"{means[name]:.3f}", f"{100 * (means[name] - best):+.1f}", *classes))
    return Table("the models that auto chooses from", ["model", "mean IoU", "points", *FOREGROUND], lines)


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    document = Path(sys.argv[2])
    rows = measure(family("openvino"), Path(sys.argv[1]))
    write_json(WEIGHTS / ACCURACY, rows)
    document.write_text(fill(document.read_text("utf-8"), {"family": table(rows, accuracies(WEIGHTS))}), "utf-8")

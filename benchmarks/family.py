# SPDX-License-Identifier: Apache-2.0
"""Measures what each shipped model costs in accuracy, for those who let the node choose, and writes it beside them.

    python benchmarks/family.py DATA docs/performance.md

DATA holds the folders of `precisions.REAL` (sets that are not there are left out). Every member of the family that
OpenVINO runs (`perception/engines/family.py`) is scored on the part of each set that training did not see, unless its
figures for the same weights and sets are there; they go into `accuracy.json` in the folder of the weights, with the
hash of the weights that they are of, and as a table into the document. There the time of each stands beside them: all
in turns on one thread, with every sensor of an image of 384×1248; and beside PIDNet-S's, which has the whole resolution
and the same precision.
"""

from __future__ import annotations

import json
import sys
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from precisions import REAL
from regression import PRECISIONS, reference_files
from tables import fill

from perception.benchmark.frames import drive_frames
from perception.benchmark.measure import interleave
from perception.benchmark.networks import REFERENCE
from perception.benchmark.tables import Table
from perception.classes import FOREGROUND
from perception.datasets.registry import open_dataset
from perception.disk import write_json
from perception.engines import load_engine
from perception.engines.choice import noise
from perception.engines.family import ACCURACY, INT8, Member, accuracies, all_members, input_size, weights_of
from perception.engines.manifest import digest_of
from perception.engines.openvino import OpenVinoEngine
from perception.evaluation.evaluate import evaluate
from perception.export.cost import HEIGHT, WIDTH
from perception.paths import WEIGHTS
from perception.pipeline import Pipeline

ROUNDS = 40


def measure(members: list[Member], data: Path) -> dict[str, dict[str, Any]]:
    """The rows of the table beside the weights, by member; those that are there of the same weights are kept."""
    sets = {name: open_dataset(name, data / folder, "val") for name, folder in REAL.items() if (data / folder).is_dir()}
    known, rows = json.loads((WEIGHTS / ACCURACY).read_text("utf-8")), {}
    for member in members:
        row = known.get(member.name)
        if row and row["weights"] == digest_of(weights_of(member.path)) and row["iou"].keys() == sets.keys():
            rows[member.name] = row
            continue
        engine = member.looking(load_engine(member.engine, member.path, None))
        pipeline = Pipeline(engine, member.path, scale=member.scale)
        found = {name: evaluate(pipeline, samples).confusion.iou() for name, samples in sets.items()}
        iou = {name: {each: round(scores[each], 4) for each in FOREGROUND} for name, scores in found.items()}
        rows[member.name] = {"weights": digest_of(weights_of(member.path)), "iou": iou}
        print(member.name, iou, flush=True)
    return rows


def times(members: list[Member]) -> dict[str, float]:
    """The shortest run of each [ms], by member, and of REFERENCE in PRECISIONS, by these."""
    calls = {}
    for member in members:
        given = noise(*input_size(WIDTH, HEIGHT, member.scale))
        engine = member.looking(load_engine(member.engine, member.path, 1))
        calls[member.name] = partial(engine.infer, given)
    with TemporaryDirectory() as folder:
        for precision, path in reference_files(Path(folder), list(drive_frames(2))).items():
            engine = OpenVinoEngine(path, 1)
            calls[precision] = partial(engine.infer, noise(*input_size(WIDTH, HEIGHT)))
        return {name: min(spent) for name, spent in interleave(calls, ROUNDS).items()}


def table(rows: dict[str, dict[str, Any]], means: dict[str, float], took: dict[str, float]) -> Table:
    """Of each member its time beside that of the network in float and that of REFERENCE in the same precision, the mean
    IoU, the points that it has more, and the IoU of each class in the mean of the sets."""
    first = next(name for name in rows if "@" not in name)
    lines = []
    for name, row in rows.items():
        by_set, precision = list(row["iou"].values()), PRECISIONS[INT8 in name]
        classes = [f"{sum(scores[each] for scores in by_set) / len(by_set):.3f}" for each in FOREGROUND]
        ratios = [f"{took[name] / took[other]:.2f}" for other in (first, precision)]
        points = f"{100 * (means[name] - means[first]):+.1f}"
        lines.append((f"`{name}`", *ratios, f"{means[name]:.3f}", points, *classes))
    header = ["model", "time", f"/ {REFERENCE}", "mean IoU", "points", *FOREGROUND]
    return Table("the models that auto chooses from", header, lines)


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    document, members = Path(sys.argv[2]), [each for members in all_members("openvino") for each in members]
    rows = measure(members, Path(sys.argv[1]))
    write_json(WEIGHTS / ACCURACY, rows)
    made = table(rows, accuracies(WEIGHTS), times(members))
    document.write_text(fill(document.read_text("utf-8"), {"family": made}), "utf-8")

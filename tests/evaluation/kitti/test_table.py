# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from pathlib import Path

import numpy as np
from helpers.kitti_benchmarks import IDS, write_road, write_semantics
from rich.table import Table

from perception.classes import PEDESTRIAN, ROAD, VEHICLE
from perception.datasets.kitti.road import KittiRoad
from perception.datasets.kitti.semantics import KittiSemantics
from perception.evaluation.kitti.road_benchmark import RoadBenchmark
from perception.evaluation.kitti.semantics_benchmark import SemanticsBenchmark
from perception.evaluation.kitti.table import road_tables, semantics_tables
from perception.frame import Prediction


def predicted(labels: np.ndarray) -> Prediction:
    return Prediction(0, labels.astype(np.uint8), np.full(labels.shape, 255, np.uint8), {})


def rows(table: Table | str) -> list[list[str]]:
    assert isinstance(table, Table)
    columns = [[str(cell) for cell in column.cells] for column in table.columns]
    return [list(row) for row in zip(*columns, strict=True)]


def test_road_has_a_block_per_view_with_a_row_per_category(tmp_path: Path) -> None:
    """All of the left half is road, as the truth has it."""
    reader = KittiRoad(write_road(tmp_path), "val")
    benchmark = RoadBenchmark(reader)
    labels = np.zeros((20, 32))
    labels[:, :16] = ROAD
    for sample in reader:
        benchmark.update(sample, predicted(labels))
    (table,) = road_tables(benchmark)
    found = rows(table)
    assert len(found) == 10
    image, above = found[1:5], found[6:10]
    names = ["um_road", "umm_road", "uu_road", "URBAN"]
    assert [row[0] for row in image] == [row[0] for row in above] == names
    assert [row[7] for row in image] == ["1", "1", "1", "3"]
    assert all(row[1:7] == ["1.000", "1.000", "1.000", "1.000", "0.000", "0.000"] for row in image)
    assert all(row[1] == "1.000" for row in above)


def test_images_without_a_plane_are_said_to_be_missing_from_above(tmp_path: Path) -> None:
    root = write_road(tmp_path)
    for path in (*root.glob("training/calib/um_*"), *root.glob("training/velodyne/um_*")):
        path.unlink()
    reader = KittiRoad(root, "val")
    benchmark = RoadBenchmark(reader)
    for sample in reader:
        benchmark.update(sample, predicted(np.full((20, 32), ROAD)))
    table, note = road_tables(benchmark)
    assert isinstance(note, str)
    assert note.startswith("1 images")
    um = next(row for row in rows(table)[5:] if row[0] == "um_road")
    assert um[1:7] == ["–"] * 6


def test_semantics_shows_ours_as_the_benchmark_has_them(tmp_path: Path) -> None:
    reader = KittiSemantics(write_semantics(tmp_path), "val")
    benchmark = SemanticsBenchmark(reader)
    ours = {7: ROAD, 8: ROAD, 24: PEDESTRIAN, 25: PEDESTRIAN, 26: VEHICLE, 33: 0, 29: 0, 0: 0}
    said = [ours[label] for label in IDS]
    benchmark.update(reader[0], predicted(np.repeat(said, 4)[None].repeat(20, 0)))
    table, _ = semantics_tables(benchmark)
    assert rows(table)[:3] == [
        ["road", "class road", "0.500"],  # the sidewalk is called road too
        ["vehicle", "category vehicle", "0.500"],  # the bicycle is missed
        ["pedestrian", "category human", "1.000"],
    ]

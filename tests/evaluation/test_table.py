# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import numpy as np
from rich.table import Table

from perception.classes import ROAD, VEHICLE
from perception.evaluation.evaluate import Evaluation, FrameScore
from perception.evaluation.scores.instances import Instances
from perception.evaluation.table import detail_tables, instance_tables, notes, number, score_table
from perception.frame import CameraModel, Frame


def rows(table: Table) -> list[list[str]]:
    columns = [[str(cell) for cell in column.cells] for column in table.columns]
    return [list(row) for row in zip(*columns, strict=True)]


def headings(table: Table) -> list[str]:
    return [str(column.header) for column in table.columns]


def evaluation() -> Evaluation:
    """Of ten pixels of road four are found, and six of background are road by mistake: an IoU of 4/16."""
    result = Evaluation()
    truth = np.array([[ROAD] * 10 + [0] * 6], np.uint8)
    labels = np.array([[ROAD] * 4 + [0] * 6 + [ROAD] * 6], np.uint8)
    result.confusion.update(labels, truth)
    return result


def test_road_has_its_iou_and_recall_and_what_was_never_there_a_dash() -> None:
    table = score_table(evaluation())
    assert headings(table) == ["", "IoU", "recall"]
    assert rows(table) == [
        ["road", "0.250", "0.400"],
        ["vehicle", "–", "–"],
        ["pedestrian", "–", "–"],
        ["mean of the three", "0.250", ""],
        ["pixel accuracy", "0.250", ""],
    ]


def test_points_have_columns_of_their_own() -> None:
    result = Evaluation()
    result.point_confusion.update(np.array([VEHICLE, 0], np.uint8), np.array([VEHICLE, VEHICLE], np.uint8))
    table = score_table(result)
    assert headings(table) == ["", "IoU of LiDAR points", "recall of LiDAR points"]
    assert rows(table)[1] == ["vehicle", "0.500", "0.500"]
    assert len(rows(table)) == 3  # without truth of pixels there is no mean of theirs
    assert list(detail_tables(result)) == []
    result.confusion.update(np.array([[ROAD]], np.uint8), np.array([[ROAD]], np.uint8))
    assert rows(score_table(result))[0] == ["road", "1.000", "1.000", "–", "–"]


def test_instances_have_tables_of_what_was_scored() -> None:
    assert list(instance_tables(Instances().scores())) == []
    instances, labels = np.full((20, 20), 2001, np.uint16), np.full((20, 20), VEHICLE, np.uint8)
    scored = Instances()
    scored.update(instances, labels, labels, instances)
    scored.update_points(np.full(150, 2004, np.uint16), np.full(150, VEHICLE, np.uint8), np.full(150, 2001, np.uint16))
    pixels, points = instance_tables(scored.scores())
    assert headings(pixels)[:4] == ["instances", "PQ", "SQ", "RQ"]
    assert rows(pixels)[0] == ["vehicle", *["1.000"] * 5, "1", "0", "0"]
    assert rows(pixels)[1][:5] == ["pedestrian", *["–"] * 4]
    assert rows(pixels)[2][:4] == ["mean", *["1.000"] * 3]
    assert rows(points) == [["vehicle", "1", "1.000"], ["pedestrian", "0", "–"]]


def test_below_the_table_are_speed_weights_and_what_was_left_out() -> None:
    result = evaluation()
    result.frames = [FrameScore("a", {}, 1.0, ms, soft) for ms, soft in ((10.0, False), (30.0, True))]
    result.modality_weights = {"rgb": 0.75, "lidar": 0.25}
    result.without_truth = 3
    speed, weights, soft, without = notes(result)
    assert "50.0 frames/s" in speed  # two in 40 ms
    assert "p50 20.0 ms" in speed
    assert weights.endswith("rgb 75%, lidar 25%")
    assert soft.startswith("1 frames")
    assert without.startswith("3 samples")


def test_details_by_distance_and_size_as_kitti_and_by_confidence() -> None:
    result = evaluation()
    truth = np.zeros((375, 1242), np.uint8)
    truth[200:] = ROAD
    truth[100:160, 100:160] = VEHICLE
    camera = CameraModel(np.array([[721.5, 0, 609.6], [0, 721.5, 172.9], [0, 0, 1]]), 1242, 375)
    frame = Frame(0, depth=np.full((375, 1242), 20, np.float32), camera=camera)
    result.details.update(frame, truth, np.full_like(truth, 255), truth)
    distance, size, road, calibration = detail_tables(result)
    assert isinstance(distance, Table)
    assert isinstance(size, Table)
    assert isinstance(road, Table)
    assert ["15–30 m", "1.000", "1.000", "–", "1.000", "1.000", "–"] in rows(distance)
    assert [row[2:] for row in rows(size) if row[2] != "0"] == [["1", "1.000", "1.000"]]
    assert [row[:3] for row in rows(road)] == [["image", "1.000", "1.000"], ["bird's-eye view", "1.000", "1.000"]]
    assert isinstance(calibration, str)
    assert "0.000" in calibration


def test_a_number_has_three_decimals() -> None:
    assert [number(value) for value in (0.12345, 1.0, float("nan"))] == ["0.123", "1.000", "–"]

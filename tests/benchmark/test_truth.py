# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import importlib
import json
import sys
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from perception.classes import BACKGROUND, NO_OBJECT, PEDESTRIAN, ROAD, UNLABELLED, VEHICLE
from perception.errors import DataError
from perception.frame import CameraModel, Frame
from perception.sample import Sample

BENCHMARKS = Path(__file__).resolve().parents[2] / "benchmarks"
MARKED = ("cityscapes-stereo", "msrs-more", "roadscene")
COLD = np.zeros((10, 12), np.uint8)


@pytest.fixture
def truth(monkeypatch: pytest.MonkeyPatch) -> Any:
    return _script("truth", monkeypatch)


@pytest.fixture
def unboxed(monkeypatch: pytest.MonkeyPatch) -> Any:
    return _script("unboxed", monkeypatch)


def _script(name: str, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    module = importlib.import_module(name)
    monkeypatch.delitem(sys.modules, name)
    return module


def _rectangle(x0: int, y0: int, x1: int, y1: int) -> list[list[int]]:
    return [[x0, y0], [x1, y0], [x1, y1], [x0, y1]]


def test_a_polygon_includes_its_corners(truth: Any) -> None:
    labels = truth.rasterise({"size": [12, 10], "road": [_rectangle(1, 2, 4, 4)]}, COLD)
    assert labels.shape == (10, 12)
    assert (labels == ROAD).sum() == 4 * 3
    assert labels[2, 1] == ROAD == labels[4, 4]
    assert (labels == BACKGROUND).sum() == 10 * 12 - 4 * 3


def test_what_comes_later_covers_what_came_before(truth: Any) -> None:
    column = {key: [_rectangle(x, 0, 5, 9)] for x, key in enumerate(truth.PAINTED)}
    labels = truth.rasterise({"size": [12, 10], **column}, COLD)
    assert labels[0, :7].tolist() == [UNLABELLED, ROAD, VEHICLE, PEDESTRIAN, UNLABELLED, UNLABELLED, BACKGROUND]


def test_a_box_takes_the_warm_piece_in_it_with_its_holes(truth: Any) -> None:
    infrared = np.zeros((40, 40), np.uint16)
    infrared[10:30, 10:20] = 3000
    infrared[18:22, 13:17] = 0  # a cold bag
    infrared[5, 25] = 3000  # a lamp: less than a twentieth of the person
    infrared[10:30, 35:] = 3000  # another person, out of the box
    box = {"box": [5, 3, 30, 28], "above": 0.5}
    labels = truth.rasterise({"size": [40, 40], "pedestrian": [box]}, infrared)
    rows, columns = np.nonzero(labels == PEDESTRIAN)
    assert (rows.min(), rows.max(), columns.min(), columns.max()) == (10, 27, 10, 19)
    assert len(rows) == 18 * 10


@pytest.mark.parametrize(
    ("pair", "word"),
    [
        ({"car": []}, "unknown 'car'"),
        ({"road": [[[0, 0], [1, 1]]]}, "three corners"),
        ({"road": [[[0, 0], [13, 0], [5, 5]]]}, "outside the image of 12×10"),
        ({"road": [{"box": [0, 0, 5, 5], "above": 0.5}]}, "not for road"),
        ({"pedestrian": [{"box": [5, 0, 5, 5], "above": 0.5}]}, "x0 < x1"),
        ({"pedestrian": [{"box": [0, 0, 5, 5], "above": 1}]}, "above < 1"),
    ],
)
def test_marks_that_cannot_be_are_refused(truth: Any, pair: dict[str, Any], word: str) -> None:
    with pytest.raises(DataError, match=word):
        truth.check("here", {"size": [12, 10], "night": True, **pair})


def test_pairs_are_read_where_the_images_are(truth: Any, tmp_path: Path) -> None:
    for folder in ("visible", "infrared"):
        (tmp_path / "roadscene" / folder).mkdir(parents=True)
        for name in ("a", "b"):
            cv2.imwrite(str(tmp_path / "roadscene" / folder / f"{name}.jpg"), COLD)
    pair = {"size": [12, 10], "night": True, "vehicle": [_rectangle(0, 0, 1, 1)]}
    pairs = {"a": pair, "b": {**pair, "night": False, "size": [10, 10]}, "c": {**pair, "night": False}}
    marks = tmp_path / "marks.json"
    marks.write_text(json.dumps({"set": "roadscene", "pairs": pairs}))

    (sample,) = truth.load(marks, tmp_path, night=True)
    assert sample.name == "a"
    assert sample.frame.modalities == ("rgb", "infrared")
    assert (sample.labels == VEHICLE).sum() == 4
    assert truth.picture(sample).shape == (10, 36, 3)
    assert truth.shares([sample]) == {"background": 116, "road": 0, "vehicle": 4, "pedestrian": 0, "unknown": 0}
    by_day = truth.load(marks, tmp_path, night=False)
    with pytest.raises(DataError, match="12×10 pixels, was marked at 10×10"):
        by_day[0]
    with pytest.raises(DataError, match="no image c"):
        by_day[1]


def test_stereo_images_are_read_with_their_depth(truth: Any, tmp_path: Path) -> None:
    root = tmp_path / "cityscapes_stereo"
    for folder in ("left", "disparity"):
        (root / folder).mkdir(parents=True)
    for name in ("a", "b"):
        cv2.imwrite(str(root / "left" / f"{name}.jpg"), COLD)
        cv2.imwrite(str(root / "disparity" / f"{name}.png"), np.full((10, 12), 16 * 5, np.uint16))
    rig = {"fx": 50, "fy": 50, "cx": 6, "cy": 5, "baseline": 0.2, "camera_height": 1.2, "pitch": 0.04}
    (root / "cameras.json").write_text(json.dumps({"a": rig, "b": rig}))
    pair = {"size": [12, 10], "night": False, "road": [_rectangle(0, 5, 11, 9)], "vehicle": [_rectangle(0, 4, 1, 5)]}
    pairs = {"b": pair, "a": {**pair, "size": [20, 10]}, "c": pair}
    marks = tmp_path / "marks.json"
    marks.write_text(json.dumps({"set": "cityscapes-stereo", "pairs": pairs}))

    loaded = truth.load(marks, tmp_path)
    sample = loaded[0]
    assert sample.name == "b"
    assert sample.frame.modalities == ("rgb", "depth")
    assert sample.frame.depth[0, 0] == pytest.approx(50 * 0.2 / 5)
    assert truth.picture(sample).shape == (10, 36, 3)
    assert truth.shares([sample]) == {"background": 58, "road": 58, "vehicle": 4, "pedestrian": 0, "unknown": 0}
    with pytest.raises(DataError, match="12×10 pixels, was marked at 20×10"):
        loaded[1]
    with pytest.raises(DataError, match="no image c"):
        loaded[2]
    warm = {**pair, "vehicle": [{"box": [0, 0, 5, 5], "above": 0.5}]}
    marks.write_text(json.dumps({"set": "cityscapes-stereo", "pairs": {"a": warm}}))
    with pytest.raises(DataError, match="without a thermal image"):
        truth.load(marks, tmp_path)


@pytest.mark.parametrize("name", MARKED)
def test_committed_marks_are_valid(truth: Any, name: str) -> None:
    assert len(truth.load(truth.MARKS / f"{name}.json", Path())) > 0


@pytest.mark.parametrize("name", MARKED)
def test_committed_marks_fit_their_images(truth: Any, name: str, real_data: Path) -> None:
    if not (real_data / truth.SETS[name]).is_dir():
        pytest.skip(f"no {truth.SETS[name]} in {real_data}")
    counts = truth.shares(truth.load(truth.MARKS / f"{name}.json", real_data))
    assert min(counts.values()) > 0
    assert counts["unknown"] < 0.1 * sum(counts.values())


def test_points_in_an_outline_are_left_out_unless_they_are_in_a_box(unboxed: Any) -> None:
    optical = np.array([[0, -1, 0, 0], [0, 0, -1, 0], [1, 0, 0, 0], [0, 0, 0, 1]], np.float64)
    camera = CameraModel(np.array([[10, 0, 50], [0, 10, 20], [0, 0, 1]], np.float64), 100, 40)
    points = np.array([[5, 0, 0, 0], [5, 0.5, 0, 0], [5, -10, 0, 0]], np.float32)  # at x = 50, 49 and 70
    frame = Frame(stamp_ns=0, points=points, camera=camera, lidar_to_camera=optical)
    sample = Sample("drive/1", frame, point_labels=np.array([NO_OBJECT, VEHICLE, NO_OBJECT], np.uint8))
    labels = unboxed.leave_out(sample, [_rectangle(45, 15, 55, 25)]).point_labels
    assert labels.tolist() == [UNLABELLED, VEHICLE, NO_OBJECT]
    assert sample.point_labels is not None
    assert sample.point_labels[0] == NO_OBJECT


def test_committed_outlines_lie_in_kittis_images(unboxed: Any) -> None:
    frames = unboxed.load_unboxed()
    assert len(frames) == 33
    for name, polygons in frames.items():
        size = (1224, 370) if name == "kitti_object/training/000000" else (1242, 375)
        for polygon in polygons:
            corners = np.array(polygon)
            assert len(corners) >= 3, name
            assert (corners >= 0).all(), name
            assert (corners <= size).all(), name

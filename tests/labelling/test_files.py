# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from perception.classes import PALETTE
from perception.errors import DataError
from perception.frame import CameraModel, Frame, Prediction
from perception.labelling.files import FrameFiles

CAMERA = CameraModel(np.array([[4.0, 0, 2], [0, 4, 1], [0, 0, 1]]), 4, 2)
LABELS = np.array([[0, 1, 2, 3], [1, 1, 1, 1]], np.uint8)


def labelled(points: bool = True) -> tuple[Frame, Prediction]:
    sweep = dict(points=np.ones((3, 4), np.float32), lidar_to_camera=np.eye(4)) if points else {}
    frame = Frame(5, np.zeros((2, 4, 3), np.uint8), camera=CAMERA, **sweep)
    point_labels = np.array([1, 2, 255], np.uint8) if points else None
    sure = np.array([90, 255, 0], np.uint8) if points else None
    return frame, Prediction(5, LABELS, LABELS * 40, {"rgb": 1.0}, point_labels, point_confidence=sure)


def test_everything_comes_back(tmp_path: Path) -> None:
    files = FrameFiles(tmp_path, ("masks", "colours", "bag", "cloud"), "pcd")
    assert not files.is_done("a/7")
    files.write("a/7", *labelled(), complaints=["no TF"])
    assert files.is_done("a/7")
    np.testing.assert_array_equal(files.labels("a/7"), LABELS)
    np.testing.assert_array_equal(files.confidence("a/7"), LABELS * 40)
    np.testing.assert_array_equal(files.point_labels("a/7"), [1, 2, 255])
    np.testing.assert_array_equal(files.point_confidence("a/7"), [90, 255, 0])
    np.testing.assert_array_equal(cv2.imread(str(tmp_path / "colours/a/7.png"))[..., ::-1], PALETTE[LABELS])
    record = files.record("a/7")
    assert record["pixels"] == {"background": 1, "road": 5, "vehicle": 1, "pedestrian": 1}
    assert (record["modalities"], record["complaints"]) == (["rgb", "lidar"], ["no TF"])
    assert not list(tmp_path.rglob(".*")), "an unfinished file was left"


def test_done_is_what_is_asked_for(tmp_path: Path) -> None:
    FrameFiles(tmp_path, ("masks",)).write("0", *labelled())
    assert FrameFiles(tmp_path, ("masks", "video")).is_done("0")
    assert not FrameFiles(tmp_path, ("masks", "cloud")).is_done("0")
    (tmp_path / "labels/0.png").unlink()
    assert not FrameFiles(tmp_path, ("masks",)).is_done("0")


def test_a_frame_without_a_sweep_lacks_no_cloud(tmp_path: Path) -> None:
    files = FrameFiles(tmp_path, ("cloud", "bag"))
    files.write("0", *labelled(points=False))
    assert files.is_done("0")
    assert not (tmp_path / "clouds").exists()


@pytest.mark.parametrize("text", ["", "[]", "{}", "7", '{"modalities": []'])
def test_a_broken_record_is_none(tmp_path: Path, text: str) -> None:
    files = FrameFiles(tmp_path, ("masks",))
    files.write("0", *labelled())
    (tmp_path / "frames/0.json").write_text(text)
    assert not files.is_done("0")
    with pytest.raises(DataError, match=r"0\.json: .*label again"):
        files.record("0")


def test_instances_come_back_and_a_video_wants_them_where_there_are_any(tmp_path: Path) -> None:
    frame, prediction = labelled(points=False)
    files = FrameFiles(tmp_path, ("video",))
    files.write("0", frame, prediction)
    assert files.is_done("0")
    assert files.instances("0") is None
    prediction.instances = np.array([[0, 0, 2001, 3009], [0] * 4], np.uint16)
    files.write("1", frame, prediction)
    assert files.record("1")["instances"] == 2
    found = files.instances("1")
    assert found is not None
    assert found.dtype == np.uint16
    np.testing.assert_array_equal(found, prediction.instances)
    (tmp_path / "instances/1.png").unlink()
    assert not files.is_done("1")
    assert FrameFiles(tmp_path, ("masks",)).is_done("1")

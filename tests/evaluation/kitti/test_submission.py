# SPDX-License-Identifier: Apache-2.0
"""The files that KITTI's servers take."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from helpers.kitti_benchmarks import write_road, write_semantics

from perception.classes import BACKGROUND, PEDESTRIAN, ROAD, VEHICLE
from perception.datasets.kitti.road import KittiRoad
from perception.datasets.kitti.semantics import KittiSemantics
from perception.errors import DataError
from perception.evaluation.kitti.submission import open_submission
from perception.frame import Prediction


def predicted(labels):
    labels = np.array(labels, np.uint8)[None].repeat(20, 0)
    return Prediction(0, labels, np.full(labels.shape, 204, np.uint8), {})


def test_road_is_a_confidence_seen_from_above(tmp_path):
    """The truth's left half is road: left of the camera from above, and only where the 20 rows of the image reach."""
    reader = KittiRoad(write_road(tmp_path / "road"), "test")
    submission = open_submission("kitti-road", reader, tmp_path / "out/road")
    for sample in reader:
        submission.update(sample, predicted([ROAD] * 16 + [BACKGROUND] * 16))
    names = sorted(path.name for path in (tmp_path / "out/road").iterdir())
    assert names == ["um_road_000000.png", "umm_road_000000.png", "uu_road_000000.png"]
    assert submission.written == 3
    image = cv2.imread(str(tmp_path / "out/road/uu_road_000000.png"), cv2.IMREAD_UNCHANGED)
    assert (image.shape, image.dtype) == ((800, 400), np.uint8)
    assert (image[400, 190], image[400, 210]) == (204, 51)  # 1 - 0.8 is the most that road can have beside it
    assert (image[799, 0], image[799, 399]) == (0, 0)  # outside the image


def test_semantics_are_cityscapes_ids(tmp_path):
    reader = KittiSemantics(write_semantics(tmp_path / "semantics"), "test")
    submission = open_submission("kitti-semantics", reader, tmp_path / "out")
    submission.update(reader[1], predicted(np.repeat([BACKGROUND, ROAD, VEHICLE, PEDESTRIAN], 8)))
    image = cv2.imread(str(tmp_path / "out/000001_10.png"), cv2.IMREAD_UNCHANGED)
    assert (image.shape, image.dtype) == ((20, 32), np.uint8)
    assert image[7, ::8].tolist() == [0, 7, 26, 24]


def test_mistakes_name_path_and_reason(tmp_path):
    with pytest.raises(DataError, match="kitti-object: no benchmark server takes segmentations"):
        open_submission("kitti-object", [], tmp_path)
    reader = KittiRoad(write_road(tmp_path / "road"), "test")
    sample, said = reader[0], predicted([ROAD] * 32)
    (tmp_path / "file").write_text("")
    with pytest.raises(DataError, match=r"um_road_000000\.png: cannot be written \(.*\); name another folder"):
        open_submission("kitti-road", reader, tmp_path / "file").update(sample, said)
    (tmp_path / "road/testing/calib/um_000000.txt").unlink()
    with pytest.raises(DataError, match=r"um_000000\.txt: no such file, or no Tr_cam_to_road in it"):
        open_submission("kitti-road", reader, tmp_path / "out").update(sample, said)

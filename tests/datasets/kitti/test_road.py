# SPDX-License-Identifier: Apache-2.0
"""KITTI's road benchmark in its official layout."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from helpers.kitti_benchmarks import write_road

from perception.classes import ROAD, UNLABELLED
from perception.datasets.kitti.road import KittiRoad
from perception.datasets.registry import open_dataset
from perception.errors import DataError


@pytest.fixture
def road_root(tmp_path):
    return write_road(tmp_path / "road")


def test_splits_are_by_category(road_root):
    names = {split: [sample.name for sample in KittiRoad(road_root, split)] for split in ("train", "val", "test")}
    assert len(names["train"]) == 12
    assert names["val"] == ["training/um_000004", "training/umm_000004", "training/uu_000004"]
    assert names["test"] == [f"testing/{category}_000000" for category in ("um", "umm", "uu")]
    assert len(open_dataset("kitti-road", road_root, "all")) == 15


def test_labels_are_the_road_and_nothing_beside_it(road_root):
    sample = KittiRoad(road_root, "all")[0]
    assert sample.frame.modalities == ("rgb", "lidar")
    assert sample.labels[15].tolist() == [ROAD] * 16 + [UNLABELLED] * 16
    assert (sample.labels[0] == UNLABELLED).all()


def test_the_road_comes_before_the_ego_lane(road_root):
    reader = KittiRoad(road_root, "all")
    truth = reader.truth("training/um_000000", (32, 20))
    assert (truth.category, truth.road.sum(), truth.valid.sum()) == ("um_road", 160, 320)
    (road_root / "training/gt_image_2/um_road_000000.png").unlink()
    assert reader.truth("training/um_000000", (32, 20)).category == "um_lane"
    assert (reader[0].labels == ROAD).sum() == 40
    (road_root / "training/gt_image_2/um_lane_000000.png").unlink()
    assert reader[0].labels is None
    assert KittiRoad(road_root, "test")[0].labels is None


def test_the_plane_is_the_development_kits(road_root):
    """2 m to the right and 10 m ahead on the road is 1.65 m below the camera: u = 100·2/10 + 16, v = 16.5 + 5."""
    reader = KittiRoad(road_root, "all")
    assert (reader.plane("training/uu_000001") @ [2, 10, 1]).tolist() == pytest.approx([360, 215, 10])
    (road_root / "training/calib/uu_000001.txt").unlink()
    assert reader.plane("training/uu_000001") is None


def test_mistakes_name_path_and_reason(road_root, tmp_path):
    with pytest.raises(DataError, match="this data set has train, val, all, test"):
        KittiRoad(road_root, "trial")
    with pytest.raises(DataError, match=r"testing/image_2: no such folder \(images of KITTI road, split test\)"):
        KittiRoad(tmp_path / "nowhere", "test")
    reader = KittiRoad(road_root, "all")
    cv2.imwrite(str(road_root / "training/gt_image_2/um_road_000000.png"), np.zeros((4, 6, 3), np.uint8))
    with pytest.raises(DataError, match=r"um_road_000000\.png: 6×4 pixels, expected 32×20"):
        reader[0]
    (road_root / "training/calib/um_000001.txt").unlink()
    with pytest.raises(DataError, match=r"um_000001\.bin: a sweep without calibration; unpack"):
        reader[1]
    cv2.imwrite(str(road_root / "training/image_2/street.png"), np.zeros((4, 6, 3), np.uint8))
    with pytest.raises(DataError, match=r"street\.png: not a name of KITTI road "):
        KittiRoad(road_root, "all")


def test_the_real_frames_have_the_ego_lane(real_data):
    reader = KittiRoad(real_data / "kitti_road", "all")
    assert [sample.name for sample in reader] == [f"training/um_{i:06d}" for i in (2, 3, 4)]
    truth = reader.truth(reader[0].name, reader[0].frame.size)
    assert truth.category == "um_lane"
    assert 0.03 < truth.road.mean() < 0.2
    assert not truth.valid.all()

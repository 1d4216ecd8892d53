# SPDX-License-Identifier: Apache-2.0
"""Keyframes of nuScenes with the classes of their points."""

from __future__ import annotations

from pathlib import Path

import pytest
from helpers.datasets.nuscenes import FIRST_IDS, write_labels, write_nuscenes, write_rider

from perception.classes import BACKGROUND, PEDESTRIAN, ROAD, UNLABELLED, VEHICLE
from perception.datasets.registry import open_dataset
from perception.errors import DataError


@pytest.mark.parametrize("kind", ["lidarseg", "panoptic"])
def test_points_have_the_classes_of_their_categories(tmp_path: Path, kind: str) -> None:
    root = write_nuscenes(tmp_path)
    write_labels(root, kind)
    write_rider(root)
    samples = open_dataset("nuscenes", root, "val")
    assert [sample.name for sample in samples] == ["scene-0103/1532402927640000", "scene-0103/1532402928140000"]
    first, second = samples
    assert first.labels is None
    assert first.point_labels is not None
    assert second.point_labels is not None
    # Road; a bicycle with a rider, who is another class; one without; a person; a house; noise. No echo is no point.
    expected = [ROAD, UNLABELLED, VEHICLE, PEDESTRIAN, BACKGROUND, UNLABELLED]
    assert first.point_labels.tolist() == expected
    assert first.frame.points is not None
    assert len(first.frame.points) == len(expected)
    assert second.point_labels.tolist() == [VEHICLE, BACKGROUND]


def test_without_boxes_nobody_knows_which_bicycles_are_ridden(tmp_path: Path) -> None:
    root = write_nuscenes(tmp_path)
    write_labels(root)
    labels = open_dataset("nuscenes", root, "all")[0].point_labels
    assert labels is not None
    assert labels.tolist()[1:3] == [UNLABELLED, UNLABELLED]


def test_splits_are_those_of_mini(tmp_path: Path) -> None:
    root = write_nuscenes(tmp_path)
    write_labels(root)
    counts = {split: len(open_dataset("nuscenes", root, split)) for split in ("train", "val", "all")}
    assert counts == {"train": 0, "val": 2, "all": 2}
    with pytest.raises(DataError, match="this data set has train, val, all"):
        open_dataset("nuscenes", root, "test")
    (root / "v1.0-mini").rename(root / "v1.0-trainval")
    with pytest.raises(DataError, match=r"only v1.0-mini's scenes of train and val are known here: split 'val'"):
        open_dataset("nuscenes", root, "val")


def test_without_labels_and_with_wrong_ones_it_says_so(tmp_path: Path) -> None:
    root = write_nuscenes(tmp_path)
    with pytest.raises(DataError, match=r"neither lidarseg.json nor panoptic.json: no ground truth"):
        open_dataset("nuscenes", root)
    write_labels(root)
    file = root / "lidarseg/v1.0-mini/LIDAR_TOP0_lidarseg.bin"
    FIRST_IDS[:-1].tofile(file)
    with pytest.raises(DataError, match=r"6 labels, but .* has 7 points"):
        open_dataset("nuscenes", root)[0]
    (FIRST_IDS + 15).tofile(file)
    with pytest.raises(DataError, match=r"id 43, but category.json has indices to 28"):
        open_dataset("nuscenes", root)[0]

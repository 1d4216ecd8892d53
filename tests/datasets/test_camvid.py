# SPDX-License-Identifier: Apache-2.0
"""CamVid in SegNet's layout."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from perception.classes import BACKGROUND, CLASSES, PEDESTRIAN, ROAD, UNLABELLED, VEHICLE
from perception.datasets.camvid import CamVid
from perception.datasets.registry import open_dataset
from perception.errors import DataError


def test_images_are_rgb_and_ids_are_ours(camvid_root):
    samples = CamVid(camvid_root, "train")
    assert len(samples) == 2
    sample = samples[0]
    assert sample.name == "train/0001TP_006690"
    assert sample.frame.modalities == ("rgb",)
    assert sample.frame.size == (32, 20)
    assert sample.frame.rgb[0, -1].tolist() == [255, 0, 0]  # red is on the right
    expected = {0: BACKGROUND, 3: ROAD, 4: BACKGROUND, 8: VEHICLE, 9: PEDESTRIAN, 10: UNLABELLED, 11: UNLABELLED}
    assert {i: sample.labels[0, 2 * i] for i in expected} == expected


def test_a_network_that_knows_bicycles_learns_the_cyclists(camvid_root):
    five = CLASSES.extended([dict(name="bicycle", colour=(255, 200, 0), within="vehicle", takes=dict(camvid=(10,)))])
    labels = open_dataset("camvid", camvid_root, "train", five)[0].labels
    assert {i: labels[0, 2 * i] for i in (8, 9, 10)} == {8: VEHICLE, 9: PEDESTRIAN, 10: 4}


def test_it_is_a_whole_sequence(camvid_root):
    samples = CamVid(camvid_root, "train")
    names = [sample.name for sample in samples]
    assert [sample.name for sample in samples[::-1]] == names[::-1]
    assert samples[-1].name == names[-1]
    for outside in (2, -3):
        with pytest.raises(IndexError):
            samples[outside]


def test_mistakes_name_path_and_reason(camvid_root):
    with pytest.raises(DataError, match=r"camvid: split 'validation': this data set has train, val, test"):
        CamVid(camvid_root, "validation")
    with pytest.raises(DataError, match=r"camvid/test: no such folder"):
        CamVid(camvid_root, "test")
    label = camvid_root / "valannot" / "0016E5_07959.png"
    cv2.imwrite(str(label), np.zeros((10, 16), np.uint8))
    with pytest.raises(DataError, match=r"0016E5_07959\.png: uint8 10×16 .*expected uint8 20×32"):
        CamVid(camvid_root, "val")[0]
    label.unlink()
    with pytest.raises(DataError, match=r"valannot/0016E5_07959\.png: no such file"):
        CamVid(camvid_root, "val")[0]


def test_the_real_set(real_data):
    train, val = CamVid(real_data / "camvid", "train"), CamVid(real_data / "camvid", "val")
    assert (len(train), len(val)) == (367, 101)
    sample = val[0]
    assert sample.frame.size == (480, 360)
    assert set(np.unique(sample.labels)) <= {BACKGROUND, ROAD, VEHICLE, PEDESTRIAN, UNLABELLED}
    assert (sample.labels == ROAD).mean() > 0.15

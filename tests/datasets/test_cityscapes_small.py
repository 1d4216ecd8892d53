# SPDX-License-Identifier: Apache-2.0
"""Cityscapes squeezed to squares."""

from __future__ import annotations

import numpy as np
import pytest

from perception.datasets.cityscapes_small import CityscapesSmall
from perception.datasets.registry import open_dataset
from perception.errors import DataError

from .conftest import picture, write


@pytest.fixture
def squares(tmp_path):
    """The last two images of Weimar and the first two of Zurich, 16×16, with an id per column."""
    ids = np.array([0, 1, 2, 3, 4, 254, 255, *[0] * 9], np.uint8)[None].repeat(16, 0)
    for name in ("2852", "2853", "2854", "2855"):
        write(tmp_path / "image" / f"{name}.jpg", picture((16, 16, 3)))
        write(tmp_path / "labels" / f"{name}.png", ids)
    return tmp_path


def test_squares_are_stretched_and_labels_stay_ids(squares):
    sample = CityscapesSmall(squares)[0]
    assert sample.frame.rgb.shape == (16, 32, 3)
    assert sample.labels.shape == (16, 32)
    assert sample.labels[3, :14].tolist() == [0, 0, 1, 1, 2, 2, 3, 3, 255, 255, 255, 255, 255, 255]


def test_val_is_the_last_city(squares):
    names = {split: [sample.name for sample in open_dataset("cityscapes-small", squares, split)]
             for split in ("train", "val", "all")}  # fmt: skip
    assert names == {
        "train": ["2852", "2853"],
        "val": ["2854", "2855"],
        "all": ["2852", "2853", "2854", "2855"],
    }


def test_mistakes_name_path_and_reason(squares):
    with pytest.raises(DataError, match="this data set has train, val, all"):
        CityscapesSmall(squares, "test")
    write(squares / "labels/2854.png", np.zeros((8, 8), np.uint8))
    with pytest.raises(DataError, match=r"2854\.png: uint8 8×8 .*expected uint8 16×16"):
        CityscapesSmall(squares)[0]
    write(squares / "image/ulm.jpg", picture((16, 16, 3)))
    with pytest.raises(DataError, match=r"ulm\.jpg: expected an image's number in Cityscapes' training list"):
        CityscapesSmall(squares)


def test_the_real_set(real_data):
    train, val = (CityscapesSmall(real_data / "cityscapes_small", split) for split in ("train", "val"))
    assert (len(train), len(val)) == (2374, 101)
    assert val[0].frame.size == (512, 256)
    shares = np.bincount(np.concatenate([sample.labels.ravel() for sample in val[::10]]), minlength=256)
    assert set(np.flatnonzero(shares)) == {0, 1, 2, 3, 255}
    assert 0.3 < shares[1] / shares.sum() < 0.5

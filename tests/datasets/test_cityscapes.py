# SPDX-License-Identifier: Apache-2.0
"""Cityscapes in its official layout, with and without instances."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from perception.classes import CLASSES, PEDESTRIAN, ROAD, UNLABELLED, VEHICLE
from perception.datasets.cityscapes import Cityscapes
from perception.errors import DataError

from .conftest import picture, write


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """One image of val: road, car 0, car 1, truck 0, a group of people, rider 0, void; from left to right."""
    ids = np.repeat([7, 26, 26, 27, 24, 25, 4, 4], 4).astype(np.uint8)[None].repeat(20, 0)
    codes = np.repeat([7, 26000, 26001, 27000, 24, 25000, 4, 4], 4).astype(np.uint16)[None].repeat(20, 0)
    for split in ("val", "train"):
        write(tmp_path / f"leftImg8bit/{split}/ulm/ulm_0_leftImg8bit.png", picture())
        write(tmp_path / f"gtFine/{split}/ulm/ulm_0_gtFine_labelIds.png", ids)
    write(tmp_path / "gtFine/val/ulm/ulm_0_gtFine_instanceIds.png", codes)
    return tmp_path


def test_things_of_several_of_its_classes_are_told_apart(root: Path) -> None:
    (sample,) = Cityscapes(root)
    assert sample.name == "ulm/ulm_0"
    assert sample.labels is not None
    assert sample.instances is not None
    assert sample.labels[0, ::4].tolist() == [
        ROAD,
        VEHICLE,
        VEHICLE,
        VEHICLE,
        PEDESTRIAN,
        PEDESTRIAN,
        *[UNLABELLED] * 2,
    ]
    codes = sample.instances[0, ::4].tolist()
    assert [code // 1000 for code in codes] == [0, 2, 2, 2, 0, 3, 0, 0]  # nobody told the group's people apart
    assert len(set(codes)) == 5


def test_classes_of_one_s_own_have_their_things(root: Path) -> None:
    truck = dict(name="truck", colour=(1, 2, 3), within="vehicle", takes=dict(cityscapes=(27,)))
    (sample,) = Cityscapes(root, classes=CLASSES.extended([truck]))
    assert sample.instances is not None
    assert [code // 1000 for code in sample.instances[0, ::4].tolist()] == [0, 2, 2, 4, 0, 3, 0, 0]


def test_without_instance_ids_there_are_none(root: Path) -> None:
    assert Cityscapes(root, "train")[0].instances is None


def test_mistakes_name_path_and_reason(root: Path) -> None:
    with pytest.raises(DataError, match="this data set has train, val"):
        Cityscapes(root, "test")
    with pytest.raises(DataError, match="leftImg8bit/val: no such folder"):
        Cityscapes(root / "nowhere")
    write(root / "gtFine/val/ulm/ulm_0_gtFine_instanceIds.png", np.zeros((20, 32), np.uint8))
    with pytest.raises(DataError, match=r"instanceIds\.png: uint8 20×32"):
        Cityscapes(root)[0]

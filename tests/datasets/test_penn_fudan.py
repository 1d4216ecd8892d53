# SPDX-License-Identifier: Apache-2.0
"""Photographs whose near people are outlined."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from perception.classes import PEDESTRIAN, UNLABELLED
from perception.datasets.penn_fudan import PennFudan
from perception.datasets.registry import open_dataset
from perception.errors import DataError

from .conftest import picture, write


def photographs(root, images, instances, suffix=""):
    """Five photographs with two people, columns 4–7 and 20–23."""
    people = np.zeros((20, 32), np.uint8)
    people[5:18, 4:8], people[5:18, 20:24] = 1, 2
    for number in range(5):
        write(root / images / f"Ped{number}.png", picture())
        write(root / instances / f"Ped{number}{suffix}.png", people)
    return root


def test_people_are_known_and_nothing_else(tmp_path):
    samples: Any = open_dataset("penn-fudan", photographs(tmp_path, "images", "instances"), "all")
    assert [sample.name for sample in samples] == [f"Ped{number}" for number in range(5)]
    sample = samples[0]
    assert sample.labels[6, ::4].tolist() == [UNLABELLED, PEDESTRIAN, *[UNLABELLED] * 3, PEDESTRIAN, *[UNLABELLED] * 2]
    assert (samples.instances(0).dtype, samples.instances(0)[6, ::4].tolist()) == (np.uint8, [0, 1, 0, 0, 0, 2, 0, 0])
    assert sample.instances[6, ::4].tolist() == [0, 3001, 0, 0, 0, 3002, 0, 0]
    assert [sample.name for sample in PennFudan(tmp_path)] == ["Ped4"]
    assert len(PennFudan(tmp_path, "train")) == 4


def test_the_published_names(tmp_path):
    samples = PennFudan(photographs(tmp_path, "PNGImages", "PedMasks", "_mask"))
    assert np.count_nonzero(samples[0].labels == PEDESTRIAN) == 2 * 4 * 13


def test_mistakes_name_path_and_reason(tmp_path):
    with pytest.raises(DataError, match="images: no such folder"):
        PennFudan(tmp_path / "nowhere")
    root = photographs(tmp_path, "images", "instances")
    with pytest.raises(DataError, match="this data set has train, val, all"):
        PennFudan(root, "test")
    (root / "instances/Ped4.png").unlink()
    with pytest.raises(DataError, match=r"instances/Ped4\.png: no such file"):
        PennFudan(root)[0]


def test_the_real_set(real_data):
    samples = PennFudan(real_data / "penn_fudan", "all")
    assert len(samples) == 153
    assert sum(int(samples.instances(index).max()) for index in range(153)) == 379
    assert set(np.unique(samples[0].labels)) == {PEDESTRIAN, UNLABELLED}

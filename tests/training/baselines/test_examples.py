# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from helpers.datasets.people import write_people
from helpers.images import write_images

from perception.classes import BACKGROUND, PEDESTRIAN, VEHICLE
from perception.errors import DataError
from perception.frame import Frame
from perception.sample import Sample
from perception.sensors import network_size
from perception.training.baselines.examples import GREY, Examples, example_of


def test_every_person_has_a_mask(tmp_path: Path) -> None:
    told: list[str] = []
    examples = Examples([("penn-fudan", write_people(tmp_path, 5))], told.append)
    assert told == ["penn-fudan: 4 of 4 samples have vehicles or people told apart"]
    assert len(examples) == 4
    assert (examples.kinds, examples.names) == ((PEDESTRIAN,), ("pedestrian",))
    for index in range(4):
        image, masks, kinds = examples[index]
        width, height = network_size(96, 64)
        assert image.shape == (height, width, 3)
        assert masks.shape == (2, height, width)
        assert kinds.tolist() == [PEDESTRIAN, PEDESTRIAN]
        assert not (masks[0] & masks[1]).any()
        red, blue = (image[mask].mean(0) for mask in masks)
        assert red[0] > 150 > red[2]
        assert blue[2] > 150 > blue[0]


def _sample(instances: bool = True) -> Sample:
    """A car and a person told apart, and a crowd of cars that is not."""
    labels = np.full((64, 96), BACKGROUND, np.uint8)
    codes = np.zeros((64, 96), np.uint16)
    labels[:, :20] = labels[:, 60:] = VEHICLE
    labels[:, 30:50] = PEDESTRIAN
    codes[:, :20], codes[:, 30:50] = 2001, 3001
    return Sample(
        "a", Frame(0, rgb=np.full((64, 96, 3), 200, np.uint8)), labels, instances=codes if instances else None
    )


def test_things_that_nobody_told_apart_are_hidden() -> None:
    example = example_of(_sample())
    assert example is not None
    assert sorted(example.kinds.tolist()) == [VEHICLE, PEDESTRIAN]
    scale = example.image.shape[1] / 96
    assert (example.image[:, int(65 * scale) :] == GREY).all()
    assert (example.image[:, : int(55 * scale)] == 200).all()


def test_a_sample_without_instances_is_of_no_use() -> None:
    assert example_of(_sample(instances=False)) is None
    tiny = _sample()
    assert tiny.instances is not None
    tiny.instances[:] = 0
    tiny.instances[5, 5] = 2001
    assert example_of(tiny) is None


def test_pieces_of_masks_are_no_things(camvid: Path) -> None:
    with pytest.raises(DataError, match=r"camvid: .*: no sample tells vehicles or people apart, which this network"):
        Examples([("camvid", camvid)], lambda _: None)


def test_a_set_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no such folder"):
        Examples([("penn-fudan", write_images(tmp_path / "images", 1))], lambda _: None)

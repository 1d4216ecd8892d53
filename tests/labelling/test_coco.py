# SPDX-License-Identifier: Apache-2.0
"""COCO's own tools read what was written."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pycocotools import mask as coco_mask
from pycocotools.coco import COCO

from perception.classes import CLASSES, PEDESTRIAN, ROAD, UNLABELLED, VEHICLE
from perception.datasets.io.named_frames import NamedFrames
from perception.frame import Frame, Prediction
from perception.labelling.coco import run_lengths, write_coco
from perception.labelling.files import FrameFiles


class Drive(NamedFrames):
    """Three frames, of two shapes."""

    path = Path("drive")
    names = ("a/0", "a/1", "b/0")
    stamps_ns = (0, 1, 2)

    def read(self, index: int) -> Frame:
        return Frame(index, rgb=np.zeros((*labels(index).shape, 3), np.uint8))


def labels(index: int) -> np.ndarray:
    """Road with a vehicle and a pedestrian; nothing that has a mask; a vehicle alone."""
    image = np.full((30, 40) if index < 2 else (20, 25), 0, np.uint8)
    if index == 0:
        image[15:], image[18:24, 5:17], image[10:16, 30:33] = ROAD, VEHICLE, PEDESTRIAN
    elif index == 1:
        image[:5] = UNLABELLED
    else:
        image[3:9, 4:14] = VEHICLE
    return image


@pytest.fixture
def written(tmp_path: Path) -> COCO:
    frames, files = Drive(), FrameFiles(tmp_path, ("coco",))
    for index, name in enumerate(frames.names):
        files.write(name, frames[index], Prediction(index, labels(index), labels(index), {}))
    told: list[int] = []
    write_coco(frames, range(3), files, tmp_path / "coco.json", lambda: told.append(1))
    assert len(told) == 3
    assert sorted(each.name for each in tmp_path.iterdir()) == ["coco.json", "frames", "labels"]
    return COCO(str(tmp_path / "coco.json"))


def test_coco_reads_the_masks_that_are_on_disk(written: COCO) -> None:
    assert [image["file_name"] for image in written.loadImgs([1, 2, 3])] == ["a/0.png", "a/1.png", "b/0.png"]
    assert {each["id"]: each["name"] for each in written.loadCats(written.getCatIds())} == {
        number: name for name, number in CLASSES.foreground.items()
    }
    for index in range(3):
        found = np.zeros_like(labels(index))
        for annotation in written.loadAnns(written.getAnnIds(imgIds=[index + 1])):
            found[written.annToMask(annotation) == 1] = annotation["category_id"]
        np.testing.assert_array_equal(found, np.where(labels(index) == UNLABELLED, 0, labels(index)))
    assert written.getAnnIds(imgIds=[2]) == []


def test_boxes_and_areas_are_those_that_coco_finds(written: COCO) -> None:
    annotations = written.loadAnns(written.getAnnIds())
    assert len(annotations) == 4
    for annotation in annotations:
        encoded = written.annToRLE(annotation)
        assert annotation["area"] == coco_mask.area(encoded)
        assert annotation["bbox"] == coco_mask.toBbox(encoded).tolist()
    (vehicle,) = written.loadAnns(written.getAnnIds(imgIds=[3]))
    assert vehicle["bbox"] == [4, 3, 10, 6]


@given(st.integers(1, 40), st.integers(1, 40), st.integers(0, 2**32 - 1), st.floats(0, 1))
def test_run_lengths_are_pycocotools_own(height: int, width: int, seed: int, share: float) -> None:
    mask = np.random.default_rng(seed).random((height, width)) < share
    own = coco_mask.encode(np.asfortranarray(mask, np.uint8))["counts"].decode()
    assert run_lengths(mask) == own


def test_long_runs_are_pycocotools_own() -> None:
    mask = np.zeros((1200, 1920), bool)
    mask[600:, 3:1900] = True
    assert run_lengths(mask) == coco_mask.encode(np.asfortranarray(mask, np.uint8))["counts"].decode()

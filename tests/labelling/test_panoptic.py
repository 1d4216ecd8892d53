# SPDX-License-Identifier: Apache-2.0
"""What is written is read back as COCO's tools do."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from pycocotools import mask as coco_mask

from perception.classes import PEDESTRIAN, ROAD, UNLABELLED, VEHICLE
from perception.datasets.io.named_frames import NamedFrames
from perception.errors import DataError
from perception.frame import Frame, Prediction
from perception.labelling.files import FrameFiles
from perception.labelling.panoptic import write_panoptic
from perception.objects import Tracking


class Drive(NamedFrames):
    """Three frames at 10 Hz."""

    path = Path("drive")
    names = ("a/0", "a/1", "a/2")
    stamps_ns = (0, 100_000_000, 200_000_000)

    def read(self, index: int) -> Frame:
        return Frame(index, rgb=np.zeros((30, 60, 3), np.uint8))


def truth(index: int) -> tuple[np.ndarray, np.ndarray]:
    """Road, two vehicles whose numbers change places, and pedestrians that nobody told apart; at last nothing."""
    labels, instances = np.zeros((30, 60), np.uint8), np.zeros((30, 60), np.uint16)
    if index == 2:
        return np.full_like(labels, UNLABELLED), instances
    labels[15:], labels[5:20, 5:25], labels[5:20, 30:45], labels[0:10, 50:55] = ROAD, VEHICLE, VEHICLE, PEDESTRIAN
    instances[5:20, 5:25], instances[5:20, 30:45] = (2001, 2002) if index == 0 else (2002, 2001)
    return labels, instances


@pytest.fixture
def files(tmp_path: Path) -> FrameFiles:
    frames, files = Drive(), FrameFiles(tmp_path, ("panoptic",))
    for index, name in enumerate(frames.names):
        labels, instances = truth(index)
        files.write(name, frames[index], Prediction(index, labels, labels, {}, instances=instances))
    return files


def read(folder: Path, index: int) -> tuple[dict[str, Any], np.ndarray]:
    """The annotation of a frame, and its ids as panopticapi's rgb2id decodes them."""
    found = json.loads((folder / "panoptic.json").read_text())
    annotation = found["annotations"][index]
    assert annotation["image_id"] == found["images"][index]["id"]
    bgr = cv2.imread(str(folder / "panoptic" / annotation["file_name"])).astype(np.int64)
    assert bgr.shape[:2] == (found["images"][index]["height"], found["images"][index]["width"])
    return annotation, bgr[..., 2] + 256 * bgr[..., 1] + 256**2 * bgr[..., 0]


def test_segments_are_the_things_and_the_rest_of_each_class(files: FrameFiles) -> None:
    told: list[int] = []
    write_panoptic(Drive(), range(3), files, files.folder / "panoptic.json", None, lambda: told.append(1))
    assert len(told) == 3
    for index in range(3):
        annotation, ids = read(files.folder, index)
        labels, instances = truth(index)
        for segment in annotation["segments_info"]:
            mask = coco_mask.encode(np.asfortranarray(ids == segment["id"], np.uint8))
            assert segment["area"] == coco_mask.area(mask)
            assert segment["bbox"] == coco_mask.toBbox(mask).tolist()
        assert set(np.unique(ids)) - {0} == {segment["id"] for segment in annotation["segments_info"]}
        np.testing.assert_array_equal(ids[instances > 0], instances[instances > 0])
        assert (ids[(labels == ROAD) & (instances == 0)] == 1000).all()
        assert (ids[(labels == 0) | (labels == UNLABELLED)] == 0).all()
    annotation, _ = read(files.folder, 0)
    assert [(each["id"], each["category_id"], each["iscrowd"]) for each in annotation["segments_info"]] == [
        (1000, ROAD, 0), (2001, VEHICLE, 0), (2002, VEHICLE, 0), (3000, PEDESTRIAN, 1)
    ]  # fmt: skip
    categories = json.loads((files.folder / "panoptic.json").read_text())["categories"]
    assert [(each["name"], each["isthing"]) for each in categories] == [("road", 0), ("vehicle", 1), ("pedestrian", 1)]


def test_things_of_a_drive_keep_their_ids(files: FrameFiles) -> None:
    pytest.importorskip("trackers")
    write_panoptic(Drive(), range(2), files, files.folder / "panoptic.json", Tracking(), lambda: None)
    first, second = (read(files.folder, index)[1] for index in range(2))
    np.testing.assert_array_equal(first, second)


def test_a_network_that_does_not_tell_things_apart_is_refused(tmp_path: Path) -> None:
    labels = truth(0)[0]
    for output in ("panoptic", "instances", "kitti"):
        files = FrameFiles(tmp_path / output, (output,))
        with pytest.raises(DataError, match=f"--write {output}: the network does not tell things apart; name one"):
            files.write("0", Drive()[0], Prediction(0, labels, labels, {}))
    # Also where an earlier run was asked for less.
    FrameFiles(tmp_path, ("masks",)).write("0", Drive()[0], Prediction(0, labels, labels, {}))
    assert not FrameFiles(tmp_path, ("panoptic",)).is_done("0")
    # A frame in which no sensor tells anything has no instances.
    nothing = np.full_like(labels, UNLABELLED)
    files = FrameFiles(tmp_path, ("panoptic", "kitti"))
    files.write("1", Drive()[0], Prediction(0, nothing, nothing, {}))
    assert files.is_done("1")
    assert (tmp_path / "label_2/1.txt").read_text() == ""

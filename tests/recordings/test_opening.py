# SPDX-License-Identifier: Apache-2.0
"""What is found at a path, and the messages for what cannot be opened."""

from __future__ import annotations

import json
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
from helpers.images import write_images
from helpers.kitti import odometry_sequence, tracking_split

from perception.bags.frames import BagFrames
from perception.bags.writer import write_bag
from perception.errors import DataError
from perception.recordings.kitti import kitti_frames
from perception.recordings.opening import (
    BAG,
    IMAGES_FOLDER,
    KITTI,
    SIMULATED,
    Reading,
    kind_of,
    open_kitti,
    open_messages,
    open_recording,
)
from perception.recordings.stored import SimulatedFrames, StoredFrames
from perception.simulation import SimulatedDrive
from perception.simulation.storage import write_drive


@pytest.fixture(scope="module")
def simulated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("simulated") / "drive"
    write_drive(SimulatedDrive(3, "day", 2, scale=0.05), folder)
    return folder


def test_every_kind_is_told_by_what_lies_there(kitti_drive: Path, simulated: Path, tmp_path: Path) -> None:
    write_bag(kitti_frames(kitti_drive), tmp_path / "bag")
    images = write_images(tmp_path / "images", 2)
    found = {
        tmp_path / "bag": (BAG, BagFrames),
        next((tmp_path / "bag").glob("*.mcap")): (BAG, BagFrames),
        kitti_drive: (KITTI, StoredFrames),
        kitti_drive.parent.parent: (KITTI, StoredFrames),
        odometry_sequence(tmp_path / "odometry"): (KITTI, StoredFrames),
        tracking_split(tmp_path / "tracking"): (KITTI, StoredFrames),
        simulated: (SIMULATED, SimulatedFrames),
        images: (IMAGES_FOLDER, StoredFrames),
    }
    for path, (kind, frames) in found.items():
        assert kind_of(path) == kind
        opened = open_recording(path)
        assert type(opened) is frames
        assert opened[0].rgb is not None
    assert open_kitti(kitti_drive).start_ns == kitti_frames(kitti_drive).stamps_ns[0] - 10471134


def test_odometry_and_tracking_have_names_and_stamps_of_their_own(tmp_path: Path) -> None:
    odometry = open_recording(odometry_sequence(tmp_path))
    assert odometry.names == ["000000", "000001", "000002"]
    assert np.diff(odometry.stamps_ns).tolist() == [103735900, 103610600]
    assert [frame.modalities for frame in odometry] == [("rgb", "lidar")] * 3
    tracking = open_recording(tracking_split(tmp_path))
    assert [frame.modalities for frame in tracking] == [("rgb", "lidar"), ("rgb",), ("rgb", "lidar")]


def test_what_is_none_is_told_with_what_is_there_and_what_may_be_meant(
    kitti_drive: Path, simulated: Path, tmp_path: Path
) -> None:
    write_images(tmp_path / "front", 1)
    (tmp_path / "notes.txt").write_text("none")
    other = tmp_path / "other"
    write_images(other / "left", 1)
    write_images(other / "right", 1)
    said = {
        tmp_path / "frnt": f"no such bag, drive or folder; the nearest is {tmp_path}/front",
        tmp_path / "x/y/z": f"no such bag, drive or folder: there is no x in {tmp_path}",
        tmp_path / "notes.txt": r"is a file, but not of a bag \(.mcap, .db3\); expected a bag",
        other: r"is not a recording: it has 2 folders \(left, right\) and no file; expected a bag \(metadata.yaml.*; a "
        rf"folder of images \(PNG.*; name one in it: {other}/left, {other}/right$",
        simulated.parent: rf"name one in it: {simulated}$",
        kitti_drive / "image_02/data/0000000000.png": "name its folder: .*/image_02/data, a folder of images",
    }
    for path, words in said.items():
        with pytest.raises(DataError, match=words):
            open_recording(path)
    with pytest.raises(DataError, match=r"front: is a folder of images; expected a bag \(.*a simulated drive \(dr"):
        open_messages(tmp_path / "front")
    with pytest.raises(DataError, match=r"is a simulated drive; expected a KITTI drive \(image_02/data"):
        open_kitti(simulated)
    with pytest.raises(DataError, match="--as and --depth-unit are only for a folder of images"):
        open_recording(kitti_drive, reading=Reading("rgb"))


def test_a_simulated_drive_has_messages_and_its_truth(simulated: Path) -> None:
    with closing(open_messages(simulated)) as source:
        topics = {name: topic.messages for name, topic in source.topics.items()}
        found = [each.topic for each in source.messages(list(topics), source.start_ns, source.end_ns)]
    each = dict.fromkeys(("/image", "/camera_info", "/points", "/depth", "/infrared"), 2)
    assert topics == {"/tf_static": 1, **each} == {topic: found.count(topic) for topic in found}
    assert (source.start_ns, source.end_ns) == tuple(json.loads((simulated / "drive.json").read_text())["stamps_ns"])
    frames = open_recording(simulated)
    assert frames.sample(1).labels is not None
    np.testing.assert_array_equal(frames.sample(1).frame.rgb, frames[1].rgb)

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import json
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from perception.bags.frames import BagFrames
from perception.bags.sources import open_bag
from perception.bags.writer import TYPES, RawMessage, write_bag
from perception.datasets.io.named_frames import NamedFrames
from perception.labelling.bag import write_label_bag
from perception.labelling.files import FrameFiles
from perception.labelling.workers import label_frames
from perception.messages.clouds import read_columns
from perception.messages.convert import read_array, read_points, stamp_ns
from perception.objects import Tracking
from perception.pipeline import Pipeline
from perception.recordings.kitti import kitti_frames


def read(path: Path) -> list[RawMessage]:
    with closing(open_bag(path)) as source:
        return list(source.messages(list(source.topics), source.start_ns, source.end_ns))


def label(frames: NamedFrames, model: Path, folder: Path, storage: str = "mcap") -> FrameFiles:
    files = FrameFiles(folder, ("bag",))
    numbers = range(len(frames))
    label_frames(Pipeline.load(model, threads=1), frames, numbers, files, lambda: None)
    told: list[int] = []
    assert write_label_bag(frames, numbers, files, folder / "labelled", storage, lambda: told.append(1)) == []
    assert len(told) == len(frames)
    return files


def deserialised(found: list[RawMessage], topic: str) -> list[Any]:
    return [TYPES.deserialize_cdr(each.data, each.type) for each in found if each.topic == topic]


@pytest.mark.parametrize("storage", ["mcap", "sqlite3"])
def test_outputs_stand_beside_inputs_that_are_as_they_were(
    kitti_drive: Path, tiny_model: Path, tmp_path: Path, storage: str
) -> None:
    write_bag(kitti_frames(kitti_drive), tmp_path / "bag")
    frames = BagFrames(tmp_path / "bag")
    files = label(frames, tiny_model, tmp_path / "out", storage)
    found = read(tmp_path / "out/labelled")
    before = sorted(read(tmp_path / "bag"))
    assert sorted(each for each in found if not each.topic.startswith("/perception/")) == before
    labels = deserialised(found, "/perception/labels")
    assert [stamp_ns(message) for message in labels] == list(frames.stamps_ns)
    assert {message.header.frame_id for message in labels} == {"camera_color_left_optical"}
    for name, message in zip(frames.names, labels, strict=True):
        np.testing.assert_array_equal(read_array(message), files.labels(name))
    for number, topic in enumerate(("road", "vehicle", "pedestrian"), 1):
        mask = read_array(deserialised(found, f"/perception/{topic}")[0])
        np.testing.assert_array_equal(mask == 255, files.labels(frames.names[0]) == number)
    assert (read_array(deserialised(found, "/perception/confidence")[0]) == 200).all()
    sweeps = deserialised(found, "/perception/points")
    assert [message.header.frame_id for message in sweeps] == ["lidar"] * 3
    np.testing.assert_array_equal(read_points(sweeps[0], 1.0), frames[0].points)
    columns = read_columns(sweeps[0], ("x", "y", "z", "class_id", "probability"))
    np.testing.assert_array_equal(columns["class_id"], files.point_labels(frames.names[0]))
    seen = columns["class_id"] != 255
    assert seen.any()
    np.testing.assert_allclose(columns["probability"], np.where(seen, 200 / 255, 0), rtol=1e-6)
    info = json.loads(deserialised(found, "/perception/label_info")[0].data)
    assert info["class_map"][1] == {"class_id": 1, "class_name": "road"}


def test_a_drive_becomes_a_bag_with_all_its_frames(kitti_drive: Path, tiny_model: Path, tmp_path: Path) -> None:
    label(kitti_frames(kitti_drive), tiny_model, tmp_path / "out")
    found = read(tmp_path / "out/labelled")
    count = {topic: sum(each.topic == topic for each in found) for topic in {each.topic for each in found}}
    assert (count["/image"], count["/points"], count["/perception/labels"], count["/perception/points"]) == (3, 3, 4, 3)
    assert count["/tf_static"] == count["/perception/label_info"] == 1
    again = BagFrames(tmp_path / "out/labelled")
    assert [frame.modalities for frame in again] == [("rgb", "lidar"), ("rgb", "lidar"), ("rgb",), ("lidar",)]


def test_things_keep_their_numbers_in_a_bag(kitti_drive: Path, tiny_instances_model: Path, tmp_path: Path) -> None:
    pytest.importorskip("trackers")
    frames = kitti_frames(kitti_drive)
    files = label(frames, tiny_instances_model, tmp_path / "out")
    tracking, stored = Tracking(), [files.instances(name) for name in frames.names]
    tracked = [tracking(codes, ns)[codes] for codes, ns in zip(stored, frames.stamps_ns, strict=True)]
    numbers = range(len(frames))
    write_label_bag(frames, numbers, files, tmp_path / "tracked", "mcap", lambda: None, Tracking())
    for path, expected in (("out/labelled", stored), ("tracked", tracked)):
        found = deserialised(read(tmp_path / path), "/perception/instances")
        assert {message.encoding for message in found} == {"16UC1"}
        for message, codes in zip(found, expected, strict=True):
            np.testing.assert_array_equal(read_array(message), codes)


def test_labels_of_before_are_not_copied(kitti_drive: Path, tiny_model: Path, tmp_path: Path) -> None:
    label(kitti_frames(kitti_drive), tiny_model, tmp_path / "first")
    frames = BagFrames(tmp_path / "first/labelled")
    files = FrameFiles(tmp_path / "second", ("bag",))
    label_frames(Pipeline.load(tiny_model, threads=1), frames, range(3), files, lambda: None)
    left_out = write_label_bag(frames, range(3), files, tmp_path / "again", "mcap", lambda: None)
    assert {line.split(":")[0] for line in left_out} >= {"/perception/labels", "/perception/label_info"}
    assert sum(each.topic == "/perception/labels" for each in read(tmp_path / "again")) == 3

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from helpers.images import DeadlyFrames, contents, write_images

from perception.datasets.io.named_frames import NamedFrames
from perception.errors import PerceptionError
from perception.labelling.files import FrameFiles
from perception.labelling.workers import Network, Outcome, label_frames, label_in_processes
from perception.pipeline import Pipeline
from perception.recordings.kitti import kitti_frames
from perception.recordings.stored import image_folder

ALL = ("masks", "colours", "confidence", "bag", "cloud")


def label_here(frames: NamedFrames, files: FrameFiles, model: Path) -> Outcome:
    return label_frames(Pipeline.load(model, threads=1), frames, range(len(frames)), files, lambda: None)


def test_labels_are_the_pipeline_s_and_none_is_dropped(
    kitti_drive_frames: NamedFrames, tiny_model: Path, tmp_path: Path
) -> None:
    files = FrameFiles(tmp_path / "out", ALL)
    outcome = label_here(kitti_drive_frames, files, tiny_model)
    assert (outcome.labelled, outcome.failed) == (4, {})
    pipeline = Pipeline.load(tiny_model, threads=1)
    for name, frame in zip(kitti_drive_frames.names, kitti_drive_frames, strict=True):
        prediction = pipeline(frame)
        np.testing.assert_array_equal(files.labels(name), prediction.labels)
        np.testing.assert_array_equal(files.confidence(name), prediction.confidence)
        if prediction.point_labels is not None:
            np.testing.assert_array_equal(files.point_labels(name), prediction.point_labels)
    assert [files.path("clouds", name).is_file() for name in kitti_drive_frames.names] == [True, True, False, True]


def test_two_workers_equal_one(kitti_drive_frames: NamedFrames, tiny_model: Path, tmp_path: Path) -> None:
    label_here(kitti_drive_frames, FrameFiles(tmp_path / "one", ALL), tiny_model)
    told: list[int] = []
    network = Network(str(tiny_model), threads=2)
    files = FrameFiles(tmp_path / "two", ALL)
    outcome = label_in_processes(2, network, kitti_drive_frames, range(4), files, lambda: told.append(1))
    assert (outcome.labelled, len(told)) == (4, 4)
    assert contents(tmp_path / "one") == contents(tmp_path / "two")


@pytest.mark.parametrize("workers", [1, 2])
def test_a_broken_frame_stops_no_other(tiny_model: Path, tmp_path: Path, workers: int) -> None:
    frames = image_folder(write_images(tmp_path / "images", 6))
    broken = tmp_path / "images/002.png"
    broken.write_bytes(broken.read_bytes()[:100])
    files = FrameFiles(tmp_path / "out", ("masks",))
    if workers == 1:
        outcome = label_here(frames, files, tiny_model)
    else:
        network = Network(str(tiny_model), threads=2)
        outcome = label_in_processes(2, network, frames, range(6), files, lambda: None)
    assert outcome.labelled == 5
    assert list(outcome.failed) == ["002"]
    assert "truncated PNG" in outcome.failed["002"]
    assert not files.is_done("002")


def test_a_worker_that_is_killed_is_told(tiny_model: Path, tmp_path: Path) -> None:
    files = FrameFiles(tmp_path / "out", ("masks",))
    network = Network(str(tiny_model), threads=2)
    with pytest.raises(PerceptionError, match=r"a worker was killed.*what is done stays done"):
        label_in_processes(2, network, DeadlyFrames(), range(20), files, lambda: None)
    assert not files.is_done("10")


@pytest.fixture
def kitti_drive_frames(kitti_drive: Path) -> NamedFrames:
    return kitti_frames(kitti_drive)

# SPDX-License-Identifier: Apache-2.0
"""Which frames of a recording are shown, and what becomes of those that cannot be read."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

import cv2
import numpy as np
import pytest

pytest.importorskip("rerun")

import rerun as rr
from helpers.rerun_file import rows

from perception.errors import DataError
from perception.frame import Frame, Prediction
from perception.pipeline import Pipeline
from perception.recordings import stored as labelling
from perception.recordings.kitti import kitti_frames
from perception.viewing.log import Log
from perception.viewing.recordings import choose, show


def numbers(start: float = 0.0, duration: float | None = None, every: int = 1) -> list[int]:
    stamps = [7_000_000_000 + 100_000_000 * number for number in range(10)]
    frames = labelling.StoredFrames(Path("drive"), list(map(str, range(10))), stamps, lambda index: pytest.fail("read"))
    return choose(frames, start, duration, every)


def test_frames_are_chosen_by_time() -> None:
    assert numbers() == [*range(10)]
    assert numbers(start=0.25) == [*range(3, 10)]
    assert numbers(start=0.1, duration=0.3) == [1, 2, 3]
    assert numbers(every=4) == [0, 4, 8]
    with pytest.raises(DataError, match=r"no frames after 5 s; it is 0.9 s long"):
        numbers(start=5)


def test_a_frame_that_cannot_be_read_is_told_and_the_others_shown(
    kitti_drive: Path, tiny_model: Path, tmp_path: Path
) -> None:
    frames = _drive(kitti_drive)
    (kitti_drive / "image_02/data/0000000001.png").write_bytes(b"broken")
    recording = rr.RecordingStream("test")
    recording.save(tmp_path / "drive.rrd")
    done: list[None] = []
    pipeline = Pipeline.load(tiny_model)
    (line,) = show(frames, range(len(frames)), pipeline, Log(recording), lambda: done.append(None))
    recording.disconnect()
    assert line.startswith("0000000001 is left out: ")
    assert len(done) == len(frames)
    assert rows(tmp_path / "drive.rrd", "/world/camera/labels", "frame") == [0, 2, 3]


def test_what_is_left_out_of_frames_is_told_once(kitti_drive: Path, tiny_model: Path, tmp_path: Path) -> None:
    class Partly(labelling.StoredFrames):
        def read(self, index: int) -> Frame:
            frame = super().read(index)
            self.complaints = ["/points: no calibration"]
            return frame

    drive = _drive(kitti_drive)
    frames = Partly(drive.path, drive.names, drive.stamps_ns, drive.__getitem__)
    recording = rr.RecordingStream("test")
    recording.save(tmp_path / "drive.rrd")
    lines = show(frames, (0, 2), Pipeline.load(tiny_model), Log(recording), lambda: None)
    recording.disconnect()
    assert lines == ["left out of 2 frames: /points: no calibration"]


def test_nothing_more_is_read_when_nobody_looks(kitti_drive: Path, tiny_model: Path, tmp_path: Path) -> None:
    recording = rr.RecordingStream("test")
    recording.save(tmp_path / "drive.rrd")
    done: list[None] = []
    log, frames = Log(recording), _drive(kitti_drive)
    show(frames, range(len(frames)), Pipeline.load(tiny_model), log, lambda: done.append(None), lambda: not done)
    recording.disconnect()
    assert len(done) == 1


def _drive(path: Path) -> labelling.StoredFrames:
    return kitti_frames(path)


def test_things_of_a_drive_keep_their_numbers(kitti_drive: Path, tiny_instances_model: Path) -> None:
    """The tiny network numbers whatever is red enough from the top down."""
    pytest.importorskip("trackers")

    class Kept:
        shown: ClassVar[list[Prediction]] = []

        def log(self, frame: Frame, prediction: Prediction, number: int) -> None:
            self.shown.append(prediction)

    frames, image = _drive(kitti_drive), np.full((38, 124, 3), 32, np.uint8)
    image[:, :, 2] = np.random.default_rng(0).integers(16, 48, (38, 124))
    pipeline, own = Pipeline.load(tiny_instances_model), []
    for number, tops in enumerate(((4, 12), (12, 4), (4, 12))):
        image[:, :, 0] = 32
        for top, left in zip(tops, (8, 80), strict=True):
            image[top : top + 22, left : left + 24, 0] = 160
        cv2.imwrite(str(kitti_drive / f"image_02/data/{number:010d}.png"), image[..., ::-1])
        own.append(pipeline(Frame(number, image)).instances[20, 20])
    assert own == [2001, 2002, 2001]
    show(frames, range(3), pipeline, Kept(), lambda: None)
    assert [int(each.instances[20, 20]) for each in Kept.shown] == [2001] * 3
    assert [int(each.instances[20, 90]) for each in Kept.shown] == [2002] * 3

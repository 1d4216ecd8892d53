# SPDX-License-Identifier: Apache-2.0
"""Which frames of a recording are shown, and what becomes of those that cannot be read."""

from __future__ import annotations

from pathlib import Path

import pytest

pytest.importorskip("rerun")

import rerun as rr
from helpers.rerun_file import rows

from perception.errors import DataError
from perception.frame import Frame
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

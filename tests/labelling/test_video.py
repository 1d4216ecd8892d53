# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

from perception.classes import ROAD, UNLABELLED
from perception.datasets.io.named_frames import NamedFrames
from perception.frame import Frame, Prediction
from perception.labelling.files import FrameFiles
from perception.labelling.video import write_video

SIZES = ((64, 96), (64, 96), (48, 96))


class Drive(NamedFrames):
    """Grey frames at 20 Hz, the last of another shape."""

    path = Path("drive")
    names = ("0", "1", "2")
    stamps_ns = (0, 50_000_000, 100_000_000)

    def read(self, index: int) -> Frame:
        return Frame(self.stamps_ns[index], rgb=np.full((*SIZES[index], 3), 90, np.uint8))


def test_every_frame_is_in_it_at_the_rate_of_the_recording(tmp_path: Path) -> None:
    frames, files = Drive(), FrameFiles(tmp_path, ("video",))
    for number, name in enumerate(frames.names):
        labels = np.full(SIZES[number], ROAD if number == 0 else UNLABELLED, np.uint8)
        files.write(name, frames[number], Prediction(number, labels, labels, {}))
    told: list[int] = []
    path = write_video(frames, range(3), files, tmp_path / "overlay", lambda: told.append(1))
    assert path.stem == "overlay"
    assert len(told) == 3
    assert sorted(each.name for each in tmp_path.iterdir()) == ["frames", "labels", path.name]
    video = cv2.VideoCapture(str(path))
    assert round(video.get(cv2.CAP_PROP_FPS)) == 20
    pictures = [video.read()[1] for _ in range(3)]
    assert not video.read()[0]
    assert pictures[0].shape == pictures[2].shape
    # The first is grey with road all over it, the second grey alone.
    coloured = np.abs(pictures[0].astype(int) - pictures[1]).max(axis=2) > 15
    assert coloured.mean() > 0.05

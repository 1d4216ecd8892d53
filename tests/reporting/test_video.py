# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from perception.reporting.video import VideoWriter, animation


def test_video_plays(tmp_path: Path) -> None:
    with VideoWriter(tmp_path / "drive", 10) as video:
        for index in range(12):
            video.write(np.full((81, 121, 3), (20 * index, 0, 0), np.uint8))
    capture = cv2.VideoCapture(str(video.path))
    frames = []
    while (read := capture.read())[0]:
        frames.append(read[1])
    assert len(frames) == 12
    assert frames[0].shape == (80, 120, 3)
    assert abs(int(frames[11][40, 60, 2]) - 220) < 12  # red is red
    assert capture.get(cv2.CAP_PROP_FPS) == pytest.approx(10)


def test_animation_moves(tmp_path: Path) -> None:
    path = tmp_path / "a.webp"
    path.write_bytes(animation([np.full((40, 100, 3), 60 * i, np.uint8) for i in range(4)], 5, width=50))
    with Image.open(path) as film:
        assert (film.size, getattr(film, "n_frames", 1)) == ((50, 20), 4)

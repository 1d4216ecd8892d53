# SPDX-License-Identifier: Apache-2.0
"""A video of a labelled recording, from the labels on disk."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

import cv2
import numpy as np

from perception.datasets.io.named_frames import NamedFrames
from perception.labelling.files import FrameFiles
from perception.reporting.video import VideoWriter
from perception.reporting.visualise import drive_panel


def write_video(
    frames: NamedFrames, numbers: Iterable[int], files: FrameFiles, stem: Path, advance: Callable[[], None]
) -> Path:
    """Write the frames' images with their masks as `stem`.mp4, in real time, and return the path.

    numbers: of the frames that are done. advance: called after each.
    """
    with VideoWriter(stem.with_name(f".{stem.name}"), frames.rate_hz) as video:
        size: tuple[int, int] | None = None
        for number in numbers:
            name = frames.names[number]
            panel = drive_panel(frames.shown(number), files.labels(name), frames.path.name, name, (), files.classes)
            size = size or (panel.shape[1], panel.shape[0])
            if (panel.shape[1], panel.shape[0]) != size:  # a folder may hold images of several shapes
                panel = np.asarray(cv2.resize(panel, size, interpolation=cv2.INTER_AREA), np.uint8)
            video.write(panel)
            advance()
    path = stem.with_suffix(video.path.suffix)
    video.path.replace(path)
    return path

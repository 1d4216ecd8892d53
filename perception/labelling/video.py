# SPDX-License-Identifier: Apache-2.0
"""A video of a labelled recording, from the labels on disk."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

import cv2
import numpy as np

from perception.datasets.io.named_frames import NamedFrames
from perception.labelling.files import FrameFiles
from perception.objects import Tracking
from perception.reporting.video import VideoWriter
from perception.reporting.visualise import drive_panel


def write_video(
    frames: NamedFrames,
    numbers: Iterable[int],
    files: FrameFiles,
    stem: Path,
    advance: Callable[[], None],
    tracking: Tracking | None = None,
) -> Path:
    """Write the frames' images with their masks as `stem`.mp4, in real time, and return the path.

    Of a network that tells things apart, each has its outline and number. numbers: of the frames that are done.
    advance: called after each. tracking: numbers things anew; None leaves each frame its own.
    """
    with VideoWriter(stem.with_name(f".{stem.name}"), frames.rate_hz) as video:
        size: tuple[int, int] | None = None
        for number in numbers:
            name = frames.names[number]
            instances = files.instances(name)
            if tracking is not None and instances is not None:
                instances = tracking(instances, frames.stamps_ns[number])[instances]
            shown, title = frames.shown(number), frames.path.name
            panel = drive_panel(shown, files.labels(name), title, name, (), files.classes, instances)
            size = size or (panel.shape[1], panel.shape[0])
            if (panel.shape[1], panel.shape[0]) != size:  # a folder may hold images of several shapes
                panel = np.asarray(cv2.resize(panel, size, interpolation=cv2.INTER_AREA), np.uint8)
            video.write(panel)
            advance()
    path = stem.with_suffix(video.path.suffix)
    video.path.replace(path)
    return path

# SPDX-License-Identifier: Apache-2.0
"""Files on disk → streams: what the readers of KITTI's layouts have in common."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from perception.datasets.io.encoded_image import read_encoded
from perception.datasets.io.files import IMAGE_SUFFIXES, read_velodyne
from perception.datasets.io.velodyne_text import read_velodyne_text
from perception.datasets.kitti.cameras import CameraCalibration
from perception.datasets.kitti.raw import CAMERAS
from perception.datasets.kitti.recording import Camera, Stream, instants, nothing, numbered_files

SWEEP_READERS: dict[str, Callable[[Path], NDArray[np.float32]]] = {".bin": read_velodyne, ".txt": read_velodyne_text}

FRAME_NS = 100_000_000
"""KITTI's sensors are triggered ten times a second; the tracking layout has no stamps and gets these."""

EPOCH_NS = 1_316_995_200_000_000_000
"""2011-09-26 00:00 UTC, the day of the first drives: where the clocks of odometry and tracking begin; they tell no day.
Not 0, which tf2 takes for "the latest"."""


def numbers_in(folder: Path, suffixes: Sequence[str] = IMAGE_SUFFIXES) -> tuple[list[int], str, int]:
    """(numbers in order, suffix, digits) of the files 0000000012.png, … in a folder; ([], "", 0) without any."""
    for suffix in suffixes:
        stems = [path.stem for path in folder.glob(f"*{suffix}") if path.stem.isdigit()]
        if stems:
            return sorted(map(int, stems)), suffix, len(stems[0])
    return [], "", 0


def camera_stream(
    folder: Path,
    index: int,
    stamps: Callable[[Sequence[int]], Mapping[int, int]],
    calibration: Callable[[int, tuple[int, int]], CameraCalibration],
) -> Camera | None:
    """The camera `index` (0–3) with the images in `folder`; None without any.

    stamps: the images' numbers → their stamps. calibration: of a camera, for images of a (width, height).
    """
    numbers, suffix, digits = numbers_in(folder)
    found = instants(numbers, stamps(numbers)) if numbers else []
    if not found:
        return None
    images = numbered_files(folder, found, suffix, digits)
    size = read_encoded(images.read(found[0].number)).size
    return Camera(CAMERAS[f"image_{index:02d}"], calibration(index, size), images)


def sweep_stream(
    folder: Path, stamps: Callable[[Sequence[int]], Mapping[int, int]]
) -> tuple[Stream[NDArray[np.float32]], int]:
    """(the sweeps in `folder`, binary or text; how many have no stamp and are left out)."""
    numbers, suffix, digits = numbers_in(folder, tuple(SWEEP_READERS))
    if not numbers:
        return nothing(), 0
    files = numbered_files(folder, instants(numbers, stamps(numbers)), suffix, digits)
    return Stream(files.instants, partial(_read_file, files, SWEEP_READERS[suffix])), len(numbers) - len(files)


def _read_file(files: Stream[Path], reader: Callable[[Path], NDArray[np.float32]], number: int) -> NDArray[np.float32]:
    return reader(files.read(number))

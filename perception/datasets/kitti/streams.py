# SPDX-License-Identifier: Apache-2.0
"""Files on disk → streams: shared by the readers of KITTI's layouts."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from perception.datasets.io.encoded_image import read_encoded
from perception.datasets.io.files import IMAGE_SUFFIXES, read_velodyne
from perception.datasets.io.velodyne_text import read_velodyne_text
from perception.datasets.kitti.cameras import CameraCalibration
from perception.datasets.kitti.recording import Camera, Stream, instants, nothing
from perception.errors import DataError

CAMERAS: dict[str, str] = {
    "image_00": "camera_gray_left",
    "image_01": "camera_gray_right",
    "image_02": "camera_color_left",
    "image_03": "camera_color_right",
}
"""The cameras by their image folder, as kitti2bag names them."""

SWEEP_READERS: dict[str, Callable[[Path], NDArray[np.float32]]] = {".bin": read_velodyne, ".txt": read_velodyne_text}

FRAME_NS = 100_000_000
"""KITTI's sensors are triggered ten times a second; the tracking layout has no stamps and gets these."""

EPOCH_NS = 1_316_995_200_000_000_000
"""2011-09-26 00:00 UTC, the day of the first drives: the start of the clocks of odometry and tracking, which have no
date. Not 0, which tf2 takes for "the latest"."""


def numbered(folder: Path, suffixes: Sequence[str] = IMAGE_SUFFIXES) -> dict[int, Path]:
    """The files 0000000012.png, … of a folder by number, in order; if several have one number, the first suffix's."""
    found: dict[int, Path] = {}
    for suffix in reversed(suffixes):
        found |= {int(path.stem): path for path in folder.glob(f"*{suffix}") if path.stem.isdigit()}
    return dict(sorted(found.items()))


def camera_stream(
    folder: Path,
    index: int,
    stamps: Callable[[Sequence[int]], Mapping[int, int]],
    calibration: Callable[[int, tuple[int, int]], CameraCalibration],
) -> Camera | None:
    """The camera `index` (0–3) with the images in `folder`; None without any.

    stamps: the images' numbers → their stamps. calibration: of a camera, for images of a (width, height).
    """
    files = numbered(folder)
    found = instants(files, stamps(list(files))) if files else []
    if not found:
        return None
    name = CAMERAS[f"image_{index:02d}"]
    size = _size([files[each.number] for each in found])
    unstamped = without_stamp(len(files) - len(found), f"image_{index:02d}")
    return Camera(name, calibration(index, size), Stream(found, files.__getitem__), unstamped=unstamped)


def sweep_stream(
    folder: Path, stamps: Callable[[Sequence[int]], Mapping[int, int]]
) -> tuple[Stream[NDArray[np.float32]], int]:
    """(the sweeps in `folder`, binary or text; how many have no stamp and are left out)."""
    files = numbered(folder, tuple(SWEEP_READERS))
    if not files:
        return nothing(), 0
    found = instants(files, stamps(list(files)))
    return Stream(found, partial(_read_sweep, files)), len(files) - len(found)


def without_stamp(count: int, folder: str) -> list[str]:
    """A message if files of the folder have no stamp; else nothing."""
    return [f"{folder}: {count} without a stamp in timestamps.txt are left out"] if count else []


def _size(images: Sequence[Path]) -> tuple[int, int]:
    """(width, height) of the first image that can be read. Raises DataError if none can."""
    for path in images[:-1]:
        with suppress(DataError):
            return read_encoded(path).size
    return read_encoded(images[-1]).size


def _read_sweep(files: Mapping[int, Path], number: int) -> NDArray[np.float32]:
    return SWEEP_READERS[files[number].suffix](files[number])

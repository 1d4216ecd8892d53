# SPDX-License-Identifier: Apache-2.0
"""What is to be labelled, one kind of input like the other: frames in the order of time, each with a name."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from perception.datasets.files import read_text
from perception.datasets.image_folder import PERIOD_NS, ImageFolder
from perception.datasets.kitti_raw import KittiRaw
from perception.datasets.lazy import LazySequence
from perception.datasets.simulated import SimulatedFolder
from perception.frame import CameraModel, Frame


class NamedFrames(LazySequence[Frame]):
    """Frames that are read when indexed; it can be sent to another process.

    path: where they come from. names: one per frame, good for files; "/" makes folders. stamps_ns: one per frame, in
    the order of time. complaints: what was left out of the frame that was read last, and why. broken: why the frames
    end before the recording does, where they do.
    """

    path: Path
    names: Sequence[str]
    stamps_ns: Sequence[int]
    complaints: Sequence[str] = ()
    broken: str = ""

    def __len__(self) -> int:
        return len(self.names)

    @property
    def rate_hz(self) -> float:
        """Frames per second, by the usual difference of the stamps."""
        steps = np.diff(np.asarray(self.stamps_ns, np.int64))
        steps = steps[steps > 0]
        return 1e9 / float(np.median(steps) if len(steps) else PERIOD_NS)


class StoredFrames(NamedFrames):
    """Frames of one of the project's readers: `get(index)` reads one."""

    def __init__(self, path: Path, names: Sequence[str], stamps_ns: Sequence[int], get: Callable[[int], Frame]) -> None:
        self.path, self.names, self.stamps_ns = path, names, stamps_ns
        self._get = get

    def read(self, index: int) -> Frame:
        """See LazySequence. Raises what the reader does."""
        return self._get(index)


def kitti_drive(path: Path) -> StoredFrames:
    """A KITTI raw drive; frames are named as its files are. Raises DataError as KittiRaw does."""
    drive = KittiRaw(path)
    return StoredFrames(drive.path, [f"{number:010d}" for number in drive.numbers], drive.stamps, drive.read)


def simulated_drive(path: Path) -> StoredFrames:
    """A drive that `perception simulate` wrote, by its folder. Raises DataError as SimulatedFolder does."""
    drive = SimulatedFolder(path)
    stamps = [int(stamp) for stamp in json.loads(read_text(path / "drive.json"))["stamps_ns"]]
    return StoredFrames(path, [f"{number:06d}" for number in range(len(drive))], stamps, _FrameOf(drive))


def image_folder(
    path: Path, camera: CameraModel | None = None, lidar_to_camera: NDArray[np.float64] | None = None
) -> StoredFrames:
    """A folder of images, named as the images are. Raises DataError as ImageFolder does."""
    folder = ImageFolder(path, camera, lidar_to_camera)
    stamps = [PERIOD_NS * number for number in range(len(folder))]
    return StoredFrames(path, folder.names, stamps, folder.read)


class _FrameOf:
    """The frame of a sample."""

    def __init__(self, samples: SimulatedFolder) -> None:
        self._samples = samples

    def __call__(self, index: int) -> Frame:
        return self._samples.read(index).frame

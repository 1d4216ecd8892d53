# SPDX-License-Identifier: Apache-2.0
"""Frames in files: simulated drives and folders of images."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from perception.datasets.image_folder import PERIOD_NS, ImageFolder
from perception.datasets.io.files import read_text
from perception.datasets.io.named_frames import NamedFrames
from perception.datasets.simulated import SimulatedFolder
from perception.errors import PerceptionError
from perception.frame import CameraModel, Frame
from perception.sample import Sample
from perception.sensors.presence import REPEATS, STILL_NS, fingerprints, frozen_reason, without_frozen

KEPT = 64
"""The number of earlier frames whose fingerprints are kept."""


class StoredFrames(NamedFrames):
    """Frames of one of the project's readers: `get(index)` reads one. Frozen sensors are left out of them."""

    def __init__(self, path: Path, names: Sequence[str], stamps_ns: Sequence[int], get: Callable[[int], Frame]) -> None:
        self.path, self.names, self.stamps_ns = path, names, stamps_ns
        self._get = get
        self._fingerprints: dict[int, dict[str, bytes]] = {}

    def read(self, index: int) -> Frame:
        """See LazySequence. Raises the errors of the reader."""
        frame = self._get(index)
        self._fingerprints = {number: each for number, each in self._fingerprints.items() if index - number < KEPT}
        self._fingerprints[index] = fingerprints(frame)
        frame, self.absent, kept = without_frozen(frame, {name: frozen_reason(name) for name in self._repeated(index)})
        self.complaints = list(kept.values())
        return frame

    def _repeated(self, index: int) -> set[str]:
        """The sensors whose content is the same as in the frames before, for so long that they are frozen."""
        here = self._fingerprints[index]
        same, before = set(here), index - 1
        while same and before >= 0:
            then = self._fingerprint(before)
            same = {name for name in same if then.get(name) == here[name]}
            if index - before >= REPEATS and self.stamps_ns[index] - self.stamps_ns[before] >= STILL_NS:
                return same
            before -= 1
        return set()

    def _fingerprint(self, index: int) -> dict[str, bytes]:
        """The fingerprint of an earlier frame; one that cannot be read equals no other."""
        if index not in self._fingerprints:
            try:
                self._fingerprints[index] = fingerprints(self._get(index))
            except PerceptionError:
                self._fingerprints[index] = {}
        return self._fingerprints[index]


class SimulatedFrames(StoredFrames):
    """A drive written by `perception simulate`, by its folder. Raises DataError as SimulatedFolder does."""

    def __init__(self, path: Path) -> None:
        self._drive = SimulatedFolder(path)
        stamps = [int(stamp) for stamp in json.loads(read_text(path / "drive.json"))["stamps_ns"]]
        super().__init__(path, [f"{number:06d}" for number in range(len(self._drive))], stamps, self._frame)

    def sample(self, index: int) -> Sample:
        """The frame with the simulation's exact truth."""
        return self._drive[index]

    def _frame(self, index: int) -> Frame:
        return self._drive[index].frame


def image_folder(
    path: Path,
    camera: CameraModel | None = None,
    lidar_to_camera: NDArray[np.float64] | None = None,
    kind: str | None = None,
    depth_unit: float | None = None,
) -> StoredFrames:
    """A folder of images; the frames have the images' names. Raises DataError as ImageFolder does."""
    folder = ImageFolder(path, camera, lidar_to_camera, kind, depth_unit)
    stamps = [PERIOD_NS * number for number in range(len(folder))]
    frames = StoredFrames(path, folder.names, stamps, folder.read)
    frames.remarks = folder.remarks
    return frames

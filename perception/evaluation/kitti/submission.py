# SPDX-License-Identifier: Apache-2.0
"""The files that KITTI's benchmark servers take, one per image.

kitti-road: DIR/CATEGORY_road_NUMBER.png, the confidence that a cell is road × 255, one channel of 8 bits, 400 wide and
800 high, in bird's-eye view (`perception.evaluation.kitti.birds_eye` has the grid).

kitti-semantics: DIR/NAME.png, one channel of 8 bits, as large as the image, Cityscapes' labelIds: road 7, car 26 for
every vehicle, person 24 for every pedestrian, unlabelled 0 for the rest.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from perception.classes import CITYSCAPES_REPRESENTATIVES, lookup_table
from perception.datasets.kitti.road import KittiRoad
from perception.errors import DataError
from perception.evaluation.kitti.birds_eye import birds_eye
from perception.evaluation.kitti.road import road_confidence
from perception.frame import Prediction
from perception.sample import Sample
from perception.storage import target

SERVERS = ("kitti-road", "kitti-semantics")
"""Data sets whose benchmark takes segmentations."""


class Submission(ABC):
    """Writes a file per sample into `folder`, which is made with the first. written: how many."""

    def __init__(self, folder: str | Path) -> None:
        self.folder = target(folder)
        self.written = 0

    def update(self, sample: Sample, prediction: Prediction) -> None:
        """Writes one sample's file. Raises DataError where that cannot be."""
        name, image = self.render(sample, prediction)
        path = self.folder / name
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            path.write_bytes(cv2.imencode(".png", image)[1].tobytes())
        except OSError as error:
            raise DataError(f"{path}: cannot be written ({error.strerror}); name another folder") from error
        self.written += 1

    @abstractmethod
    def render(self, sample: Sample, prediction: Prediction) -> tuple[str, NDArray[np.uint8]]:
        """The name of the sample's file and its pixels."""


class RoadSubmission(Submission):
    """For KITTI road. reader: knows the plane of each image's road."""

    def __init__(self, folder: str | Path, reader: KittiRoad) -> None:
        super().__init__(folder)
        self._reader = reader

    def render(self, sample: Sample, prediction: Prediction) -> tuple[str, NDArray[np.uint8]]:
        """The road seen from above. Raises DataError where the calibration does not tell its plane."""
        category, number = sample.name.split("/")[-1].split("_")
        plane = self._reader.plane(sample.name)
        if plane is None:
            where = self._reader.folder / "calib" / f"{category}_{number}.txt"
            raise DataError(
                f"{where}: no such file, or no Tr_cam_to_road in it: the server takes bird's-eye views on the road's "
                "plane; unpack KITTI road's own calibration there"
            )
        confidence = road_confidence(prediction.labels, prediction.confidence)
        return f"{category}_road_{number}.png", birds_eye(confidence, plane)


class SemanticsSubmission(Submission):
    """For KITTI semantics."""

    def render(self, sample: Sample, prediction: Prediction) -> tuple[str, NDArray[np.uint8]]:
        """The labelIds."""
        table = lookup_table(CITYSCAPES_REPRESENTATIVES)
        return f"{sample.name.split('/')[-1]}.png", table[prediction.classes.first[prediction.labels]]


def open_submission(dataset: str, reader: Any, folder: str | Path) -> Submission:
    """What writes the files for the server of `dataset`. Raises DataError where no server takes segmentations."""
    if dataset not in SERVERS:
        raise DataError(
            f"{dataset}: no benchmark server takes segmentations of this data set; --submission is for "
            f"{' and '.join(SERVERS)}"
        )
    return RoadSubmission(folder, reader) if dataset == "kitti-road" else SemanticsSubmission(folder)

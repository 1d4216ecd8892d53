# SPDX-License-Identifier: Apache-2.0
"""A KITTI raw drive with the classes of its LiDAR points, from the drive's tracklets."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from perception.classes import CLASSES, Classes
from perception.datasets.io.lazy import LazySequence
from perception.datasets.kitti.boxes import label_points, tracklet_boxes
from perception.datasets.kitti.raw import KittiRaw
from perception.datasets.kitti.stereo import RECTIFIED, pair_depth
from perception.errors import DataError
from perception.sample import Sample


class KittiRawSamples(LazySequence[Sample]):
    """The frames of a drive in the official layout, as `KittiRaw` finds it, each with point_labels.

    `perception.datasets.kitti.boxes` has the convention. A frame without a sweep has no truth. stereo: make the depth
    of frames that have both a left and a right image, image_03/data/NUMBER.png. Raises DataError as `KittiRaw` does,
    for a drive without tracklets and, with stereo, for one without right images.
    """

    def __init__(self, path: str | Path, stereo: bool = False, classes: Classes = CLASSES) -> None:
        self._classes = classes
        self.drive = KittiRaw(path)
        if not self.drive.tracklets:
            raise DataError(
                f"{self.drive.path}: no boxes in tracklet_labels.xml, or no such file: there is no truth to score "
                "against; unpack the drive's tracklets there"
            )
        self._right = self.drive.path / "image_03" / "data" if stereo else None
        if self._right and not any(self._right.glob("*.png")):
            raise DataError(f"{self._right}: no right images: depth needs them beside image_02")

    def __len__(self) -> int:
        return len(self.drive)

    def read(self, index: int) -> Sample:
        """Frame number `index` of the sequence."""
        frame, number = self.drive[index], self.drive.numbers[index]
        right = self._right / f"{number:010d}.png" if self._right else None
        if right and right.is_file() and frame.rgb is not None:
            calibration = self.drive.path.parent / "calib_cam_to_cam.txt"
            frame = replace(frame, depth=pair_depth(frame.rgb, right, calibration, RECTIFIED))
        boxes = tracklet_boxes(self.drive.tracklets, number)
        labels = None if frame.points is None else label_points(frame.points, boxes, self._classes)
        return Sample(f"{self.drive.path.name}/{number:010d}", frame, point_labels=labels)

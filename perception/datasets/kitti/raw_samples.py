# SPDX-License-Identifier: Apache-2.0
"""A KITTI raw drive with the classes and instances of its LiDAR points, from the drive's tracklets."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from perception.classes import CLASSES, Classes
from perception.datasets.io.lazy import LazySequence
from perception.datasets.kitti.boxes import label_points, number_points, tracklet_boxes
from perception.datasets.kitti.layouts import find_drive
from perception.datasets.kitti.one_camera import one_camera
from perception.datasets.kitti.stereo import RECTIFIED, pair_depth
from perception.datasets.kitti.tracklets import read_tracklets
from perception.errors import DataError
from perception.sample import Sample


class KittiRawSamples(LazySequence[Sample]):
    """The frames of a synced raw drive by their numbers, as KITTI's own development kit has them, with point_labels and
    point_instances.

    An image and a sweep of one number belong together; there is a frame for each number that has one of them.
    `perception.datasets.kitti.boxes` describes the convention of the classes. A frame without a sweep has no ground
    truth. path: as `find_drive` takes it. stereo: compute the depth of frames that have both a left and a right image,
    image_03/data/NUMBER.png. Raises DataError as `find_drive` and `one_camera` do, for a drive without tracklets and,
    with stereo, for one without right images.
    """

    def __init__(self, path: str | Path, stereo: bool = False, classes: Classes = CLASSES) -> None:
        self._classes = classes
        recording = find_drive(path)
        self.path = recording.path
        tracklets = self.path / "tracklet_labels.xml"
        self._tracklets = read_tracklets(tracklets) if tracklets.is_file() else []
        if not self._tracklets:
            raise DataError(
                f"{self.path}: no boxes in tracklet_labels.xml, or no such file: no ground truth to score against; "
                "unpack the drive's tracklets there"
            )
        self._drive = one_camera(recording)
        self._images = {each.number: each.stamp_ns for each in self._drive.images.instants}
        self._sweeps = {each.number: each.stamp_ns for each in self._drive.sweeps.instants}
        self.numbers: list[int] = sorted(self._images.keys() | self._sweeps.keys())
        self._right = self.path / "image_03" / "data" if stereo else None
        if self._right and not any(self._right.glob("*.png")):
            raise DataError(f"{self._right}: no right images: depth needs them beside image_02")

    def __len__(self) -> int:
        return len(self.numbers)

    def read(self, index: int) -> Sample:
        """Frame number `index` of the sequence; its stamp is the image's, else the sweep's."""
        number = self.numbers[index]
        image, sweep = (number if number in stamps else None for stamps in (self._images, self._sweeps))
        frame = self._drive.frame({**self._sweeps, **self._images}[number], image, sweep)
        right = self._right / f"{number:010d}.png" if self._right else None
        if right and right.is_file() and frame.rgb is not None:
            calibration = self.path.parent / "calib_cam_to_cam.txt"
            frame = replace(frame, depth=pair_depth(frame.rgb, right, calibration, RECTIFIED))
        boxes = tracklet_boxes(self._tracklets, number)
        name = f"{self.path.name}/{number:010d}"
        if frame.points is None:
            return Sample(name, frame)
        labels = label_points(frame.points, boxes, self._classes)
        instances = number_points(frame.points, boxes, labels, self._classes)
        return Sample(name, frame, point_labels=labels, point_instances=instances)

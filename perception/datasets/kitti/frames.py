# SPDX-License-Identifier: Apache-2.0
"""KITTI's object layout: numbered images, LiDAR sweeps, 3D boxes, and soft labels where they exist."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from perception.classes import CLASSES, Classes
from perception.datasets.io.files import list_images, read_rgb, read_soft_labels, read_velodyne
from perception.datasets.io.lazy import LazySequence
from perception.datasets.io.splits import check_split, split_in_time
from perception.datasets.kitti.boxes import (
    ignore_regions,
    label_points,
    number_points,
    object_boxes,
    tracklet_boxes,
)
from perception.datasets.kitti.calibration import read_object_calibration
from perception.datasets.kitti.objects import read_object_labels
from perception.datasets.kitti.stereo import pair_depth, right_images
from perception.datasets.kitti.tracklets import Tracklet, read_tracklets
from perception.errors import DataError
from perception.frame import Frame
from perception.sample import Sample

PERIOD_NS = 100_000_000
"""The layout has no timestamps; KITTI's cameras and its Velodyne run at 10 Hz."""


class KittiFrames(LazySequence[Sample]):
    """Reads DRIVE/image_2/NAME.*, DRIVE/velodyne/NAME.bin, DRIVE/calib.txt or DRIVE/calib/NAME.txt,
    DRIVE/soft_label/NAME.png, and 3D boxes: DRIVE/label_2/NAME.txt or DRIVE/tracklet_labels.xml, where NAME is the
    frame's number in the raw drive.

    root: one such DRIVE folder, or a folder of them, for example kitti_object with its `training`. A frame with a
    missing sweep has no points; one without soft label has no probabilities. Boxes become point_labels and
    point_instances (`perception.datasets.kitti.boxes` describes the convention).

    split: all, or train and val: the first 80 % and the last 20 % of each drive. stereo: compute the depth of each
    frame from its right image DRIVE/image_3/NAME.*, with P2 and P3 of the calibration; drives without a folder image_3
    are left out. Raises DataError for missing folders and, with stereo, missing right images, and, when indexed, for
    missing calibration and truncated or malformed files.
    """

    def __init__(self, root: str | Path, split: str = "all", stereo: bool = False, classes: Classes = CLASSES) -> None:
        root, self._classes = Path(root), classes
        check_split(split, ("train", "val", "all"), str(root))
        if (root / "image_2").is_dir():
            drives = [root]
        else:
            drives = sorted(path.parent for path in root.glob("*/image_2") if path.is_dir())
        if not drives:
            raise DataError(f"{root}: neither this folder nor one in it has an image_2 folder (KITTI's object layout)")
        if stereo:
            drives = [drive for drive in drives if (drive / "image_3").is_dir()]
            if not drives:
                raise DataError(f"{root}: no folder image_3 beside image_2: depth needs the right camera's images")
        numbered = [list(enumerate(list_images(drive / "image_2", "camera images"))) for drive in drives]
        self._images = [item for drive in numbered for item in split_in_time(drive, split)]
        self._right = right_images([path for _, path in self._images]) if stereo else None

    def __len__(self) -> int:
        return len(self._images)

    def read(self, index: int) -> Sample:
        """Frame number `index`; its stamp counts 0.1 s per frame from the start of its drive."""
        number, path = self._images[index]
        drive, name = path.parent.parent, path.stem
        rgb = read_rgb(path)
        sweep = drive / "velodyne" / f"{name}.bin"
        points = read_velodyne(sweep) if sweep.is_file() else None
        needed_by = "a right image" if self._right else "a sweep" if points is not None else None
        calibrated = _calibration_file(drive, name, needed_by)
        calibration = read_object_calibration(calibrated) if calibrated else None
        frame = Frame(
            stamp_ns=number * PERIOD_NS,
            rgb=rgb,
            depth=pair_depth(rgb, self._right[path], calibrated) if self._right and calibrated else None,
            points=points,
            camera=calibration.camera(rgb.shape[1], rgb.shape[0], "camera_2") if calibration else None,
            lidar_to_camera=calibration.lidar_to_camera if calibration else None,
        )
        soft = drive / "soft_label" / f"{name}.png"
        probabilities = read_soft_labels(soft, self._classes) if soft.is_file() else None
        point_labels = point_instances = None
        if calibrated and points is not None:
            point_labels, point_instances = _of_points(drive, name, frame, calibrated, self._classes)
        return Sample(f"{drive.name}/{name}", frame, None, probabilities, point_labels, None, point_instances)


class KittiObject(KittiFrames):
    """KITTI's object set, every frame of it: its official training part is not split further."""

    def __init__(self, root: str | Path, classes: Classes = CLASSES) -> None:
        super().__init__(root, "all", classes=classes)


def _calibration_file(drive: Path, name: str, needed_by: str | None) -> Path | None:
    for path in (drive / "calib" / f"{name}.txt", drive / "calib.txt"):
        if path.is_file():
            return path
    if needed_by:
        raise DataError(f"{drive}: frame {name} has {needed_by} but neither calib/{name}.txt nor calib.txt")
    return None


def _of_points(
    drive: Path, name: str, frame: Frame, calibrated: Path, classes: Classes
) -> tuple[NDArray[np.uint8] | None, NDArray[np.uint16] | None]:
    """Classes and instances of the frame's points; None without boxes."""
    assert frame.points is not None
    assert frame.camera is not None
    assert frame.lidar_to_camera is not None
    objects, tracklets = drive / "label_2" / f"{name}.txt", drive / "tracklet_labels.xml"
    if objects.is_file():
        labels = read_object_labels(objects)
        camera0 = read_object_calibration(calibrated, camera=0)
        boxes = object_boxes(labels, camera0)
        point_labels = label_points(frame.points, boxes, classes)
        ignore_regions(point_labels, frame.points, labels, frame.camera, frame.lidar_to_camera)
    elif tracklets.is_file() and name.isdigit():
        boxes = tracklet_boxes(_tracklets(tracklets), int(name))
        point_labels = label_points(frame.points, boxes, classes)
    else:
        return None, None
    return point_labels, number_points(frame.points, boxes, point_labels, classes)


@lru_cache(maxsize=8)
def _tracklets(path: Path) -> list[Tracklet]:
    """A drive's tracklets, read once for all its frames."""
    return read_tracklets(path)

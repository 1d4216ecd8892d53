# SPDX-License-Identifier: Apache-2.0
"""KITTI's object layout: numbered images with a LiDAR sweep each, and soft labels where somebody made them."""

from __future__ import annotations

from pathlib import Path

from perception.datasets.files import list_images, read_rgb, read_soft_labels, read_velodyne
from perception.datasets.kitti_calibration import KittiCalibration, read_object_calibration
from perception.datasets.lazy import LazySequence
from perception.datasets.splits import check_split, split_in_time
from perception.errors import DataError
from perception.frame import Frame
from perception.sample import Sample

PERIOD_NS = 100_000_000
"""The layout has no timestamps; KITTI's cameras and its Velodyne run at 10 Hz."""


class KittiFrames(LazySequence[Sample]):
    """Reads DRIVE/image_2/NAME.*, DRIVE/velodyne/NAME.bin, DRIVE/calib.txt or DRIVE/calib/NAME.txt, and
    DRIVE/soft_label/NAME.png.

    root: one such DRIVE folder, or a folder of them, for example kitti_object with its `training`. A frame whose
    sweep is missing has no points; one whose soft label is missing has no truth.

    split: all, or train and val: the first 80 % and the last 20 % of each drive. Raises DataError for missing
    folders and, when indexed, for missing calibration and truncated or odd files.
    """

    def __init__(self, root: str | Path, split: str = "all") -> None:
        root = Path(root)
        check_split(split, ("train", "val", "all"), str(root))
        if (root / "image_2").is_dir():
            drives = [root]
        else:
            drives = sorted(path.parent for path in root.glob("*/image_2") if path.is_dir())
        if not drives:
            raise DataError(f"{root}: neither this folder nor one in it has an image_2 folder (KITTI's object layout)")
        numbered = [list(enumerate(list_images(drive / "image_2", "camera images"))) for drive in drives]
        self._images = [item for drive in numbered for item in split_in_time(drive, split)]

    def __len__(self) -> int:
        return len(self._images)

    def read(self, index: int) -> Sample:
        """Frame number `index`; its stamp counts 0.1 s per frame from the start of its drive."""
        number, path = self._images[index]
        drive, name = path.parent.parent, path.stem
        rgb = read_rgb(path)
        sweep = drive / "velodyne" / f"{name}.bin"
        points = read_velodyne(sweep) if sweep.is_file() else None
        calibration = _calibration(drive, name, needed=points is not None)
        frame = Frame(
            stamp_ns=number * PERIOD_NS,
            rgb=rgb,
            points=points,
            camera=calibration.camera(rgb.shape[1], rgb.shape[0], "camera_2") if calibration else None,
            lidar_to_camera=calibration.lidar_to_camera if calibration else None,
        )
        soft = drive / "soft_label" / f"{name}.png"
        probabilities = read_soft_labels(soft) if soft.is_file() else None
        return Sample(f"{drive.name}/{name}", frame, probabilities=probabilities)


def _calibration(drive: Path, name: str, needed: bool) -> KittiCalibration | None:
    for path in (drive / "calib" / f"{name}.txt", drive / "calib.txt"):
        if path.is_file():
            return read_object_calibration(path)
    if needed:
        raise DataError(f"{drive}: frame {name} has a sweep but neither calib/{name}.txt nor calib.txt")
    return None

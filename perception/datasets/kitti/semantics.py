# SPDX-License-Identifier: Apache-2.0
"""KITTI's semantic segmentation benchmark in its official layout: 200 images for training, 200 without ground truth."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from perception.classes import CLASSES, Classes, evaluated_table
from perception.datasets.io.files import list_images, read_labels, read_rgb
from perception.datasets.io.lazy import LazySequence
from perception.datasets.io.splits import check_split, split_in_time
from perception.datasets.kitti.calibration import calibration_matrix, read_calibration_lines
from perception.datasets.kitti.stereo import RECTIFIED, pair_depth, right_images
from perception.errors import DataError
from perception.frame import CameraModel, Frame
from perception.sample import Sample

TEST = "test"

_EVERY_ID = np.arange(256, dtype=np.uint8)


class KittiSemantics(LazySequence[Sample]):
    """Reads ROOT/training/image_2/NAME.png with ROOT/training/semantic/NAME.png, and ROOT/testing/image_2/NAME.png.

    split: all of training, or train and val, the first 80 % and the last 20 % of it (KITTI has no official split of
    its training part); test, without labels. Samples have rgb and labels (`perception.classes` says how
    Cityscapes' ids map), and a camera if KITTI's stereo 2015, which has the same images, is in the same folders:
    calib_cam_to_cam/NUMBER.txt. stereo: compute the depth from its right images, image_3/NAME.png. Raises DataError for
    missing folders and, with stereo, missing right images, and, when indexed, for missing, truncated or malformed files
    and, with stereo, missing calibration.
    """

    def __init__(self, root: str | Path, split: str = "val", stereo: bool = False, classes: Classes = CLASSES) -> None:
        self.split = check_split(split, ("train", "val", "all", TEST), str(root))
        self.folder = Path(root) / ("testing" if split == TEST else "training")
        images = list_images(self.folder / "image_2", f"images of KITTI semantics, split {split}")
        self._images = images if split == TEST else split_in_time(images, split)
        self._right = right_images(self._images) if stereo else None
        self._table = evaluated_table(classes)

    def __len__(self) -> int:
        return len(self._images)

    def read(self, index: int) -> Sample:
        """Image number `index`, and its labels if KITTI publishes them."""
        path = self._images[index]
        name, rgb = f"{self.folder.name}/{path.stem}", read_rgb(path)
        calibrated = self.folder / "calib_cam_to_cam" / f"{path.stem.split('_')[0]}.txt"
        if self._right and not calibrated.is_file():
            raise DataError(f"{calibrated}: no such file; depth from two images needs it (KITTI stereo 2015 has it)")
        frame = Frame(
            stamp_ns=0,
            rgb=rgb,
            depth=pair_depth(rgb, self._right[path], calibrated, RECTIFIED) if self._right else None,
            camera=_camera(calibrated, rgb.shape[1], rgb.shape[0]) if calibrated.is_file() else None,
        )
        labels = None if self.split == TEST else self._table[self.ids(name, frame.size)]
        return Sample(name, frame, labels)

    def ids(self, name: str, size: tuple[int, int]) -> NDArray[np.uint8]:
        """(H, W) Cityscapes labelIds of the training sample called `name`, whose (width, height) is `size`."""
        return read_labels(self.folder / "semantic" / f"{name.split('/')[-1]}.png", _EVERY_ID, size)


def _camera(path: Path, width: int, height: int) -> CameraModel:
    projection = calibration_matrix(read_calibration_lines(path), RECTIFIED[0], (3, 4), path)
    return CameraModel(projection[:, :3], width, height, "camera_2")

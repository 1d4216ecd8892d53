# SPDX-License-Identifier: Apache-2.0
"""KITTI's road benchmark in its official layout: the area of the road, or of the ego lane, and the road's plane."""

from __future__ import annotations

import re
from itertools import groupby
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from perception.classes import CLASSES, UNLABELLED, Classes
from perception.datasets.io.files import list_images, read_rgb, read_velodyne
from perception.datasets.io.lazy import LazySequence
from perception.datasets.io.splits import check_split, split_in_time
from perception.datasets.kitti.calibration import calibration_matrix, read_calibration_lines, read_object_calibration
from perception.errors import DataError
from perception.frame import Frame
from perception.sample import Sample

TEST = "test"

_NAME = re.compile(r"(um|umm|uu)_\d+")


class RoadTruth(NamedTuple):
    """KITTI's ground truth for one image. category: um_road, umm_road, uu_road, or um_lane: only the ego lane.

    road, valid: (H, W) bool; the road or the lane, and where the truth is known.
    """

    category: str
    road: NDArray[np.bool_]
    valid: NDArray[np.bool_]


class KittiRoad(LazySequence[Sample]):
    """Reads ROOT/{training,testing}/image_2/NAME.png and, if they exist, velodyne/NAME.bin, calib/NAME.txt and, in
    training, gt_image_2/CATEGORY_{road,lane}_NUMBER.png, where NAME is CATEGORY_NUMBER: um_000012, umm_…, uu_….

    split: all of training, or train and val, the first 80 % and the last 20 % of each category (KITTI has no official
    split of its training part); test, without ground truth. The truth does not contain vehicles: labels are ROAD on the
    road and unlabelled elsewhere; `truth` gives the pixels that are known not to be road. If only the ego lane is
    labelled, that is ROAD, since the road may continue beside it. Raises DataError for missing folders, images with
    other names, and, when indexed, for truncated or malformed files and a sweep without calibration.
    """

    def __init__(self, root: str | Path, split: str = "val", classes: Classes = CLASSES) -> None:
        self.split = check_split(split, ("train", "val", "all", TEST), str(root))
        self._road = classes.table("kitti-road")[1]
        self.folder = Path(root) / ("testing" if split == TEST else "training")
        images = list_images(self.folder / "image_2", f"images of KITTI road, split {split}")
        odd = [path for path in images if not _NAME.fullmatch(path.stem)]
        if odd:
            raise DataError(f"{odd[0]}: not a name of KITTI road (um_000000.png, umm_…, uu_…); move it elsewhere")
        if split != TEST:
            grouped = groupby(images, lambda path: path.stem.split("_")[0])
            images = [path for _, category in grouped for path in split_in_time(list(category), split)]
        self._images = images

    def __len__(self) -> int:
        return len(self._images)

    def read(self, index: int) -> Sample:
        """Image number `index`, with its sweep, its calibration and its road, if they exist."""
        path = self._images[index]
        sweep, calibrated = self.folder / f"velodyne/{path.stem}.bin", self.folder / f"calib/{path.stem}.txt"
        points = read_velodyne(sweep) if sweep.is_file() else None
        calibration = read_object_calibration(calibrated) if calibrated.is_file() else None
        if points is not None and calibration is None:
            raise DataError(f"{sweep}: a sweep without calibration; unpack KITTI road's {calibrated} beside it")
        rgb, name = read_rgb(path), f"{self.folder.name}/{path.stem}"
        frame = Frame(
            stamp_ns=0,
            rgb=rgb,
            points=points,
            camera=calibration.camera(rgb.shape[1], rgb.shape[0], "camera_2") if calibration else None,
            lidar_to_camera=calibration.lidar_to_camera if calibration else None,
        )
        truth = self.truth(name, frame.size)
        labels = None if truth is None else np.where(truth.road, self._road, UNLABELLED).astype(np.uint8)
        return Sample(name, frame, labels)

    def truth(self, name: str, size: tuple[int, int]) -> RoadTruth | None:
        """The ground truth of the sample `name`, whose (width, height) is `size`: the road, else the ego lane."""
        category, number = name.split("/")[-1].split("_")
        for kind in ("road", "lane"):
            path = self.folder / "gt_image_2" / f"{category}_{kind}_{number}.png"
            if path.is_file():
                image = read_rgb(path)
                if image.shape[:2] != size[::-1]:
                    got = f"{image.shape[1]}×{image.shape[0]}"
                    raise DataError(f"{path}: {got} pixels, expected {size[0]}×{size[1]}, as large as its image")
                valid = image[:, :, 0] > 0
                return RoadTruth(f"{category}_{kind}", valid & (image[:, :, 2] > 0), valid)
        return None

    def plane(self, name: str) -> NDArray[np.float64] | None:
        """(3, 3) from metres on the road's plane, (right, ahead, 1), to pixels (u, v, 1) of the sample's image.

        P2·R0_rect·Tr_cam_to_road⁻¹ for points of height 0, as in KITTI's development kit; None if the calibration
        file, or Tr_cam_to_road in it, is missing.
        """
        path = self.folder / "calib" / f"{name.split('/')[-1]}.txt"
        lines = read_calibration_lines(path) if path.is_file() else {}
        if "Tr_cam_to_road" not in lines:
            return None
        rectification, to_road = np.eye(4), np.eye(4)
        rectification[:3, :3] = calibration_matrix(lines, "R0_rect", (3, 3), path)
        to_road[:3] = calibration_matrix(lines, "Tr_cam_to_road", (3, 4), path)
        chain = calibration_matrix(lines, "P2", (3, 4), path) @ rectification @ np.linalg.inv(to_road)
        return chain[:, [0, 2, 3]]

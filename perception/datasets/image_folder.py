# SPDX-License-Identifier: Apache-2.0
"""A plain folder of images, with data of other sensors beside them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from perception.datasets.io.depth_images import UNIT_FILE, find_unit, read_depth
from perception.datasets.io.files import (
    find_image,
    has_one_channel,
    list_images,
    read_mono,
    read_rgb,
    read_velodyne,
    require_directory,
)
from perception.datasets.io.lazy import LazySequence
from perception.datasets.kitti.calibration import read_object_calibration
from perception.errors import DataError
from perception.frame import CameraModel, Frame
from perception.sensors.registration import same_shape
from perception.storage import source

PERIOD_NS = 100_000_000
"""Images in a folder have no stamps: one is taken every 0.1 s."""


IMAGES = ("image", "image_2", "visible", "vi", "crop_LR_visible")
INFRARED = ("infrared", "ir", "cropinfrared")
"""The possible names of the folders of images and of their thermal partners: pairs as `rgb_thermal` reads them too."""

KINDS = ("rgb", "infrared")
"""The possible kinds of the images in a folder."""


class ImageFolder(LazySequence[Frame]):
    """Reads ROOT/NAME.png|jpg, or ROOT/image/… or another of IMAGES, and beside them, if they exist,
    ROOT/velodyne/NAME.bin (as KITTI's), ROOT/depth/NAME.png (16 bits, 0 invalid) and ROOT/infrared/NAME.png, or another
    of INFRARED (8 or 16 bits), both registered to the camera.

    camera, lidar_to_camera: needed with sweeps; if not given, they come from ROOT/calib/NAME.txt or ROOT/calib.txt in
    KITTI's object layout. kind: one of KINDS; None takes images with one channel as infrared, others as rgb.
    depth_unit: metres per step of depth; None reads ROOT/depth_unit.txt, else infers it from the values
    (`depth_images`). folders: names of folders of images, the first that there is. names: the images', without suffix.
    remarks: what was inferred, and what is missing. Raises DataError for a folder without images, two images with one
    name, infrared images beside infrared ones, and depth with an unknown unit; when indexed, for truncated or malformed
    files, a sweep without calibration, and a calibration for another shape than the image's.
    """

    def __init__(
        self,
        root: str | Path,
        camera: CameraModel | None = None,
        lidar_to_camera: NDArray[np.float64] | None = None,
        kind: str | None = None,
        depth_unit: float | None = None,
        folders: tuple[str, ...] = IMAGES,
    ) -> None:
        self.root = require_directory(source(root), "images to label")
        images = _first_of(self.root, folders) or self.root
        self._images = list_images(images, "images to label")
        self.names = [path.stem for path in self._images]
        twice = {name for name in self.names if self.names.count(name) > 1} if len(set(self.names)) < len(self) else ()
        if twice:
            raise DataError(f"{images}: two images have the name {min(twice)}; rename one")
        self._camera, self._lidar_to_camera = camera, lidar_to_camera
        self.remarks: list[str] = []
        self._infrared = _first_of(self.root, INFRARED)
        self._kind = kind or self._guessed_kind()
        if self._kind == "infrared" and self._infrared:
            raise DataError(f"{self.root}: has {self._infrared.name}/ beside its images, which are infrared already")
        self._unit = depth_unit or self._found_unit()
        if (self.root / "depth").is_dir() and not self._calibrated():
            self.remarks.append(
                "no calib.txt and no calibration file: the heights of the points in depth above the ground are "
                "unknown, and the labels from depth are worse"
            )

    def __len__(self) -> int:
        return len(self._images)

    def read(self, index: int) -> Frame:
        """Frame number `index`; its stamp counts 0.1 s per frame."""
        path, name = self._images[index], self.names[index]
        image = read_rgb(path) if self._kind == "rgb" else read_mono(path)
        sweep = self.root / "velodyne" / f"{name}.bin"
        points = read_velodyne(sweep) if sweep.is_file() else None
        depth = find_image(self.root / "depth", name)
        infrared = find_image(self._infrared, name) if self._infrared else None
        camera, lidar_to_camera = self._calibration(name, image.shape[1], image.shape[0])
        if points is not None and (camera is None or lidar_to_camera is None):
            raise DataError(
                f"{sweep}: a sweep without calibration; write {self.root}/calib.txt in KITTI's object layout, or give "
                "a calibration file that has image_width, projection_matrix and lidar_to_camera"
            )
        thermal = read_mono(infrared) if infrared else None
        return Frame(
            stamp_ns=index * PERIOD_NS,
            rgb=image if self._kind == "rgb" else None,
            depth=read_depth(depth, self._unit) if depth else None,
            infrared=image if self._kind == "infrared" else thermal,
            points=points,
            camera=camera,
            lidar_to_camera=lidar_to_camera,
        )

    def _guessed_kind(self) -> str:
        """By the first, the middle and the last image; with infrared images beside them, they are the camera's."""
        some = {self._images[number] for number in (0, len(self) // 2, len(self) - 1)}
        if self._infrared or not all(has_one_channel(path) for path in some):
            return "rgb"
        self.remarks.append("images with one channel are taken as infrared: if they are a camera's, use --as rgb")
        return "infrared"

    def _found_unit(self) -> float:
        """The unit of depth; any value if there is no depth."""
        images = [path for path in (find_image(self.root / "depth", name) for name in self.names) if path]
        if not images:
            return 1.0
        unit, how = find_unit(images, self.root / UNIT_FILE)
        self.remarks += [f"depth is read {how}"] if how else []
        return unit

    def _calibrated(self) -> bool:
        return self._camera is not None or (self.root / "calib.txt").is_file() or (self.root / "calib").is_dir()

    def _calibration(self, name: str, width: int, height: int) -> tuple[CameraModel | None, Any]:
        if self._camera is not None:
            camera = self._camera
            if not same_shape((camera.width, camera.height), (width, height)):
                raise DataError(
                    f"{self.root}: {name} has {width}×{height} pixels, but the calibration is for "
                    f"{camera.width}×{camera.height}, another shape: for another camera, or the image was cropped"
                )
            return camera.resized(width, height), self._lidar_to_camera
        for path in (self.root / "calib" / f"{name}.txt", self.root / "calib.txt"):
            if path.is_file():
                found = read_object_calibration(path)
                return found.camera(width, height, "camera"), found.lidar_to_camera
        return None, None


def _first_of(root: Path, names: tuple[str, ...]) -> Path | None:
    """The folder of `root` that has one of the names; None if there is none."""
    return next((root / name for name in names if (root / name).is_dir()), None)

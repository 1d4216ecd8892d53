# SPDX-License-Identifier: Apache-2.0
"""A plain folder of images, with what other sensors saw beside them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from perception.datasets.files import find_image, list_images, read_mono, read_rgb, read_velodyne, require_directory
from perception.datasets.kitti_calibration import read_object_calibration
from perception.datasets.lazy import LazySequence
from perception.datasets.simulated import DEPTH_UNITS
from perception.errors import DataError
from perception.frame import CameraModel, Frame
from perception.sensors.registration import same_shape

PERIOD_NS = 100_000_000
"""Images in a folder have no stamps: one is taken every 0.1 s."""


class ImageFolder(LazySequence[Frame]):
    """Reads ROOT/NAME.png|jpg, or ROOT/image/… or ROOT/image_2/…, and beside them, where they exist,
    ROOT/velodyne/NAME.bin (as KITTI's), ROOT/depth/NAME.png (16 bits, metres × 256, 0 invalid) and
    ROOT/infrared/NAME.png (8 or 16 bits), both registered to the camera.

    camera, lidar_to_camera: needed with sweeps; else ROOT/calib/NAME.txt or ROOT/calib.txt in KITTI's object layout
    say them. names: the images', without suffix. Raises DataError for a folder without images and two images of one
    name; when indexed, for files that are truncated or odd, a sweep without calibration, and a calibration of another
    shape than the image.
    """

    def __init__(
        self, root: str | Path, camera: CameraModel | None = None, lidar_to_camera: NDArray[np.float64] | None = None
    ) -> None:
        self.root = require_directory(Path(root), "images to label")
        images = next((self.root / name for name in ("image", "image_2") if (self.root / name).is_dir()), self.root)
        self._images = list_images(images, "images to label")
        self.names = [path.stem for path in self._images]
        twice = {name for name in self.names if self.names.count(name) > 1} if len(set(self.names)) < len(self) else ()
        if twice:
            raise DataError(f"{images}: two images are called {min(twice)}; rename one")
        self._camera, self._lidar_to_camera = camera, lidar_to_camera

    def __len__(self) -> int:
        return len(self._images)

    def read(self, index: int) -> Frame:
        """Frame number `index`; its stamp counts 0.1 s per frame."""
        rgb, name = read_rgb(self._images[index]), self.names[index]
        sweep = self.root / "velodyne" / f"{name}.bin"
        points = read_velodyne(sweep) if sweep.is_file() else None
        depth, infrared = (find_image(self.root / folder, name) for folder in ("depth", "infrared"))
        camera, lidar_to_camera = self._calibration(name, rgb.shape[1], rgb.shape[0])
        if points is not None and (camera is None or lidar_to_camera is None):
            raise DataError(
                f"{sweep}: a sweep without calibration; write {self.root}/calib.txt in KITTI's object layout, or name "
                "a calibration file that has image_width, projection_matrix and lidar_to_camera"
            )
        return Frame(
            stamp_ns=index * PERIOD_NS,
            rgb=rgb,
            depth=_depth(depth) if depth else None,
            infrared=read_mono(infrared) if infrared else None,
            points=points,
            camera=camera,
            lidar_to_camera=lidar_to_camera,
        )

    def _calibration(self, name: str, width: int, height: int) -> tuple[CameraModel | None, Any]:
        if self._camera is not None:
            camera = self._camera
            if not same_shape((camera.width, camera.height), (width, height)):
                raise DataError(
                    f"{self.root}: {name} has {width}×{height} pixels, but the calibration is of "
                    f"{camera.width}×{camera.height}, another shape: it is not this camera's, or of a part of the image"
                )
            return camera.resized(width, height), self._lidar_to_camera
        for path in (self.root / "calib" / f"{name}.txt", self.root / "calib.txt"):
            if path.is_file():
                found = read_object_calibration(path)
                return found.camera(width, height, "camera"), found.lidar_to_camera
        return None, None


def _depth(path: Path) -> NDArray[np.float32]:
    """(H, W) float32 metres, NaN where there are none."""
    raw = read_mono(path)
    if raw.dtype != np.uint16:
        raise DataError(f"{path}: {raw.dtype}, expected a 16-bit PNG of metres × {DEPTH_UNITS:.0f}, 0 invalid")
    return np.where(raw > 0, raw / np.float32(DEPTH_UNITS), np.float32(np.nan)).astype(np.float32)

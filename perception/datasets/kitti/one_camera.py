# SPDX-License-Identifier: Apache-2.0
"""A KITTI drive as one of its cameras and the Velodyne: the input of everything that makes frames of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from perception.datasets.io.files import read_rgb
from perception.datasets.kitti.calibration import read_raw_calibration
from perception.datasets.kitti.recording import Recording, Stream, nothing
from perception.datasets.kitti.streams import CAMERAS
from perception.errors import DataError
from perception.frame import CameraModel, Frame

ORDER = ("image_02", "image_03", "image_00", "image_01")
"""The folders in which a drive's cameras are looked for."""


@dataclass(frozen=True)
class OneCamera:
    """A camera's images and the Velodyne's sweeps, each by number, with their own stamps.

    model: the pinhole camera of the rectified images (P_rect). lidar_to_camera: (4, 4), the whole chain. unstamped:
    see `Recording`.
    """

    path: Path
    model: CameraModel
    lidar_to_camera: NDArray[np.float64]
    images: Stream[Path]
    sweeps: Stream[NDArray[np.float32]]
    unstamped: Sequence[str]

    def frame(self, stamp_ns: int, image: int | None = None, sweep: int | None = None) -> Frame:
        """The frame of the image and the sweep of these numbers, at least one. Raises DataError for broken files."""
        return Frame(
            stamp_ns=stamp_ns,
            rgb=None if image is None else self._rgb(self.images.read(image)),
            points=None if sweep is None else self.sweeps.read(sweep),
            camera=self.model,
            lidar_to_camera=self.lidar_to_camera,
        )

    def _rgb(self, path: Path) -> NDArray[np.uint8]:
        image = read_rgb(path)
        if image.shape[:2] != (self.model.height, self.model.width):
            got, expected = f"{image.shape[1]}×{image.shape[0]}", f"{self.model.width}×{self.model.height}"
            raise DataError(f"{path}: {got} pixels, expected {expected} as in this camera's first image")
        return image


def one_camera(recording: Recording, folder: str | None = None) -> OneCamera:
    """The drive from the view of one of its cameras.

    folder: of the camera, image_00 … image_03; None takes the first that has images, colour before grey and left before
    right. In a raw drive without images, the view is that of image_02. Raises DataError for a drive without images and
    sweeps, and for images that are not rectified.
    """
    if folder is not None and folder not in CAMERAS:
        raise DataError(f"camera {folder!r}: KITTI has {', '.join(CAMERAS)}")
    wanted = (folder,) if folder else ORDER
    camera = next(filter(None, (recording.read_camera(int(each[-2:])) for each in wanted)), None)
    if camera is None and not recording.sweeps:
        raise DataError(
            f"{recording.path}: neither PNG or JPEG images nor sweeps in this drive; unpack its archives here"
        )
    if camera is None:
        found = read_raw_calibration(recording.path.parent, int(wanted[0][-2:]))
        assert found.size is not None  # raw drives give it
        frame_id = f"{CAMERAS[wanted[0]]}_optical"
        model, mount = found.camera(*found.size, frame_id), found.lidar_to_camera
    else:
        calibration = camera.calibration
        if calibration.d.any():
            raise DataError(
                f"{recording.path}: an unsynced, unrectified drive; get its _sync version, or convert it to a bag: "
                "perception kitti2bag"
            )
        intrinsics, size = calibration.p[:, :3], calibration.size
        model, mount = CameraModel(intrinsics, *size, camera.frame_id), calibration.velodyne_to_camera
    images, unstamped = (camera.images, camera.unstamped) if camera else (nothing(), ())
    return OneCamera(recording.path, model, mount, images, recording.sweeps, [*unstamped, *recording.unstamped])

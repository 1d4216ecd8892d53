# SPDX-License-Identifier: Apache-2.0
"""KITTI raw drives (synced and rectified) in the official layout: frames, stamps, OXTS and tracklets."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from perception.datasets.io.files import IMAGE_SUFFIXES, read_rgb, read_velodyne, require_directory
from perception.datasets.io.lazy import LazySequence
from perception.datasets.kitti.calibration import KittiCalibration, read_imu_to_velodyne, read_raw_calibration
from perception.datasets.kitti.oxts import OxtsPacket, read_oxts_packet
from perception.datasets.kitti.timestamps import read_stamps
from perception.datasets.kitti.tracklets import Tracklet, read_tracklets
from perception.errors import DataError
from perception.frame import CameraModel, Frame

CAMERAS: dict[str, str] = {
    "image_00": "camera_gray_left",
    "image_01": "camera_gray_right",
    "image_02": "camera_color_left",
    "image_03": "camera_color_right",
}
"""Optical frame ids by image folder, as kitti2bag names them."""


ORDER = ("image_02", "image_03", "image_00", "image_01")
"""In which a drive's cameras are looked for."""


class SweepStamps(NamedTuple):
    """When the Velodyne began a turn, looked forward and ended it: nanoseconds; None where not recorded."""

    start_ns: int | None
    forward_ns: int | None
    end_ns: int | None


class KittiRaw(LazySequence[Frame]):
    """One drive as a sequence of frames: a camera's images and the Velodyne's sweeps, read when indexed.

    path: the drive's folder (DATE/DATE_drive_NNNN_sync), its DATE folder, or the folder of those, if there is exactly
    one drive. camera: which image folder, image_00 … image_03; None takes the first that has images, colour before
    grey and left before right. Images are PNG or JPEG.

    A frame exists for each number that has an image or a sweep, so gaps in either are no error: such frames lack
    rgb or points. `lidar_to_camera` is the whole chain into the rectified camera, `camera` its pinhole (P_rect).
    Raises DataError for other layouts, unsynced drives, missing or odd calibration and stamps; when indexed, for
    truncated images and sweeps.
    """

    def __init__(self, path: str | Path, camera: str | None = None) -> None:
        if camera is not None and camera not in CAMERAS:
            raise DataError(f"camera {camera!r}: KITTI has {', '.join(CAMERAS)}")
        self.path = _find_drive(Path(path))
        images = {
            name: _numbered(self.path / name / "data", *IMAGE_SUFFIXES) for name in ([camera] if camera else ORDER)
        }
        camera = next((name for name, found in images.items() if found), next(iter(images)))
        self._images = images[camera]
        self._sweeps = _numbered(self.path / "velodyne_points" / "data", ".bin")
        self.numbers: list[int] = sorted(self._images.keys() | self._sweeps.keys())
        """The drive's own number of each frame, in order; numbers may have gaps."""
        if not self.numbers:
            raise DataError(
                f"{self.path}: neither PNG or JPEG images in {' or '.join(images)}/data nor "
                "velodyne_points/data/*.bin in this drive"
            )
        self.calibration: KittiCalibration = read_raw_calibration(self.path.parent, int(camera[-2:]))
        width, height = self.calibration.size or (0, 0)
        self.camera: CameraModel = self.calibration.camera(width, height, CAMERAS[camera])
        self.sweep_stamps: list[SweepStamps] = self._sweep_stamps()
        """Of each frame's sweep; all None where there is no sweep."""
        self.stamps: list[int] = self._stamps(camera)
        """Nanoseconds of each frame: when its image was taken, or without one when its sweep looked forward."""

    def __len__(self) -> int:
        return len(self.numbers)

    def read(self, index: int) -> Frame:
        """Frame number `index` of the sequence (which is `numbers[index]` of the drive)."""
        number = self.numbers[index]
        return Frame(
            stamp_ns=self.stamps[index],
            rgb=self._rgb(self._images[number]) if number in self._images else None,
            points=read_velodyne(self._sweeps[number]) if number in self._sweeps else None,
            camera=self.camera,
            lidar_to_camera=self.calibration.lidar_to_camera,
        )

    @cached_property
    def oxts(self) -> list[OxtsPacket | None]:
        """The OXTS packet of each frame, None where there is none. Raises DataError for malformed packets."""
        packets = _numbered(self.path / "oxts" / "data", ".txt")
        return [read_oxts_packet(packets[number]) if number in packets else None for number in self.numbers]

    @cached_property
    def oxts_stamps(self) -> list[int | None]:
        """Nanoseconds of each frame's OXTS packet, None where there is none."""
        packets = _numbered(self.path / "oxts" / "data", ".txt")
        stamps = read_stamps(self.path / "oxts" / "timestamps.txt", sorted(packets)) if packets else {}
        return [stamps.get(number) for number in self.numbers]

    @cached_property
    def tracklets(self) -> list[Tracklet]:
        """The labelled objects; `tracklet.at(drive.numbers[i])` is the box in frame i. Empty without the file."""
        path = self.path / "tracklet_labels.xml"
        return read_tracklets(path) if path.is_file() else []

    @cached_property
    def imu_to_velodyne(self) -> NDArray[np.float64]:
        """(4, 4) from the frame of the OXTS poses into the velodyne frame."""
        return read_imu_to_velodyne(self.path.parent)

    def _rgb(self, path: Path) -> NDArray[np.uint8]:
        image = read_rgb(path)
        if image.shape[:2] != (self.camera.height, self.camera.width):
            got, expected = f"{image.shape[1]}×{image.shape[0]}", f"{self.camera.width}×{self.camera.height}"
            raise DataError(f"{path}: {got} pixels, expected {expected} (S_rect in calib_cam_to_cam.txt)")
        return image

    def _sweep_stamps(self) -> list[SweepStamps]:
        folder, numbers = self.path / "velodyne_points", sorted(self._sweeps)
        files = [folder / f"timestamps{suffix}.txt" for suffix in ("_start", "", "_end")]
        start, forward, end = (read_stamps(file, numbers) if file.is_file() else {} for file in files)
        return [SweepStamps(start.get(n), forward.get(n), end.get(n)) for n in self.numbers]

    def _stamps(self, camera: str) -> list[int]:
        path = self.path / camera / "timestamps.txt"
        images = read_stamps(path, sorted(self._images)) if self._images else {}
        stamps = [
            images.get(number, sweep.forward_ns) for number, sweep in zip(self.numbers, self.sweep_stamps, strict=True)
        ]
        missing = [number for number, stamp in zip(self.numbers, stamps, strict=True) if stamp is None]
        if missing:
            raise DataError(
                f"{self.path}: no stamp for frame {missing[0]:010d} in {camera} or velodyne_points timestamps"
            )
        return [stamp for stamp in stamps if stamp is not None]


def _find_drive(path: Path) -> Path:
    """The folder of the one drive that `path` is or holds."""
    require_directory(path, "a KITTI raw drive")
    if path.name.endswith("_extract"):
        raise DataError(
            f"{path}: an unsynced, unrectified drive; get its _sync version, or make a bag of it: perception kitti2bag"
        )
    if (path / "velodyne_points").is_dir() or any((path / name).is_dir() for name in CAMERAS):
        return path
    drives = sorted(p for pattern in ("*_drive_*_sync", "*/*_drive_*_sync") for p in path.glob(pattern) if p.is_dir())
    if len(drives) == 1:
        return drives[0]
    if not drives:
        raise DataError(f"{path}: no DATE_drive_NNNN_sync folder in it, nor image_02 or velodyne_points")
    names = ", ".join(str(drive.relative_to(path)) for drive in drives)
    raise DataError(f"{path}: {len(drives)} drives, name one of them: {names}")


def _numbered(folder: Path, *suffixes: str) -> dict[int, Path]:
    """The files `0000000012.ext` of a folder by number, of several the first suffix's; empty without the folder."""
    found: dict[int, Path] = {}
    for suffix in reversed(suffixes):
        found |= {int(path.stem): path for path in sorted(folder.glob(f"*{suffix}")) if path.stem.isdigit()}
    return found

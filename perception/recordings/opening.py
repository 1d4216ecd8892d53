# SPDX-License-Identifier: Apache-2.0
"""What `label`, `view` and `explain` take: a bag, a drive or a folder of images, found out by what lies in it."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from perception.datasets.image_folder import IMAGES
from perception.datasets.io.files import IMAGE_SUFFIXES
from perception.datasets.io.named_frames import NamedFrames
from perception.datasets.kitti.raw import CAMERAS
from perception.errors import DataError
from perception.recordings.named import image_folder, kitti_drive, simulated_drive


class Reading(NamedTuple):
    """How a folder of images is to be read, as `ImageFolder` takes it: what the images are, and the unit of depth."""

    kind: str | None = None
    depth_unit: float | None = None


AS_FOUND = Reading()


def open_input(
    path: Path,
    topics: str | None = None,
    calibration: Path | None = None,
    rig: Path | None = None,
    reading: Reading = AS_FOUND,
) -> NamedFrames:
    """The frames at `path`: a rosbag2 or its file, a KITTI raw drive, a simulated drive, or a folder of images.

    topics: a bag's, as `read_topics` takes it; rig: where it is None, a file that may be of this bag
    (`naming.rig_beside`). calibration: what a bag's camera_info and TF lack, or where a
    folder's camera and LiDAR are, as `read_calibration_file` takes it. Raises DataError for anything else, and for a
    `reading` that is asked of anything but a folder of images.
    """
    frames = _recording(path, topics, calibration, rig)
    if frames is None:
        return _images(path, calibration, reading)
    if reading != AS_FOUND:
        raise DataError(f"{path}: --as and --depth-unit are for a folder of images, and this says itself what it holds")
    return frames


def _recording(path: Path, topics: str | None, calibration: Path | None, rig: Path | None) -> NamedFrames | None:
    """A bag or a drive; None for what may be a folder of images."""
    if (path.suffix in (".mcap", ".db3") and path.is_file()) or _holds(path, "metadata.yaml", "*.mcap*", "*.db3*"):
        return _bag(path, topics, calibration, rig)
    if not path.exists():
        raise DataError(f"{path}: no such bag, drive or folder")
    if not path.is_dir():
        raise DataError(
            f"{path}: is a file, and none of a bag (.mcap, .db3); name a bag, a drive or a folder of images"
        )
    if (path / "drive.json").is_file():
        return simulated_drive(path)
    if drives := sorted(path.glob("*/drive.json")):
        raise DataError(f"{path}: {len(drives)} simulated drives; name them, as {path}/*")
    if _holds(path, *CAMERAS, "velodyne_points", "*_drive_*_sync", "*/*_drive_*_sync"):
        return kitti_drive(path)
    return None


def _bag(path: Path, topics: str | None, calibration: Path | None, rig: Path | None) -> NamedFrames:
    from perception.assembly.calibration import read_calibration_file
    from perception.bags.frames import BagFrames

    return BagFrames(path, topics, read_calibration_file(calibration) if calibration else None, rig)


def _images(path: Path, calibration: Path | None, reading: Reading) -> NamedFrames:
    inside = [] if _has_images(path) else [str(each) for each in sorted(path.glob("*")) if _has_images(each)]
    if inside:
        raise DataError(f"{path}: no images of its own; name a folder that has some: {', '.join(inside[:8])}")
    if calibration is None:
        return image_folder(path, None, None, *reading)
    from perception.assembly.calibration import read_calibration_file

    found = read_calibration_file(calibration)
    return image_folder(path, *found.of_files(calibration), *reading)


def _has_images(path: Path) -> bool:
    """Whether `ImageFolder` would find some."""
    return _holds(path, *(f"*{suffix}" for suffix in IMAGE_SUFFIXES), *IMAGES)


def _holds(path: Path, *patterns: str) -> bool:
    return any(next(path.glob(pattern), None) for pattern in patterns)

# SPDX-License-Identifier: Apache-2.0
"""What `perception label` takes: a bag, a drive or a folder of images, found out by what lies in it."""

from __future__ import annotations

from pathlib import Path

from perception.datasets.kitti_raw import CAMERAS
from perception.errors import DataError
from perception.labelling.frames import NamedFrames, image_folder, kitti_drive, simulated_drive


def open_input(
    path: Path, topics: str | None = None, calibration: Path | None = None, rig: Path | None = None
) -> NamedFrames:
    """The frames at `path`: a rosbag2 or its file, a KITTI raw drive, a simulated drive, or a folder of images.

    topics: a bag's, as `read_topics` takes it; rig: where it is None, a file that may be of this bag
    (`naming.rig_beside`). calibration: what a bag's camera_info and TF lack, or where a
    folder's camera and LiDAR are, as `read_calibration_file` takes it. Raises DataError for anything else.
    """
    if (path.suffix in (".mcap", ".db3") and path.is_file()) or _holds(path, "metadata.yaml", "*.mcap*", "*.db3*"):
        return _bag(path, topics, calibration, rig)
    if not path.is_dir():
        raise DataError(f"{path}: no such bag, drive or folder")
    if (path / "drive.json").is_file():
        return simulated_drive(path)
    if drives := sorted(path.glob("*/drive.json")):
        raise DataError(f"{path}: {len(drives)} simulated drives; name them, as {path}/*")
    if _holds(path, *CAMERAS, "velodyne_points", "*_drive_*_sync", "*/*_drive_*_sync"):
        return kitti_drive(path)
    if calibration is None:
        return image_folder(path)
    from perception.ros.calibration import read_calibration_file

    found = read_calibration_file(calibration)
    return image_folder(path, *found.of_files(calibration))


def _bag(path: Path, topics: str | None, calibration: Path | None, rig: Path | None) -> NamedFrames:
    from perception.ros.bag_frames import BagFrames
    from perception.ros.calibration import read_calibration_file

    return BagFrames(path, topics, read_calibration_file(calibration) if calibration else None, rig)


def _holds(path: Path, *patterns: str) -> bool:
    return any(next(path.glob(pattern), None) for pattern in patterns)

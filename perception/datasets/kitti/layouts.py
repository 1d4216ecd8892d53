# SPDX-License-Identifier: Apache-2.0
"""Finds out which of KITTI's layouts a folder has, and opens the recording in it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from perception.datasets.io.files import require_directory
from perception.datasets.kitti.odometry import read_odometry_recording
from perception.datasets.kitti.raw_recording import read_raw_recording
from perception.datasets.kitti.recording import Recording
from perception.datasets.kitti.streams import CAMERAS
from perception.datasets.kitti.tracking import read_tracking_recording
from perception.errors import DataError
from perception.storage import source

_DRIVES = ("*_drive_*_sync", "*/*_drive_*_sync", "*_drive_*_extract", "*/*_drive_*_extract")


def open_drive(path: Path | str, sequence: str | None = None) -> Recording:
    """The whole drive at `path`: a raw drive or a folder with one, an odometry sequence or the folder of all of
    them, or the folder training or testing of tracking. sequence: the name of one, if `path` has several.

    Raises DataError for other layouts, for several drives without a `sequence`, and for an empty drive.
    """
    recording = find_drive(path, sequence)
    if not recording.start_ns:
        raise DataError(f"{path}: no image, sweep or OXTS packet in this drive; unpack its archives into this folder")
    return recording


def find_drive(path: Path | str, sequence: str | None = None) -> Recording:
    """The images and sweeps of `open_drive`; the rest is read on demand. Raises DataError as `open_drive` does."""
    path = require_directory(source(path), "a KITTI drive").resolve()
    if _is_raw(path):
        return read_raw_recording(path)
    if (path / "times.txt").is_file():
        return read_odometry_recording(path)
    for root, names in _sequences(path):
        return read_odometry_recording(root / _choose(root, names, sequence))
    for split, names in _splits(path):
        return read_tracking_recording(split, _choose(split, names, sequence))
    if names := _raw_drives(path):
        return read_raw_recording(path / _choose(path, names, sequence))
    raise DataError(
        f"{path}: not a KITTI drive: neither image_02/data or velodyne_points/data (raw), times.txt (odometry), nor "
        "calib and image_02/NNNN (tracking)"
    )


def holds_drive(path: Path) -> bool:
    """Whether `find_drive` finds one or several drives in the folder."""
    found = _is_raw(path) or (path / "times.txt").is_file() or _sequences(path) or _splits(path) or _raw_drives(path)
    return bool(found)


def _is_raw(path: Path) -> bool:
    return any((path / name / "data").is_dir() for name in (*CAMERAS, "velodyne_points", "oxts"))


def _sequences(path: Path) -> list[tuple[Path, list[str]]]:
    """The folders with sequences of odometry, and the sequences' names."""
    roots = (path, path / "sequences", path / "dataset" / "sequences")
    found = [(root, sorted(times.parent.name for times in root.glob("*/times.txt"))) for root in roots]
    return [(root, names) for root, names in found if names]


def _splits(path: Path) -> list[tuple[Path, list[str]]]:
    """The splits of tracking, and the names of their sequences."""
    splits = [
        split for split in (path, path / "training") if (split / "calib").is_dir() and any(split.glob("image_0?/*/"))
    ]
    return [(split, sorted(each.stem for each in (split / "calib").glob("*.txt"))) for split in splits]


def _raw_drives(path: Path) -> list[str]:
    drives = sorted(found for pattern in _DRIVES for found in path.glob(pattern) if found.is_dir())
    return [str(drive.relative_to(path)) for drive in drives]


def _choose(root: Path, names: Sequence[str], name: str | None) -> str:
    if name is None and len(names) == 1:
        return names[0]
    if name is None or name not in names:
        said = f"no sequence {name!r}" if name else f"{len(names)} sequences"
        raise DataError(f"{root}: {said}; name one of them with --sequence: {', '.join(names) or 'there are none'}")
    return name

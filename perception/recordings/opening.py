# SPDX-License-Identifier: Apache-2.0
"""The only way from a path to its recording, as frames or as messages.

The kind of the recording is determined from the files; errors name the same kinds everywhere.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import Path
from typing import NamedTuple

from perception.assembly.calibration import read_calibration_file
from perception.assembly.settings.naming import BAG_SUFFIXES
from perception.bags.frames import BagFrames
from perception.bags.sources import Source, holds_bag, open_bag
from perception.datasets.image_folder import IMAGES
from perception.datasets.io.files import IMAGE_SUFFIXES, nearest_path
from perception.datasets.io.named_frames import NamedFrames
from perception.datasets.kitti.layouts import holds_drive, open_drive
from perception.datasets.kitti.recording import Recording
from perception.datasets.nuscenes.tables import holds_nuscenes
from perception.errors import DataError
from perception.recordings.kitti import KittiMessages, kitti_frames
from perception.recordings.messages import FrameMessages
from perception.recordings.nuscenes import camera_of, nuscenes_frames
from perception.recordings.stored import SimulatedFrames, image_folder
from perception.storage import local

BAG, KITTI, SIMULATED, NUSCENES = "bag", "KITTI drive", "simulated drive", "nuScenes data set"
IMAGES_FOLDER = "folder of images"

KNOWN_BY: dict[str, str] = {
    BAG: "metadata.yaml, .mcap or .db3",
    KITTI: "image_02/data, velodyne_points/data or times.txt",
    SIMULATED: "drive.json",
    NUSCENES: "v1.0-mini/sample_data.json",
    IMAGES_FOLDER: "PNG or JPEG images, or a folder image of them",
}
"""Every kind of recording, and the files by which it is recognised."""

WITH_STAMPS = (BAG, KITTI, SIMULATED, NUSCENES)
"""The kinds that can be read as messages: the images of a folder have no times of their own."""

MOST_NAMED = 8
"""An error names at most so many of each in a folder."""


class Reading(NamedTuple):
    """How to read a folder of images, as `ImageFolder` takes it: what the images are, and the unit of depth."""

    kind: str | None = None
    depth_unit: float | None = None


AS_FOUND = Reading()


def open_recording(
    path: Path,
    topics: Mapping[str, str] | str | None = None,
    calibration: Path | None = None,
    rig: Path | None = None,
    reading: Reading = AS_FOUND,
    wanted: Collection[str] = tuple(KNOWN_BY),
) -> NamedFrames:
    """The frames at `path`: a rosbag2 or its file, a KITTI drive, a simulated drive, nuScenes, or a folder of images.

    topics: a bag's, as `BagFrames` takes them, of which nuScenes takes the camera (`nuscenes.camera_of`). rig: if
    topics is None, a file that may belong to this bag (`naming.rig_beside`). calibration: used for what a bag's
    camera_info and TF lack, or for a folder's camera and LiDAR, as `read_calibration_file` takes it. wanted: the
    allowed kinds of KNOWN_BY. Raises DataError for anything
    else, as the kind's reader does, and for a `reading` if the recording is not a folder of images.
    """
    kind = kind_of(path, wanted)
    if kind == IMAGES_FOLDER:
        own = read_calibration_file(calibration).of_files(calibration) if calibration else (None, None)
        return image_folder(path, *own, *reading)
    if reading != AS_FOUND:
        raise DataError(
            f"{path}: --as and --depth-unit are only for a folder of images; this recording does not need them"
        )
    if kind == BAG:
        return BagFrames(path, topics, read_calibration_file(calibration) if calibration else None, rig)
    if kind == NUSCENES:
        return nuscenes_frames(local(path), camera_of(topics))
    return kitti_frames(path) if kind == KITTI else SimulatedFrames(path)


def open_messages(path: Path) -> Source:
    """The messages at `path`, whose kind is one of WITH_STAMPS: a bag's own; for a drive, those that a node would have
    received. Close it after use. Raises DataError as `open_recording` does."""
    kind = kind_of(path, WITH_STAMPS)
    if kind == BAG:
        return open_bag(path)
    if kind == NUSCENES:
        return FrameMessages(nuscenes_frames(local(path)))
    return KittiMessages(path) if kind == KITTI else FrameMessages(SimulatedFrames(path))


def open_kitti(path: Path, sequence: str | None = None) -> Recording:
    """Everything that a KITTI drive recorded, as in `open_drive`. Raises DataError as `open_recording` does."""
    kind_of(path, (KITTI,))
    return open_drive(path, sequence)


def kind_of(path: Path, wanted: Collection[str] = tuple(KNOWN_BY)) -> str:
    """The kind of KNOWN_BY at `path`.

    Raises DataError if it is none of `wanted`: what was found, what was expected, and what may have been meant.
    """
    if not path.exists():
        raise DataError(f"{path}: no such bag, drive or folder{nearest_path(path)}")
    kind = _kind(path)
    if kind in wanted:
        return str(kind)
    expected = "; ".join(f"a {each} ({KNOWN_BY[each]})" for each in wanted)
    raise DataError(f"{path}: {_found(path, kind)}; expected {expected}{_within(path, wanted)}")


def _kind(path: Path) -> str | None:
    if holds_bag(path):
        return BAG
    if not path.is_dir():
        return None
    if (path / "drive.json").is_file():
        return SIMULATED
    if holds_nuscenes(path):
        return NUSCENES
    if holds_drive(path):
        return KITTI
    images = (f"*{suffix}" for suffix in IMAGE_SUFFIXES)
    return IMAGES_FOLDER if any(next(path.glob(pattern), None) for pattern in (*images, *IMAGES)) else None


def _found(path: Path, kind: str | None) -> str:
    """A description of what is there."""
    if kind is not None:
        return f"is a {kind}"
    if not path.is_dir():
        return f"is a file, but not of a bag ({', '.join(BAG_SUFFIXES)})"
    inside = sorted(path.iterdir())
    if not inside:
        return "is an empty folder"
    folders, files = ([each.name for each in inside if each.is_dir() == wanted] for wanted in (True, False))
    return f"is not a recording: it has {_some(folders, 'folder')} and {_some(files, 'file')}"


def _some(names: list[str], what: str) -> str:
    if not names:
        return f"no {what}"
    more = ", …" if len(names) > MOST_NAMED else ""
    return f"{len(names)} {what}{'s' * (len(names) > 1)} ({', '.join(names[:MOST_NAMED])}{more})"


def _within(path: Path, wanted: Collection[str]) -> str:
    """The recordings in the folder, or the one that the file is part of; empty if there is none."""
    if not path.is_dir():
        beside = _kind(path.parent)
        return f"; name its folder: {path.parent}, a {beside}" if beside in wanted else ""
    inside = [each for each in sorted(path.iterdir()) if each.is_dir() and _kind(each) in wanted]
    if not inside:
        return ""
    more = f", … {len(inside)} in all" if len(inside) > MOST_NAMED else ""
    return f"; name one in it: {', '.join(map(format, inside[:MOST_NAMED]))}{more}"

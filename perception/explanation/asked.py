# SPDX-License-Identifier: Apache-2.0
"""The frame that `perception explain` explains: an image with files beside it, or a frame of a recording."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from perception.errors import DataError
from perception.storage import source

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from perception.datasets.io.named_frames import NamedFrames
    from perception.frame import CameraModel
    from perception.sample import Sample

KITTI_DIGITS = 10
"""Of the names of a KITTI raw drive's files."""

SIMULATED = "simulated"
RATE_HZ = 10
"""Of a simulated drive: frame 10 is a second on."""


@dataclass(frozen=True, kw_only=True)
class Asked:
    """Which frame: an image file, FOLDER:NUMBER and so on, or simulated:SEED[:INDEX] under a condition.

    kind, depth_unit: see `recordings.opening.Reading`. topics, calibration: see `open_recording`; calibration, points,
    depth and infrared also stand beside an image file.
    """

    frame: str
    condition: str = "day"
    kind: str | None = None
    depth_unit: float | None = None
    topics: str | None = None
    calibration: Path | None = None
    points: Path | None = None
    depth: Path | None = None
    infrared: Path | None = None


def open_frame(asked: Asked) -> tuple[Sample, list[str]]:
    """The frame with its truth, where that is known, and what is to be said of it.

    Raises DataError that lists what a frame may be.
    """
    from perception.assembly.settings.naming import BAG_SUFFIXES

    text = asked.frame
    path = source(text).expanduser()
    if path.is_file() and path.suffix not in BAG_SUFFIXES:
        return _image(path, asked)
    beside = [name for name in ("points", "depth", "infrared") if getattr(asked, name)]
    if beside:
        raise DataError(f"--{beside[0]}: is only for an image file, and {text} is not one")
    name, _, rest = text.partition(":")
    if name == SIMULATED and not path.exists():
        return _simulated(rest, asked.condition), []
    folder, colon, number = text.rpartition(":")
    if not colon or not number:
        what = "say which frame" if path.exists() else "no such file"
        raise DataError(
            f"{text}: {what}; a frame is IMAGE, BAG:NUMBER, FOLDER:NUMBER, DRIVE:NUMBER or {SIMULATED}:SEED[:INDEX]"
        )
    return _of_recording(source(folder).expanduser(), number, asked)


def _simulated(text: str, condition: str) -> Sample:
    from perception.simulation import SimulatedDrive

    numbers = text.split(":")
    if len(numbers) > 2 or not all(number.isdigit() for number in numbers):
        raise DataError(f"{SIMULATED}:{text}: expected {SIMULATED}:SEED or {SIMULATED}:SEED:INDEX, as simulated:7:20")
    seed, index = int(numbers[0]), int(numbers[1]) if len(numbers) == 2 else 0
    return SimulatedDrive(seed, condition, max(100, index + 1), RATE_HZ)[index]


def _of_recording(path: Path, number: str, asked: Asked) -> tuple[Sample, list[str]]:
    from perception.assembly.settings.naming import rig_beside
    from perception.recordings.opening import Reading, open_recording

    reading = Reading(asked.kind, asked.depth_unit)
    frames = open_recording(path, asked.topics, asked.calibration, rig_beside(path), reading)
    index = _index(frames, number)
    sample = frames.sample(index)
    return sample, [*frames.remarks, *(f"left out: {line}" for line in frames.complaints)]


def _index(frames: NamedFrames, number: str) -> int:
    """Of the frame of that name or number: a KITTI drive's are the files' own, all others count from 0."""
    names = list(frames.names)
    numbered = all(name.isdigit() and len(name) == KITTI_DIGITS for name in names)
    name = number.zfill(KITTI_DIGITS) if numbered and number.isdigit() else number
    if name in names:
        return names.index(name)
    if number.isdigit() and not numbered and int(number) < len(names):
        return int(number)
    first, last = (str(int(names[0])), str(int(names[-1]))) if numbered else ("0", str(len(names) - 1))
    raise DataError(f"{frames.path}: no frame {number}; it has {first} to {last}")


def _image(path: Path, asked: Asked) -> tuple[Sample, list[str]]:
    from perception.datasets.io.depth_images import UNIT_FILE, find_unit, read_depth
    from perception.datasets.io.files import has_one_channel, read_mono, read_rgb, read_velodyne
    from perception.frame import Frame
    from perception.sample import Sample

    notes = []
    kind = asked.kind or ("infrared" if has_one_channel(path) and not asked.infrared else "rgb")
    if kind == "infrared" and asked.infrared:
        raise DataError(f"--infrared: {path} is infrared already, by --as")
    if kind == "infrared" and not asked.kind:
        notes.append("a single-channel image is read as infrared; if it is a camera's, use --as rgb")
    image = read_rgb(path) if kind == "rgb" else read_mono(path)
    camera = lidar_to_camera = depth = None
    if asked.calibration:
        camera, lidar_to_camera = _calibration(asked.calibration, image.shape[1], image.shape[0])
    if asked.points and lidar_to_camera is None:
        raise DataError("--points needs --calibration with the camera and the mounting of the LiDAR")
    if asked.depth:
        beside = asked.depth.parent / UNIT_FILE
        unit, how = (asked.depth_unit, "") if asked.depth_unit else find_unit([asked.depth], beside)
        depth = read_depth(asked.depth, unit)
        notes += [f"depth is read {how}"] if how else []
    infrared = read_mono(asked.infrared) if asked.infrared else None
    frame = Frame(
        stamp_ns=0,
        rgb=image if kind == "rgb" else None,
        depth=depth,
        infrared=image if kind == "infrared" else infrared,
        points=read_velodyne(asked.points) if asked.points else None,
        camera=camera,
        lidar_to_camera=lidar_to_camera,
    )
    return Sample(path.name, frame), notes


def _calibration(path: Path, width: int, height: int) -> tuple[CameraModel, NDArray[np.float64] | None]:
    from perception.assembly.calibration import read_calibration_file
    from perception.datasets.kitti.calibration import read_object_calibration

    if path.suffix == ".txt":
        kitti = read_object_calibration(path)
        return kitti.camera(width, height, "camera"), kitti.lidar_to_camera
    found = read_calibration_file(path)
    camera, lidar_to_camera = found.of_files(path)
    if camera is None:
        raise DataError(f"{path}: no camera in it; image_width, image_height and projection_matrix are needed")
    return camera, lidar_to_camera

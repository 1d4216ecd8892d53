# SPDX-License-Identifier: Apache-2.0
"""The frame that `perception explain` is asked about: an image with files beside it, or a frame of a drive."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from perception.errors import DataError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from perception.frame import CameraModel
    from perception.sample import Sample

SIMULATED = "simulated"
RATE_HZ = 10
"""Of a simulated drive: frame 10 is a second on."""


def open_frame(args: argparse.Namespace) -> Sample:
    """`args.frame` with its truth, where that is known. Raises DataError, saying what a frame may be."""
    text: str = args.frame
    beside = [name for name in ("points", "depth", "infrared", "calibration") if getattr(args, name)]
    path = Path(text).expanduser()
    if path.is_file():
        return _image(path, args)
    if beside:
        raise DataError(f"--{beside[0]}: goes with an image file, and {text} is none")
    name, _, rest = text.partition(":")
    if name == SIMULATED and not path.exists():
        return _simulated(rest, args.condition)
    folder, colon, number = text.rpartition(":")
    if not colon or not number.isdigit():
        raise DataError(f"{text}: no such file; a frame is IMAGE, DRIVE:NUMBER or {SIMULATED}:SEED[:INDEX]")
    return _of_drive(Path(folder).expanduser(), int(number))


def _simulated(text: str, condition: str) -> Sample:
    from perception.simulation import SimulatedDrive

    numbers = text.split(":")
    if len(numbers) > 2 or not all(number.isdigit() for number in numbers):
        raise DataError(f"{SIMULATED}:{text}: expected {SIMULATED}:SEED or {SIMULATED}:SEED:INDEX, as simulated:7:20")
    seed, index = int(numbers[0]), int(numbers[1]) if len(numbers) == 2 else 0
    return SimulatedDrive(seed, condition, max(100, index + 1), RATE_HZ)[index]


def _of_drive(folder: Path, number: int) -> Sample:
    from perception.datasets.kitti_raw import KittiRaw
    from perception.datasets.simulated import SimulatedFolder
    from perception.sample import Sample

    if (folder / "drive.json").is_file():
        drive = SimulatedFolder(folder)
        if number >= len(drive):
            raise DataError(f"{folder}: no frame {number}; it has 0 to {len(drive) - 1}")
        return drive[number]
    kitti = KittiRaw(folder)
    if number not in kitti.numbers:
        raise DataError(f"{folder}: no frame {number}; it has {kitti.numbers[0]} to {kitti.numbers[-1]}")
    return Sample(f"{kitti.path.name}/{number:010d}", kitti[kitti.numbers.index(number)])


def _image(path: Path, args: argparse.Namespace) -> Sample:
    from perception.datasets.files import read_mono, read_rgb, read_velodyne
    from perception.frame import Frame
    from perception.sample import Sample

    rgb = read_rgb(path)
    camera = lidar_to_camera = None
    if args.calibration:
        camera, lidar_to_camera = _calibration(args.calibration, rgb.shape[1], rgb.shape[0])
    if args.points and lidar_to_camera is None:
        raise DataError("--points: say with --calibration which camera this is and where the LiDAR sits")
    frame = Frame(
        stamp_ns=0,
        rgb=rgb,
        depth=_depth(args.depth) if args.depth else None,
        infrared=read_mono(args.infrared) if args.infrared else None,
        points=read_velodyne(args.points) if args.points else None,
        camera=camera,
        lidar_to_camera=lidar_to_camera,
    )
    return Sample(path.name, frame)


def _depth(path: Path) -> NDArray[np.float32]:
    import numpy as np

    from perception.datasets.files import read_mono
    from perception.datasets.simulated import DEPTH_UNITS

    raw = read_mono(path)
    if raw.dtype != np.uint16:
        raise DataError(f"{path}: {raw.dtype}, expected a 16-bit PNG of metres × {DEPTH_UNITS:.0f}, 0 invalid")
    return np.where(raw > 0, raw / np.float32(DEPTH_UNITS), np.float32(np.nan)).astype(np.float32)


def _calibration(path: Path, width: int, height: int) -> tuple[CameraModel, NDArray[np.float64] | None]:
    from perception.datasets.kitti_calibration import read_object_calibration
    from perception.ros.calibration import read_calibration_file

    if path.suffix == ".txt":
        kitti = read_object_calibration(path)
        return kitti.camera(width, height, "camera"), kitti.lidar_to_camera
    found = read_calibration_file(path)
    camera, lidar_to_camera = found.of_files(path)
    if camera is None:
        raise DataError(f"{path}: no camera in it; image_width, image_height and projection_matrix are needed")
    return camera, lidar_to_camera

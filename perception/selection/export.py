# SPDX-License-Identifier: Apache-2.0
"""The chosen frames as a folder of images with the other sensors' data, and the files that annotation tools open."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from perception.classes import Classes
from perception.datasets.annotated.coco import instances
from perception.datasets.annotated.cvat import annotations_xml
from perception.datasets.annotated.label_studio import CONFIG, Task, labelling_config, tasks
from perception.datasets.io.depth_images import UNIT_FILE, UNITS
from perception.datasets.io.named_frames import NamedFrames
from perception.disk import whole_file, write_file
from perception.errors import DataError
from perception.frame import CameraModel, Frame

IMAGES = "image"
"""The folder of images, as `ImageFolder` names it."""

CVAT, COCO, LABEL_STUDIO = FORMATS = ("cvat", "coco", "label-studio")
"""The formats of masks."""

FILES = {CVAT: ("cvat.zip",), COCO: ("coco.json",), LABEL_STUDIO: ("label_studio_tasks.json", CONFIG)}
"""The files of each."""

DEPTH_UNIT = "m/256"


@dataclass(frozen=True)
class Exported:
    """A frame that was written as image/NAME.png. reason: why it was chosen. labels: reads its (H, W) class ids."""

    name: str
    reason: str
    labels: Callable[[], NDArray[np.uint8]]


def write_frame(
    folder: Path, name: str, recording: NamedFrames, number: int, shape: tuple[int, ...], thermal: bool | None = None
) -> NDArray[np.uint8]:
    """Write the frame as `ImageFolder` reads it, and return its image, (H, W, 3) RGB, or (H, W) of a thermal camera.

    shape: of its labels. thermal: whether the folder has thermal images, which cannot be told from the others there.

    Where the image as recorded is not that of the camera's model, as a lens bends it, the other sensors are left out:
    they would not fit. Raises DataError for a frame without camera and infrared image, for one that is not as large as
    its labels or of another kind than the folder's, and as the recording does.
    """
    shown, frame = recording.shown(number), recording[number]
    image = shown.rgb if shown.rgb is not None else _eight_bits(shown.infrared)
    if image is None:
        raise DataError(f"{recording.path}: {recording.names[number]} has no image to draw on")
    if image.shape[:2] != shape:
        raise DataError(f"{recording.path}: {recording.names[number]} is not as large as its labels; label it again")
    if thermal is not None and thermal != (image.ndim == 2):
        what = "thermal images" if thermal else "images of a camera"
        raise DataError(
            f"{recording.path}: {recording.names[number]} is unlike the chosen {what}; choose from it alone"
        )
    stored = image[..., ::-1] if image.ndim == 3 else image
    _write_png(folder / IMAGES / f"{name}.png", stored)
    if shown.rgb is not None and frame.rgb is not None and np.array_equal(shown.rgb, frame.rgb):
        _write_others(folder, name, frame)
    return image


def write_format(kind: str, folder: Path, frames: Sequence[Exported], classes: Classes, model: str) -> list[Path]:
    """Write the files of one of FORMATS for frames that are in the folder, and return them."""
    paths = [folder / name for name in FILES[kind]]
    images = ((f"{each.name}.png", each.labels()) for each in frames)
    if kind == CVAT:
        xml = annotations_xml(folder.name, images, classes)
        with whole_file(paths[0]) as partial, zipfile.ZipFile(partial, "w") as archive:  # images are compressed already
            archive.writestr("annotations.xml", xml, zipfile.ZIP_DEFLATED)
            for each in frames:
                archive.write(folder / IMAGES / f"{each.name}.png", f"images/{each.name}.png")
    elif kind == COCO:
        write_file(paths[0], json.dumps(instances(folder.name, images, classes)).encode())
    else:
        todo = (Task(f"{IMAGES}/{each.name}.png", each.reason, each.labels()) for each in frames)
        write_file(paths[0], json.dumps(tasks(todo, classes, model)).encode())  # a number a line otherwise
        write_file(paths[1], labelling_config(classes).encode())
    return paths


def _write_others(folder: Path, name: str, frame: Frame) -> None:
    if frame.infrared is not None:
        _write_png(folder / "infrared" / f"{name}.png", frame.infrared)
    if frame.depth is not None:
        steps = np.nan_to_num(frame.depth, nan=0, posinf=0, neginf=0) / UNITS[DEPTH_UNIT]
        _write_png(folder / "depth" / f"{name}.png", np.clip(np.round(steps), 0, 65535).astype(np.uint16))
        write_file(folder / UNIT_FILE, f"{DEPTH_UNIT}\n".encode())
    if frame.camera is not None and frame.lidar_to_camera is not None:
        write_file(folder / "calib" / f"{name}.txt", _calibration(frame.camera, frame.lidar_to_camera, frame.size))
        if frame.points is not None:
            write_file(folder / "velodyne" / f"{name}.bin", frame.points.astype("<f4").tobytes())


def _calibration(camera: CameraModel, mount: NDArray[np.float64], size: tuple[int, int]) -> bytes:
    """KITTI's object layout."""
    rows = {
        "P2": np.hstack([camera.resized(*size).intrinsics, np.zeros((3, 1))]),
        "R0_rect": np.eye(3),
        "Tr_velo_to_cam": mount[:3],
    }
    return "".join(
        f"{key}: {' '.join(f'{value:.12e}' for value in row.ravel())}\n" for key, row in rows.items()
    ).encode()


def _eight_bits(infrared: NDArray[Any] | None) -> NDArray[np.uint8] | None:
    """A thermal image as tools show it: its values stretched over 1–255; 0 stays what was not measured."""
    if infrared is None or infrared.dtype == np.uint8:
        return infrared
    known = infrared[infrared > 0]
    low, high = (int(known.min()), int(known.max())) if known.size else (0, 1)
    scaled = 1 + (infrared.astype(np.float32) - low) * (254 / max(high - low, 1))
    return np.where(infrared > 0, scaled, 0).astype(np.uint8)


def _write_png(path: Path, image: NDArray[Any]) -> None:
    write_file(path, cv2.imencode(".png", np.ascontiguousarray(image))[1].tobytes())

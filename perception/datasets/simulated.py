# SPDX-License-Identifier: Apache-2.0
"""Simulated drives from disk, written by `perception simulate`; `perception.simulation.storage` describes the
layout."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from perception.classes import CLASSES, NO_OBJECT, Classes
from perception.datasets.io.files import (
    read_bytes,
    read_labels,
    read_mono,
    read_rgb,
    read_text,
    read_velodyne,
    require_directory,
)
from perception.datasets.io.lazy import LazySequence
from perception.errors import DataError, PerceptionError
from perception.frame import CameraModel, Frame, Returns
from perception.instances import recoded
from perception.sample import Sample
from perception.sensors.spec import FURTHER
from perception.storage import source

FORMAT = 1
"""Version of the layout, in drive.json."""

DEPTH_UNITS = 256.0
"""Depth units per metre, as in KITTI's depth maps."""


@dataclass(frozen=True)
class _Drive:
    folder: Path
    condition: str
    seed: int
    camera: CameraModel
    lidar_to_camera: NDArray[np.float64]
    stamps_ns: list[int]
    further: tuple[str, ...]


class SimulatedFolder(LazySequence[Sample]):
    """Reads one drive (a folder with drive.json), or every drive in the folders of `root`, sorted by name.

    Samples have all four modalities, the further sensors that were asked for, labels, point_labels and instances, which
    drives of earlier versions lack. Depth is exact to 1/512 m, everything else exactly.
    Raises DataError for missing folders and descriptions and, when indexed, for missing, truncated or odd files.
    """

    def __init__(self, root: str | Path, classes: Classes = CLASSES) -> None:
        self._table = _table(classes)
        self.root = require_directory(source(root), "a simulated drive, or several")
        folders = [self.root] if (self.root / "drive.json").is_file() else _drives_in(self.root)
        self._frames = [(drive, number) for drive in map(_describe, folders) for number in range(len(drive.stamps_ns))]

    def __len__(self) -> int:
        return len(self._frames)

    def read(self, index: int) -> Sample:
        """Frame number `index`, counted through all the drives."""
        drive, number = self._frames[index]
        name = f"{number:06d}"
        rgb = read_rgb(drive.folder / "image" / f"{name}.png")
        size = (drive.camera.width, drive.camera.height)
        points = read_velodyne(drive.folder / "velodyne" / f"{name}.bin")
        frame = Frame(
            stamp_ns=drive.stamps_ns[number],
            rgb=_sized(drive.folder / "image" / f"{name}.png", rgb, size),
            depth=_depth(drive.folder / "depth" / f"{name}.png", size),
            infrared=_sixteen_bit(drive.folder / "infrared" / f"{name}.png", size),
            points=points,
            camera=drive.camera,
            lidar_to_camera=drive.lidar_to_camera,
            extra={sensor: _returns(drive.folder / sensor / f"{name}.npz") for sensor in drive.further},
        )
        labels = read_labels(drive.folder / "labels" / f"{name}.png", self._table, size)
        point_labels = self._table[_point_labels(drive.folder / "point_labels" / f"{name}.bin", len(points))]
        instances = None
        if (drive.folder / "instances").is_dir():
            instances = recoded(_sixteen_bit(drive.folder / "instances" / f"{name}.png", size), self._table)
        name = f"{drive.condition}-{drive.seed:04d}/{name}"
        return Sample(name, frame, labels, point_labels=point_labels, instances=instances)


class Relabelled(LazySequence[Sample]):
    """Samples of the simulator with its own labels converted to `classes`."""

    def __init__(self, samples: Sequence[Sample], classes: Classes) -> None:
        self._samples, self._table = samples, _table(classes)

    def __len__(self) -> int:
        return len(self._samples)

    def read(self, index: int) -> Sample:
        """Sample number `index`."""
        sample = self._samples[index]
        images, points, instances = sample.labels, sample.point_labels, sample.instances
        return replace(
            sample,
            labels=None if images is None else self._table[images],
            point_labels=None if points is None else self._table[points],
            instances=None if instances is None else recoded(instances, self._table),
        )


def _table(classes: Classes) -> NDArray[np.uint8]:
    table = classes.table("simulated")
    table[NO_OBJECT] = NO_OBJECT
    return table


def _drives_in(root: Path) -> list[Path]:
    found = sorted(path.parent for path in root.glob("*/drive.json"))
    if not found:
        raise DataError(f"{root}: no drive.json in it or in its folders; `perception simulate -o {root}` writes one")
    return found


def _describe(folder: Path) -> _Drive:
    path = folder / "drive.json"
    try:
        content: dict[str, Any] = json.loads(read_text(path))
        if content["format"] != FORMAT:
            raise DataError(f"{path}: format {content['format']}, this version reads {FORMAT}: simulate it again")
        camera = content["camera"]
        return _Drive(
            folder=folder,
            condition=str(content["condition"]),
            seed=int(content["seed"]),
            camera=CameraModel(np.array(camera["intrinsics"]), camera["width"], camera["height"], camera["frame_id"]),
            lidar_to_camera=np.array(content["lidar_to_camera"], np.float64).reshape(4, 4),
            stamps_ns=[int(stamp) for stamp in content["stamps_ns"]],
            further=tuple(name for name in FURTHER if name in content.get("further", ())),
        )
    except DataError:
        raise
    except (KeyError, TypeError, ValueError, PerceptionError) as error:
        reason = f"{type(error).__name__}: {error}"
        raise DataError(f"{path}: not a drive's description ({reason}); simulate it again") from error


def _returns(path: Path) -> Returns:
    try:
        with np.load(path, allow_pickle=False) as stored:
            return Returns(stored["values"], stored["to_camera"], stored.get("velocity"))
    except (OSError, ValueError, KeyError, BadZipFile, PerceptionError) as error:
        raise DataError(f"{path}: cannot be read ({error}); simulate it again") from error


def _sized(path: Path, image: NDArray[Any], size: tuple[int, int]) -> NDArray[Any]:
    if image.shape[1::-1] != size:
        raise DataError(f"{path}: {image.shape[1]}×{image.shape[0]}, expected {size[0]}×{size[1]} as in drive.json")
    return image


def _sixteen_bit(path: Path, size: tuple[int, int]) -> NDArray[np.uint16]:
    image = _sized(path, read_mono(path), size)
    if image.dtype != np.uint16:
        raise DataError(f"{path}: {image.dtype}, expected a 16-bit PNG")
    return image


def _depth(path: Path, size: tuple[int, int]) -> NDArray[np.float32]:
    raw = _sixteen_bit(path, size)
    return np.where(raw > 0, raw / np.float32(DEPTH_UNITS), np.float32(np.nan)).astype(np.float32)


def _point_labels(path: Path, count: int) -> NDArray[np.uint8]:
    data = read_bytes(path)
    if len(data) != count:
        raise DataError(f"{path}: {len(data)} labels for {count} points in velodyne/{path.name}")
    return np.frombuffer(data, np.uint8).copy()

# SPDX-License-Identifier: Apache-2.0
"""Cityscapes with the depth of its stereo camera, as published or at half the size."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from perception.classes import CLASSES, Classes, evaluated_table
from perception.datasets.io.files import list_images, read_labels, read_mono, read_rgb, read_text, require_directory
from perception.datasets.io.lazy import LazySequence
from perception.datasets.io.splits import check_split, split_in_time
from perception.errors import DataError
from perception.frame import CameraModel, Frame
from perception.sample import Sample

IMAGES = "leftImg8bit"
"""The published folder of the left images; their names end in it too."""


class _Files(NamedTuple):
    """The files of one image; ids: None if the layout has none."""

    name: str
    left: Path
    disparity: Path
    camera: Path
    ids: Path | None


class Rig(NamedTuple):
    """fx, fy, cx, cy: pixels of the left image. baseline, camera_height: metres. pitch: radians, down is positive."""

    fx: float
    fy: float
    cx: float
    cy: float
    baseline: float
    camera_height: float
    pitch: float


class CityscapesStereo(LazySequence[Sample]):
    """Samples with rgb, depth and camera, and with labels if the set has them, from one of two layouts.

    As published: ROOT/leftImg8bit/SPLIT/CITY/NAME_leftImg8bit.png with disparity/SPLIT/CITY/NAME_disparity.png (uint16,
    (p − 1) / 256 pixels), camera/SPLIT/CITY/NAME_camera.json and, if it exists,
    gtFine/SPLIT/CITY/NAME_gtFine_labelIds.png (`perception.classes` says how the ids map). split: train or val, as
    published, or all, which is both.

    Small: ROOT/left/NAME.jpg (or .png) with disparity/NAME.png (uint16, p / 16 pixels) and cameras.json, which has for
    each NAME the members of `Rig`. No labels. split: train and val, the first 80 % and the last 20 %, or all.

    In both a disparity of 0 is invalid, and depth is fx · baseline / disparity. Raises DataError for missing folders
    and, when indexed, for missing, truncated or malformed files.
    """

    def __init__(self, root: str | Path, split: str = "val", classes: Classes = CLASSES) -> None:
        root = Path(root)
        check_split(split, ("train", "val", "all"), str(root))
        self._published = (root / IMAGES).is_dir()
        self._files = _published_files(root, split) if self._published else split_in_time(_small_files(root), split)
        self._table = evaluated_table(classes)

    def __len__(self) -> int:
        return len(self._files)

    def read(self, index: int) -> Sample:
        """Image number `index` and what is known about it."""
        files, rig = self._files[index], self.rig(index)
        rgb = read_rgb(files.left)
        height, width = rgb.shape[:2]
        disparity = self._disparity(files.disparity, (height, width))
        depth = np.full((height, width), np.nan, np.float32)
        np.divide(np.float32(rig.fx * rig.baseline), disparity, out=depth, where=disparity > 0)
        intrinsics = np.array([[rig.fx, 0, rig.cx], [0, rig.fy, rig.cy], [0, 0, 1]])
        frame = Frame(stamp_ns=0, rgb=rgb, depth=depth, camera=CameraModel(intrinsics, width, height, "camera_left"))
        labels = read_labels(files.ids, self._table, frame.size) if files.ids and files.ids.is_file() else None
        return Sample(files.name, frame, labels)

    def rig(self, index: int) -> Rig:
        """Intrinsics, baseline and mounting of the camera of image number `index`. Raises DataError."""
        files = self._files[index]
        return _published_rig(files.camera) if self._published else _small_rig(files.camera, files.name)

    def mounting(self, index: int) -> tuple[float, float]:
        """Metres above the ground, and radians of pitch, down is positive, of the camera of image number `index`."""
        rig = self.rig(index)
        return rig.camera_height, rig.pitch

    def _disparity(self, path: Path, shape: tuple[int, int]) -> NDArray[np.float32]:
        """(H, W) pixels, 0 or less if invalid."""
        counts = read_mono(path)
        if counts.dtype != np.uint16 or counts.shape != shape:
            got, expected = f"{counts.shape[1]}×{counts.shape[0]}", f"{shape[1]}×{shape[0]}"
            raise DataError(f"{path}: {counts.dtype} {got}, expected uint16 {expected}, as large as its image")
        offset, steps = (1, 256) if self._published else (0, 16)
        return (counts.astype(np.float32) - np.float32(offset)) / np.float32(steps)


def _published_files(root: Path, split: str) -> list[_Files]:
    splits = ("train", "val") if split == "all" else (split,)
    folders = [require_directory(root / IMAGES / each, f"images of Cityscapes' {each} split") for each in splits]
    images = [path for folder in folders for path in sorted(folder.glob(f"*/*_{IMAGES}.png"))]
    if not images:
        raise DataError(f"{folders[0]}: no CITY/NAME_{IMAGES}.png in it (images of Cityscapes)")
    return [_beside(root, path) for path in images]


def _beside(root: Path, left: Path) -> _Files:
    city, name = Path(*left.parts[-3:-1]), left.stem.removesuffix(f"_{IMAGES}")
    return _Files(
        f"{city.parent}/{name}",
        left,
        root / "disparity" / city / f"{name}_disparity.png",
        root / "camera" / city / f"{name}_camera.json",
        root / "gtFine" / city / f"{name}_gtFine_labelIds.png",
    )


def _small_files(root: Path) -> list[_Files]:
    images = list_images(root / "left", "left images of Cityscapes")
    return [_Files(p.stem, p, root / "disparity" / f"{p.stem}.png", root / "cameras.json", None) for p in images]


def _published_rig(path: Path) -> Rig:
    content = _json(path)
    try:
        inner, outer = content["intrinsic"], content["extrinsic"]
        values = inner["fx"], inner["fy"], inner["u0"], inner["v0"], outer["baseline"], outer["z"], outer["pitch"]
        return _checked(Rig(*map(float, values)), str(path))
    except (KeyError, TypeError, ValueError):
        raise DataError(
            f"{path}: expected intrinsic with fx, fy, u0, v0 and extrinsic with baseline, z, pitch, all numbers"
        ) from None


def _small_rig(path: Path, name: str) -> Rig:
    content = _json(path)
    try:
        return _checked(Rig(*(float(content[name][key]) for key in Rig._fields)), f"{path}: {name}")
    except (KeyError, TypeError, ValueError):
        raise DataError(f"{path}: {name}: expected the numbers {', '.join(Rig._fields)}") from None


def _json(path: Path) -> Any:
    try:
        return json.loads(read_text(path))
    except json.JSONDecodeError as error:
        raise DataError(f"{path}: not valid JSON: {error}") from error


def _checked(rig: Rig, where: str) -> Rig:
    if not (np.isfinite(rig).all() and rig.fx > 0 and rig.fy > 0 and rig.baseline > 0):
        raise DataError(f"{where}: focal lengths and baseline must be positive and all finite, got {rig}")
    return rig

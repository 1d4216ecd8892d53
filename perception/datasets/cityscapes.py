# SPDX-License-Identifier: Apache-2.0
"""Cityscapes in its official layout, and sets that have taken it over: labelIds, and instanceIds where there are."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from perception.classes import CLASSES, Classes
from perception.datasets.io.files import read_labels, read_rgb, read_sixteen_bit, require_directory
from perception.datasets.io.lazy import LazySequence
from perception.datasets.io.splits import check_split
from perception.errors import DataError
from perception.frame import INSTANCE_STEP, Frame
from perception.instances import coded
from perception.sample import Sample

IMAGE = "_leftImg8bit"


class Cityscapes(LazySequence[Sample]):
    """Reads ROOT/leftImg8bit/SPLIT/CITY/NAME_leftImg8bit.png with ROOT/gtFine/SPLIT/CITY/NAME_gtFine_labelIds.png and
    NAME_gtFine_instanceIds.png, which may be missing.

    split: train or val. Samples have rgb, labels (`perception.classes` says how the ids map) and, with instanceIds,
    instances: 16 bits, labelId × 1000 + number for a thing, the labelId alone for a group of them, whose things nobody
    told apart. Raises DataError for missing folders and, when indexed, for missing, truncated or malformed files.
    """

    def __init__(self, root: str | Path, split: str = "val", classes: Classes = CLASSES) -> None:
        check_split(split, ("train", "val"), str(root))
        images = require_directory(Path(root) / "leftImg8bit" / split, "Cityscapes' images")
        self._truth = require_directory(Path(root) / "gtFine" / split, "Cityscapes' labels")
        self._images = sorted(images.glob(f"*/*{IMAGE}.png"))
        if not self._images:
            raise DataError(f"{images}: no CITY/NAME{IMAGE}.png in it")
        self._table = classes.table("cityscapes")

    def __len__(self) -> int:
        return len(self._images)

    def read(self, index: int) -> Sample:
        """Image number `index` and its labels."""
        path = self._images[index]
        name = f"{path.parent.name}/{path.stem.removesuffix(IMAGE)}"
        frame = Frame(stamp_ns=0, rgb=read_rgb(path))
        labels = read_labels(self._truth / f"{name}_gtFine_labelIds.png", self._table, frame.size)
        ids = self._truth / f"{name}_gtFine_instanceIds.png"
        return Sample(name, frame, labels, instances=self._instances(ids, frame.size) if ids.is_file() else None)

    def _instances(self, path: Path, size: tuple[int, int]) -> NDArray[np.uint16]:
        """Several of Cityscapes' classes are one of ours: its numbers begin anew in each, ours do not."""
        ids = read_sixteen_bit(path, size)
        codes, which = np.unique(ids, return_inverse=True)
        of_thing = codes >= INSTANCE_STEP
        class_ids = np.zeros(len(codes), np.uint8)
        class_ids[of_thing] = self._table[np.minimum(codes[of_thing] // INSTANCE_STEP, 255)]
        own = coded(class_ids, np.where(of_thing, np.arange(1, len(codes) + 1), 0))
        return np.asarray(own[which.reshape(ids.shape)])

# SPDX-License-Identifier: Apache-2.0
"""Cityscapes' training images squeezed to squares, named by their number in the official list, with our class ids."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

from perception.classes import CLASSES, Classes
from perception.datasets.io.files import list_images, read_labels, read_rgb
from perception.datasets.io.lazy import LazySequence
from perception.datasets.io.splits import check_split
from perception.errors import DataError
from perception.frame import Frame
from perception.sample import Sample

ZURICH = 2854
"""The number of the first image of the last of the 18 cities: the official list has 2,975, sorted by city."""


class CityscapesSmall(LazySequence[Sample]):
    """Reads ROOT/image/NUMBER.jpg (or .png) with ROOT/labels/NUMBER.png, squares of 2:1 images, and stretches both to
    twice their width: 512×256 from 256×256.

    split: val is the city of Zurich (numbers from 2854), train the seventeen others; all. Samples have rgb and labels:
    the files' ids are those of `perception.classes`, others are unlabelled. Raises DataError
    for missing folders and names that are not numbers, and, when indexed, for missing, truncated or malformed files.
    """

    def __init__(self, root: str | Path, split: str = "val", classes: Classes = CLASSES) -> None:
        self.root = Path(root)
        check_split(split, ("train", "val", "all"), str(root))
        images = list_images(self.root / "image", "squeezed images of Cityscapes")
        odd = next((path for path in images if not path.stem.isdigit()), None)
        if odd:
            raise DataError(f"{odd}: expected an image's number in Cityscapes' training list, such as 0001.jpg")
        self._images = [p for p in images if split == "all" or (int(p.stem) >= ZURICH) == (split == "val")]
        self._table = classes.table("cityscapes-small")

    def __len__(self) -> int:
        return len(self._images)

    def read(self, index: int) -> Sample:
        """Image and labels number `index`, stretched."""
        path = self._images[index]
        image = read_rgb(path)
        height, width = image.shape[:2]
        labels = read_labels(self.root / "labels" / f"{path.stem}.png", self._table, (width, height))
        rgb = cv2.resize(image, (2 * width, height), interpolation=cv2.INTER_LINEAR)
        return Sample(path.stem, Frame(stamp_ns=0, rgb=np.asarray(rgb, np.uint8)), labels.repeat(2, axis=1))

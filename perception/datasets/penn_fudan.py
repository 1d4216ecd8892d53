# SPDX-License-Identifier: Apache-2.0
"""Penn-Fudan: street photographs in which near people are outlined by hand; everything else is unknown."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from perception.classes import CLASSES, UNLABELLED, Classes
from perception.datasets.io.files import list_images, read_labels, read_rgb
from perception.datasets.io.lazy import LazySequence
from perception.datasets.io.splits import check_split, split_in_time
from perception.frame import Frame
from perception.instances import coded
from perception.sample import Sample

_EVERY_ID = np.arange(256, dtype=np.uint8)


class PennFudan(LazySequence[Sample]):
    """Reads ROOT/images/NAME.jpg (or .png) with ROOT/instances/NAME.png: 0, or the number of a person.

    The names of the published set, PNGImages/NAME.png and PedMasks/NAME_mask.png, are accepted too.

    split: train and val, the first 80 % and the last 20 % of the names, or all. Samples have rgb, instances and labels:
    pedestrian inside an outline and 255 outside, which may be anything, including other people. Raises DataError for
    missing folders and, when indexed, for missing, truncated or malformed files.
    """

    def __init__(self, root: str | Path, split: str = "val", classes: Classes = CLASSES) -> None:
        root = Path(root)
        self._person = classes.table("penn-fudan")[1]
        published = not (root / "images").is_dir() and (root / "PNGImages").is_dir()
        self._instances, self._suffix = root / ("PedMasks" if published else "instances"), "_mask" * published
        images = list_images(root / ("PNGImages" if published else "images"), "photographs of Penn-Fudan")
        self._images = split_in_time(images, check_split(split, ("train", "val", "all"), str(root)))

    def __len__(self) -> int:
        return len(self._images)

    def read(self, index: int) -> Sample:
        """Photograph number `index`, and the labels of its people."""
        path = self._images[index]
        frame = Frame(stamp_ns=0, rgb=read_rgb(path))
        people = self._read_instances(path, frame.size)
        labels = np.where(people > 0, self._person, UNLABELLED).astype(np.uint8)
        return Sample(path.stem, frame, labels, instances=coded(labels, people))

    def instances(self, index: int) -> NDArray[np.uint8]:
        """(H, W) uint8 of photograph number `index`: 0, or the number 1, 2 … of a person."""
        path = self._images[index]
        height, width = read_rgb(path).shape[:2]
        return self._read_instances(path, (width, height))

    def _read_instances(self, path: Path, size: tuple[int, int]) -> NDArray[np.uint8]:
        return read_labels(self._instances / f"{path.stem}{self._suffix}.png", _EVERY_ID, size)

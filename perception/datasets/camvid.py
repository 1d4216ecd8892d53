# SPDX-License-Identifier: Apache-2.0
"""CamVid in SegNet's layout: 12 ids, labels beside the images."""

from __future__ import annotations

from pathlib import Path

from perception.classes import CLASSES, Classes
from perception.datasets.io.files import list_images, read_labels, read_rgb
from perception.datasets.io.lazy import LazySequence
from perception.datasets.io.splits import check_split
from perception.frame import Frame
from perception.sample import Sample


class CamVid(LazySequence[Sample]):
    """Reads ROOT/{train,val,test}/NAME.png (or .jpg) with ROOT/{train,val,test}annot/NAME.png.

    split: train, val or test. Samples have rgb and labels (`perception.classes` says how the ids map to `classes`).
    Raises DataError for missing folders and, when indexed, for missing, truncated or odd files.
    """

    def __init__(self, root: str | Path, split: str = "train", classes: Classes = CLASSES) -> None:
        self.root = Path(root)
        self.split = check_split(split, ("train", "val", "test"), str(root))
        self._images = list_images(self.root / split, f"images of CamVid's {split} split")
        self._table = classes.table("camvid")

    def __len__(self) -> int:
        return len(self._images)

    def read(self, index: int) -> Sample:
        """Image and labels number `index`."""
        path = self._images[index]
        frame = Frame(stamp_ns=0, rgb=read_rgb(path))
        labels = read_labels(self.root / f"{self.split}annot" / f"{path.stem}.png", self._table, frame.size)
        return Sample(f"{self.split}/{path.stem}", frame, labels)

# SPDX-License-Identifier: Apache-2.0
"""IDD-Lite (India Driving Dataset, 320×227) in its official layout."""

from __future__ import annotations

from pathlib import Path

from perception.classes import CLASSES, Classes
from perception.datasets.io.files import IMAGE_SUFFIXES, read_labels, read_rgb, require_directory
from perception.datasets.io.lazy import LazySequence
from perception.datasets.io.splits import check_split
from perception.errors import DataError
from perception.frame import Frame
from perception.sample import Sample


class IddLite(LazySequence[Sample]):
    """Reads ROOT/leftImg8bit/SPLIT/DRIVE/NAME_image.jpg with ROOT/gtFine/SPLIT/DRIVE/NAME_label.png.

    split: train or val (the official test split has no labels). Samples have rgb and labels
    (`perception.classes` says how the ids map to `classes`).
    Raises DataError for missing folders and, when indexed, for missing, truncated or malformed files.
    """

    def __init__(self, root: str | Path, split: str = "train", classes: Classes = CLASSES) -> None:
        self.root = Path(root)
        self.split = check_split(split, ("train", "val"), str(root))
        folder = require_directory(self.root / "leftImg8bit" / split, f"images of IDD-Lite's {split} split")
        self._images = sorted(p for p in folder.glob("*/*_image.*") if p.suffix.lower() in IMAGE_SUFFIXES)
        if not self._images:
            raise DataError(f"{folder}: no DRIVE/NAME_image.jpg in it (images of IDD-Lite's {split} split)")
        self._table = classes.table("idd-lite")

    def __len__(self) -> int:
        return len(self._images)

    def read(self, index: int) -> Sample:
        """Image and labels number `index`."""
        path = self._images[index]
        drive, name = path.parent.name, path.stem[: -len("_image")]
        frame = Frame(stamp_ns=0, rgb=read_rgb(path))
        labels = read_labels(self.root / "gtFine" / self.split / drive / f"{name}_label.png", self._table, frame.size)
        return Sample(f"{self.split}/{drive}/{name}", frame, labels)

# SPDX-License-Identifier: Apache-2.0
"""Frames of another data set with soft labels made by `perception pseudo-label`."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from perception.classes import CLASSES, FIRST, Classes
from perception.datasets.io.files import read_soft_labels, read_text
from perception.datasets.io.lazy import LazySequence
from perception.errors import DataError
from perception.sample import Sample

INDEX = "pseudo_labels.json"
"""The origin of the frames: dataset, root, split and the numbers of the samples; and what labelled them."""


class PseudoLabelled(LazySequence[Sample]):
    """Reads ROOT/pseudo_labels.json and ROOT/NUMBER.png, and the frames from the data set that was labelled.

    Samples have probabilities, equal ones if the network was not sure, and no labels, unless it completed existing
    ones: then both. Raises DataError for a broken index, and as the other data set's reader does.
    """

    def __init__(self, root: str | Path, classes: Classes = CLASSES) -> None:
        from perception.datasets.registry import open_dataset  # here, since it imports this reader

        self.root, self._classes = Path(root), classes
        path = self.root / INDEX
        try:
            index = json.loads(read_text(path))
            self._numbers = [int(number) for number in index["numbers"]]
            self._filled = bool(index.get("filled", False))
            name, frames, split = str(index["dataset"]), str(index["root"]), str(index["split"])
        except (KeyError, TypeError, ValueError) as error:
            raise DataError(f"{path}: not an index of `perception pseudo-label` ({error}); make it again") from error
        self._samples = open_dataset(name, frames, split, classes)

    def __len__(self) -> int:
        return len(self._numbers)

    def read(self, index: int) -> Sample:
        """Frame number `index` of the labelled ones."""
        number = self._numbers[index]
        probabilities = read_soft_labels(label_path(self.root, number), self._classes)
        sample = self._samples[number]
        return replace(sample, labels=sample.labels if self._filled else None, probabilities=probabilities)


def label_path(root: Path, number: int) -> Path:
    """The path of the soft label of sample `number`."""
    return root / f"{number:06d}.png"


def write_label(path: Path, soft: NDArray[np.uint8]) -> None:
    """Write (h, w, K) uint8 soft labels as `read_soft_labels` takes them. Raises DataError if it cannot."""
    if soft.shape[2] != len(FIRST):
        soft = soft.transpose(2, 0, 1).reshape(-1, soft.shape[1])
    path.parent.mkdir(parents=True, exist_ok=True)
    if not cv2.imwrite(str(path), soft):
        raise DataError(f"{path}: cannot be written")

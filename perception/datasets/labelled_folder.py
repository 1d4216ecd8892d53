# SPDX-License-Identifier: Apache-2.0
"""Your own labelled frames: a folder of images and data of other sensors, and a folder of class ids."""

from __future__ import annotations

import logging
from pathlib import Path

import numpy as np
import yaml
from numpy.typing import NDArray

from perception.classes import CLASSES, UNLABELLED, Classes
from perception.datasets.image_folder import ImageFolder
from perception.datasets.io.files import read_labels, read_text, require_directory
from perception.datasets.io.lazy import LazySequence
from perception.errors import DataError
from perception.sample import Sample

_log = logging.getLogger(__name__)


class LabelledFolder(LazySequence[Sample]):
    """An `ImageFolder` with ROOT/labels/NAME.png: 8-bit ids, as large as the image.

    Frames without labels are included, with `labels` None. Ids are those of `classes` (0 background, 1 road, 2
    vehicle, 3 pedestrian, 255 unlabelled), unless ROOT/classes.yaml maps others, such as {7: road, 26:
    vehicle}; ids that it does not name are background. Raises DataError as `ImageFolder` does, if no frame has
    labels, and for unknown classes; when indexed, for labels of another size.
    """

    def __init__(self, root: str | Path, classes: Classes = CLASSES) -> None:
        self.root = require_directory(Path(root), "images with a folder `labels`")
        self._frames = ImageFolder(self.root)
        for remark in self._frames.remarks:
            _log.warning("%s: %s", self.root, remark)
        self._labels = {path.stem: path for path in sorted((self.root / "labels").glob("*.png"))}
        if not self._labels.keys() & set(self._frames.names):
            raise DataError(f"{self.root}/labels: no NAME.png for any image NAME; write class ids there")
        self._table = _table(self.root / "classes.yaml", classes)

    def __len__(self) -> int:
        return len(self._frames)

    def read(self, index: int) -> Sample:
        """Frame number `index` and its labels."""
        frame, name = self._frames[index], self._frames.names[index]
        path = self._labels.get(name)
        return Sample(name, frame, read_labels(path, self._table, frame.size) if path else None)


def _table(path: Path, classes: Classes) -> NDArray[np.uint8]:
    """(256,) the class of each id."""
    if not path.is_file():
        table = np.full(256, UNLABELLED, np.uint8)
        table[: len(classes)] = np.arange(len(classes))
        return table
    try:
        content = yaml.safe_load(read_text(path))
    except yaml.YAMLError as error:
        raise DataError(f"{path}: not valid YAML: {' '.join(str(error).split())}") from error
    if not isinstance(content, dict) or not all(isinstance(key, int) and 0 <= key < 256 for key in content):
        raise DataError(f"{path}: expected lines such as '26: vehicle', an id of 0–255 and its class")
    numbers = {name: number for number, name in enumerate(classes.names)} | {"unlabelled": UNLABELLED}
    table = np.zeros(256, np.uint8)
    for key, name in content.items():
        if name not in numbers:
            raise DataError(f"{path}: {key}: no class {name!r}; the classes are {', '.join(numbers)}")
        table[key] = numbers[name]
    return table

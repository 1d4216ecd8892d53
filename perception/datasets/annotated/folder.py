# SPDX-License-Identifier: Apache-2.0
"""A folder of frames whose masks come from the file of an annotation tool."""

from __future__ import annotations

import logging
from abc import abstractmethod
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import ClassVar, NamedTuple

import numpy as np
import yaml
from numpy.typing import NDArray

from perception.classes import BACKGROUND, CLASSES, FIRST, UNLABELLED, Classes
from perception.datasets.annotated.masks import NOTHING, Mask
from perception.datasets.image_folder import IMAGES, ImageFolder
from perception.datasets.io.files import read_text, require_directory
from perception.datasets.io.lazy import LazySequence
from perception.errors import DataError
from perception.sample import Sample

_log = logging.getLogger(__name__)


FOLDERS = (*IMAGES, "images")
"""Where the images may be: tools call their folder `images`."""


class Shape(NamedTuple):
    """Something that was marked: its label, and what makes its mask for a (height, width); ValueError if it cannot."""

    label: str
    mask: Callable[[int, int], Mask]


class Marked(NamedTuple):
    """An image as the tool knows it: (width, height), and the shapes, of which later ones cover earlier ones."""

    size: tuple[int, int]
    shapes: list[Shape]


class Annotations(NamedTuple):
    """What a tool's file says. labels: all that could be given; images: by file name, without folders and suffix."""

    labels: frozenset[str]
    images: dict[str, Marked]


class AnnotatedFolder(LazySequence[Sample]):
    """An `ImageFolder`, with whatever other sensors it has, and a tool's file of masks in it.

    root: the folder, or that file (in it, or in a folder `annotations` of it). What no mask covers is background;
    images without any mask are included, with `labels` None: nobody can tell them from images that were not looked at.
    A label is a class's name or `unlabelled` (255), unless ROOT/classes.yaml says which class it is, such as {car:
    vehicle}. Raises DataError as `ImageFolder` does, for another file than the tool's, for labels that are no class,
    for shapes that are no masks, and if nothing is marked; when indexed, for masks of another size than the image.
    """

    FILES: ClassVar[tuple[str, ...]]
    """Patterns by which the tool's file is found."""

    def __init__(self, root: str | Path, classes: Classes = CLASSES) -> None:
        self.path = _find(Path(root), self.FILES)
        inside = self.path.parent
        self.root = inside.parent if inside.name == "annotations" else inside
        self._frames = ImageFolder(self.root, folders=FOLDERS)
        for remark in self._frames.remarks:
            _log.warning("%s: %s", self.root, remark)
        found = self._read_file(self.path)
        self._marked = {name: image for name, image in found.images.items() if image.shapes}
        if not self._marked.keys() & set(self._frames.names):
            raise DataError(f"{self.path}: no mask for any image in {self.root}; draw some, and export again")
        used = {shape.label for image in self._marked.values() for shape in image.shapes}
        self._ids = _ids(self.root / "classes.yaml", classes, found.labels | used, self.path)

    def __len__(self) -> int:
        return len(self._frames)

    def read(self, index: int) -> Sample:
        """Frame number `index` and its labels."""
        frame, name = self._frames[index], self._frames.names[index]
        image = self._marked.get(name)
        return Sample(name, frame, None if image is None else self._painted(name, image, frame.size))

    @staticmethod
    @abstractmethod
    def _read_file(path: Path) -> Annotations:
        """The tool's file. Raises DataError for any other."""

    def _painted(self, name: str, image: Marked, size: tuple[int, int]) -> NDArray[np.uint8]:
        width, height = size
        if image.size != size:
            marked = "×".join(map(str, image.size))
            raise DataError(f"{self.path}: {name} was marked at {marked}, but its image has {width}×{height} pixels")
        labels = np.full((height, width), self._ids[FIRST[BACKGROUND]], np.uint8)
        for shape in image.shapes:
            try:
                labels[shape.mask(height, width)] = self._ids[shape.label]
            except ValueError as error:
                raise DataError(f"{self.path}: {name}: {shape.label}: {error}") from error
        return labels


def _find(root: Path, patterns: tuple[str, ...]) -> Path:
    if root.suffix == ".zip":
        raise DataError(f"{root}: unpack it, and name the folder")
    if root.is_file():
        return root
    found = [path for pattern in patterns for path in sorted(require_directory(root, "annotated images").glob(pattern))]
    if len(found) != 1:
        what = "several" if found else "none"
        raise DataError(f"{root}: expected one of {', '.join(patterns)}, found {what}: name the file instead")
    return found[0]


def _ids(path: Path, classes: Classes, labels: frozenset[str], where: Path) -> Mapping[str, int]:
    """Class ids by label. What may hold a class that the file does not know is 255."""
    numbers = {name: number for number, name in enumerate(classes.names)} | {NOTHING: UNLABELLED}
    ids = numbers | {label: numbers[name] for label, name in _mapped(path, numbers).items()}
    strange = sorted(labels - ids.keys())
    if strange:
        raise DataError(
            f"{where}: {strange[0]!r} is no class; the classes are {', '.join(numbers)}. Say in {path} which it is, "
            f"such as '{strange[0]}: background'"
        )
    known = {ids[label] for label in labels}
    further = enumerate(classes.rows[len(FIRST) :], len(FIRST))
    unsure = {FIRST.index(row.within) for number, row in further if number not in known}
    return {label: UNLABELLED if number in unsure else number for label, number in ids.items()}


def _mapped(path: Path, numbers: Mapping[str, int]) -> dict[str, str]:
    """The class of each label that classes.yaml names."""
    if not path.is_file():
        return {}
    try:
        content = yaml.safe_load(read_text(path))
    except yaml.YAMLError as error:
        raise DataError(f"{path}: not valid YAML: {' '.join(str(error).split())}") from error
    if not isinstance(content, dict):
        raise DataError(f"{path}: expected lines such as 'car: vehicle', a label and its class")
    for label, name in content.items():
        if name not in numbers:
            raise DataError(f"{path}: {label}: no class {name!r}; the classes are {', '.join(numbers)}")
    return {str(label): name for label, name in content.items()}

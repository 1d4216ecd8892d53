# SPDX-License-Identifier: Apache-2.0
"""Data sets by name, for the command line and training recipes; `dataset` registers another (docs/extending.md)."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from perception.classes import CLASSES, Classes
from perception.errors import DataError
from perception.registry import Registry
from perception.sample import Sample
from perception.storage import local, source

Open = Callable[..., Sequence[Sample]]


@dataclass(frozen=True)
class Reader:
    """open: returns the samples in a data set's folder, of one of its splits if `split` is true, and with labels of
    the keyword `classes` if `classes` is true."""

    open: Open
    split: bool = True
    classes: bool = False


READERS: Registry[Reader] = Registry("data set", "datasets", DataError)
"""Readers by data set name."""

_OURS: dict[str, tuple[str, str]] = {
    "camvid": ("camvid", "CamVid"),
    "cityscapes": ("cityscapes", "Cityscapes"),
    "cityscapes-small": ("cityscapes_small", "CityscapesSmall"),
    "cityscapes-stereo": ("cityscapes_stereo", "CityscapesStereo"),
    "coco": ("annotated.coco", "CocoFolder"),
    "cvat": ("annotated.cvat", "CvatFolder"),
    "folder": ("labelled_folder", "LabelledFolder"),
    "idd-lite": ("idd_lite", "IddLite"),
    "kitti-frames": ("kitti.frames", "KittiFrames"),
    "kitti-object": ("kitti.frames", "KittiObject"),
    "kitti-raw": ("kitti.raw_samples", "KittiRawSamples"),
    "kitti-raw-stereo": ("kitti.raw_samples", "KittiRawSamples"),
    "kitti-road": ("kitti.road", "KittiRoad"),
    "kitti-semantics": ("kitti.semantics", "KittiSemantics"),
    "kitti-semantics-stereo": ("kitti.semantics", "KittiSemantics"),
    "kitti-stereo": ("kitti.frames", "KittiFrames"),
    "label-studio": ("annotated.label_studio", "LabelStudioFolder"),
    "msrs": ("rgb_thermal", "RgbThermal"),
    "msrs-more": ("rgb_thermal", "RgbThermal"),
    "nuscenes": ("nuscenes.samples", "NuScenesSamples"),
    "penn-fudan": ("penn_fudan", "PennFudan"),
    "pseudo": ("pseudo_labelled", "PseudoLabelled"),
    "roadscene": ("rgb_thermal", "RgbThermal"),
    "simulated": ("simulated", "SimulatedFolder"),
}
"""Module and class of each of our readers, by data set name."""

STEREO: frozenset[str] = frozenset({"kitti-raw-stereo", "kitti-semantics-stereo", "kitti-stereo"})
"""Data sets whose depth is computed from their two cameras, which takes a tenth of a second per frame. The same sets
without depth have other names."""

UNSPLIT: frozenset[str] = frozenset(
    {"coco", "cvat", "folder", "kitti-object", "kitti-raw", "kitti-raw-stereo", "label-studio", "pseudo", "simulated"}
)
"""Data sets of ours whose reader takes no split: a simulated drive, or what somebody labelled, is as a whole for
training or for testing; KITTI's object set and raw drives are only for testing; pseudo-labels know which split they
belong to."""


def dataset(name: str, split: bool = True, classes: bool = False) -> Callable[[Open], Open]:
    """Register a function or class that opens the data set `name`, as a decorator; it returns a sequence of samples.

    It is called with the data set's folder, with the name of a split if it has splits, and with `classes` if it can
    label other classes than the first four; it raises DataError for what it cannot open. Raises DataError for a name
    that is taken.
    """

    def decorate(reader: Open) -> Open:
        READERS.add(name, Reader(reader, split, classes))
        return reader

    return decorate


def open_dataset(name: str, root: str | Path, split: str = "val", classes: Classes = CLASSES) -> Sequence[Sample]:
    """The samples of data set `name` under folder `root`, or at that URL: then all of it is fetched first.

    split: train or val; `all` if the data set has no official split; `test` if that is without ground truth and for
    submissions; not used by those that have none. classes: the classes of the labels.
    Raises DataError for an unknown name or split, for classes that the data set does not have, and as each reader
    does.
    """
    reader = READERS.find(name)
    root = local(source(root), "calib_*.txt")  # a drive's calibration is beside it
    arguments = (root, split) if reader.split else (root,)
    if reader.classes:
        return reader.open(*arguments, classes=classes)
    if classes != CLASSES:
        raise DataError(f"data set {name}: knows only {', '.join(CLASSES.names)}, not {', '.join(classes.names)}")
    return reader.open(*arguments)


def _lazy(module: str, name: str, **options: bool) -> Open:
    """The class of that name, whose module is imported when a data set is opened."""

    def open_it(*arguments: str | Path, classes: Classes) -> Sequence[Sample]:
        reader: Open = getattr(importlib.import_module(f"perception.datasets.{module}"), name)
        return reader(*arguments, classes=classes, **options)

    return open_it


for _name, (_module, _class) in _OURS.items():
    _open = _lazy(_module, _class, **({"stereo": True} if _name in STEREO else {}))
    dataset(_name, _name not in UNSPLIT, classes=True)(_open)

# SPDX-License-Identifier: Apache-2.0
"""Data sets by name, for the command line and training recipes."""

from __future__ import annotations

import importlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any, cast

from perception.classes import CLASSES, Classes
from perception.errors import DataError
from perception.sample import Sample

READERS: dict[str, tuple[str, str]] = {
    "camvid": ("camvid", "CamVid"),
    "cityscapes-small": ("cityscapes_small", "CityscapesSmall"),
    "cityscapes-stereo": ("cityscapes_stereo", "CityscapesStereo"),
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
    "msrs": ("rgb_thermal", "RgbThermal"),
    "msrs-more": ("rgb_thermal", "RgbThermal"),
    "penn-fudan": ("penn_fudan", "PennFudan"),
    "pseudo": ("pseudo_labelled", "PseudoLabelled"),
    "roadscene": ("rgb_thermal", "RgbThermal"),
    "simulated": ("simulated", "SimulatedFolder"),
}
"""Module and class of each reader by data set name."""

STEREO: frozenset[str] = frozenset({"kitti-raw-stereo", "kitti-semantics-stereo", "kitti-stereo"})
"""Data sets whose depth is made from their two cameras, which takes a tenth of a second for each frame. Without it they
have names of their own."""

UNSPLIT: frozenset[str] = frozenset({"folder", "kitti-object", "kitti-raw", "kitti-raw-stereo", "pseudo", "simulated"})
"""Data sets whose reader takes no split: a simulated drive is as a whole for training or for testing; KITTI's object
set and raw drives are for testing only; pseudo-labels know of which split they are."""


def open_dataset(name: str, root: str | Path, split: str = "val", classes: Classes = CLASSES) -> Sequence[Sample]:
    """The samples of data set `name` under folder `root`.

    split: train or val; `all` where the data set has no official split; `test` where that is without truth and for
    submissions; not used by those in UNSPLIT. classes: what the labels shall be.
    Raises DataError for an unknown name or split and for what each reader refuses.
    """
    if name not in READERS:
        raise DataError(f"unknown data set {name!r}: choose one of {', '.join(READERS)}")
    module, reader = READERS[name]
    arguments = (root,) if name in UNSPLIT else (root, split)
    options: dict[str, Any] = {"stereo": True} if name in STEREO else {}
    opened = getattr(importlib.import_module(f"perception.datasets.{module}"), reader)(
        *arguments, classes=classes, **options
    )
    return cast("Sequence[Sample]", opened)

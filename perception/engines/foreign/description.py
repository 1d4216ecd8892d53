# SPDX-License-Identifier: Apache-2.0
"""`model.yaml`: what is to be known of a network that was not made here, in a file beside its own (docs/export.md)."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import yaml
from numpy.typing import NDArray

from perception.classes import FIRST, UNLABELLED
from perception.engines.foreign.names import NAMES, known
from perception.errors import ModelError
from perception.sensors.spec import SPECS
from perception.settings import Settings, nearest, refuse_unknown

FORMAT = 1
"""Version of the file."""

COLOURS = ("red", "green", "blue")

CHANNELS: dict[str, tuple[str, int]] = {
    **{name: ("rgb", number) for number, name in enumerate(COLOURS)},
    **{
        f"{spec.name} {channel}": (spec.name, number)
        for spec in SPECS.values()
        for number, channel in enumerate(spec.channels)
    },
}
"""What an input can be made of: by name, the sensor and the number of its channel. All are bytes."""

LAYOUTS = ("NCHW", "NHWC", "CHW", "HWC")

FITS = ("stretch", "letterbox")

KINDS: dict[str, tuple[str, ...]] = {
    "logits": ("scores",),
    "probabilities": ("scores",),
    "labels": ("labels",),
    "masks": ("labels", "scores", "masks"),
    "yolo": ("predictions", "prototypes"),
}
"""Kinds of output, and the parts that each consists of.

logits, probabilities: (1, C, h, w) of each class, before and after the softmax; of one class alone, the sigmoid.
labels: (1, h, w) or (1, 1, h, w) class ids. masks: things as torchvision's Mask R-CNN gives them, (N,) ids and scores
and (N, 1, h, w) masks as large as the input. yolo: YOLO's (1, 4 + C + M, A) boxes, scores and coefficients, and
(1, M, h, w) prototypes of masks.
"""

OF_THINGS = ("masks", "yolo")

OURS = (*FIRST, "unlabelled")
"""What a class of the file can be."""


@dataclass(frozen=True)
class Input(Settings):
    """One of the file's inputs: value = (byte · scale - mean) / std.

    channels: of CHANNELS, in their order. mean, std: of each channel.
    """

    channels: tuple[str, ...]
    scale: float
    mean: tuple[float, ...]
    std: tuple[float, ...]

    def __post_init__(self) -> None:
        super().__post_init__()
        for name in self.channels:
            if name not in CHANNELS:
                raise ModelError(f"channels: no channel is called {name!r}{nearest(name, CHANNELS)}")
        for name in ("mean", "std"):
            if len(getattr(self, name)) != len(self.channels):
                raise ModelError(f"{name}: {len(getattr(self, name))} values for {len(self.channels)} channels")
        if not self.channels or not self.scale or not all(self.std):
            raise ModelError("channels must not be empty, and neither scale nor std be 0")

    @property
    def sensors(self) -> frozenset[str]:
        """Whose channels it has."""
        return frozenset(CHANNELS[name][0] for name in self.channels)


@dataclass(frozen=True)
class Description(Settings):
    """The content of a model.yaml.

    inputs: by their names in the file. outputs: `kind`, one of KINDS, and the file's name of each of its parts. names:
    of the file's classes by id: a list, a mapping of ids, or the name of a known list. classes: what each is of OURS,
    by its name or id; names that everybody knows need not be there. others: what all other classes are. layout: of the
    inputs. size: height and width of the input; None for a file that takes any multiple of `stride`. fit: how an image
    of another shape is brought to it; `fill` is the byte beside it. threshold: the least score of a thing; overlap: the
    IoU of two boxes of which the weaker goes. elsewhere: what is outside of all things.
    """

    format: int
    inputs: Mapping[str, Input]
    outputs: Mapping[str, str]
    names: Any
    layout: str
    classes: Mapping[int | str, str] = field(default_factory=dict)
    others: str | None = None
    size: tuple[int, int] | None = None
    stride: int = 32
    fit: str = "stretch"
    fill: int = 114
    threshold: float = 0.5
    overlap: float = 0.7
    elsewhere: str = "unlabelled"

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.format != FORMAT:
            raise ModelError(f"format: {self.format}, this version reads {FORMAT}")
        for name, among in (("layout", LAYOUTS), ("fit", FITS), ("elsewhere", OURS)):
            _among(getattr(self, name), among, name)
        if not self.inputs:
            raise ModelError("inputs: there are none")
        _among(self.kind, KINDS, "outputs.kind")
        missing = [part for part in KINDS[self.kind] if part not in self.outputs]
        if missing:
            raise ModelError(f"outputs: {missing[0]!r} is missing: the file's output that holds the {missing[0]}")
        refuse_unknown(self.outputs, "outputs", ("kind", *KINDS[self.kind]))
        if self.stride < 1 or not 0 <= self.fill <= 255 or (self.size is not None and min(self.size) < 1):
            raise ModelError("stride, fill, size: expected at least 1, a byte, and at least 1")
        if not (0 < self.threshold < 1 and 0 < self.overlap <= 1):
            raise ModelError(f"threshold, overlap: {self.threshold}, {self.overlap}: expected shares of 1")
        _ = self.table

    @property
    def kind(self) -> str:
        """Of the output."""
        return self.outputs.get("kind", "")

    @property
    def sensors(self) -> tuple[str, ...]:
        """The sensors whose channels it takes, in the table's order."""
        used = frozenset().union(*(each.sensors for each in self.inputs.values()))
        return tuple(name for name in SPECS if name in used)

    @cached_property
    def class_names(self) -> tuple[str, ...]:
        """By the file's class id."""
        if isinstance(self.names, str):
            _among(self.names, NAMES, "names")
            return NAMES[self.names]
        if isinstance(self.names, Mapping):
            if sorted(self.names) != list(range(len(self.names))):
                raise ModelError("names: expected every id from 0 on")
            return tuple(str(self.names[number]) for number in range(len(self.names)))
        if not isinstance(self.names, (list, tuple)) or not self.names:
            raise ModelError(f"names: expected the classes by id, or one of {', '.join(NAMES)}; got {self.names!r}")
        return tuple(map(str, self.names))

    @cached_property
    def table(self) -> NDArray[np.uint8]:
        """(C,) our class id of each of the file's, 255 for what says nothing."""
        said: dict[int, str] = {}
        for which, ours in self.classes.items():
            _among(ours, OURS, f"classes[{which!r}]")
            if isinstance(which, int) and which not in range(len(self.class_names)):
                raise ModelError(f"classes: there is no class {which}, the ids are 0 to {len(self.class_names) - 1}")
            if isinstance(which, str) and which not in self.class_names:
                raise ModelError(f"classes: none of names is {which!r}{nearest(which, self.class_names)}")
            ids = [which] if isinstance(which, int) else _places(self.class_names, which)
            said |= dict.fromkeys(ids, ours)
        if self.others is not None:
            _among(self.others, OURS, "others")
        found = [said.get(number) or known(name) or self.others for number, name in enumerate(self.class_names)]
        for number, name in enumerate(self.class_names):
            if found[number] is None:
                raise ModelError(
                    f"classes: nothing says what class {number}, {name!r}, is: one of {', '.join(OURS)}; `others` says "
                    "it of all that are left"
                )
        return np.array([our_id(ours or "") for ours in found], np.uint8)


def our_id(name: str) -> int:
    """The class id of one of OURS."""
    return FIRST.index(name) if name in FIRST else UNLABELLED


def read(path: Path) -> Description:
    """Raises ModelError, which names the file and what is wrong with it."""
    try:
        content = yaml.safe_load(path.read_text("utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ModelError(f"{path}: not YAML: {' '.join(str(error).split())}") from error
    try:
        return made(content)
    except ModelError as error:
        raise ModelError(f"{path}: {error}") from error


def made(content: Any) -> Description:
    """A description of what YAML holds. Raises ModelError."""
    if not isinstance(content, Mapping):
        raise ModelError("expected keys with values, as `perception export-check --describe` begins it")
    inputs = content.get("inputs")
    if not isinstance(inputs, Mapping):
        raise ModelError("inputs: expected the file's inputs by name")
    return Description(**{**content, "inputs": {name: _input(name, each) for name, each in inputs.items()}})


def digest(path: Path) -> str:
    """Of a description's file, a few letters that tell it from others."""
    return hashlib.sha256(path.read_bytes()).hexdigest()[:8]


def _input(name: str, content: Any) -> Input:
    if not isinstance(content, Mapping):
        raise ModelError(f"inputs.{name}: expected channels, scale, mean and std")
    scale = content.get("scale")
    if isinstance(scale, str) and (parts := re.fullmatch(r"(\d+)/(\d+)", scale.replace(" ", ""))) and int(parts[2]):
        content = {**content, "scale": int(parts[1]) / int(parts[2])}  # 1/255 is what people write
    try:
        return Input(**content)
    except ModelError as error:
        raise ModelError(f"inputs.{name}: {error}") from error


def _among(value: str, names: Any, where: str) -> None:
    if value not in names:
        raise ModelError(f"{where}: {value!r}{nearest(value, names)}")


def _places(names: tuple[str, ...], name: str) -> list[int]:
    return [number for number, each in enumerate(names) if each == name]

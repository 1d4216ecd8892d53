# SPDX-License-Identifier: Apache-2.0
"""Images with a mask of every vehicle and person, of any data set that tells them apart."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from perception.classes import CLASS_NAMES, CLASSES
from perception.datasets.registry import open_dataset
from perception.errors import DataError
from perception.frame import INSTANCE_STEP, MODALITIES
from perception.instances import THINGS
from perception.sample import Sample
from perception.sensors import network_size
from perception.sensors.encode import encode_images

SMALLEST = 12
"""Pixels of a thing that is learnt."""

GREY = 114
"""What hides vehicles and people of whom nobody knows how many they are."""


class Example(NamedTuple):
    """image: (H, W, 3) uint8 RGB. masks: (N, H, W). kinds: (N,) each one's class id, of THINGS."""

    image: NDArray[np.uint8]
    masks: NDArray[np.bool_]
    kinds: NDArray[np.intp]


class Examples:
    """Those of the data sets `data`, (name, root) pairs, as large as the node gives images to a network.

    Only samples with a camera image and at least one thing that is told apart: pieces of a mask of a class are no
    things, since what touches is one piece. Read again each time, so that no more than one is in memory. Raises
    DataError where a set cannot be read, or none of its samples is of use.
    """

    def __init__(self, data: Sequence[tuple[str, Path]], progress: Callable[[str], None]) -> None:
        self._samples: list[tuple[Sequence[Sample], int]] = []
        kinds: set[int] = set()
        for name, root in data:
            samples = open_dataset(name, root, "train")
            before = len(self._samples)
            for index in range(len(samples)):
                if (example := example_of(samples[index])) is not None:
                    self._samples.append((samples, index))
                    kinds |= set(example.kinds.tolist())
            used = len(self._samples) - before
            progress(f"{name}: {used} of {len(samples)} samples have vehicles or people told apart")
            if not used:
                raise DataError(
                    f"{name}: {root}: no sample tells vehicles or people apart, which this network learns; take sets "
                    "that do: penn-fudan, cityscapes, simulated"
                )
        self.kinds = tuple(kind for kind in THINGS if kind in kinds)

    @property
    def names(self) -> tuple[str, ...]:
        """Of the classes that occur, in the order of `kinds`."""
        return tuple(CLASS_NAMES[kind] for kind in self.kinds)

    def __len__(self) -> int:
        return len(self._samples)

    def __getitem__(self, index: int) -> Example:
        samples, number = self._samples[index]
        example = example_of(samples[number])
        assert example is not None  # it was not when it was counted
        return example


def example_of(sample: Sample) -> Example | None:
    """None for a sample that is of no use. Things that nobody told apart are hidden."""
    if sample.frame.rgb is None or sample.instances is None:
        return None
    size = network_size(*sample.frame.size)
    image = encode_images(sample.frame, *size, MODALITIES[:1]).rgb.copy()
    codes = cv2.resize(sample.instances, size, interpolation=cv2.INTER_NEAREST)
    found, counts = np.unique(codes, return_counts=True)
    large = [int(code) for code, count in zip(found, counts, strict=True) if code and count >= SMALLEST]
    kinds = [int(CLASSES.first[code // INSTANCE_STEP]) for code in large]
    kept = [(code, kind) for code, kind in zip(large, kinds, strict=True) if kind in THINGS]
    if not kept:
        return None
    if sample.labels is not None:
        labels = cv2.resize(sample.labels, size, interpolation=cv2.INTER_NEAREST)
        image[np.isin(CLASSES.first[labels], THINGS) & ~np.isin(codes, [code for code, _ in kept])] = GREY
    masks = np.stack([codes == code for code, _ in kept])
    return Example(image, masks, np.array([kind for _, kind in kept]))

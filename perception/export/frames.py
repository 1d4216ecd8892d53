# SPDX-License-Identifier: Apache-2.0
"""The frames that `perception export` checks and calibrates with."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations
from pathlib import Path

from perception.datasets.registry import open_dataset
from perception.errors import DataError
from perception.frame import MODALITIES, Frame
from perception.sensors import NetworkInput, encode, network_size
from perception.sensors.presence import keep_modalities

FIRST_SEED = 1000
"""Of the streets for calibration: those of the check, of `demo` and of `eval` lie below."""

SUBSETS = tuple(names for count in range(1, len(MODALITIES) + 1) for names in combinations(MODALITIES, count))
"""Every set of sensors that a frame can have."""


def check_frames(count: int) -> Iterator[NetworkInput]:
    """`count` simulated frames, a second apart, each with all of its sensors and again with some."""
    from perception.simulation import SimulatedDrive

    for index, sample in enumerate(SimulatedDrive(seed=0, frames=count, rate_hz=1.0)):
        yield _encoded(sample.frame)
        yield _encoded(_thinned(sample.frame, index))


def calibration_frames(count: int) -> Iterator[NetworkInput]:
    """`count` simulated frames, each of a street of its own, every other one with a subset of its sensors."""
    from perception.simulation import CONDITIONS, SimulatedDrive

    for index in range(count):
        drive = SimulatedDrive(FIRST_SEED + index, CONDITIONS[index % len(CONDITIONS)], frames=100)
        frame = drive[index % 50].frame
        yield _encoded(_thinned(frame, index // 2) if index % 2 else frame)


def real_frames(dataset: str, root: Path, count: int, split: str = "train") -> Iterator[NetworkInput]:
    """`count` frames, or all where there are fewer, evenly from a split of a data set.

    Raises DataError for what `open_dataset` refuses and where the split is empty.
    """
    samples = open_dataset(dataset, root, split)
    if not samples:
        raise DataError(f"{root}: no sample in split {split} of {dataset}")
    count = min(count, len(samples))
    for index in range(count):
        yield _encoded(samples[index * len(samples) // count].frame)


def _thinned(frame: Frame, number: int) -> Frame:
    return keep_modalities(frame, SUBSETS[number % len(SUBSETS)])


def _encoded(frame: Frame) -> NetworkInput:
    return encode(frame, *network_size(*frame.size))

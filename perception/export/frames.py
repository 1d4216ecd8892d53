# SPDX-License-Identifier: Apache-2.0
"""The frames that `perception export` checks and calibrates with."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
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


def check_frames(count: int, sensors: Sequence[str] = MODALITIES) -> Iterator[NetworkInput]:
    """`count` simulated frames, a second apart, each with all of its sensors and again with some.

    sensors: those of the network, in its order.
    """
    from perception.simulation import SimulatedDrive

    for index, sample in enumerate(SimulatedDrive(seed=0, frames=count, rate_hz=1.0, further=_further(sensors))):
        yield _encoded(sample.frame, sensors)
        yield _encoded(_thinned(sample.frame, index), sensors)


def calibration_frames(count: int, sensors: Sequence[str] = MODALITIES) -> Iterator[NetworkInput]:
    """`count` simulated frames, each of a street of its own, every other one with a subset of its sensors.

    sensors: see `check_frames`.
    """
    from perception.simulation import CONDITIONS, SimulatedDrive

    for index in range(count):
        drive = SimulatedDrive(
            FIRST_SEED + index, CONDITIONS[index % len(CONDITIONS)], frames=100, further=_further(sensors)
        )
        frame = drive[index % 50].frame
        yield _encoded(_thinned(frame, index // 2) if index % 2 else frame, sensors)


def real_frames(
    dataset: str, root: Path, count: int, split: str = "train", sensors: Sequence[str] = MODALITIES
) -> Iterator[NetworkInput]:
    """`count` frames, or all where there are fewer, evenly from a split of a data set. sensors: see `check_frames`.

    Raises DataError for what `open_dataset` refuses and where the split is empty.
    """
    samples = open_dataset(dataset, root, split)
    if not samples:
        raise DataError(f"{root}: no sample in split {split} of {dataset}")
    count = min(count, len(samples))
    for index in range(count):
        yield _encoded(samples[index * len(samples) // count].frame, sensors)


def _further(sensors: Sequence[str]) -> tuple[str, ...]:
    return tuple(name for name in sensors if name not in MODALITIES)


def _thinned(frame: Frame, number: int) -> Frame:
    """The subset of that number; further sensors are there every other time."""
    further = tuple(frame.extra) if number % 2 else ()
    return keep_modalities(frame, (*SUBSETS[number % len(SUBSETS)], *further))


def _encoded(frame: Frame, sensors: Sequence[str]) -> NetworkInput:
    return encode(frame, *network_size(*frame.size), sensors=sensors)

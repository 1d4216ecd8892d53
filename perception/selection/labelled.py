# SPDX-License-Identifier: Apache-2.0
"""The folders that `perception label` wrote, and what is measured on their frames."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from perception.classes import CLASSES, FIRST, Classes
from perception.datasets.io.files import nearest_path, read_text
from perception.datasets.io.named_frames import NamedFrames
from perception.errors import DataError, PerceptionError
from perception.labelling.files import FrameFiles
from perception.labelling.once import MANIFEST
from perception.recordings.opening import Reading, open_recording
from perception.selection.signals import (
    CONFIDENCE,
    FLICKER,
    POINTS,
    SENSORS,
    flickering,
    layout,
    stray,
    unsure,
)
from perception.storage import source

GAP = 3.0
"""Neighbours further apart than so many usual steps are none: a mask that changed meanwhile does not flicker."""


@dataclass(frozen=True)
class Drive:
    """A recording that was labelled into `folder`. calibration: for what the recording lacks."""

    folder: Path
    calibration: Path | None = None

    @cached_property
    def manifest(self) -> dict[str, Any]:
        """What was labelled, and how. Raises DataError for a broken one."""
        path = self.folder / MANIFEST
        try:
            found: dict[str, Any] = dict(json.loads(read_text(path)))
            missing = {"input", "model", "classes", "reading", "topics"} - found.keys()
        except (ValueError, TypeError) as error:
            raise DataError(f"{path}: broken ({error}); label again") from error
        if missing:
            raise DataError(f"{path}: {min(missing)} is missing; label again")
        return found

    @cached_property
    def classes(self) -> Classes:
        """The classes of its labels; those beyond the first four are grey, as their colours are not recorded."""
        names = [str(name) for name in self.manifest["classes"]]
        if tuple(names[: len(FIRST)]) != FIRST:
            raise DataError(f"{self.folder / MANIFEST}: classes {', '.join(names)}, expected {', '.join(FIRST)} first")
        return CLASSES.extended([{"name": name, "colour": (180, 180, 180)} for name in names[len(FIRST) :]])

    @cached_property
    def files(self) -> FrameFiles:
        """Its frames' files."""
        return FrameFiles(self.folder, ("masks",), classes=self.classes)

    @cached_property
    def recording(self) -> NamedFrames:
        """The recording, opened. Raises PerceptionError as `open_recording` does."""
        topics = self.manifest["topics"]
        reading = Reading(*self.manifest["reading"])
        return open_recording(source(self.manifest["input"]), topics, self.calibration, None, reading)

    @cached_property
    def numbers(self) -> dict[str, int]:
        """Which frame of the recording has a name."""
        return {name: number for number, name in enumerate(self.recording.names)}

    def number(self, name: str) -> int:
        """Which frame of the recording it is. Raises DataError where it has none of that name."""
        if name not in self.numbers:
            raise DataError(f"{self.manifest['input']}: has no frame {name} any more; label it again")
        return self.numbers[name]

    def has(self, kind: str) -> bool:
        """Whether files of that kind were written."""
        return (self.folder / kind).is_dir()


@dataclass(frozen=True)
class Measured:
    """The frames of a drive in the order of time.

    names, stamps_ns: of each. values: (N,) by signal, NaN where it could not be measured; without RARE, which all
    drives say together. sensors: of each, the one that contradicts the others most, "" without. shares: (N, K) of the
    image, by class. layouts: (N, D), see `signals.layout`. missing: what could not be measured, each with the reason.
    """

    drive: Drive
    names: Sequence[str]
    stamps_ns: NDArray[np.int64]
    values: dict[str, NDArray[np.float32]]
    sensors: Sequence[str]
    shares: NDArray[np.float32]
    layouts: NDArray[np.uint8]
    missing: list[str] = field(default_factory=list)


def find(paths: Iterable[Path]) -> list[Path]:
    """The folders that `perception label` wrote: the paths themselves, or those below. Raises DataError for none."""
    found: dict[Path, None] = {}
    for path in paths:
        if not path.is_dir():
            raise DataError(f"{path}: no such folder (written by `perception label`){nearest_path(path)}")
        before = len(found)
        for folder, inside, files in os.walk(path):
            if MANIFEST in files:
                found[Path(folder).resolve()] = None
                inside.clear()
            inside.sort()
        if len(found) == before:
            raise DataError(f"{path}: no {MANIFEST} in it or below: name a folder that `perception label` wrote")
    return list(found)


def measure(drive: Drive) -> Measured:
    """Measure all frames that are done. Raises DataError for broken files."""
    files, folder = drive.files, drive.folder / "frames"
    records = {path.relative_to(folder).with_suffix("").as_posix(): path for path in folder.rglob("*.json")}
    told = {name: files.record(name) for name in records}
    names = sorted(told, key=lambda name: (int(told[name].get("stamp_ns", 0)), name))
    stamps = np.array([int(told[name].get("stamp_ns", 0)) for name in names], np.int64)
    overturns = [told[name].get("overturns", {}) for name in names]
    shares = np.zeros((len(names), len(drive.classes)), np.float32)
    layouts, values = [], {signal: np.full(len(names), np.nan, np.float32) for signal in _MEASURED}
    near = _neighbours(stamps)
    sweeps, missing = _sweeps(drive, told)
    before, after = None, files.labels(names[0]) if names else None
    for place, name in enumerate(names):
        assert after is not None  # there is a next one
        here, after = after, files.labels(names[place + 1]) if place + 1 < len(names) else None
        shares[place] = np.bincount(here.ravel(), minlength=256)[: len(drive.classes)] / here.size
        layouts.append(layout(here, drive.classes))
        values[SENSORS][place] = max(overturns[place].values(), default=np.nan)
        if files.path("confidence", name).is_file():
            values[CONFIDENCE][place] = unsure(here, files.confidence(name)).mean()
        if near[place] and before is not None and after is not None and before.shape == here.shape == after.shape:
            values[FLICKER][place] = flickering(before, here, after).mean()
        if sweeps is not None and "lidar" in told[name]["modalities"]:
            found = _stray(drive, sweeps, name)
            values[POINTS][place] = np.nan if found is None else found
        before = here
    missing += [] if drive.has("confidence") else ["confidence was not written: label with --write masks confidence"]
    several = any(len(record["modalities"]) > 1 for record in told.values())
    if several and not any("overturns" in record for record in told.values()):
        missing.append("no frame was cross-checked: label with --cross-check 1")
    vars(drive).pop("recording", None)  # the indices of a fleet's recordings would fill the memory
    sensors = [max(each, key=each.__getitem__) if each else "" for each in overturns]
    size = len(names), len(layouts[0]) if layouts else 0
    return Measured(drive, names, stamps, values, sensors, shares, np.array(layouts, np.uint8).reshape(size), missing)


_MEASURED = (SENSORS, POINTS, CONFIDENCE, FLICKER)


def _neighbours(stamps: NDArray[np.int64]) -> NDArray[np.bool_]:
    """(N,) whether a frame has one shortly before and one shortly after."""
    steps = np.diff(stamps)
    usual = np.median(steps) if len(steps) else 0
    close = steps <= GAP * usual
    return np.concatenate([[False], close])[: len(stamps)] & np.concatenate([close, [False]])[: len(stamps)]


def _sweeps(drive: Drive, told: dict[str, dict[str, Any]]) -> tuple[NamedFrames | None, list[str]]:
    """The recording, if its sweeps can be compared with their labels, and else why not."""
    if not any("lidar" in record["modalities"] for record in told.values()):
        return None, []
    if not drive.has("point_labels"):
        return None, ["the labels of points were not written: label with --write bag"]
    try:
        return drive.recording, []
    except PerceptionError as error:
        return None, [f"points were not compared: {error}"]


def _stray(drive: Drive, recording: NamedFrames, name: str) -> float | None:
    try:
        return stray(recording[drive.number(name)], drive.files.point_labels(name), drive.classes)
    except PerceptionError:
        return None  # the frame counts without this signal

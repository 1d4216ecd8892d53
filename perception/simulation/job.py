# SPDX-License-Identifier: Apache-2.0
"""One run of `perception simulate`: several drives, rendered to disk one after the other."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from perception.errors import DataError
from perception.simulation.drive import SimulatedDrive
from perception.simulation.storage import is_drive, write_drive


@dataclass(frozen=True, kw_only=True)
class SimulateOptions:
    """drives: how many, with seeds that count up and conditions in turn. The rest: see `SimulatedDrive`, `write_drive`.

    output: the drive's folder; of several drives a folder of theirs.
    """

    output: Path
    seed: int = 0
    conditions: Sequence[str] = ("day",)
    street: str = "any"
    rig: str = "kitti"
    depth: str = "ideal"
    further: Sequence[str] = ()
    frames: int = 100
    rate_hz: float = 10.0
    scale: float = 1.0
    drives: int = 1
    workers: int = os.cpu_count() or 1


@dataclass(frozen=True)
class DriveRow:
    """A drive that was written."""

    folder: str
    condition: str
    seed: int
    frames: int


@dataclass(frozen=True)
class SimulateReport:
    """The JSON of `perception simulate`."""

    drives: list[DriveRow]


@dataclass(frozen=True)
class Planned:
    """A drive, and the folder for it."""

    drive: SimulatedDrive
    folder: Path


def plan(options: SimulateOptions) -> list[Planned]:
    """The drives, not rendered yet. Raises DataError for a folder of something else, and as `SimulatedDrive` does."""
    if options.drives > 1:
        _require_drives(options.output)
    planned = []
    for number in range(options.drives):
        drive = SimulatedDrive(
            options.seed + number,
            options.conditions[number % len(options.conditions)],
            options.frames,
            options.rate_hz,
            options.scale,
            options.street,
            options.rig,
            options.depth,
            options.further,
        )
        name = f"{drive.condition}-{drive.seed:04d}"
        planned.append(Planned(drive, options.output / name if options.drives > 1 else options.output))
    return planned


def render(planned: Sequence[Planned], workers: int, progress: Callable[[Planned, int], None]) -> SimulateReport:
    """Write them, one after the other. progress: called with the drive, and the number of its frames that are done.

    Raises as `write_drive` does.
    """
    for each in planned:
        progress(each, 0)
        write_drive(each.drive, each.folder, workers, partial(progress, each))
    rows = [DriveRow(f"{each.folder}", each.drive.condition, each.drive.seed, len(each.drive)) for each in planned]
    return SimulateReport(rows)


def _require_drives(folder: Path) -> None:
    """Raises DataError where the folder of several drives holds anything else."""
    strange = [path.name for path in sorted(folder.iterdir()) if not is_drive(path)] if folder.is_dir() else []
    if strange:
        raise DataError(f"{folder}: holds {strange[0]}, which is no drive; choose another folder")

# SPDX-License-Identifier: Apache-2.0
"""`perception simulate`: render drives through a procedural street to disk."""

from __future__ import annotations

import argparse
import os
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from perception.cli.shared import at_least_one
from perception.disk import write_json
from perception.sensors.spec import FURTHER

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

SUMMARY = "render drives through a procedural street: camera, depth, thermal, LiDAR, exact labels"
EXAMPLES = """\
perception simulate -o out/drive                                100 frames by day
perception simulate -o out/night --condition night --seed 7
perception simulate -o out/training --drives 20 --condition all --frames 40 --scale 0.5
perception simulate -o out/any --drives 50 --frames 4 --condition all --rig random --depth any
perception simulate -o out/radar --with radar                   with a radar beside the four sensors
perception eval simulated out/drive                             score the model on what was written
"""
_CONDITIONS = ("day", "dusk", "night", "fog", "rain")
_RIGS = ("kitti", "car", "van", "truck", "robot", "cityscapes", "random")
_DEPTHS = ("ideal", "stereo", "tof", "any")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declares the options of `perception simulate`."""
    parser.add_argument("-o", "--output", type=Path, required=True, metavar="DIR", help="where to write")
    parser.add_argument("--seed", type=int, default=0, help="which street; the same seed gives the same bits (0)")
    parser.add_argument("--condition", choices=(*_CONDITIONS, "all"), default="day", help="all: in turn (day)")
    parser.add_argument(
        "--street", choices=("any", "lane"), default="any", help="lane: narrow, walls and hedges close by (any)"
    )
    parser.add_argument(
        "--rig",
        choices=_RIGS,
        default="kitti",
        help="the vehicle: cameras' height, tilt and field of view, LiDAR; random: another for every seed (kitti)",
    )
    parser.add_argument(
        "--depth",
        choices=_DEPTHS,
        default="ideal",
        help="ideal: true, with noise and holes; stereo: matched from a second camera; tof: a lamp's 4 to 12 m, little"
        " in the sun; any: one of them by the seed (ideal)",
    )
    parser.add_argument(
        "--with", dest="further", action="append", choices=FURTHER, default=[], metavar="SENSOR",
        help=f"simulate a further sensor too: {', '.join(FURTHER)}; again for another",
    )  # fmt: skip
    parser.add_argument("--frames", type=int, default=100, metavar="N", help="frames per drive (100)")
    parser.add_argument("--rate", type=float, default=10.0, metavar="HZ", help="frames per second (10)")
    parser.add_argument(
        "--scale", type=float, default=1.0, help="of the images; 1 is the rig's own size, KITTI's 1242×375 (1)"
    )
    parser.add_argument(
        "--drives", type=at_least_one, default=1, metavar="N", help="drives, with seeds that count up (1)"
    )
    parser.add_argument(
        "--workers", type=at_least_one, default=os.cpu_count() or 1, metavar="N", help="processes (all cores)"
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the table of drives to FILE")


def run(args: argparse.Namespace) -> int:
    """Renders, with a progress bar, and lists what was written."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
    from rich.table import Table

    from perception.simulation.drive import SimulatedDrive
    from perception.simulation.storage import write_drive

    if args.drives > 1:
        _require_drives(args.output)
    conditions = _CONDITIONS if args.condition == "all" else (args.condition,)
    drives = [
        SimulatedDrive(
            args.seed + i,
            conditions[i % len(conditions)],
            args.frames,
            args.rate,
            args.scale,
            args.street,
            args.rig,
            args.depth,
            args.further,
        )
        for i in range(args.drives)
    ]
    folders = [args.output / f"{d.condition}-{d.seed:04d}" if len(drives) > 1 else args.output for d in drives]
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True)) as progress:
        task = progress.add_task("rendering", total=len(drives) * args.frames)
        for number, (drive, folder) in enumerate(zip(drives, folders, strict=True)):
            progress.update(task, description=f"{drive.condition} {drive.seed}")
            advance = partial(_advance, progress, task, number * args.frames)
            write_drive(drive, folder, args.workers, advance)
    table = Table("drive", "condition", "seed", "frames", "image")
    for drive, folder in zip(drives, folders, strict=True):
        size = f"{drive.camera.width}×{drive.camera.height}"
        table.add_row(str(folder), drive.condition, str(drive.seed), str(len(drive)), size)
    Console().print(table)
    if args.json:
        rows = [
            {"folder": str(f), "condition": d.condition, "seed": d.seed, "frames": len(d)}
            for d, f in zip(drives, folders, strict=True)
        ]
        write_json(args.json, rows)
    return 0


def _require_drives(folder: Path) -> None:
    """Raises DataError where the folder of several drives holds anything else."""
    from perception.errors import DataError
    from perception.simulation.storage import is_drive

    strange = [path.name for path in sorted(folder.iterdir()) if not is_drive(path)] if folder.is_dir() else []
    if strange:
        raise DataError(f"{folder}: holds {strange[0]}, which is no drive; choose another folder")


def _advance(progress: Progress, task: TaskID, before: int, done: int) -> None:
    progress.update(task, completed=before + done)

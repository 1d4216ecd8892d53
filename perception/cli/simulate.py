# SPDX-License-Identifier: Apache-2.0
"""`perception simulate`: render drives through a procedural street to disk."""

from __future__ import annotations

import argparse
import os

from perception.cli.shared import CONDITIONS, add, add_former
from perception.sensors.spec import FURTHER

SUMMARY = "render drives through a procedural street: camera, depth, thermal, LiDAR, exact labels"
EXAMPLES = """\
perception simulate -o out/drive                                100 frames by day
perception simulate -o out/night --condition night --seed 7
perception simulate -o out/training --drives 20 --condition all --frames 40 --scale 0.5
perception simulate -o out/any --drives 50 --frames 4 --condition all --rig random --depth-camera any
perception simulate -o out/radar --with radar                   with a radar beside the four sensors
perception eval simulated out/drive                             score the model on what was written
"""
_RIGS = ("kitti", "car", "van", "truck", "robot", "cityscapes", "random")
_DEPTHS = ("ideal", "stereo", "tof", "any")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declares the options of `perception simulate`."""
    add(parser, "--output", required=True)
    add(parser, "--seed", ": selects the street (0)", default=0)
    add(parser, "--condition", "; all: in turn (day)", choices=(*CONDITIONS, "all"), default="day")
    parser.add_argument(
        "--street", choices=("any", "lane"), default="any", help="lane: narrow, walls and hedges close by (any)"
    )
    parser.add_argument(
        "--rig",
        choices=_RIGS,
        default="kitti",
        help="the vehicle: cameras' height, tilt and field of view, LiDAR; random: another for every seed (kitti)",
    )
    depth = parser.add_argument(
        "--depth-camera",
        choices=_DEPTHS,
        default="ideal",
        help="ideal: exact, with noise and holes; stereo: matched from a second camera; tof: up to 4 to 12 m, less"
        " in the sun; any: one of them by the seed (ideal)",
    )
    add_former(parser, "--depth", depth)
    parser.add_argument(
        "--with", dest="further", action="append", choices=FURTHER, default=[], metavar="SENSOR",
        help=f"simulate a further sensor too: {', '.join(FURTHER)}; repeatable",
    )  # fmt: skip
    add(parser, "--frames", " in each drive (100)", default=100)
    add(parser, "--hz", " (10)", former="--rate", default=10.0)
    parser.add_argument(
        "--scale", type=float, default=1.0, help="of the images; 1 is the rig's own size, KITTI's 1242×375 (1)"
    )
    add(parser, "--drives", " (1)", default=1)
    add(parser, "--workers", " for rendering (every core)", default=os.cpu_count() or 1)
    add(parser, "--json")


def run(args: argparse.Namespace) -> int:
    """Renders, with a progress bar, and lists what was written."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
    from rich.table import Table

    from perception.reporting.reports import write_report
    from perception.simulation.job import Planned, SimulateOptions, plan, render

    options = SimulateOptions(
        output=args.output,
        seed=args.seed,
        conditions=CONDITIONS if args.condition == "all" else (args.condition,),
        street=args.street,
        rig=args.rig,
        depth=args.depth_camera,
        further=args.further,
        frames=args.frames,
        rate_hz=args.hz,
        scale=args.scale,
        drives=args.drives,
        workers=args.workers,
    )
    planned = plan(options)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True)) as progress:
        task = progress.add_task("rendering", total=len(planned) * args.frames)

        def show(each: Planned, done: int) -> None:
            before = planned.index(each) * args.frames
            progress.update(task, description=f"{each.drive.condition} {each.drive.seed}", completed=before + done)

        report = render(planned, options.workers, show)
    table = Table("drive", "condition", "seed", "frames", "image")
    for each, row in zip(planned, report.drives, strict=True):
        size = f"{each.drive.camera.width}×{each.drive.camera.height}"
        table.add_row(row.folder, row.condition, str(row.seed), str(row.frames), size)
    Console().print(table)
    if args.json:
        write_report(args.json, "simulate", report)
    return 0

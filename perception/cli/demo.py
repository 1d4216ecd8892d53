# SPDX-License-Identifier: Apache-2.0
"""`perception demo`: predicts the masks of a drive, and reports accuracy and speed."""

from __future__ import annotations

import argparse
import os
from pathlib import Path

from perception.cli.shared import CONDITIONS, LOOKS, add, add_engine
from perception.disk import made_folder
from perception.extras import needs
from perception.storage import source

SUMMARY = "simulated drive → ROS 2 node in its own process → masks, scored; writes video and report"

EXAMPLES = """\
perception demo                                   100 frames by day, in out/demo
perception demo -o out/night --condition night --seed 3 --frames 200
perception demo --kitti ~/kitti/2011_09_26/2011_09_26_drive_0005_sync
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `perception demo`."""
    add(parser, "--output", " (default: out/demo)", default=Path("out/demo"))
    add(parser, "--frames", " (default: 100; of a KITTI drive, all)")
    add(parser, "--seed", ": selects the simulated street (0)", default=0)
    add(parser, "--condition", " (day)", choices=CONDITIONS, default="day")
    parser.add_argument("--kitti", type=source, metavar="DIR", help="play this KITTI raw drive, not a simulated one")
    add(parser, "--model", LOOKS + " (default: auto, the most accurate one that is fast enough here)")
    add_engine(parser)
    add(parser, "--workers", " for rendering (every core)", default=os.cpu_count() or 1)
    add(parser, "--json", ", in addition to DIR/report.json")


def run(args: argparse.Namespace) -> int:
    """Run the demo, with a progress bar per step, and print its table."""
    from perception.ros.imports import require_rclpy

    require_rclpy()
    from rich.console import Console

    with needs("the demo simulates and draws", "ros"):
        from perception.ros.demo.steps import Demo, DemoOptions
    from perception.evaluation.demo_table import table

    options = DemoOptions(
        output=args.output,
        frames=args.frames,
        seed=args.seed,
        condition=args.condition,
        kitti=args.kitti,
        model=args.model,
        engine=args.engine,
        workers=args.workers,
        json=args.json,
    )
    demo = Demo(options, Console(stderr=True))
    with made_folder(args.output):
        report = demo.run()
    console = Console()
    console.print(table(report))
    console.print(f"[bold]{demo.output}[/]: {demo.video.name}, montage.png, report.html, report.json, node.log, bag")
    return 0

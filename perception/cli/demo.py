# SPDX-License-Identifier: Apache-2.0
"""`perception demo`: a drive goes in, masks come out, and a report says how well and how fast."""

from __future__ import annotations

import argparse
import os
from pathlib import Path

from perception.cli.shared import at_least_one, at_least_zero
from perception.disk import made_folder
from perception.engines import ENGINES
from perception.extras import needs

SUMMARY = "simulated drive → ROS 2 node in its own process → masks, scored; leaves video and report"

EXAMPLES = """\
perception demo                                   100 frames by day, in out/demo
perception demo -o out/night --condition night --seed 3 --frames 200
perception demo --kitti ~/kitti/2011_09_26/2011_09_26_drive_0005_sync
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `perception demo`."""
    parser.add_argument(
        "-o", "--output", type=Path, default=Path("out/demo"), metavar="DIR", help="where to write (default: out/demo)"
    )
    parser.add_argument(
        "--frames", type=at_least_one, metavar="N", help="how many frames (default: 100, of a KITTI drive all)"
    )
    parser.add_argument("--seed", type=at_least_zero, default=0, help="which simulated street (default: 0)")
    parser.add_argument(
        "--condition",
        choices=("day", "dusk", "night", "fog", "rain"),
        default="day",
        help="light and weather (default: day)",
    )
    parser.add_argument("--kitti", type=Path, metavar="DIR", help="play this KITTI raw drive, not a simulated one")
    parser.add_argument("--model", metavar="NAME|FILE", help="weights (default: auto, what runs in time here)")
    parser.add_argument("--engine", choices=("auto", *ENGINES), default="auto", help="what runs the network")
    parser.add_argument(
        "--workers", type=at_least_one, default=os.cpu_count() or 1, metavar="N", help="processes that render"
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the report there too, besides DIR/report.json")


def run(args: argparse.Namespace) -> int:
    """Run the demo, with a progress bar per step, and print its table."""
    from perception.ros.imports import require_rclpy

    require_rclpy()
    from rich.console import Console

    with needs("the demo simulates and draws", "ros"):
        from perception.ros.demo.steps import Demo
    from perception.ros.demo.table import table

    demo = Demo(args, Console(stderr=True))
    with made_folder(args.output):
        report = demo.run()
    console = Console()
    console.print(table(report))
    console.print(f"[bold]{demo.output}[/]: {demo.video.name}, montage.png, report.html, report.json, node.log, bag")
    return 0

# SPDX-License-Identifier: Apache-2.0
"""`perception check`."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from perception.cli.shared import LOOKS, add, add_engine, at_least_zero
from perception.errors import PerceptionError
from perception.sensors.spec import SPECS
from perception.storage import source

if TYPE_CHECKING:
    from rich.console import Console

    from perception.checking.check import Report

SUMMARY = "check a vehicle's data before you trust it: clocks, frames, units, mountings"
PASS_THROUGH = True

EXAMPLES = """\
perception check bag
perception check bag --topics rig.yaml -o out/check                  # rig.yaml from `perception init bag`
perception check ~/kitti/2011_09_26/2011_09_26_drive_0005_sync
perception check --live --seconds 20 -o out/check
perception check --live --ros-args -r image:=/camera/image_rect_color -r points:=/velodyne_points
perception check bag --expect rgb lidar --fail-on error --frames 8 --compare 0     # on a robot, in CI

Exit code: 0 without findings, 1 with a finding at least as severe as --fail-on: `warn` (the default) for
ERROR and WARN, `error` for ERROR only, `never` for 0 always; 2 if nothing could be checked. INFO never fails.

--live records the topics for some seconds, with the node's QoS, and then checks the recording. DIR gets
check.html, with pictures of the LiDAR on the image and of the effect of each sensor, and check.json. All findings and
their remedies: docs/check.md.
"""

FAIL_ON = ("warn", "error", "never")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `perception check`; everything after --ros-args is for ROS."""
    parser.add_argument("input", nargs="?", type=source, metavar="BAG|DRIVE", help="rosbag2 or a KITTI raw drive")
    add(parser, "--live", ": record them, and check the recording")
    add(parser, "--seconds", ": how long --live listens (10)", default=10.0)
    add(parser, "--output", ": check.html and check.json")
    add(parser, "--json")
    parser.add_argument(
        "--fail-on", choices=FAIL_ON, default="warn", help="least severe finding with exit code 1 (warn)"
    )
    parser.add_argument(
        "--expect", nargs="+", choices=tuple(SPECS), default=[], metavar="SENSOR",
        help=f"sensors that must be present: {', '.join(SPECS)}",
    )  # fmt: skip
    add(parser, "--topics")
    add(parser, "--calibration")
    add(parser, "--frames", " to check (24)", default=24)
    parser.add_argument(
        "--compare", type=at_least_zero, default=3, metavar="N",
        help="number of frames whose masks with and without each sensor are compared; 0 runs no network (3)",
    )  # fmt: skip
    add(parser, "--model", LOOKS + " (default: the shipped ones)")
    add_engine(parser)
    add(parser, "--threads", " (every core)")


def run(args: argparse.Namespace) -> int:
    """Check, print the tables, and tell by the exit code whether something was found."""
    from rich.console import Console

    from perception.checking import report as reports
    from perception.checking.job import CheckOptions, run_check
    from perception.reporting.progress import Steps
    from perception.reporting.reports import write_report

    if (args.input is None) != args.live:
        raise PerceptionError("give either a bag or a drive, or --live")
    console = Console(stderr=True, highlight=False)
    options = CheckOptions(
        input=args.input,
        seconds=args.seconds,
        topics=args.topics,
        calibration=args.calibration,
        frames=args.frames,
        compare=args.compare,
        expect=args.expect,
        ros_arguments=args.rest,
        model=args.model,
        engine=args.engine,
        threads=args.threads,
    )
    report = run_check(options, Steps(console))
    _print(report, Console(highlight=False))
    if args.output:
        reports.write(report, args.output)
        console.print(f"{args.output / 'check.html'}, check.json", soft_wrap=True)
    if args.json:
        write_report(args.json, "check", reports.figures(report))
    return int(args.fail_on != "never" and report.at_least(args.fail_on.upper()))


def _print(report: Report, console: Console) -> None:
    from rich.table import Table
    from rich.text import Text

    from perception.checking.report import lead

    colours = {"ERROR": "bold red", "WARN": "yellow", "INFO": "dim"}
    topics = Table("topic", title=report.source, title_justify="left")
    for name in ("messages", "Hz", "latency [ms]"):
        topics.add_column(Text(name), justify="right", no_wrap=True)
    topics.add_column("frame")
    for row in report.topics:
        late, rate = row.latency_ms_p50, row.rate_hz
        numbers = (str(row.messages), f"{rate:.2f}" if rate else "–", f"{late:.0f}" if late is not None else "–")
        topics.add_row(Text(row.topic), *numbers, Text(row.frame_id))
    console.print(topics)
    if report.changes:
        changes = Table("without", title="pixels that change", title_justify="left")
        kinds = list(next(iter(report.changes.values())).classes)
        for name in ("all", *kinds):
            changes.add_column(name, justify="right")
        for name, each in report.changes.items():
            changes.add_row(name, f"{each.pixels:.2%}", *(f"{each.classes[kind]:.2%}" for kind in kinds))
        console.print(changes)
    if report.alignment:
        console.print(f"LiDAR on image: {report.alignment}", soft_wrap=True)
    for found in report.findings:
        console.print(
            Text(f"{found.severity:<5} {found.code}", colours[found.severity]),
            Text(f"{found.where}: {found.what}"),
            soft_wrap=True,
        )
        console.print(Text(f"      → {found.mend}"), soft_wrap=True)
    console.print(lead(report), soft_wrap=True)

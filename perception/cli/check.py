# SPDX-License-Identifier: Apache-2.0
"""`perception check`."""

from __future__ import annotations

import argparse
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from perception.cli.shared import add_topics, at_least_one, at_least_zero, positive
from perception.engines import ENGINES
from perception.errors import PerceptionError
from perception.frame import MODALITIES

if TYPE_CHECKING:
    from rich.console import Console

    from perception.checking.check import Report

SUMMARY = "look at what a vehicle sends before anything is trusted: clocks, frames, units, mountings"
PASS_THROUGH = True

EXAMPLES = """\
perception check bag
perception check bag --topics rig.yaml -o out/check                  # as `perception init bag` wrote it
perception check ~/kitti/2011_09_26/2011_09_26_drive_0005_sync
perception check --live --seconds 20 -o out/check
perception check --live --ros-args -r image:=/camera/image_rect_color -r points:=/velodyne_points
perception check bag --expect rgb lidar --fail-on error --frames 8 --compare 0     # on a robot, in CI

Exit code: 0 where nothing is found, 1 where something is, as bad as --fail-on says or worse: `warn` (the default) for
ERROR and WARN, `error` for ERROR alone, `never` for 0 always; 2 where nothing could be looked at. INFO never fails.

--live records the topics for some seconds, as the node asks for them, and then looks at the recording. In DIR are
check.html, with pictures of the LiDAR on the image and of what each sensor changes, and check.json. Every finding and
what to do about it: docs/check.md.
"""

LIVE = "live topics"

FAIL_ON = ("warn", "error", "never")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `perception check`; what follows --ros-args is ROS's."""
    parser.add_argument("input", nargs="?", type=Path, metavar="BAG|DRIVE", help="rosbag2 or a KITTI raw drive")
    parser.add_argument("--live", action="store_true", help="listen to the topics that a vehicle publishes now")
    parser.add_argument(
        "--seconds", type=positive, default=10.0, metavar="S", help="how long --live listens (default: 10)"
    )
    parser.add_argument("-o", "--output", type=Path, metavar="DIR", help="write check.html and check.json there")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write what check.json has to FILE")
    parser.add_argument(
        "--fail-on", choices=FAIL_ON, default="warn", help="from which finding on the exit code is 1 (warn)"
    )
    parser.add_argument(
        "--expect", nargs="+", choices=MODALITIES, default=[], metavar="SENSOR",
        help=f"sensors that must be there: {', '.join(MODALITIES)}",
    )  # fmt: skip
    add_topics(parser)
    parser.add_argument(
        "--calibration", type=Path, metavar="FILE", help="the node's calibration file, for what topics or a bag lack"
    )
    parser.add_argument("--frames", type=at_least_one, default=24, metavar="N", help="frames to look into (24)")
    parser.add_argument(
        "--compare", type=at_least_zero, default=3, metavar="N",
        help="frames in which masks with and without each sensor are compared; 0 runs no network (3)",
    )  # fmt: skip
    parser.add_argument("--model", metavar="NAME|FILE", help="weights (default: the shipped ones)")
    parser.add_argument("--engine", choices=("auto", *ENGINES), default="auto", help="what runs the network (auto)")
    parser.add_argument("--threads", type=at_least_one, metavar="N", help="CPU threads (every core)")


def run(args: argparse.Namespace) -> int:
    """Look, print the tables, and say by the exit code whether something was found."""
    from rich.console import Console

    from perception.checking import report as reports
    from perception.disk import write_json

    if (args.input is None) != args.live:
        raise PerceptionError("name a bag or a drive, or give --live: one of them")
    console = Console(stderr=True, highlight=False)
    report = _report(args, console)
    _print(report, Console(highlight=False))
    if args.output:
        reports.write(report, args.output)
        console.print(f"{args.output / 'check.html'}, check.json", soft_wrap=True)
    if args.json:
        write_json(args.json, reports.to_dict(report))
    return int(args.fail_on != "never" and report.at_least(args.fail_on.upper()))


def _report(args: argparse.Namespace, console: Console) -> Report:
    from perception.assembly.settings.naming import rig_beside
    from perception.checking.check import check, check_silence
    from perception.pipeline import Pipeline
    from perception.recordings.opening import WITH_STAMPS, kind_of
    from perception.reporting.progress import Steps

    topics, rig = args.topics, None
    pipeline = Pipeline.load(args.model, args.engine, args.threads) if args.compare else None
    steps, graph = Steps(console), None
    with ExitStack() as stack:
        path = args.input
        if args.live:
            from perception.checking.live import record

            folder = Path(stack.enter_context(TemporaryDirectory()))
            live = record(args, folder / "live", steps)
            if live.path is None:
                return check_silence(live.reason, live.topics, live.graph)
            path, topics, graph = live.path, live.topics, live.graph
        else:
            kind_of(path, WITH_STAMPS)
            rig = rig_beside(path)
        with steps.step("check", f"check {path.name}", args.frames + args.compare) as advance:
            report = check(
                path, topics, args.calibration, pipeline, args.frames, args.compare, args.expect, graph, rig, advance
            )
    report.source = LIVE if args.live else report.source
    return report


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
        late, rate = row["latency_ms_p50"], row["rate_hz"]
        numbers = (str(row["messages"]), f"{rate:.2f}" if rate else "–", f"{late:.0f}" if late is not None else "–")
        topics.add_row(Text(row["topic"]), *numbers, Text(row["frame_id"]))
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

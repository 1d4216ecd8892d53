# SPDX-License-Identifier: Apache-2.0
"""`perception replay`: a rosbag2 or a KITTI drive as live topics."""

from __future__ import annotations

import argparse
import signal
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

from perception.cli.shared import add, positive
from perception.errors import DataError
from perception.recordings.pace import KEYS
from perception.storage import source

if TYPE_CHECKING:
    from perception.ros.replay import ReplayReport

SUMMARY = "publish a rosbag2 or a KITTI raw drive as live topics, in real time"

EXAMPLES = """\
perception replay out/demo/bag
perception replay ~/kitti/2011_09_26/2011_09_26_drive_0005_sync --loop
perception replay bag --topics rig.yaml         # also under the node's own names
perception replay bag --only /image /camera_info --remap /image:=/camera/image_rect_color
perception replay bag --rate 0.5 --start 10 --duration 5 --wait-for /image
perception replay bag --clock        # with nodes that run with use_sim_time:=true
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `perception replay`."""
    parser.add_argument("path", type=source, help="rosbag2 folder (mcap or sqlite3), or a KITTI raw drive's folder")
    parser.add_argument("--rate", type=positive, default=1.0, help="speed, 2 is twice as fast (default: 1)")
    parser.add_argument("--loop", action="store_true", help="start again at the end, until Ctrl-C")
    add(parser, "--start", default=0.0)
    add(parser, "--duration")
    parser.add_argument("--only", nargs="+", metavar="TOPIC", help="only these topics, by their recorded names")
    parser.add_argument(
        "--remap", nargs="+", default=[], type=_remapping, metavar="FROM:=TO", help="publish topics under other names"
    )
    add(parser, "--topics", former="--preset", action=_Topics)
    parser.add_argument("--paused", action="store_true", help=f"start paused; in a terminal, {KEYS}")
    parser.add_argument(
        "--stamps",
        choices=("now", "bag"),
        help="now: headers have the time of publication; bag: the recorded stamps (default: now, with --clock bag)",
    )
    parser.add_argument("--clock", action="store_true", help="publish the recording's time on /clock")
    parser.add_argument(
        "--wait-for", nargs="+", default=[], metavar="TOPIC", help="start when each of these topics has a subscriber"
    )
    parser.add_argument(
        "--wait-timeout",
        type=positive,
        default=30.0,
        metavar="S",
        help="give up waiting after S seconds (default: 30)",
    )
    add(parser, "--json")
    add(parser, "--report", ", with the answers of a node /perception if it runs")


def run(args: argparse.Namespace) -> int:
    """Replay until the recording's end or Ctrl-C."""
    stop = threading.Event()
    for signum in (signal.SIGINT, signal.SIGTERM):  # before ROS is loaded, which takes seconds on a busy machine
        signal.signal(signum, lambda *_: stop.set())
    from perception.ros.dds import use_profile
    from perception.ros.imports import require_rclpy

    use_profile()
    require_rclpy()
    from rich.console import Console

    from perception.ros.replay_run import ReplayOptions, run_replay

    options = ReplayOptions(
        path=args.path,
        topics=args.topics,
        only=args.only,
        remap=dict(args.remap),
        rate=args.rate,
        loop=args.loop,
        start=args.start,
        duration=args.duration,
        paused=args.paused,
        stamps=args.stamps,
        clock=args.clock,
        wait_for=args.wait_for,
        wait_timeout=args.wait_timeout,
        report=args.report,
    )
    played = run_replay(options, Console(stderr=True, highlight=False), stop)
    _report(played.report, args.json)
    if played.broken:
        raise DataError(played.broken)
    return 0


def _report(report: ReplayReport, path: Path | None) -> None:
    from rich.console import Console
    from rich.table import Table

    from perception.reporting.reports import write_report

    table = Table(title=f"published in {report.seconds:.1f} s, at most {report.late_ms:.1f} ms late")
    table.add_column("topic")
    table.add_column("messages", justify="right")
    for topic, count in sorted(report.messages.items()):
        table.add_row(topic, str(count))
    console = Console()
    console.print(table)
    for topic, count in report.unstamped.items():
        words = f"{topic}: {count} header stamps were zero; the time of recording was used instead"
        console.print(words, highlight=False, soft_wrap=True)
    for words in report.falls_behind:
        console.print(words, highlight=False, soft_wrap=True)
    if path:
        write_report(path, "replay", report)


class _Topics(argparse.Action):
    """--topics NAME|FILE; a recorded name, of which it took a list in the past, is passed to --only with a warning."""

    def __call__(
        self, parser: argparse.ArgumentParser, namespace: argparse.Namespace, values: Any, option: str | None = None
    ) -> None:
        if values.startswith("/") and not values.endswith((".yaml", ".yml")):
            print(f"{parser.prog}: {option} with recorded topics is called --only now", file=sys.stderr)
            namespace.only = [values]
        else:
            namespace.topics = values


def _remapping(text: str) -> tuple[str, str]:
    source, separator, target = text.partition(":=")
    if not (source and separator and target):
        raise argparse.ArgumentTypeError(f"'{text}' is not of the form FROM:=TO")
    return source, target

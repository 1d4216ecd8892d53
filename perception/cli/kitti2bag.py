# SPDX-License-Identifier: Apache-2.0
"""`perception kitti2bag`: a KITTI drive as a rosbag2."""

from __future__ import annotations

import argparse
import signal
from types import FrameType
from typing import TYPE_CHECKING, NoReturn

from perception.cli.shared import add
from perception.storage import source

if TYPE_CHECKING:
    from rich.table import Table

    from perception.bags.kitti.convert import Conversion

SUMMARY = "convert a KITTI drive (raw, odometry or tracking) to a rosbag2"

EXAMPLES = """\
perception kitti2bag ~/kitti/2011_09_26/2011_09_26_drive_0005_sync -o bag
perception kitti2bag ~/kitti/2011_09_26/2011_09_26_drive_0005_extract -o bag --compressed
perception kitti2bag ~/kitti/odometry/sequences/07 -o bag --storage sqlite3
perception kitti2bag ~/kitti/tracking/training --sequence 0003 -o bag
ros2 bag play bag        # or: perception replay bag, with perception node
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `perception kitti2bag`."""
    parser.add_argument(
        "drive",
        type=source,
        help="a raw drive (synced or unsynced), an odometry sequence, or a tracking split's folder",
    )
    add(parser, "--output", " the bag, a new folder", required=True)
    parser.add_argument("--sequence", metavar="NAME", help="the sequence of a tracking split or of odometry")
    parser.add_argument(
        "--compressed", action="store_true", help="keep images as the original PNG files, on …/image_raw/compressed"
    )
    add(parser, "--storage", " (mcap)", choices=("mcap", "sqlite3"), default="mcap")
    add(parser, "--json")


def run(args: argparse.Namespace) -> int:
    """Convert, and show the bag's content."""
    from rich.console import Console

    from perception.bags.kitti.bag import count_messages
    from perception.bags.kitti.convert import convert
    from perception.recordings.opening import open_kitti
    from perception.reporting.progress import Steps
    from perception.reporting.reports import write_report

    signal.signal(signal.SIGTERM, _interrupt)  # as with Ctrl-C: no incomplete bag stays behind
    recording = open_kitti(args.drive, args.sequence)
    console = Console(stderr=True)
    for what in recording.left_out:
        console.print(what, highlight=False)
    total = sum(count_messages(recording, args.compressed).values())
    with Steps(console).step("convert", f"{args.drive.name} → {args.output.name}", total) as advance:
        found = convert(recording, args.output, args.compressed, args.storage, advance)
    Console().print(_table(found))
    if args.json:
        write_report(args.json, "kitti2bag", found)
    return 0


def _table(found: Conversion) -> Table:
    from rich.table import Table

    megabytes = found.bytes / 1e6
    speed = f"{megabytes:.1f} MB in {found.seconds:.1f} s, {megabytes / found.seconds:.0f} MB/s"
    table = Table(title=f"{found.bag}: {speed}")
    table.add_column("topic")
    table.add_column("messages", justify="right")
    for topic, count in sorted(found.messages.items()):
        table.add_row(topic, str(count))
    return table


def _interrupt(signum: int, frame: FrameType | None) -> NoReturn:
    raise KeyboardInterrupt

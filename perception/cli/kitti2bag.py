# SPDX-License-Identifier: Apache-2.0
"""`perception kitti2bag`: a KITTI drive as a rosbag2."""

from __future__ import annotations

import argparse
import signal
import time
from pathlib import Path
from types import FrameType
from typing import NoReturn

from perception.disk import write_json

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
        "drive", type=Path, help="a raw drive (synced or unsynced), an odometry sequence, or a tracking split's folder"
    )
    parser.add_argument("-o", "--output", type=Path, required=True, metavar="BAG", help="the bag's folder, a new one")
    parser.add_argument("--sequence", metavar="NAME", help="which sequence of a tracking split or of odometry")
    parser.add_argument(
        "--compressed", action="store_true", help="keep images as the PNG files they are, on …/image_raw/compressed"
    )
    parser.add_argument("--storage", choices=("mcap", "sqlite3"), default="mcap", help="of the bag (default: mcap)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the table of topics to FILE")


def run(args: argparse.Namespace) -> int:
    """Convert, and show what the bag holds."""
    from rich.console import Console

    from perception.bags.kitti.bag import count_messages, serialise_recording
    from perception.bags.raw import RawBagWriter
    from perception.recordings.opening import open_kitti
    from perception.reporting.progress import Steps

    signal.signal(signal.SIGTERM, _interrupt)  # as Ctrl-C: nothing half stays behind
    recording = open_kitti(args.drive, args.sequence)
    console, began, size = Console(stderr=True), time.monotonic(), 0
    for what in recording.left_out:
        console.print(what, highlight=False)
    total = sum(count_messages(recording, args.compressed).values())
    with (
        Steps(console).step("convert", f"{args.drive.name} → {args.output.name}", total) as advance,
        RawBagWriter(args.output, args.storage, total=total) as writer,
    ):
        for message in serialise_recording(recording, args.compressed):
            writer.write(message)
            size += len(message.data)
            advance()
    _report(writer.counts, size, time.monotonic() - began, args)
    return 0


def _report(counts: dict[str, int], size: int, seconds: float, args: argparse.Namespace) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table(title=f"{args.output}: {size / 1e6:.1f} MB in {seconds:.1f} s, {size / 1e6 / seconds:.0f} MB/s")
    table.add_column("topic")
    table.add_column("messages", justify="right")
    for topic, count in sorted(counts.items()):
        table.add_row(topic, str(count))
    Console().print(table)
    if args.json:
        content = {"bag": str(args.output), "messages": counts, "bytes": size, "seconds": seconds}
        write_json(args.json, content)


def _interrupt(signum: int, frame: FrameType | None) -> NoReturn:
    raise KeyboardInterrupt

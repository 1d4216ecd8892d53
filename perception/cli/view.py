# SPDX-License-Identifier: Apache-2.0
"""`perception view`."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from perception.cli.shared import add_reading, add_topics, add_without, at_least_one, not_negative, positive
from perception.engines import ENGINES
from perception.errors import DataError, PerceptionError

if TYPE_CHECKING:
    from rich.console import Console

SUMMARY = "show a running node, a bag or a drive in Rerun: masks, LiDAR by class, weights, latency"
PASS_THROUGH = True

EXAMPLES = """\
perception view                                     the node that runs: its sensors and its answers
perception view --topics rig.yaml                   with the topic names that the node was given
perception view --ros-args -r image:=/camera/image_rect_color -r __ns:=/front
perception view ~/kitti/2011_09_26/2011_09_26_drive_0005_sync
perception view bag --start 10 --duration 5 --every 2 --save out/drive.rrd
perception view out/drive.rrd                       a file that was saved
perception view bag --web                           in a browser, on a machine without a display

Without BAG or DRIVE nothing is computed: labels, points and diagnostics are the node's own. The viewer listens on this
machine alone and reports to nobody; started by hand, as `rerun FILE`, it sends usage statistics until you run
`rerun analytics disable`. From elsewhere: ssh -L 9090:127.0.0.1:9090 -L 9091:127.0.0.1:9091 HOST, for --web.
"""

WEB_PORT = 9090


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `perception view`; what follows --ros-args is ROS's."""
    parser.add_argument(
        "input", nargs="?", type=Path, metavar="BAG|DRIVE",
        help="rosbag2, KITTI raw or simulated drive, folder of images, or a saved .rrd; without it, live topics",
    )  # fmt: skip
    parser.add_argument("--save", type=Path, metavar="FILE.rrd", help="write a file instead of opening the viewer")
    parser.add_argument(
        "--web", nargs="?", type=_port, const=WEB_PORT, metavar="PORT",
        help=f"serve the viewer to browsers on this machine, on PORT and the one after it ({WEB_PORT})",
    )  # fmt: skip
    add_topics(parser)
    parser.add_argument(
        "--calibration", type=Path, metavar="FILE", help="the node's calibration file, for what topics or a bag lack"
    )
    add_reading(parser)
    live = parser.add_argument_group("live")
    live.add_argument("--seconds", type=positive, metavar="S", help="end after S seconds (default: at Ctrl-C)")
    live.add_argument("--rate", type=positive, default=10.0, metavar="HZ", help="frames a second at most (10)")
    recorded = parser.add_argument_group("of a bag or a drive")
    recorded.add_argument("--start", type=not_negative, default=0.0, metavar="S", help="skip the first S seconds")
    recorded.add_argument("--duration", type=positive, metavar="S", help="show S seconds of it")
    recorded.add_argument("--every", type=at_least_one, default=1, metavar="N", help="every N-th frame (1)")
    add_without(recorded)
    recorded.add_argument("--model", metavar="NAME|FILE", help="weights (default: the shipped ones)")
    recorded.add_argument("--engine", choices=("auto", *ENGINES), default="auto", help="what runs the network (auto)")
    recorded.add_argument("--threads", type=at_least_one, metavar="N", help="CPU threads (every core)")


def run(args: argparse.Namespace) -> int:
    """Show it until it ends, the window is closed, or Ctrl-C."""
    import rerun  # noqa: F401  # where it is missing, say so before anything is loaded
    from rich.console import Console

    from perception.viewing.output import show_file

    console = Console(stderr=True, highlight=False)
    if args.save is not None and args.web is not None:
        raise PerceptionError("--save writes a file and --web serves a page: choose one; a file can be shown later")
    if args.input is not None and args.input.suffix == ".rrd":
        if args.save is not None or args.web is not None:
            raise PerceptionError(f"{args.input}: is a saved view already: `perception view {args.input}` shows it")
        show_file(args.input)
        return 0
    if args.input is None:
        from perception.ros.view_topics import run_live

        return run_live(args, console)
    return _recorded(args, console)


def _recorded(args: argparse.Namespace, console: Console) -> int:
    from perception.assembly.settings.naming import rig_beside
    from perception.pipeline import Pipeline
    from perception.recordings.opening import Reading, open_recording
    from perception.reporting.progress import Steps
    from perception.viewing.log import Log
    from perception.viewing.output import interruptible, open_output
    from perception.viewing.recordings import choose, show

    reading = Reading(args.kind, args.depth_unit)
    frames = open_recording(args.input, args.topics, args.calibration, rig_beside(args.input), reading)
    for remark in frames.remarks:
        console.print(remark, soft_wrap=True, markup=False)
    numbers = choose(frames, args.start, args.duration, args.every)
    pipeline = Pipeline.load(args.model, args.engine, args.threads, without=args.without)
    steps = Steps(console)
    for line in frames.remarks:
        console.print(line, soft_wrap=True, markup=False)
    with interruptible() as stop, open_output(args.save, args.web, console) as output:

        def wanted() -> bool:
            return output.running() and not stop.is_set()

        with steps.step("view", f"view {frames.path.name}", len(numbers)) as advance:
            left_out = show(frames, numbers, pipeline, Log(output.recording), advance, wanted)
        for line in left_out:
            console.print(line, soft_wrap=True, markup=False)
        output.finish(stop)
    if frames.broken:
        raise DataError(frames.broken)
    return 0


def _port(text: str) -> int:
    port = at_least_one(text)
    if port > 65534:
        raise argparse.ArgumentTypeError(f"{text}: expected a port up to 65534")
    return port

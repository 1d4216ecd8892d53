# SPDX-License-Identifier: Apache-2.0
"""`perception view`."""

from __future__ import annotations

import argparse

from perception.cli.shared import LOOKS, add, add_engine, add_reading, add_without, at_least_one
from perception.errors import PerceptionError
from perception.storage import source, target

SUMMARY = "show a running node, a bag or a drive in Rerun: masks, LiDAR by class, weights, latency"
PASS_THROUGH = True

EXAMPLES = """\
perception view                                     the running node: its sensors and its masks
perception view --topics rig.yaml                   with the topic names that the node uses
perception view --ros-args -r image:=/camera/image_rect_color -r __ns:=/front
perception view ~/kitti/2011_09_26/2011_09_26_drive_0005_sync
perception view bag --start 10 --duration 5 --every 2 --save out/drive.rrd
perception view out/drive.rrd                       a saved file
perception view bag --save out/drive.mcap           for Foxglove, with configs/foxglove/perception.json as layout
perception view bag --web                           in a browser, on a machine without a display

Without BAG or DRIVE nothing is computed: labels, points and diagnostics are the node's own. The viewer listens only on
this machine and sends no usage reports; if you start it yourself with `rerun FILE`, it sends them until you run
`rerun analytics disable`. From elsewhere, with --web: ssh -L 9090:127.0.0.1:9090 -L 9091:127.0.0.1:9091 HOST.
"""

WEB_PORT = 9090


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `perception view`; everything after --ros-args is for ROS."""
    parser.add_argument(
        "input", nargs="?", type=source, metavar="BAG|DRIVE",
        help="rosbag2, KITTI raw or simulated drive, nuScenes, folder of images, or a .rrd; without it, live topics",
    )  # fmt: skip
    parser.add_argument(
        "--save", type=target, metavar="FILE",
        help="write a file instead of opening the viewer: FILE.rrd for Rerun; FILE.mcap for Foxglove, of a recording",
    )  # fmt: skip
    parser.add_argument(
        "--web", nargs="?", type=_port, const=WEB_PORT, metavar="PORT",
        help=f"serve the viewer to browsers on this machine, on PORT and the one after it ({WEB_PORT})",
    )  # fmt: skip
    add(parser, "--topics")
    add(parser, "--calibration")
    add_reading(parser)
    live = parser.add_argument_group("live")
    add(live, "--seconds", " (default: until Ctrl-C)")
    add(live, "--hz", " at most (10)", former="--rate", default=10.0)
    recorded = parser.add_argument_group("of a bag or a drive")
    add(recorded, "--start", default=0.0)
    add(recorded, "--duration")
    recorded.add_argument("--every", type=at_least_one, default=1, metavar="N", help="every N-th frame (1)")
    add_without(recorded)
    add(recorded, "--model", LOOKS + " (default: the shipped ones)")
    add_engine(recorded)
    add(recorded, "--threads", " (every core)")


def run(args: argparse.Namespace) -> int:
    """Show it until it ends, the window is closed, or Ctrl-C is pressed."""
    from importlib import import_module

    from rich.console import Console

    from perception.recordings.opening import Reading
    from perception.viewing.job import FOXGLOVE, ViewOptions, run_recorded

    for_foxglove = args.save is not None and args.save.suffix == FOXGLOVE
    import_module("foxglove" if for_foxglove else "rerun")  # where it is missing, say so before anything is loaded

    console = Console(stderr=True, highlight=False)
    if args.save is not None and args.web is not None:
        raise PerceptionError(
            "--save writes a file and --web serves a page: choose one; saved files can be shown later"
        )
    options = ViewOptions(
        input=args.input,
        save=args.save,
        web=args.web,
        topics=args.topics,
        calibration=args.calibration,
        reading=Reading(args.kind, args.depth_unit),
        seconds=args.seconds,
        hz=args.hz,
        ros_arguments=args.rest,
        start=args.start,
        duration=args.duration,
        every=args.every,
        without=args.without,
        model=args.model,
        engine=args.engine,
        threads=args.threads,
    )
    if options.input is not None:
        run_recorded(options, options.input, console)
        return 0
    if for_foxglove:
        raise PerceptionError(
            f"--save {args.save}: live topics are saved as .rrd; for Foxglove record them: ros2 bag record -s mcap -a"
        )
    from perception.ros.view_topics import run_live

    run_live(options, console)
    return 0


def _port(text: str) -> int:
    port = at_least_one(text)
    if port > 65534:
        raise argparse.ArgumentTypeError(f"{text}: expected a port up to 65534")
    return port

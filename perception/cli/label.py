# SPDX-License-Identifier: Apache-2.0
"""`perception label`."""

from __future__ import annotations

import argparse
import sys
from typing import Any

from perception.cli.shared import PLACES, add, add_reading, add_without, at_least_zero, engine_or_place
from perception.engines import ENGINES
from perception.errors import DataError
from perception.storage import source

SUMMARY = "label recordings offline: every frame, as fast as the machine can"

EXAMPLES = """\
perception label ~/kitti/2011_09_26/2011_09_26_drive_0005_sync -o out/labels
perception label bag -o out/labels --write masks bag video cloud
perception label bag --topics rig.yaml --cloud pcd --write cloud      # rig.yaml from `perception init bag`
perception label images/ -o out/labels --write masks colours
perception label bag -o out/blind --without rgb                            # without the camera
perception label ~/kitti/2011_09_26/*_sync -o out/labels --on ray          # RAY_ADDRESS names the cluster

The topics of a bag come from --topics; otherwise from a rig.yaml beside the bag or in the working folder; otherwise
they are the node's own names or a converter's, whichever match. The command prints which were used.

Files in OUT, or in OUT/INPUT if there are several inputs: labels/NAME.png has the class id of every pixel
(0 background, 1 road, 2 vehicle, 3 pedestrian), frames/NAME.json the record of the frame; then colours/NAME.png,
confidence/NAME.png (× 255), clouds/NAME.ply with label and colour per point, overlay.mp4 and labelled_bag: the
unchanged inputs together with /perception/labels, road, vehicle, pedestrian, confidence and points. Labels are always
written.

Run it again to continue after an interruption: finished frames are kept, and new kinds of output are added.
Video and bag are built last, from the labels on disk. A folder of images may have velodyne, depth and infrared folders
with files of the same names, and calib.txt as in KITTI's object set (or --calibration).
"""

WRITABLE = ("masks", "colours", "confidence", "bag", "video", "cloud")
CLOUDS = ("ply", "pcd", "las")
OWN_OUTPUT = True  # the job of an input uploads it


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `perception label`."""
    parser.add_argument(
        "inputs",
        nargs="+",
        type=source,
        metavar="INPUT",
        help="rosbag2, KITTI raw or simulated drive, folder of images",
    )
    add(parser, "--output", ", new or from an earlier run (labels/INPUT)")
    parser.add_argument(
        "--write", nargs="+", choices=WRITABLE, default=["masks", "video"], metavar="WHAT",
        help=f"any of {', '.join(WRITABLE)} (default: masks video)",
    )  # fmt: skip
    parser.add_argument("--cloud", choices=CLOUDS, default="ply", help="format of clouds; las needs laspy (ply)")
    add(parser, "--storage", " (mcap)", choices=("mcap", "sqlite3"), default="mcap")
    add(parser, "--topics", former="--preset")
    add(parser, "--calibration")
    add_reading(parser)
    add_without(parser)
    add(parser, "--model", " (default: auto, the most accurate)")
    names = ", ".join(("auto", *ENGINES))
    add(
        parser, "--engine", f": {names} (auto)", former="--inference", type=engine_or_place, action=_Engine,
        default="auto",
    )  # fmt: skip
    parser.add_argument(
        "--on", choices=PLACES, default=PLACES[0],
        help="where to run: on this machine, or on a Ray cluster, one whole input at a time (local)",
    )  # fmt: skip
    add(
        parser, "--workers",
        " here, each with a network (default: one per thread, on a GPU 2; on Ray one per input)",
    )  # fmt: skip
    add(parser, "--threads", " of all workers (every core; on Ray 1 per input)")
    parser.add_argument(
        "--cross-check", type=at_least_zero, default=25, metavar="N",
        help="run one frame in N again without each sensor: WARN if a sensor contradicts the others; 0: never (25)",
    )  # fmt: skip
    add(parser, "--json")


def run(args: argparse.Namespace) -> int:
    """Label everything, print the table, and report what could not be labelled."""
    from rich.console import Console

    from perception.labelling.run import LabelOptions, run_label
    from perception.labelling.table import mistakes, notes, table
    from perception.recordings.opening import Reading
    from perception.reporting.reports import write_report

    options = LabelOptions(
        inputs=args.inputs,
        output=args.output,
        write=args.write,
        cloud=args.cloud,
        storage=args.storage,
        topics=args.topics,
        calibration=args.calibration,
        reading=Reading(args.kind, args.depth_unit),
        without=args.without,
        model=args.model,
        engine=args.engine,
        on=args.on,
        workers=args.workers,
        threads=args.threads,
        cross_check=args.cross_check,
    )
    report = run_label(options, Console(stderr=True))
    console = Console(highlight=False)
    if report.good:
        console.print(table(report))
    for line in notes(report):
        console.print(line, soft_wrap=True)
    if args.json:
        write_report(args.json, "label", report)
    wrong = mistakes(report)
    if wrong:
        rest = f" (and {len(wrong) - 1} more: --json lists them)" if len(wrong) > 1 else ""
        raise DataError(f"{wrong[0]}{rest}")
    return 0


class _Engine(argparse.Action):
    """--engine ENGINE; a place, which it took in the past, is passed to --on with a warning."""

    def __call__(
        self, parser: argparse.ArgumentParser, namespace: argparse.Namespace, values: Any, option: str | None = None
    ) -> None:
        if values in PLACES:
            print(f"{parser.prog}: {option} {values} is called --on {values} now", file=sys.stderr)
            namespace.on = values
        else:
            namespace.engine = values

# SPDX-License-Identifier: Apache-2.0
"""`perception label`."""

from __future__ import annotations

import argparse
import os
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from perception.cli.shared import add_reading, add_topics, add_without, at_least_one, at_least_zero
from perception.disk import write_json
from perception.engines import ENGINES
from perception.errors import DataError, PerceptionError

if TYPE_CHECKING:
    from rich.console import Console

    from perception.labelling.job import Job

SUMMARY = "label recordings offline: every frame, as fast as the machine goes"

EXAMPLES = """\
perception label ~/kitti/2011_09_26/2011_09_26_drive_0005_sync -o out/labels
perception label bag -o out/labels --write masks bag video cloud
perception label bag --topics rig.yaml --cloud pcd --write cloud      # as `perception init bag` wrote it
perception label images/ -o out/labels --write masks colours
perception label bag -o out/blind --without rgb                            # what the other sensors know
perception label ~/kitti/2011_09_26/*_sync -o out/labels --engine ray      # RAY_ADDRESS says which cluster

A bag's topics are those of --topics, else of the rig.yaml beside it or here, else the node's own names or a
converter's, whichever it has; what was taken is said.

In OUT, of several inputs in OUT/INPUT: labels/NAME.png has the class id of every pixel (0 background, 1 road, 2
vehicle, 3 pedestrian), frames/NAME.json what is known of the frame; then colours/NAME.png, confidence/NAME.png (× 255),
clouds/NAME.ply with label and colour per point, overlay.mp4 and labelled_bag: the inputs as they are, and
/perception/labels, road, vehicle, pedestrian, confidence and points beside them. Labels are written always.

Run it again to go on where it was stopped: frames that are done are not done again, and a new kind of output is added.
Video and bag are built last, from the labels on disk. A folder of images may have velodyne, depth and infrared folders
with files of the same names, and calib.txt as in KITTI's object set (or --calibration).
"""

WRITABLE = ("masks", "colours", "confidence", "bag", "video", "cloud")
CLOUDS = ("ply", "pcd", "las")
ON_CPU = ("auto", "openvino", "onnxruntime")
"""Engines that as many processes as there are cores may run at once."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `perception label`."""
    parser.add_argument(
        "inputs", nargs="+", type=Path, metavar="INPUT", help="rosbag2, KITTI raw or simulated drive, folder of images"
    )
    parser.add_argument(
        "-o", "--output", type=Path, metavar="OUT", help="folder, new or of this command (labels/INPUT)"
    )
    parser.add_argument(
        "--write", nargs="+", choices=WRITABLE, default=["masks", "video"], metavar="WHAT",
        help=f"some of {', '.join(WRITABLE)} (default: masks video)",
    )  # fmt: skip
    parser.add_argument("--cloud", choices=CLOUDS, default="ply", help="format of clouds; las needs laspy (ply)")
    parser.add_argument("--storage", choices=("mcap", "sqlite3"), default="mcap", help="of the bag (mcap)")
    add_topics(parser, "--preset")
    parser.add_argument(
        "--calibration", type=Path, metavar="FILE", help="the node's calibration file, for what a bag or folder lacks"
    )
    add_reading(parser)
    add_without(parser)
    parser.add_argument("--model", metavar="NAME|FILE", help="weights (default: auto, the most accurate)")
    parser.add_argument(
        "--inference", choices=("auto", *ENGINES), default="auto", help="what runs the network, elsewhere --engine"
    )
    parser.add_argument(
        "--engine", choices=("local", "ray"), default="local",
        help="who runs the work: this machine, or a Ray cluster, a whole input at a time (local)",
    )  # fmt: skip
    parser.add_argument(
        "--workers", type=at_least_one, metavar="N",
        help="processes here, each with a network (default: one per thread, on a GPU 2; on Ray one per input)",
    )  # fmt: skip
    parser.add_argument(
        "--threads", type=at_least_one, metavar="N", help="CPU threads of all workers (every core; on Ray 1 per input)"
    )
    parser.add_argument(
        "--cross-check", type=at_least_zero, default=25, metavar="N",
        help="ask of one frame in N again without each sensor: WARN where one overturns the others; 0: never (25)",
    )  # fmt: skip
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the report to FILE")


def run(args: argparse.Namespace) -> int:
    """Label everything, print the table, and say what could not be labelled."""
    from rich.console import Console

    from perception.labelling.clouds import require_writer
    from perception.labelling.table import mistakes, notes, table, total

    if "cloud" in args.write:
        require_writer(args.cloud)
    if args.engine == "ray" and args.workers:
        raise PerceptionError("--workers is for this machine: on Ray each input has one; --threads gives it more CPUs")
    began = time.monotonic()
    reports = _label(_jobs(args), args.engine, Console(stderr=True))
    report = total(reports, time.monotonic() - began)
    console = Console(highlight=False)
    if any("error" not in each for each in reports):
        console.print(table(report))
    for line in notes(report):
        console.print(line, soft_wrap=True)
    if args.json:
        write_json(args.json, report)
    wrong = mistakes(report)
    if wrong:
        rest = f" (and {len(wrong) - 1} more: --json lists them)" if len(wrong) > 1 else ""
        raise DataError(f"{wrong[0]}{rest}")
    return 0


def _label(jobs: list[Job], engine: str, console: Console) -> list[dict[str, Any]]:
    from perception.labelling.job import attempt
    from perception.labelling.ray_cluster import run_on_ray
    from perception.reporting.progress import Steps

    if engine == "local":
        return [attempt(job, console) for job in jobs]
    with Steps(console).step("ray", "label on Ray", len(jobs)) as advance:
        return run_on_ray(jobs, advance)


def _jobs(args: argparse.Namespace) -> list[Job]:
    """One per input; of several, each has a folder of its own."""
    from perception.assembly.settings.naming import rig_beside
    from perception.assembly.settings.topics import full_path, read_topics
    from perception.labelling.job import Job
    from perception.labelling.workers import Network
    from perception.recordings.opening import Reading

    if args.topics:
        read_topics(args.topics)  # whatever the inputs are: a wrong one is told before anything is labelled
    paths = [path.expanduser().resolve() for path in args.inputs]
    names = [path.name for path in paths]
    output = (args.output or Path("labels")).expanduser().resolve()
    twice = {name for name in names if names.count(name) > 1}
    if twice:
        raise DataError(f"two inputs are called {min(twice)}, and so would be their folders in {output}")
    cores = len(os.sched_getaffinity(0))
    local = args.engine == "local"
    threads = args.threads or (cores if local else 1)
    return [
        Job(
            path=path,
            output=output if args.output and len(paths) == 1 else output / path.name,
            outputs=tuple(dict.fromkeys(args.write)),
            network=Network(args.model, args.inference, threads, tuple(sorted(set(args.without)))),
            workers=(args.workers or (threads if args.inference in ON_CPU else 2)) if local else 1,
            cloud=args.cloud,
            storage=args.storage,
            topics=full_path(args.topics),
            calibration=args.calibration and args.calibration.expanduser().resolve(),
            rig=rig_beside(path),
            reading=Reading(args.kind, args.depth_unit),
            cross_check=args.cross_check,
        )
        for path in paths
    ]

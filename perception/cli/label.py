# SPDX-License-Identifier: Apache-2.0
"""`perception label`."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from perception.cli.shared import LOOKS, PLACES, add, add_reading, add_without, at_least_zero, engine_or_place, positive
from perception.engines import ENGINES
from perception.errors import DataError
from perception.storage import source

if TYPE_CHECKING:
    from perception.labelling.ray_cluster import Cluster

SUMMARY = "label recordings offline: every frame, as fast as the machine can"

EXAMPLES = """\
perception label ~/kitti/2011_09_26/2011_09_26_drive_0005_sync -o out/labels
perception label bag -o out/labels --write masks bag video cloud
perception label bag --topics rig.yaml --cloud pcd --write cloud      # rig.yaml from `perception init bag`
perception label images/ -o out/labels --write masks colours
perception label bag -o out/blind --without rgb                            # without the camera
perception label ~/kitti/2011_09_26/*_sync -o out/labels --ray auto        # on the cluster that RAY_ADDRESS names
perception label @fleet.txt -o out/labels --ray 10.0.0.5:6379 --report out/labels/report.html
perception label @out/labels/failed.json -o out/labels --ray 10.0.0.5:6379 # once more, what could not be labelled

The topics of a bag come from --topics; otherwise from a rig.yaml beside the bag or in the working folder; otherwise
they are the node's own names or a converter's, whichever match. The command prints which were used.

Files in OUT, or in OUT/INPUT if there are several inputs: labels/NAME.png has the class id of every pixel
(0 background, 1 road, 2 vehicle, 3 pedestrian), frames/NAME.json the record of the frame; then colours/NAME.png,
confidence/NAME.png (× 255), clouds/NAME.ply with label and colour per point, overlay.mp4 and labelled_bag: the
unchanged inputs together with /perception/labels, road, vehicle, pedestrian, confidence and points; coco.json with the
masks run-length encoded, as pycocotools reads them. Labels are always written. Of a network that tells things apart:
instances/NAME.png (class id × 1000 + number), panoptic.json with panoptic/NAME.png, and label_2/NAME.txt, KITTI's, with
boxes in 3D.

Run it again to continue after an interruption: finished frames are kept, and new kinds of output are added. An input
whose folder is complete is not opened again, unless it, the weights or the options changed. Of several inputs, those
that could not be labelled are in OUT/failed.json. On Ray an input is one task on one machine; it is given again if its
worker, machine or storage fails. Every machine needs this package, and the same paths.

Video, coco.json, panoptic.json and bag are built last, from the labels on disk. A folder of images may have velodyne,
depth and infrared folders with files of the same names, and calib.txt as in KITTI's object set (or --calibration).
"""

WRITABLE = (
    "masks", "colours", "confidence", "bag", "video", "cloud", "coco", "instances", "panoptic", "kitti"
)  # fmt: skip
CLOUDS = ("ply", "pcd", "las")
OWN_OUTPUT = True  # the job of an input uploads it


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `perception label`."""
    parser.add_argument(
        "inputs", nargs="+", type=input_or_list, metavar="INPUT",
        help="rosbag2, KITTI raw or simulated drive, nuScenes, folder of images; @FILE: a file with one a line, or a "
        "failed.json",
    )  # fmt: skip
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
    add(parser, "--model", LOOKS + " (default: auto, the most accurate)")
    names = ", ".join(("auto", *ENGINES))
    add(
        parser, "--engine", f": {names} (auto)", former="--inference", type=engine_or_place, action=_Engine,
        default="auto",
    )  # fmt: skip
    parser.add_argument(
        "--ray", metavar="ADDRESS",
        help="run on the Ray cluster at HOST:PORT or ray://HOST:PORT, one input a task; auto: that which RAY_ADDRESS "
        "names, else the one on this machine, which is made if need be (without it: here)",
    )  # fmt: skip
    parser.add_argument("--on", choices=PLACES, action=_Place, default=argparse.SUPPRESS, help=argparse.SUPPRESS)
    parser.add_argument(
        "--memory", type=positive, metavar="GB", help="of --ray: memory to keep for an input, at its machine (1)"
    )
    parser.add_argument(
        "--retries", type=at_least_zero, metavar="N",
        help="of --ray: give an input again, N times, whose worker, machine or storage fails (3)",
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
    add(parser, "--report", ", as HTML")


def run(args: argparse.Namespace) -> int:
    """Label everything, print the table, and report what could not be labelled."""
    from rich.console import Console

    from perception.labelling.run import LabelOptions, run_label
    from perception.labelling.table import mistakes, notes, table
    from perception.recordings.opening import Reading
    from perception.reporting.reports import write_report

    inputs, listed = _inputs(args.inputs)
    options = LabelOptions(
        inputs=inputs,
        output=args.output,
        listed=listed,
        write=args.write,
        cloud=args.cloud,
        storage=args.storage,
        topics=args.topics,
        calibration=args.calibration,
        reading=Reading(args.kind, args.depth_unit),
        without=args.without,
        model=args.model,
        engine=args.engine,
        cluster=_cluster(args),
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
    if args.report:
        from perception.labelling.page import label_page

        label_page(report).write(args.report)
    wrong = mistakes(report)
    if wrong:
        rest = f" (and {len(wrong) - 1} more: --json lists them)" if len(wrong) > 1 else ""
        raise DataError(f"{wrong[0]}{rest}")
    return 0


def input_or_list(text: str) -> Path | str:
    """The path to read; @FILE as it is."""
    return text if text.startswith("@") else source(text)


def _inputs(given: Sequence[Path | str]) -> tuple[list[Path], bool]:
    """The inputs, with those that a file lists in place of its @FILE; whether there was any."""
    from perception.labelling.failed import read_inputs

    inputs: list[Path] = []
    for each in given:
        inputs += [each] if isinstance(each, Path) else map(source, read_inputs(source(each[1:]).expanduser()))
    return inputs, any(isinstance(each, str) for each in given)


def _cluster(args: argparse.Namespace) -> Cluster | None:
    """Where --ray says; None for here."""
    from perception.labelling.ray_cluster import Cluster

    given = {"memory_gb": args.memory, "retries": args.retries}
    given = {name: value for name, value in given.items() if value is not None}
    if args.ray is None:
        if given:
            raise DataError("--memory and --retries are for --ray ADDRESS: on this machine every input is tried once")
        return None
    return Cluster(args.ray, **given)


class _Place(argparse.Action):
    """--on PLACE, which said in the past what --ray says now."""

    def __call__(
        self, parser: argparse.ArgumentParser, namespace: argparse.Namespace, values: Any, option: str | None = None
    ) -> None:
        now = "--ray auto" if values == "ray" else "what it does without --ray"
        print(f"{parser.prog}: {option} {values} is called {now} now", file=sys.stderr)
        namespace.ray = "auto" if values == "ray" else None


class _Engine(argparse.Action):
    """--engine ENGINE; a place, which it took in the past, is passed to --ray with a warning."""

    def __call__(
        self, parser: argparse.ArgumentParser, namespace: argparse.Namespace, values: Any, option: str | None = None
    ) -> None:
        if values in PLACES:
            _Place(["--on"], "on")(parser, namespace, values, f"{option}")
        else:
            namespace.engine = values

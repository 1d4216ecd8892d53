# SPDX-License-Identifier: Apache-2.0
"""`perception eval`: score a model on a data set or on a simulated drive."""

from __future__ import annotations

import argparse

from perception.cli.shared import LOOKS, add, add_engine, at_least_one, one_of
from perception.datasets.registry import READERS
from perception.evaluation.robustness.report import SUITES
from perception.storage import source, target

SUMMARY = "score a model on a data set or on a simulated drive"
EXAMPLES = """\
perception eval camvid ~/data/camvid                           the validation split, the shipped weights
perception eval idd-lite ~/data/idd_lite --limit 50            50 samples, evenly spaced
perception eval kitti-frames ~/data/kitti --modalities lidar   only the LiDAR
perception eval kitti-stereo ~/data/kitti --modalities depth   only stereo depth
perception eval kitti-object ~/kitti/object --modalities rgb   vehicles at LiDAR points, seen only by the camera
perception eval kitti-road ~/kitti/road --split all            MaxF and the other scores by category, also from above
perception eval kitti-road ~/kitti/road --split test --submission out/road   the files for KITTI's server
perception eval kitti-raw ~/kitti/2011_09_26/2011_09_26_drive_0005_sync      points in the tracklets' boxes
perception eval simulated --seed 7 --condition night           renders the drive: exact labels
perception eval simulated --drives 10 --frames 100 --limit 50  ten streets, five frames of each
perception eval simulated out/drive --json scores.json         a drive written by `perception simulate`
perception eval simulated --report out/scores.html             one page: plots, best and worst frame, versions
perception eval simulated --detail                             by distance and size, as KITTI's road, calibration
perception eval simulated --suite robustness --limit 10        sensors missing, damaged, late; corruptions; weather
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declares the options of `perception eval`."""
    names = ", ".join(READERS)
    parser.add_argument("dataset", type=one_of("data set", READERS), metavar="DATASET", help=f"the data set: {names}")
    parser.add_argument("root", nargs="?", type=source, help="the data set's folder; `simulated` renders without one")
    add(parser, "--split", " (val)", default="val")
    add(parser, "--modalities", " (all)")
    parser.add_argument("--limit", type=at_least_one, metavar="N", help="score N samples, evenly spaced (all)")
    parser.add_argument("--detail", action="store_true", help="print all scores of the JSON file")
    parser.add_argument("--suite", choices=SUITES, help="score the frames again with every sensor fault")
    add(parser, "--model", LOOKS + " (default: the shipped ones)")
    add_engine(parser)
    add(parser, "--threads", " (every core)")
    add(parser, "--json", ", with every figure, also per frame")
    add(parser, "--report", ", with plots and pictures")
    parser.add_argument(
        "--submission", type=target, metavar="DIR", help="write the files for KITTI's road or semantics server"
    )
    drive = parser.add_argument_group("simulated drive, rendered when no folder is given")
    add(drive, "--seed", ": which street (0)", default=0)
    add(drive, "--drives", ", scored as one (1)", default=1)
    add(drive, "--condition", " (day)", default="day")
    add(drive, "--frames", " each has (20)", default=20)


def run(args: argparse.Namespace) -> int:
    """Evaluates, prints the tables and writes the JSON file."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    from perception.evaluation import page
    from perception.evaluation.job import EvalOptions, run_eval
    from perception.reporting.reports import write_report

    options = EvalOptions(
        dataset=args.dataset,
        root=args.root,
        split=args.split,
        modalities=args.modalities,
        limit=args.limit,
        suite=args.suite,
        submission=args.submission,
        model=args.model,
        engine=args.engine,
        threads=args.threads,
        seed=args.seed,
        drives=args.drives,
        condition=args.condition,
        frames=args.frames,
    )
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    progress = Progress(*columns, console=Console(stderr=True), transient=True)
    result = run_eval(options, progress, args.detail, pictures=args.report is not None)
    Console(highlight=False).print(f"{result.title}: {result.count} frames", *result.tables, sep="\n")
    if args.report:
        page.write(args.report, result)
    if args.json:
        write_report(args.json, "eval", result.report)
    return 0

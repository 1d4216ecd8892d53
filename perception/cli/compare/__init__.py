# SPDX-License-Identifier: Apache-2.0
"""`perception compare`."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from perception.cli.shared import add, at_least_zero, model, named_root
from perception.engines.family import LEAST
from perception.errors import DataError, ModelError
from perception.storage import source

if TYPE_CHECKING:
    from perception.comparing.budget import Budget

CONTINUES = True  # it goes on with what it finds in its output

WIDTH = 220
"""Of the tables in a file, in letters."""

SUMMARY = "train networks alike, and compare them: IoU, fusion, calibration, flicker, time"

EXAMPLES = """\
perception compare unet pidnet_s dual_unet --train 25min --data camvid=DATA/camvid --data simulated=out/drives
perception compare --all --train 25min --data camvid=DATA/camvid --data idd-lite=DATA/idd_lite \\
    --data kitti-frames=DATA/kitti --data simulated=out/drives --document docs/zoo.md
perception compare mine.py unet --train 200it --data camvid=DATA/camvid -o work_dirs/mine
perception compare unet --data camvid=DATA/camvid --weights shipped=dual_branch_s   with weights from elsewhere
perception compare --from work_dirs/compare/compare.json --document docs/zoo.md     without training or data

Every network is trained from random weights for the same budget, on the same crops, by the same recipe; learning rate
and optimiser are those of its config. A budget of time is turned into iterations by the seconds of a few steps, which
are measured first. Data sets that the recipe names are trained on, and scored on their val split; others are only
scored; for `simulated` other streets than those of the folder are rendered. Then all are timed in turns, beside
PIDNet-S. DIR gets compare.json (docs/reports.md), pareto.png, networks.jpg, compare.html, and a folder for each
network. Started again, the command goes on: what is trained, scored or timed is kept, and other networks are added.
A network that cannot be trained is left out, with the reason; the exit code is then 1.
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `perception compare`."""
    parser.add_argument(
        "names",
        nargs="*",
        metavar="NAME",
        help="a network of configs/networks (docs/zoo.md), or the path of an mmengine config",
    )
    add(parser, "--all", ": every network of docs/zoo.md, and the default")
    add(parser, "--data", action="append", default=[])
    parser.add_argument(
        "--train",
        type=budget,
        metavar="BUDGET",
        help="train what is not trained: each for 25min, 90s, 2h, or 200it for so many iterations",
    )
    add(parser, "--recipe", " (default: that of what is trained already, else scratch)")
    parser.add_argument(
        "--resolution",
        type=part,
        default=1.0,
        metavar="PART",
        help="train, score and time at this part of the resolution, of each side: 0.5 takes a quarter of the time (1)",
    )
    add(parser, "--seed", ": weights, crops and augmentation (0)", default=0)
    parser.add_argument(
        "--weights",
        action="append",
        default=[],
        metavar="NAME=FILE",
        help="a row of weights that were trained elsewhere: .safetensors, a shipped model's name, or a file with a "
        "model.yaml; repeatable",
    )
    add(parser, "--frames", " of each set that are scored, evenly spaced, and of a KITTI drive for flicker (12)",
        default=12)  # fmt: skip
    add(parser, "--output", " and to go on (default: work_dirs/compare)", default=None)
    parser.add_argument(
        "--document", type=Path, metavar="FILE", help="write the tables into a Markdown file, as docs/zoo.md is"
    )
    parser.add_argument(
        "--from",
        dest="report",
        type=source,
        metavar="FILE",
        help="make tables, plot and page anew from a compare.json, and nothing else",
    )
    add(parser, "--workers", " for making crops (2)", type=at_least_zero, default=2)
    add(parser, "--threads", " for scoring and timing (every core)")
    add(parser, "--json")


def budget(text: str) -> Budget:
    """An option's budget of training."""
    from perception.comparing.budget import read_budget

    try:
        return read_budget(text)
    except DataError as error:
        raise argparse.ArgumentTypeError(str(error)) from error


def part(text: str) -> float:
    """An option's part of the resolution."""
    value = float(text)
    if not LEAST <= value <= 1:
        raise argparse.ArgumentTypeError(f"{text}: expected a part of the resolution, {LEAST:g} to 1")
    return value


def run(args: argparse.Namespace) -> int:
    """Compare, print the tables, and say what was left out."""
    from rich.console import Console

    from perception.comparing.job import CompareOptions, rebuild, run_compare
    from perception.comparing.report import NAME
    from perception.comparing.tables import notes, read_published, tables
    from perception.disk import made_folder
    from perception.reporting.reports import write_report

    if args.report:
        if args.names or args.all or args.data or args.train or args.weights:
            raise DataError("--from makes tables of what is known: leave out networks, --data, --train and --weights")
        output = args.output or args.report.parent
        found = rebuild(args.report, output, args.document)
    else:
        if not args.data:
            raise DataError("no --data NAME=ROOT: say what to train and score on, for example camvid=DATA/camvid")
        output = args.output or Path("work_dirs/compare")
        options = CompareOptions(
            names=args.names,
            all=args.all,
            data=[named_root(item) for item in args.data],
            output=output,
            train=args.train,
            weights=[_named_weights(item) for item in args.weights],
            recipe=args.recipe,
            seed=args.seed,
            frames=args.frames,
            document=args.document,
            threads=args.threads,
            workers=args.workers,
            resolution=args.resolution,
        )
        with made_folder(output):
            found = run_compare(options, Console(stderr=True))
    console = Console(highlight=False)
    if not console.is_terminal:
        console.width = WIDTH
    for table in tables(found, read_published()).values():
        console.print(table.rich())
    for line in notes(found):
        console.print(line, soft_wrap=True)
    console.print(f"{NAME}, pareto.png, networks.jpg, compare.html: {output}", soft_wrap=True)
    if args.json:
        write_report(args.json, "compare", found)
    return 1 if found.left_out else 0


def _named_weights(item: str) -> tuple[str, str | Path]:
    """Split NAME=FILE; ModelError for anything else."""
    name, equals, file = item.partition("=")
    if not equals or not name or not file:
        raise ModelError(f"--weights {item}: write NAME=FILE, for example shipped=dual_branch_s")
    return name, model(file)

# SPDX-License-Identifier: Apache-2.0
"""`perception bench`: measures the speed of the network, of every stage of a frame and of the node over DDS."""

from __future__ import annotations

import argparse
from pathlib import Path

from perception.cli.shared import add, at_least_one
from perception.disk import made_folder

SUMMARY = "time the network and its peers, every stage of a frame, and the node over DDS"

EXAMPLES = """\
perception bench                                   in out/bench; a few minutes
perception bench --no-peers --no-dds               only the stages; needs neither torch nor mmseg
perception bench --int8 --growth --seconds 60      everything, as in `make bench`
perception bench --no-peers --hz 10 --seconds 600  does it drop frames or grow in memory in ten minutes?
perception bench --model mine.py --no-dds          an untrained network
perception bench --model work_dirs/first/weights.xml --threads 4

Close other programs: on a busy machine, ratios stay valid, but milliseconds do not.
"""

WIDTH = 120
"""The width of the tables in characters if the output is not a terminal."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    add(parser, "--output", " (default: out/bench)", default=Path("out/bench"))
    add(
        parser,
        "--model",
        " for OpenVINO, NAME@0.7 beside peers at the whole resolution; or a config (.py), with random weights "
        "(default: the shipped ones)",
    )
    add(parser, "--threads", " of every engine (default: 2)", default=2)
    parser.add_argument(
        "--precision", choices=("f32", "bf16"), help="of floats (default: compare all, run in the fastest)"
    )
    parser.add_argument(
        "--rounds", type=at_least_one, default=40, metavar="N", help="number of measurements of each (default: 40)"
    )
    add(parser, "--seconds", ": length of each drive over DDS (default: 10)", default=10.0)
    add(parser, "--hz", " of those drives (default: 10 20)", nargs="+", default=[10.0, 20.0])
    parser.add_argument("--no-peers", action="store_true", help="leave the other networks out")
    add(parser, "--int8", ": quantise every network and time that (needs NNCF)")
    parser.add_argument("--no-dds", action="store_true", help="leave the drives over DDS out")
    parser.add_argument("--growth", action="store_true", help="time other image sizes, sweeps, outputs and cameras too")
    add(parser, "--json", ", besides DIR/bench.json")


def run(args: argparse.Namespace) -> int:
    """Measure, with a progress bar per step, and print the tables."""
    from perception.ros.imports import require_rclpy

    require_rclpy()
    from rich.console import Console

    from perception.benchmark.tables import tables
    from perception.reporting.reports import plain
    from perception.ros.bench.steps import Bench, BenchOptions

    options = BenchOptions(
        output=args.output,
        model=args.model,
        threads=args.threads,
        precision=args.precision,
        rounds=args.rounds,
        seconds=args.seconds,
        hz=args.hz,
        peers=not args.no_peers,
        dds=not args.no_dds,
        int8=args.int8,
        growth=args.growth,
        json=args.json,
    )
    bench = Bench(options, Console(stderr=True))
    with made_folder(args.output):
        report = bench.run()
    console = Console(highlight=False)
    if not console.is_terminal:
        console.width = WIDTH
    for table in tables(plain(report)).values():
        console.print(table.rich())
    console.print(f"[bold]{bench.output}[/]: bench.json, report.html")
    return 0

# SPDX-License-Identifier: Apache-2.0
"""`perception eval`: score a model on a data set or on a simulated drive."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from perception.cli.shared import at_least_one
from perception.datasets.registry import READERS, UNSPLIT, open_dataset
from perception.disk import write_json
from perception.engines import ENGINES
from perception.errors import DataError
from perception.evaluation.kitti.benchmarks import Benchmark, predict
from perception.evaluation.robustness.report import SUITES, run_suite, suite_report, suite_tables
from perception.sensors.spec import SPECS

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID
    from rich.table import Table

    from perception.frame import Prediction
    from perception.sample import Sample

SUMMARY = "score a model on a data set or on a simulated drive"
EXAMPLES = """\
perception eval camvid ~/data/camvid                           the validation split, the shipped weights
perception eval idd-lite ~/data/idd_lite --limit 50            50 samples, evenly spaced
perception eval kitti-frames ~/data/kitti --modalities lidar   what the LiDAR alone is good for
perception eval kitti-stereo ~/data/kitti --modalities depth   what two cameras' depth alone is good for
perception eval kitti-object ~/kitti/object --modalities rgb   vehicles at LiDAR points, seen by the camera alone
perception eval kitti-road ~/kitti/road --split all            MaxF and the rest by category, also from above
perception eval kitti-road ~/kitti/road --split test --submission out/road   the files for KITTI's server
perception eval kitti-raw ~/kitti/2011_09_26/2011_09_26_drive_0005_sync      points in the tracklets' boxes
perception eval simulated --seed 7 --condition night           renders the drive: exact labels
perception eval simulated --drives 10 --frames 100 --limit 50  ten streets, five frames of each
perception eval simulated out/drive --json scores.json         a drive that `perception simulate` wrote
perception eval simulated --report out/scores.html             one page: plots, best and worst frame, versions
perception eval simulated --detail                             by distance and size, as KITTI's road, calibration
perception eval simulated --suite robustness --limit 10        sensors missing, damaged, late; corruptions; weather
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declares the options of `perception eval`."""
    parser.add_argument("dataset", choices=list(READERS), help="which reader to use")
    parser.add_argument("root", nargs="?", type=Path, help="the data set's folder; `simulated` renders without one")
    parser.add_argument("--split", default="val", help="train, val, all or test, as the data set has them (val)")
    parser.add_argument(
        "--modalities", type=_modalities, metavar="LIST", help=f"keep only these of {','.join(SPECS)} (all)"
    )
    parser.add_argument("--limit", type=at_least_one, metavar="N", help="score N samples, evenly spaced (all)")
    parser.add_argument("--detail", action="store_true", help="print what else is in the JSON file")
    parser.add_argument("--suite", choices=SUITES, help="score the frames again with everything that can go wrong")
    parser.add_argument("--model", help="a shipped model's name or a path (the shipped default)")
    parser.add_argument("--engine", choices=("auto", *ENGINES), default="auto", help="what runs the network (auto)")
    parser.add_argument("--threads", type=at_least_one, help="CPU threads (default: every core)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write every figure, per frame too, to FILE")
    parser.add_argument(
        "--report", type=Path, metavar="FILE", help="write a page of plots, tables and pictures to FILE"
    )
    parser.add_argument(
        "--submission", type=Path, metavar="DIR", help="write what KITTI's road or semantics server takes"
    )
    drive = parser.add_argument_group("simulated drive, rendered when no folder is given")
    drive.add_argument("--seed", type=int, default=0, help="which drive (0)")
    drive.add_argument(
        "--drives", type=at_least_one, default=1, metavar="N", help="of seed, seed + 1, …, scored as one (1)"
    )
    drive.add_argument("--condition", default="day", help="day, dusk, night, fog or rain (day)")
    drive.add_argument("--frames", type=at_least_one, default=20, metavar="N", help="its length (20)")


def run(args: argparse.Namespace) -> int:
    """Evaluates, prints the tables and writes the JSON file."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    from perception.evaluation import page as eval_report
    from perception.evaluation.evaluate import evaluate
    from perception.evaluation.extremes import Extremes
    from perception.evaluation.table import detail_tables, notes, score_table
    from perception.pipeline import Pipeline

    samples = _open(args)
    if not samples:
        raise DataError(f"{args.root}: no sample in split {args.split} of {args.dataset}")
    if args.suite and args.submission:
        raise DataError("--suite damages the frames: write the --submission in a run without it")
    benchmark = Benchmark(args.dataset, samples, args.submission)
    samples = benchmark.samples
    count = min(args.limit or len(samples), len(samples))
    chosen = [i * len(samples) // count for i in range(count)]
    title = ", ".join((args.dataset, *(f"{name} {value}" for name, value in _part(args).items())))
    pipeline = Pipeline.load(args.model, engine=args.engine, threads=args.threads)
    pipeline.warm_up(*samples[chosen[0]].frame.size)
    answer = benchmark.adapt(pipeline)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    kept = f", only {' + '.join(args.modalities)}" if args.modalities else ""
    console = Console(highlight=False)
    tables: list[Table | str]
    details: list[Table | str] = []
    extremes = Extremes(args.modalities)

    def observe(sample: Sample, prediction: Prediction) -> None:
        benchmark.observe(sample, prediction)
        if args.report:
            extremes.observe(sample, prediction)

    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        if args.suite:
            scores = run_suite(args, answer, samples, chosen, progress)
            report, tables = suite_report(scores), [*suite_tables(scores, args.detail)]
            if args.report:
                again = partial(_step, progress, progress.add_task("pictures", total=count))
                predict(answer, samples, chosen, args.modalities, observe, again)
        else:
            task = progress.add_task(title, total=count)
            step = partial(_step, progress, task)
            if benchmark.scored:
                lazily = (samples[i] for i in chosen)
                result = evaluate(answer, lazily, args.modalities, step, observe)
                report, tables = result.to_dict(), [score_table(result), *notes(result)]
                details = [*detail_tables(result)]
                tables += details if args.detail else ()
            else:
                predict(answer, samples, chosen, args.modalities, observe, step)
                report, tables = {}, []
            report, tables = {**report, **benchmark.report()}, [*tables, *benchmark.tables()]
    console.print(f"{title}{kept}: {count} frames", *tables, sep="\n")
    model = {"model": pipeline.model.name, "weights_sha256": pipeline.weights_sha256}
    if args.report:
        shown = [*tables, *(() if args.detail else details)]
        eval_report.write(args.report, f"{title}{kept}", count, report, shown, extremes, model)
    if args.json:
        part = {"dataset": args.dataset, **_part(args), "modalities": args.modalities}
        report = {**model, **part, "suite": args.suite, **report}
        write_json(args.json, report)
    return 0


def _step(progress: Progress, task: TaskID, done: int) -> None:
    progress.update(task, completed=done)


def _open(args: argparse.Namespace) -> Sequence[Sample]:
    if args.root is not None:
        return open_dataset(args.dataset, args.root, args.split)
    if args.dataset != "simulated":
        raise DataError(f"{args.dataset}: no folder given; say `perception eval {args.dataset} ROOT`")
    from perception.simulation import SimulatedDrives

    return SimulatedDrives(range(args.seed, args.seed + args.drives), args.condition, args.frames)


def _part(args: argparse.Namespace) -> dict[str, str | int]:
    """Which part of the data set is scored, by the option's name."""
    if args.root is None:
        return {"condition": args.condition, "seed": args.seed, "drives": args.drives}
    return {} if args.dataset in UNSPLIT else {"split": args.split}


def _modalities(text: str) -> list[str]:
    names = text.split(",")
    unknown = [name for name in names if name not in SPECS]
    if unknown:
        raise argparse.ArgumentTypeError(f"{unknown[0]!r}: expected some of {','.join(SPECS)}")
    return names

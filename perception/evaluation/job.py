# SPDX-License-Identifier: Apache-2.0
"""One run of `perception eval`: a data set or simulated drives, a model, and everything that is scored of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from perception.classes import CLASSES, Classes
from perception.datasets.registry import READERS, open_dataset
from perception.engines.described import classes_of
from perception.engines.family import find_member
from perception.errors import DataError
from perception.evaluation.evaluate import Scores, evaluate
from perception.evaluation.extremes import Extremes
from perception.evaluation.kitti.benchmarks import Benchmark, BenchmarkReport, predict
from perception.evaluation.robustness.report import run_suite, suite_tables
from perception.evaluation.robustness.summary import SuiteScores, suite_scores
from perception.evaluation.table import detail_tables, instance_tables, notes, score_table
from perception.frame import Prediction
from perception.pipeline import Pipeline
from perception.reporting.reports import INLINE, OPTIONAL
from perception.sample import Sample

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID
    from rich.table import Table

SIMULATED = "simulated"
"""The data set that is rendered where no folder is given."""


@dataclass(frozen=True, kw_only=True)
class EvalOptions:
    """What is scored, and with what.

    root: the data set's folder; None renders `drives` drives of `frames` frames. modalities: which sensors are kept;
    None keeps all. limit: how many samples, evenly spaced; None takes all. suite: of `robustness.report.SUITES`.
    submission: a folder for what KITTI's server takes. model, engine, threads: see `Pipeline.load`.
    """

    dataset: str
    root: Path | None = None
    split: str = "val"
    modalities: Sequence[str] | None = None
    limit: int | None = None
    suite: str | None = None
    submission: Path | None = None
    model: str | Path | None = None
    engine: str = "auto"
    threads: int | None = None
    seed: int = 0
    drives: int = 1
    condition: str = "day"
    frames: int = 20


@dataclass(frozen=True, kw_only=True)
class Part:
    """Which part of the data set: its split, where it has any; of what was rendered condition, seed and drives."""

    condition: str | None = field(default=None, metadata=OPTIONAL)
    seed: int | None = field(default=None, metadata=OPTIONAL)
    drives: int | None = field(default=None, metadata=OPTIONAL)
    split: str | None = field(default=None, metadata=OPTIONAL)


@dataclass(frozen=True, kw_only=True)
class EvalReport:
    """The JSON of `perception eval`: `scores`, or where a suite was asked for `robustness`; neither without truth."""

    model: str
    weights_sha256: str
    dataset: str
    part: Part = field(metadata=INLINE)
    modalities: Sequence[str] | None
    suite: str | None
    scores: Scores | None = field(default=None, metadata=INLINE)
    robustness: SuiteScores | None = field(default=None, metadata=INLINE)
    benchmark: BenchmarkReport | None = field(default=None, metadata=INLINE)


@dataclass(frozen=True)
class Result:
    """The report, and what people see. tables: what is always shown; details: what else there is."""

    report: EvalReport
    title: str
    count: int
    tables: list[Table | str]
    details: list[Table | str]
    extremes: Extremes


def run_eval(options: EvalOptions, progress: Progress, detail: bool = False, pictures: bool = False) -> Result:
    """Score it. progress: shows it, and is begun here. detail: tables of every severity. pictures: gather those of the
    best and the worst frames.

    Raises DataError for what cannot be opened or asked for together, and ModelError.
    """
    samples = open_samples(options, classes_of(find_member(options.model, options.engine).path))
    if not samples:
        raise DataError(f"{options.root}: no sample in split {options.split} of {options.dataset}")
    if options.suite and options.submission:
        raise DataError("--suite damages the frames: write the --submission in a run without it")
    benchmark = Benchmark(options.dataset, samples, options.submission)
    samples = benchmark.samples
    count = min(options.limit or len(samples), len(samples))
    chosen = [i * len(samples) // count for i in range(count)]
    pipeline = Pipeline.load(options.model, engine=options.engine, threads=options.threads)
    pipeline.warm_up(*samples[chosen[0]].frame.size)
    answer = benchmark.adapt(pipeline)
    part = part_of(options)
    named = {name: value for name, value in vars(part).items() if value is not None}
    title = ", ".join((options.dataset, *(f"{name} {value}" for name, value in named.items())))
    extremes = Extremes(options.modalities)

    def observe(sample: Sample, prediction: Prediction) -> None:
        benchmark.observe(sample, prediction)
        if pictures:
            extremes.observe(sample, prediction)

    scores: Scores | None = None
    robustness: SuiteScores | None = None
    tables: list[Table | str] = []
    details: list[Table | str] = []
    with progress:
        if options.suite:
            rows = run_suite(options, answer, samples, chosen, progress, pipeline.classes)
            robustness, tables = suite_scores(rows), [*suite_tables(rows, detail)]
            if pictures:
                step = partial(_step, progress, progress.add_task("pictures", total=count))
                predict(answer, samples, chosen, options.modalities, observe, step)
        else:
            step = partial(_step, progress, progress.add_task(title, total=count))
            if benchmark.scored:
                lazily = (samples[i] for i in chosen)
                result = evaluate(answer, lazily, options.modalities, step, observe, pipeline.classes)
                scores, details = result.scores(), [*detail_tables(result)]
                tables = [score_table(result), *instance_tables(scores.instances), *notes(result)]
            else:
                predict(answer, samples, chosen, options.modalities, observe, step)
    report = EvalReport(
        model=pipeline.name,
        weights_sha256=pipeline.weights_sha256,
        dataset=options.dataset,
        part=part,
        modalities=options.modalities,
        suite=options.suite,
        scores=scores,
        robustness=robustness,
        benchmark=None if options.suite else benchmark.report(),
    )
    tables += details if detail else ()
    tables += () if options.suite else benchmark.tables()
    kept = f", only {' + '.join(options.modalities)}" if options.modalities else ""
    return Result(report, f"{title}{kept}", count, tables, [] if detail else details, extremes)


def open_samples(options: EvalOptions, classes: Classes = CLASSES) -> Sequence[Sample]:
    """The samples to score. classes: what the labels shall be. Raises DataError."""
    if options.root is not None:
        return open_dataset(options.dataset, options.root, options.split, classes)
    if options.dataset != SIMULATED:
        raise DataError(f"{options.dataset}: no folder given; use `perception eval {options.dataset} ROOT`")
    from perception.datasets.simulated import Relabelled
    from perception.simulation import SimulatedDrives

    seeds = range(options.seed, options.seed + options.drives)
    return Relabelled(SimulatedDrives(seeds, options.condition, options.frames), classes)


def part_of(options: EvalOptions) -> Part:
    """Which part of the data set these options are of."""
    if options.root is None:
        return Part(condition=options.condition, seed=options.seed, drives=options.drives)
    return Part(split=options.split) if READERS.find(options.dataset).split else Part()


def _step(progress: Progress, task: TaskID, done: int) -> None:
    progress.update(task, completed=done)

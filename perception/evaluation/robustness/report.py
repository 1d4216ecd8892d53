# SPDX-License-Identifier: Apache-2.0
"""`perception eval --suite robustness`: the same frames with all sensor faults."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from perception.classes import Classes
from perception.frame import MODALITIES

if TYPE_CHECKING:
    from rich.progress import Progress
    from rich.table import Table

    from perception.evaluation.job import EvalOptions
    from perception.evaluation.robustness.history import History
    from perception.evaluation.robustness.suite import RowScore
    from perception.evaluation.robustness.summary import Summary
    from perception.frame import Frame, Prediction
    from perception.sample import Sample

SUITES = ("robustness",)
CONDITIONS = ("night", "fog", "rain")
"""Conditions under which a simulated drive is rendered again."""

STEPS = 2
"""Steps per frame in which a rendered drive can be looked back: 50 ms apart."""


def run_suite(
    options: EvalOptions,
    pipeline: Callable[[Frame], Prediction],
    samples: Sequence[Sample],
    chosen: Sequence[int],
    progress: Progress,
    classes: Classes,
) -> list[RowScore]:
    """Scores every row on the chosen samples, which are read or rendered once. classes: of the pipeline's labels."""
    from perception.datasets.simulated import Relabelled
    from perception.evaluation.robustness.suite import run_rows, sensor_rows, weather_rows
    from perception.sensors.presence import keep_modalities

    def load(source: Sequence[Sample], text: str) -> dict[int, Sample]:
        loaded = {index: source[index] for index in progress.track(chosen, description=text)}
        if options.modalities:
            for sample in loaded.values():
                sample.frame = keep_modalities(sample.frame, options.modalities)
        return loaded

    def score(loaded: dict[int, Sample], rows: Sequence[Any], history: History) -> list[RowScore]:
        task = progress.add_task("all rows", total=len(rows) * len(loaded))
        return run_rows(pipeline, loaded, rows, history, lambda: progress.advance(task), classes)

    held = load(samples, "frames")
    present = {name for sample in held.values() for name in sample.frame.modalities}
    sensors = getattr(pipeline, "sensors", MODALITIES)
    modalities = [name for name in sensors if name in present]
    scores = score(held, list(sensor_rows(modalities)), _history(options, samples))
    held.clear()
    for condition in _other_conditions(options):
        drives = Relabelled(_rendered(options, condition), classes)
        scores += score(load(drives, condition), weather_rows(condition, modalities), lambda index, seconds: None)
    return scores


def suite_tables(scores: Sequence[RowScore], detail: bool) -> list[Table]:
    """A table of rows and one of means. detail: every severity of every corruption, not their mean.

    change is to the same frames undisturbed. The second table has each mean's share of what all sensors reach, and
    what is expected where every sensor is lost with probability p.
    """
    from rich.table import Column, Table

    from perception.evaluation.robustness.suite import CORRUPTION, TITLES
    from perception.evaluation.robustness.summary import summarise

    def folded(group: str) -> bool:
        return group == CORRUPTION and not detail

    rows = Table(Column("", overflow="fold"), *scores[0].confusion.classes.foreground, "mean", "change", "frames")
    group = ""
    for score in scores:
        if score.row.group != group:
            rows.add_section()
            group = score.row.group
            rows.add_row(f"[bold]{TITLES[group]}" + (", mean of 5 severities" if folded(group) else ""))
        if not folded(group):
            rows.add_row(score.row.name, *_cells([score]))
        elif score.row.facts["severity"] == 1:
            name = score.row.facts["corruption"]
            rows.add_row(name, *_cells([other for other in scores if other.row.facts.get("corruption") == name]))
    return [rows, _means(summarise(scores))]


def _cells(scores: Sequence[RowScore]) -> list[str]:
    """The figures of one line, the means over `scores`."""
    import numpy as np

    from perception.evaluation.table import number

    lines = [[*score.confusion.iou().values(), score.confusion.mean_iou(), score.gain] for score in scores]
    *values, gain = np.mean(lines, axis=0).tolist()
    return [*map(number, values), "–" if math.isnan(gain) else f"{gain:+.3f}", str(scores[0].frames)]


def _means(summary: Summary) -> Table:
    from rich.table import Table

    from perception.evaluation.robustness.summary import LOSS_PROBABILITIES
    from perception.evaluation.table import number

    expected = [f"{loss:.2f}" for loss in LOSS_PROBABILITIES]
    table = Table("mean IoU", "mean", "of all's", *(f"p = {loss}" for loss in expected))
    lines = {"every subset (EMM)": summary.emm}
    lines |= {f"every subset, {float(r):.0%} of the others lost (RMM)": part for r, part in summary.rmm.items()}
    for name, part in lines.items():
        chances = [number(part.expected[loss]) for loss in expected]
        table.add_row(name, number(part.average), number(part.share_of_all), *chances)
    if summary.corruptions is not None:
        whole = summary.corruptions
        table.add_row("15 corruptions × 5 severities", number(whole.mean), number(whole.share_of_all))
    return table


def _history(options: EvalOptions, samples: Sequence[Sample]) -> History:
    from perception.evaluation.robustness.history import RecordedHistory, RenderedHistory

    if options.root is not None:
        return RecordedHistory(samples)
    from perception.simulation import SimulatedDrive

    rate = 10.0
    return RenderedHistory(
        lambda seed: SimulatedDrive(seed, options.condition, STEPS * options.frames, rate_hz=STEPS * rate),
        range(options.seed, options.seed + options.drives),
        options.frames,
        period_s=1 / rate,
        steps=STEPS,
    )


def _other_conditions(options: EvalOptions) -> list[str]:
    return [] if options.root is not None else [name for name in CONDITIONS if name != options.condition]


def _rendered(options: EvalOptions, condition: str) -> Sequence[Sample]:
    from perception.simulation import SimulatedDrives

    return SimulatedDrives(range(options.seed, options.seed + options.drives), condition, options.frames)

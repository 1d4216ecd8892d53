# SPDX-License-Identifier: Apache-2.0
"""compare.json: what is known of every network, kept over several runs, and what it comes to."""

from __future__ import annotations

import json
import math
import statistics
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from perception.classes import FOREGROUND
from perception.disk import write_json
from perception.errors import DataError
from perception.reporting.reports import VERSIONS, content

NAME = "compare.json"

CAMERA, ALL = "camera", "all"
"""The names of two subsets of the sensors; the others are +depth, +infrared and +lidar: each with the camera."""

Known = float | None
"""A figure; None where there is none."""


@dataclass(frozen=True, kw_only=True)
class Training:
    """How a network was trained here. resolution: the part of it, of each side, that crops were seen at.
    seconds_per_step: measured before, to turn a budget of time into iterations; None for a budget of iterations.
    learning_rate, optimizer: the network's own."""

    budget: str
    iterations: int
    seconds_per_step: Known
    learning_rate: float
    optimizer: str
    crop: list[int]
    batch_size: int
    recipe: str
    resolution: float
    seed: int
    data: list[str]


@dataclass(frozen=True, kw_only=True)
class Timing:
    """Milliseconds of a frame, in turns with the reference, on `threads` cores of `cpu`. ratio: to the reference's
    time, the median over the rounds. run: the same for all that were timed beside each other."""

    median_ms: float
    p95_ms: float
    ratio: float
    rounds: int
    threads: int
    cpu: str
    run: str


@dataclass(frozen=True, kw_only=True)
class Scored:
    """What a set is scored on. part: of the set. of: how many frames that has. frames: how many are scored.
    resolution: the part of it, of each side, that the networks get."""

    part: str
    of: int
    frames: int
    real: bool
    resolution: float


@dataclass(frozen=True, kw_only=True)
class SetScore:
    """A network on one set, of `scored`. at: pixels, or points where only LiDAR points have truth. soft_frames: whose
    truth is soft labels. iou: by class, with all sensors. subsets: the mean IoU by subset of the sensors, for a network
    that sees more than the camera."""

    scored: Scored
    at: str
    soft_frames: int
    iou: dict[str, Known]
    mean_iou: Known
    calibration_error: Known
    subsets: dict[str, Known]


@dataclass(frozen=True, kw_only=True)
class FlickerScore:
    """The share of pixels that change their class although the scene does not, over consecutive frames of a set, as the
    network says it and with the node's parameter `steady`."""

    scored: Scored
    name: str
    share: Known
    steadied: Known


@dataclass(frozen=True, kw_only=True)
class Summary:
    """Means over the real, or the simulated, sets. points: of mean IoU that a subset of the sensors is better than the
    camera alone, over the sets that have them; empty for a network of the camera alone."""

    iou: dict[str, Known]
    mean_iou: Known
    calibration_error: Known
    points: dict[str, Known]


@dataclass(kw_only=True)
class Row:
    """A network. weights_sha256: of its file, and of the model.yaml of one that others made. training: None for weights
    that were trained elsewhere, which compare with no others. parameters: without auxiliary heads. gmac:
    multiply-accumulates of a frame, in 10⁹; neither is known of files that others made. pictures: the frames in
    pictures.jpg. real, simulated: None where it has not been scored on all sets of the report."""

    weights_sha256: str
    training: Training | None
    sensors: list[str]
    parameters: int | None
    gmac: Known
    timing: Timing | None = None
    sets: dict[str, SetScore] = field(default_factory=dict)
    flicker: FlickerScore | None = None
    pictures: list[str] = field(default_factory=list)
    real: Summary | None = None
    simulated: Summary | None = None


@dataclass(kw_only=True)
class CompareReport:
    """compare.json. sets: what the last run scored on. reference: the network whose time is 1. pareto_front: networks
    trained alike, none of which another beats in both real IoU and time. left_out: networks that could not be trained,
    with the reason."""

    sets: dict[str, Scored] = field(default_factory=dict)
    image: list[int] = field(default_factory=list)
    reference: str = ""
    reference_ms: Known = None
    pareto_front: list[str] = field(default_factory=list)
    left_out: dict[str, str] = field(default_factory=dict)
    versions: dict[str, str] = field(default_factory=dict)
    networks: dict[str, Row] = field(default_factory=dict)


def write(path: Path, report: CompareReport) -> None:
    """With the means made anew, and without pauses in which the file is half written."""
    summarise(report)
    write_json(path, content("compare", report))


def read(path: Path) -> CompareReport:
    """What `write` wrote. Raises DataError for anything else."""
    wanted = f"perception/compare-report/{VERSIONS['compare']}"
    try:
        found = json.loads(path.read_text("utf-8"))
        if (schema := found.pop("schema")) != wanted:
            raise DataError(f"{path}: schema {schema}, expected {wanted}: compare again, in a new --output")
        rows = {name: _row(row) for name, row in found.pop("networks").items()}
        sets = {name: Scored(**scored) for name, scored in found.pop("sets").items()}
        return CompareReport(**found, sets=sets, networks=rows)
    except DataError:
        raise
    except FileNotFoundError:
        raise DataError(f"{path}: no such file; `perception compare … -o DIR` writes DIR/{NAME}") from None
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise DataError(f"{path}: not a report of `perception compare` ({type(error).__name__}: {error})") from error


def _row(row: Mapping[str, Any]) -> Row:
    def made(kind: type, key: str) -> Any:
        return None if row[key] is None else kind(**row[key])

    scores = {name: SetScore(**{**each, "scored": Scored(**each["scored"])}) for name, each in row["sets"].items()}
    flicker = row["flicker"] and FlickerScore(**{**row["flicker"], "scored": Scored(**row["flicker"]["scored"])})
    return Row(
        **{
            **row,
            "training": made(Training, "training"),
            "timing": made(Timing, "timing"),
            "sets": scores,
            "flicker": flicker,
            "real": made(Summary, "real"),
            "simulated": made(Summary, "simulated"),
        }
    )


def summarise(report: CompareReport) -> None:
    """Make the means of all rows, and the front, from what has been scored."""
    for row in report.networks.values():
        whole = all(name in row.sets and row.sets[name].scored == scored for name, scored in report.sets.items())
        row.real = _summary(report, row, True) if whole else None
        row.simulated = _summary(report, row, False) if whole else None
    report.pareto_front = front(report.networks)


def front(rows: Mapping[str, Row]) -> list[str]:
    """The networks trained here that no other one beats: none is as good in real IoU and time, and better in one."""
    places = {
        name: (row.timing.ratio, -row.real.mean_iou)
        for name, row in rows.items()
        if row.training and row.timing and row.real and row.real.mean_iou is not None
    }
    return [
        name
        for name, (time, loss) in places.items()
        if not any(t <= time and m <= loss and (t, m) != (time, loss) for t, m in places.values())
    ]


def _summary(report: CompareReport, row: Row, real: bool) -> Summary | None:
    scores = [row.sets[name] for name, scored in report.sets.items() if scored.real == real]
    if not scores:
        return None
    iou = {label: mean((each.iou.get(label) for each in scores), 4) for label in FOREGROUND}
    names = dict.fromkeys(name for each in scores for name in each.subsets if name != CAMERA)
    return Summary(
        iou=iou,
        mean_iou=mean(iou.values(), 4),
        calibration_error=mean((each.calibration_error for each in scores), 4),
        points={name: mean((_points(each, name) for each in scores), 2) for name in names},
    )


def _points(score: SetScore, subset: str) -> Known:
    alone, more = score.subsets.get(CAMERA), score.subsets.get(subset)
    return None if alone is None or more is None else 100 * (more - alone)


def mean(values: Iterable[Known], digits: int) -> Known:
    """Of those that are known, to so many decimals; None of none."""
    known = [value for value in values if value is not None]
    return round(statistics.fmean(known), digits) if known else None


def known(value: float) -> Known:
    """The figure, None for NaN."""
    return None if math.isnan(value) else value


def rounded(values: Mapping[str, float]) -> dict[str, Known]:
    """IoU by name to four decimals."""
    return {name: None if math.isnan(value) else round(value, 4) for name, value in values.items()}


def names_of(sets: Mapping[str, Scored], real: bool) -> Sequence[str]:
    """The sets that are real, or not."""
    return [name for name, scored in sets.items() if scored.real == real]

# SPDX-License-Identifier: Apache-2.0
"""What `accuracy.py` evaluates: parts, each of which is scored at once and kept in the report."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import cv2
from accuracy_targets import BOXED, CONTESTED
from precisions import FRAMES, REAL, SEEDS

from perception.classes import NO_OBJECT, UNLABELLED, VEHICLE
from perception.cli.eval_suite import STEPS, suite_report
from perception.datasets.registry import UNSPLIT, open_dataset
from perception.evaluation.evaluate import evaluate
from perception.evaluation.history import History, RenderedHistory
from perception.evaluation.robustness import CAMERA, EMM, Row, run_rows, sensor_rows
from perception.frame import MODALITIES
from perception.paths import PACKAGE
from perception.pipeline import Pipeline
from perception.sample import Sample
from perception.sensors import project_sweep
from perception.simulation import SimulatedDrive, SimulatedDrives

FOLDERS = {**REAL, "kitti-object": "kitti_object"}
EACH = {"day": 5, "dusk": 3, "night": 3, "fog": 3, "rain": 3}
"""Frames of each street, by condition."""

QUICK_SEEDS, QUICK_EACH, QUICK_FRAMES = range(2), 2, 4

SENSORS: dict[str, list[str] | None] = {"all": None, "rgb": ["rgb"], "lidar": ["lidar"]}
"""Which sensors the network is given, where there are several."""

SCORED_BY = ("classes.py", "frame.py", "pipeline.py", "sample.py", "datasets", "engines", "evaluation", "sensors")
"""The code that figures depend on, in the package's folder."""

Score = Callable[[Pipeline, dict[int, Sample], Callable[[], None]], dict[str, Any]]
"""(pipeline, samples by index, what to call after each frame) → figures."""


@dataclass(frozen=True)
class Part:
    """Samples and what is done with them. chosen: their indices. runs: how often each is predicted.

    settings: what the figures depend on, beside the weights.
    """

    name: str
    samples: Sequence[Sample]
    chosen: list[int]
    runs: int
    score: Score
    settings: dict[str, Any]


def parts(data: Path, quick: bool) -> list[Part]:
    """Every part, of the data sets that DATA has; those with the same samples follow one another."""
    there = [name for name, folder in FOLDERS.items() if (data / folder).is_dir()]
    recorded = [_recorded(name, data / FOLDERS[name], quick) for name in there]
    contested = [replace(part, name=CONTESTED, score=by_boxes) for part in recorded if part.name == "kitti-frames"]
    boxed = [_boxed(part) for part in recorded if part.name == "kitti-object"]
    return [*recorded, *boxed, *contested, *_simulated(quick)]


def by_sensors(kept: Mapping[str, list[str] | None]) -> Score:
    """`evaluate` with each of these sensors; without times, which docs/performance.md has."""

    def score(pipeline: Pipeline, held: dict[int, Sample], done: Callable[[], None]) -> dict[str, Any]:
        scores = {}
        for name, modalities in kept.items():
            report = evaluate(pipeline, held.values(), modalities, lambda _: done()).to_dict()
            del report["fps"], report["latency_ms"]
            for frame in report["per_frame"]:
                del frame["milliseconds"]
            scores[name] = report
        return {"scores": scores}

    return score


def uncontested(samples: Iterable[Sample]) -> list[Sample]:
    """`samples` with points unknown that lie in no box although the soft labels' network sees a vehicle there.

    KITTI has no boxes around parked bicycles and many parked cars: two who do not know of each other disagree.
    """
    cleared = []
    for sample in samples:
        projection = project_sweep(sample.frame)
        if sample.point_labels is None or sample.probabilities is None or projection is None:
            continue
        vehicle = cv2.resize(sample.probabilities[..., VEHICLE], sample.frame.size).ravel()[projection.pixels] > 0.5
        point_labels = sample.point_labels.copy()
        rows = projection.rows[vehicle]
        point_labels[rows[point_labels[rows] == NO_OBJECT]] = UNLABELLED
        cleared.append(replace(sample, labels=None, probabilities=None, point_labels=point_labels))
    return cleared


def by_boxes(pipeline: Pipeline, held: dict[int, Sample], done: Callable[[], None]) -> dict[str, Any]:
    """Points in and out of boxes, those left out that are contested: see `uncontested`."""
    cleared = dict(enumerate(uncontested(held.values())))
    return by_sensors(SENSORS)(pipeline, cleared, done)


def by_rows(rows: Sequence[Row], history: History) -> Score:
    """Rows of the robustness suite, and what they come to."""

    def score(pipeline: Pipeline, held: dict[int, Sample], done: Callable[[], None]) -> dict[str, Any]:
        return suite_report(run_rows(pipeline, held, rows, history, done))

    return score


def subset_rows() -> list[Row]:
    """Every subset of the sensors, and every sensor with a camera that is black."""
    return [row for row in sensor_rows(MODALITIES) if row.group == EMM or (row.group, row.name) == (CAMERA, "black")]


def source_hash(names: Iterable[str]) -> str:
    """SHA-256 over the Python files of these files and folders of the package."""
    digest = hashlib.sha256()
    for name in names:
        for path in sorted((PACKAGE / name).rglob("*.py")) or [PACKAGE / name]:
            digest.update(path.relative_to(PACKAGE).as_posix().encode() + path.read_bytes())
    return digest.hexdigest()


def _recorded(name: str, root: Path, quick: bool) -> Part:
    samples = open_dataset(name, root, "val")
    count = min(QUICK_FRAMES, len(samples)) if quick else len(samples)
    kept = SENSORS if name.startswith("kitti") else {"all": None}
    settings = {"folder": root.name, "split": "all" if name in UNSPLIT else "val", "of": len(samples)}
    settings["code_sha256"] = source_hash(SCORED_BY)
    return Part(name, samples, _spread(len(samples), count), len(kept), by_sensors(kept), settings)


def _boxed(part: Part) -> Part:
    labels = {index: part.samples[index].point_labels for index in part.chosen}
    chosen = [index for index, points in labels.items() if points is not None and (points == VEHICLE).any()]
    return replace(part, name=BOXED, chosen=chosen)


def _simulated(quick: bool) -> list[Part]:
    seeds = QUICK_SEEDS if quick else SEEDS
    code = source_hash((*SCORED_BY, "simulation"))
    found = []
    for condition, each in EACH.items():
        if quick:
            each = QUICK_EACH
        samples = SimulatedDrives(seeds, condition, FRAMES)
        chosen = _spread(len(samples), each * len(seeds))
        settings = {"condition": condition, "seeds": list(seeds), "of": len(samples), "code_sha256": code}
        score = by_sensors(SENSORS)
        found.append(Part(f"simulated {condition}", samples, chosen, len(SENSORS), score, settings))
        if condition == "day":
            subsets, suite = subset_rows(), list(sensor_rows(MODALITIES))
            middle = chosen[each // 2 :: each]  # of each street: there is something to look back to
            late = by_rows(suite, _history(condition, seeds))
            found += [
                Part("subsets", samples, chosen, len(subsets), by_rows(subsets, lambda *_: None), settings),
                Part("robustness", samples, middle[:1] if quick else middle, len(suite), late, settings),
            ]
    return found


def _history(condition: str, seeds: Sequence[int]) -> History:
    rate = 10.0

    def drive(seed: int) -> SimulatedDrive:
        return SimulatedDrive(seed, condition, STEPS * FRAMES, rate_hz=STEPS * rate)

    return RenderedHistory(drive, seeds, FRAMES, 1 / rate, STEPS)


def _spread(total: int, count: int) -> list[int]:
    """As `perception eval --limit` chooses."""
    return [i * total // count for i in range(count)]

# SPDX-License-Identifier: Apache-2.0
"""What `accuracy.py` evaluates: parts, each of which is scored at once and kept in the report."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from pathlib import Path
from typing import Any

from accuracy_faults import FAULTS, LATE
from accuracy_targets import PEOPLE, UNBOXED
from precisions import FRAMES, REAL, SEEDS
from truth import MARKS, load
from unboxed import leave_out, load_unboxed

from perception.datasets.penn_fudan import PennFudan
from perception.datasets.registry import UNSPLIT, open_dataset
from perception.evaluation.evaluate import evaluate
from perception.evaluation.robustness.history import History, RenderedHistory
from perception.evaluation.robustness.report import STEPS
from perception.evaluation.robustness.suite import CAMERA, EMM, Row, run_rows, sensor_rows
from perception.evaluation.robustness.summary import suite_scores
from perception.evaluation.scores.size_recall import BANDS, found_share
from perception.frame import MODALITIES
from perception.paths import PACKAGE
from perception.pipeline import Pipeline
from perception.reporting.reports import plain
from perception.sample import Sample
from perception.simulation import SimulatedDrive, SimulatedDrives
from perception.simulation.sensors.rig import RIGS

FOLDERS = {
    "night pairs": "msrs_more",
    "day pairs": "msrs_more",
    "another thermal camera": "roadscene",
    "cityscapes-stereo": "cityscapes_stereo",
    "kitti-stereo": "kitti_frustum/drive_0005",
    "kitti-object": "kitti_object",
    **REAL,
    "cityscapes-small": "cityscapes_small",
    PEOPLE: "penn_fudan",
}
"""Real sets, in the order of the tables, and where DATA has them."""

MARKED = {
    "night pairs": ("msrs-more.json", True),
    "day pairs": ("msrs-more.json", False),
    "another thermal camera": ("roadscene.json", None),
    "cityscapes-stereo": ("cityscapes-stereo.json", None),
}
"""Sets whose truth was marked by hand: the file of marks in `truth`, and whether night or day alone is taken."""

EACH = {"day": 5, "dusk": 3, "night": 3, "fog": 3, "rain": 3}
"""Frames of each street, by condition."""

NAMED_RIGS = tuple(rig for rig in RIGS if rig != "random")
RIG_SEEDS, RIG_FRAMES = range(4), 2
RIG_SENSORS = (("rgb", "depth", "lidar"), ("rgb", "depth"), ("rgb", "lidar"), ("rgb",), ("depth",), ("lidar",))
"""Vehicles that streets are rendered from, their frames of each street, and the sensors that are compared there."""

QUICK_SEEDS, QUICK_EACH, QUICK_FRAMES = range(2), 2, 4

SENSORS: dict[str, list[str] | None] = {"all": None, "rgb": ["rgb"], "lidar": ["lidar"]}
"""Which sensors the network is given, where there are several."""

FAULTY = ("kitti-stereo", "day pairs")
"""Real sets whose sensors are disturbed one after the other."""

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
    found = []
    for name, folder in FOLDERS.items():
        if not (data / folder).is_dir():
            continue
        part = _people(data / folder, quick) if name == PEOPLE else _recorded(name, data, quick)
        found.append(part)
        if name in UNBOXED:
            found.append(replace(part, name=UNBOXED[name], score=by_boxes(name, part.samples)))
        if name in FAULTY:
            found.append(_faulty(part))
    return [*found, *_simulated(quick), *_rigs(quick)]


def combinations_of(sample: Sample) -> dict[str, list[str] | None]:
    """Every subset of a sample's sensors by name, all of them first, as `all`."""
    have = sample.frame.modalities
    fewer = [list(some) for count in range(len(have) - 1, 0, -1) for some in combinations(have, count)]
    return {"all": None, **{" + ".join(some): some for some in fewer}}


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


def by_boxes(name: str, samples: Sequence[Sample], kept: Mapping[str, list[str] | None] | None = None) -> Score:
    """Points in and out of boxes alone, those left out that lie on vehicles which nobody boxed: see `truth`.

    kept: as of `by_sensors`; every combination where it is not given.
    """
    outlines, folder = load_unboxed(), FOLDERS[name].partition("/")[0]

    def score(pipeline: Pipeline, held: dict[int, Sample], done: Callable[[], None]) -> dict[str, Any]:
        cleared = {
            index: replace(
                leave_out(sample, outlines.get(f"{folder}/{sample.name}", [])), labels=None, probabilities=None
            )
            for index, sample in held.items()
            if sample.point_labels is not None
        }
        return by_sensors(kept or combinations_of(samples[0]))(pipeline, cleared, done)

    return score


def by_rows(rows: Sequence[Row], history: History) -> Score:
    """Rows of the robustness suite, and what they come to."""

    def score(pipeline: Pipeline, held: dict[int, Sample], done: Callable[[], None]) -> dict[str, Any]:
        return dict(plain(suite_scores(run_rows(pipeline, held, rows, history, done))))

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


def _recorded(name: str, data: Path, quick: bool) -> Part:
    root = data / FOLDERS[name]
    samples = marked(name, data) if name in MARKED else open_dataset(name, root, "val")
    count = min(QUICK_FRAMES, len(samples)) if quick else len(samples)
    kept = combinations_of(samples[0])
    settings: dict[str, Any] = {"folder": root.name, "of": len(samples), "code_sha256": source_hash(SCORED_BY)}
    settings["split"] = "marked by hand" if name in MARKED else "all" if name in UNSPLIT else "val"
    if name in MARKED or name in UNBOXED:
        marks = b"".join(path.read_bytes() for path in sorted(MARKS.glob("*.json")))
        settings["truth_sha256"] = hashlib.sha256(marks).hexdigest()
    return Part(name, samples, _spread(len(samples), count), len(kept), by_sensors(kept), settings)


def marked(name: str, data: Path) -> Sequence[Sample]:
    """A set of MARKED, whose images DATA has."""
    file, night = MARKED[name]
    return load(MARKS / file, data, night)


def _people(root: Path, quick: bool) -> Part:
    people = open_dataset("penn-fudan", root, "val")
    assert isinstance(people, PennFudan)
    settings = {"folder": root.name, "split": "val", "of": len(people), "code_sha256": source_hash(SCORED_BY)}

    def by_height(pipeline: Pipeline, _held: dict[int, Sample], done: Callable[[], None]) -> dict[str, Any]:
        """The share of people's pixels that is found, by how tall they are."""
        found = {}
        for name, band in BANDS.items():
            found[name] = {**band._asdict(), "found": found_share(pipeline, people, band)}
            done()
        return {"people": found}

    return Part(PEOPLE, people, _spread(len(people), 1 if quick else len(people)), 1, by_height, settings)


def _faulty(part: Part) -> Part:
    """Every fault, with all sensors, every pair with the camera, and each alone."""
    settings = {**part.settings, "faults": sorted(FAULTS)}
    chosen = part.chosen[LATE:] if part.name in UNBOXED else part.chosen  # a drive has a past

    def by_faults(pipeline: Pipeline, held: dict[int, Sample], done: Callable[[], None]) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for name, fault in FAULTS.items():
            frames = {index: fault(part.samples, index) for index in held}
            disturbed = [
                replace(held[index], frame=frame, point_labels=None)
                for index, frame in frames.items()
                if frame is not None
            ]
            for kept, modalities in combinations_of(part.samples[0]).items() if disturbed else ():
                result = evaluate(pipeline, disturbed, modalities)
                scores = {"mean_iou": plain(result.confusion.mean_iou()), "iou": plain(result.confusion.iou())}
                found.setdefault(name, {})[kept] = scores
            for _ in held:
                done()
        return {"faults": found}

    return Part(f"{part.name}, disturbed", part.samples, chosen[::2], len(FAULTS), by_faults, settings)


def _rigs(quick: bool) -> list[Part]:
    """Simulated streets from six vehicles by day, their depth from a real matcher on a rendered pair."""
    seeds, each = (QUICK_SEEDS, 1) if quick else (RIG_SEEDS, RIG_FRAMES)
    code = source_hash((*SCORED_BY, "simulation"))
    kept: dict[str, list[str] | None] = {" + ".join(some): list(some) for some in RIG_SENSORS}
    found = []
    for rig in NAMED_RIGS:
        samples = SimulatedDrives(seeds, "day", FRAMES, rig=rig, depth="stereo")
        settings = {"condition": "day", "rig": rig, "seeds": list(seeds), "of": len(samples), "code_sha256": code}
        chosen = _spread(len(samples), each * len(seeds))
        found.append(Part(f"simulated rig {rig}", samples, chosen, len(kept), by_sensors(kept), settings))
    return found


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

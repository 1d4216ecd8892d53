# SPDX-License-Identifier: Apache-2.0
"""The robustness suite: one set of frames with every sensor fault.

Conventions: every row is scored as `perception eval` scores (one confusion matrix over its frames; mean IoU over road,
vehicle and pedestrian, without classes that do not occur). Frames are disturbed by random numbers of the row and the
frame, so that a row can be computed again. The suites EMM, RMM and NM are those of Liao et al., Benchmarking
Multi-modal Semantic Segmentation under Sensor Failures (2025), on raw data; the corruptions those of
`perception.evaluation.robustness.corruptions`.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import combinations
from typing import Any

import numpy as np

from perception.classes import CLASSES, Classes
from perception.errors import DataError
from perception.evaluation.evaluate import fit, truth_of
from perception.evaluation.robustness import perturbations as change
from perception.evaluation.robustness.corruptions import CORRUPTIONS, SEVERITIES
from perception.evaluation.robustness.history import History
from perception.evaluation.scores.metrics import ConfusionMatrix
from perception.frame import Frame, Prediction
from perception.reporting.reports import INLINE
from perception.sample import Sample
from perception.sensors.spec import SPECS

EMM, RMM, NM = "EMM", "RMM", "NM"
CORRUPTION, WEATHER, LIDAR, CAMERA = "corruption", "weather", "lidar", "camera"
TITLES = {
    EMM: "every subset of the sensors (EMM)",
    RMM: "every subset, the others damaged (RMM)",
    NM: "salt and pepper in every sensor (NM)",
    CORRUPTION: "camera image corrupted",
    CAMERA: "camera broken",
    LIDAR: "LiDAR reduced, moved, late",
    WEATHER: "the same streets in other weather and light",
}
"""What the groups of rows are."""

RATIOS = (0.25, 0.5, 0.75)
"""Shares of lost measurements in RMM."""

DENSITIES = {"low": 0.05, "mid": 0.1, "high": 0.2}
"""Of salt and pepper in NM; the paper names three levels without a density on raw data: these are ours."""

BEAMS = (32, 16)
DEGREES = (0.5, 1.0, 2.0)
DELAYS_S = (0.05, 0.1, 0.15, 0.2)
FROZEN_S = 0.5


@dataclass(frozen=True)
class Row:
    """One line of the table. facts: what its summary goes by, for example which sensors were kept."""

    group: str
    name: str
    change: change.Change
    facts: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class RowReport:
    """The figures of a row, after keys of its own, such as `kept`, the sensors that were, or `severity`."""

    group: str
    name: str
    facts: dict[str, Any] = field(metadata=INLINE)
    frames: int
    iou: dict[str, float]
    mean_iou: float
    mean_iou_less_undisturbed: float
    pixel_accuracy: float


@dataclass
class RowScore:
    """The result of a row.

    frames: how many could be changed so, and are in `confusion`. undisturbed: the same frames in the first row of the
    same samples.
    """

    row: Row
    frames: int = 0
    confusion: ConfusionMatrix = field(default_factory=ConfusionMatrix)
    undisturbed: ConfusionMatrix = field(default_factory=ConfusionMatrix)

    @property
    def gain(self) -> float:
        """Mean IoU less that of the same frames undisturbed: what the disturbance costs, as a negative number."""
        return self.confusion.mean_iou() - self.undisturbed.mean_iou()

    def report(self) -> RowReport:
        """The figures."""
        return RowReport(
            group=self.row.group,
            name=self.row.name,
            facts=self.row.facts,
            frames=self.frames,
            iou=self.confusion.iou(),
            mean_iou=self.confusion.mean_iou(),
            mean_iou_less_undisturbed=self.gain,
            pixel_accuracy=self.confusion.pixel_accuracy(),
        )


def subsets(modalities: Sequence[str]) -> list[tuple[str, ...]]:
    """Every non-empty subset of these sensors, all of them first, in the order of the table."""
    known = [name for name in SPECS if name in modalities]
    return [kept for count in range(len(known), 0, -1) for kept in combinations(known, count)]


def sensor_rows(modalities: Sequence[str]) -> Iterator[Row]:
    """The rows for frames with these sensors; the first is the frame with all of them, undisturbed."""
    whole = tuple(name for name in SPECS if name in modalities)
    for kept in subsets(modalities):
        yield Row(EMM, " + ".join(kept), change.keep(kept), {"kept": list(kept)})
    for ratio in RATIOS:
        for kept in subsets(modalities):
            damaged = [name for name in whole if name not in kept]
            name = f"{ratio:.0%} of {' + '.join(damaged) or 'nothing'} lost"
            yield Row(RMM, name, change.drop_at_random(damaged, ratio), {"kept": list(kept), "ratio": ratio})
    for level, density in DENSITIES.items():
        yield Row(NM, f"{level}: {density:.0%}", change.salt_and_pepper(density), {"density": density})
    if "rgb" in whole:
        yield from _camera_rows()
    if "lidar" in whole:
        yield from _lidar_rows()


def weather_rows(condition: str, modalities: Sequence[str]) -> list[Row]:
    """The rows for drives under `condition`: with these sensors, and with the camera alone where it is one of more."""
    facts = {"condition": condition}
    rows = [Row(WEATHER, condition, change.keep(modalities), facts | {"kept": list(modalities)})]
    if "rgb" in modalities and len(modalities) > 1:
        rows.append(Row(WEATHER, f"{condition}, rgb alone", change.keep(["rgb"]), facts | {"kept": ["rgb"]}))
    return rows


def run_rows(
    pipeline: Callable[[Frame], Prediction],
    samples: dict[int, Sample],
    rows: Sequence[Row],
    history: History,
    progress: Callable[[], None] | None = None,
    classes: Classes = CLASSES,
) -> list[RowScore]:
    """Scores every row on the same samples, which are held in memory, by their index in the data set.

    rows: the first leaves the frames undisturbed, and the others are compared with it. history: what was seen before
    a sample. progress: called after each frame of each row. classes: as of `evaluate`. Raises DataError for a sample
    whose pixels have no truth.
    """
    truths = {index: truth_of(sample) for index, sample in samples.items()}
    undisturbed: dict[int, ConfusionMatrix] = {}
    scores: list[RowScore] = []
    for row in rows:
        score = RowScore(row, 0, ConfusionMatrix(classes), ConfusionMatrix(classes))
        for index, sample in samples.items():
            truth = truths[index]
            if truth is None:
                raise DataError(f"{sample.name}: the robustness suite needs labels or soft labels of its pixels")
            rng = np.random.default_rng((zlib.crc32(row.name.encode()), index))
            frame = row.change(change.Moment(sample.frame, rng, partial(history, index)))
            if frame is not None:
                confusion = ConfusionMatrix(classes)
                confusion.update(fit(pipeline(frame).labels, truth), truth)
                score.confusion.add(confusion)
                score.undisturbed.add(undisturbed.setdefault(index, confusion))
                score.frames += 1
            if progress is not None:
                progress()
        scores.append(score)
    return scores


def _camera_rows() -> Iterator[Row]:
    for name in CORRUPTIONS:
        for severity in SEVERITIES:
            facts = {"corruption": name, "severity": severity}
            yield Row(CORRUPTION, f"{name} {severity}", change.corrupted(name, severity), facts)
    yield Row(CAMERA, "black", change.uniform_camera(0))
    yield Row(CAMERA, "saturated", change.uniform_camera(255))
    yield Row(CAMERA, f"frozen for {FROZEN_S} s", change.frozen_camera(FROZEN_S), {"seconds": FROZEN_S})


def _lidar_rows() -> Iterator[Row]:
    for beams in BEAMS:
        yield Row(LIDAR, f"{beams} beams", change.fewer_beams(beams), {"beams": beams})
    for degrees in DEGREES:
        yield Row(LIDAR, f"rotated by {degrees}°", change.rotated_lidar(degrees), {"degrees": degrees})
    for seconds in DELAYS_S:
        yield Row(LIDAR, f"late by {1e3 * seconds:.0f} ms", change.late_lidar(seconds), {"seconds": seconds})

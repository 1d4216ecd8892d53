# SPDX-License-Identifier: Apache-2.0
"""KITTI's own benchmarks in `perception eval`: their metrics, and the files for their servers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from perception.errors import DataError
from perception.evaluation.kitti.road_benchmark import RoadBenchmark, RoadSamples, RoadScores
from perception.evaluation.kitti.semantics_benchmark import SemanticsBenchmark, SemanticsScores
from perception.reporting.reports import OPTIONAL

if TYPE_CHECKING:
    from rich.table import Table

    from perception.frame import Frame, Prediction
    from perception.sample import Sample


@dataclass(frozen=True)
class Submitted:
    """The files that were written for a server."""

    folder: str
    files: int


@dataclass(frozen=True)
class BenchmarkReport:
    """benchmark: of KITTI road by category, or of KITTI semantics."""

    benchmark: dict[str, RoadScores] | SemanticsScores | None = field(default=None, metadata=OPTIONAL)
    submission: Submitted | None = field(default=None, metadata=OPTIONAL)


class Benchmark:
    """What is done beside scoring with the frames of one run; nothing for a data set without a benchmark.

    samples: those to score, which for KITTI road are the reader's with background where no road is. Raises DataError
    for a submission that no server takes, and for a split without truth where no submission is asked for.
    """

    def __init__(self, dataset: str, samples: Sequence[Sample], submission: Path | None) -> None:
        from perception.datasets.kitti.road import KittiRoad
        from perception.datasets.kitti.semantics import KittiSemantics
        from perception.evaluation.kitti.submission import open_submission

        self.submission = None if submission is None else open_submission(dataset, samples, submission)
        self.scored = not isinstance(samples, KittiRoad | KittiSemantics) or samples.split != "test"
        if not self.scored and self.submission is None:
            raise DataError(
                f"{dataset}: KITTI does not publish the truth of its test split; use --submission DIR to write "
                "the files for its server, or choose another --split"
            )
        self.samples, self._dataset = samples, dataset
        self._scores: RoadBenchmark | SemanticsBenchmark | None = None
        if isinstance(samples, KittiRoad):
            self.samples, self._scores = RoadSamples(samples), RoadBenchmark(samples)
        elif isinstance(samples, KittiSemantics):
            self._scores = SemanticsBenchmark(samples)

    def adapt(self, pipeline: Callable[[Frame], Prediction]) -> Callable[[Frame], Prediction]:
        """The pipeline, for KITTI road with all but road called background, since its truth knows of road alone."""
        if self._dataset != "kitti-road":
            return pipeline
        from perception.classes import ROAD_OR_NOT, lookup_table

        table = lookup_table(ROAD_OR_NOT)

        def road_or_not(frame: Frame) -> Prediction:
            prediction = pipeline(frame)
            prediction.labels = table[prediction.labels]
            return prediction

        return road_or_not

    def observe(self, sample: Sample, prediction: Prediction) -> None:
        """Scores one sample where its truth is known, and writes its file where that was asked for."""
        if self._scores is not None and self.scored:
            self._scores.update(sample, prediction)
        if self.submission is not None:
            self.submission.update(sample, prediction)

    def report(self) -> BenchmarkReport:
        """What the JSON file says of it; nothing without a benchmark."""
        return BenchmarkReport(
            self._scores.report() if self._scores is not None and self.scored else None,
            Submitted(f"{self.submission.folder}", self.submission.written) if self.submission is not None else None,
        )

    def tables(self) -> list[Table | str]:
        """The benchmark's part of the printed output; empty without a benchmark."""
        from perception.evaluation.kitti.table import road_tables, semantics_tables

        lines: list[Table | str] = []
        if self._scores is not None and self.scored:
            scores = self._scores
            lines += road_tables(scores) if isinstance(scores, RoadBenchmark) else semantics_tables(scores)
        if self.submission is not None:
            files = f"{self.submission.written} files in {self.submission.folder}"
            lines.append(f"{files}: zip them for the {self._dataset} server")
        return lines


def predict(
    pipeline: Callable[[Frame], Prediction],
    samples: Sequence[Sample],
    chosen: Sequence[int],
    modalities: Sequence[str] | None,
    observe: Callable[[Sample, Prediction], None],
    progress: Callable[[int], None],
) -> None:
    """Runs the pipeline on the chosen samples without scoring them, and passes its predictions to `observe`."""
    from perception.sensors.presence import keep_modalities

    for done, index in enumerate(chosen, start=1):
        sample = samples[index]
        observe(sample, pipeline(sample.frame if modalities is None else keep_modalities(sample.frame, modalities)))
        progress(done)

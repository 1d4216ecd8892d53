# SPDX-License-Identifier: Apache-2.0
"""The demo's four steps: record a drive, play it to the node, score the answers, draw them."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from perception.bags.sources import open_bag
from perception.bags.writer import MODALITY_OF_TOPIC, BagWriter
from perception.classes import CLASSES
from perception.engines.described import classes_of
from perception.engines.family import AUTO, find_member, weights_of
from perception.errors import DataError, PerceptionError
from perception.evaluation.demo_report import DemoReport, Series
from perception.evaluation.gallery import Gallery
from perception.evaluation.scores.distance import BandScore, DistanceBands
from perception.evaluation.scores.drive_distance import counted
from perception.evaluation.scores.drive_score import DriveScore
from perception.frame import Frame
from perception.recordings.opening import KITTI, open_recording
from perception.reporting import reports
from perception.reporting.drive_report import write_report
from perception.reporting.provenance import sha256, versions
from perception.ros.loopback import Loopback, rehearse
from perception.ros.watch.diagnostics_log import DiagnosticsLog

Labels = NDArray[np.uint8]


@dataclass(frozen=True, kw_only=True)
class DemoOptions:
    """The demo's options. frames: None takes 100 of a simulated drive and all of a KITTI drive.

    kitti: the folder of a KITTI raw drive; None simulates one. model, engine: see `Pipeline.load`. workers: processes
    that render. json: another file for the report, besides OUTPUT/report.json.
    """

    output: Path = Path("out/demo")
    frames: int | None = None
    seed: int = 0
    condition: str = "day"
    kitti: Path | None = None
    model: str | Path | None = None
    engine: str = "auto"
    workers: int = os.cpu_count() or 1
    json: Path | None = None


class Demo:
    """One run; its files are written to `output`. Raises PerceptionError if a step cannot do its work."""

    def __init__(self, options: DemoOptions, console: Console) -> None:
        self._options, self._console = options, console
        self.output = options.output
        self.bag = self.output / "bag"
        self.video = self.output / "drive.mp4"
        kitti, simulated = options.kitti, f"simulated {options.condition}, seed {options.seed}"
        self._source = f"KITTI {kitti.name}" if kitti else simulated
        self._truth: dict[int, Labels] = {}
        self._classes = CLASSES
        self._seconds: dict[str, float] = {}

    def run(self) -> DemoReport:
        """All four steps. Returns the content of report.json."""
        kitti = self._options.kitti
        frames, count = self._kitti_frames(kitti) if kitti else self._simulated_frames()
        model = find_member(self._options.model, self._options.engine).path  # before the minutes of work that need it
        self._classes = classes_of(model)
        self._clear()
        self._record(frames, count)
        rehearsal = self._drive()
        score, answers = self._score(rehearsal)
        gallery, distance = self._draw(rehearsal, score, answers)
        self._seconds["total"] = sum(self._seconds.values())
        report = self._report(rehearsal, score, model, distance)
        write_report(self.output / "report.html", reports.plain(report), gallery.pictures, gallery.animation)
        for path in filter(None, (self.output / "report.json", self._options.json)):
            reports.write_report(path, "demo", report)
        return report

    def _clear(self) -> None:
        """Remove the files of an earlier demo, and nothing else."""
        self.output.mkdir(parents=True, exist_ok=True)
        if self.bag.is_dir():
            if not {path.name for path in self.bag.iterdir()} <= {"metadata.yaml", "bag.mcap"}:
                raise DataError(f"{self.bag}: not written by a demo; choose another folder with -o")
            shutil.rmtree(self.bag)
        for name in ("report.json", "report.html", "montage.png", "drive.mp4", "drive.webp"):
            (self.output / name).unlink(missing_ok=True)

    def _record(self, frames: Iterator[Frame], count: int) -> None:
        """Frames → bag."""
        with self._step("record", "recording the drive", count) as advance, BagWriter(self.bag) as writer:
            for frame in frames:
                writer.write(frame)
                advance()

    def _simulated_frames(self) -> tuple[Iterator[Frame], int]:
        from perception.simulation import SimulatedDrive
        from perception.simulation.optics.rendering import render

        count = 100 if self._options.frames is None else self._options.frames
        drive = SimulatedDrive(self._options.seed, self._options.condition, count)

        def frames() -> Iterator[Frame]:
            for sample in render(drive, self._options.workers):
                assert sample.labels is not None  # the simulation labels everything
                self._truth[sample.frame.stamp_ns] = self._classes.table("simulated")[sample.labels]
                yield sample.frame

        return frames(), count

    def _kitti_frames(self, folder: Path) -> tuple[Iterator[Frame], int]:
        drive = open_recording(folder, wanted=(KITTI,))
        self._source = f"KITTI {drive.path.name}"
        count = len(drive) if self._options.frames is None else min(self._options.frames, len(drive))
        return (drive[i] for i in range(count)), count

    def _drive(self) -> Loopback:
        """Bag → node → answers."""
        arguments = ["--ros-args", "-p", f"engine:={self._options.engine}"]
        if self._options.model:
            arguments += ["-p", f"model:={self._options.model}"]
        names = ("labels", "confidence", *self._classes.foreground)
        with closing(open_bag(self.bag)) as source:
            count = max(topic.messages for topic in source.topics.values())
            with self._step("drive", "starting the node", count) as advance:
                began = time.monotonic()

                def ready() -> None:
                    self._seconds["start"] = time.monotonic() - began
                    advance(0, "driving, in real time")

                log = self.output / "node.log"
                rehearsal = rehearse(source, arguments, log, ready, advance, images=names, optional=("instances",))
            self._seconds["drive"] -= self._seconds["start"]
        return rehearsal

    def _score(self, rehearsal: Loopback) -> tuple[DriveScore, list[Labels | None]]:
        """Compare the answers with the ground truth, matched by stamp."""
        score, answers = DriveScore(self._classes), []
        masks = ("labels", *self._classes.foreground)  # the latency is that of the last one
        with self._step("score", "scoring", len(rehearsal.sent)) as advance:
            for stamp_ns, recorded_ns in rehearsal.sent.items():
                images = [rehearsal.images[name].get(stamp_ns) for name in masks]
                labels = images[0].image() if images[0] is not None else None
                complete = all(image is not None for image in images)
                received_ns = max(image.received_ns for image in images if image) if complete else None
                score.add(stamp_ns, received_ns, labels if complete else None, self._truth.get(recorded_ns))
                answers.append(labels if complete else None)
                advance()
        if not any(labels is not None for labels in answers):
            raise PerceptionError(f"the node answered none of {len(answers)} frames; see {self.output / 'node.log'}")
        return score, answers

    def _report(
        self, rehearsal: Loopback, score: DriveScore, model: Path, distance: dict[str, BandScore]
    ) -> DemoReport:
        options, summary, diary = self._options, score.summary(), DiagnosticsLog(rehearsal.diagnostics)
        ran, scale, looks = diary.model()
        if options.model in (None, AUTO):
            model = find_member(ran or None, options.engine).path
        stamps = list(rehearsal.sent)
        return DemoReport(
            source=self._source,
            seed=None if options.kitti else options.seed,
            condition=None if options.kitti else options.condition,
            summary=summary,
            classes=self._classes.beyond,
            iou_reason=None if self._truth else "n/a: the drive has no ground truth per pixel",
            drops_by_cause=diary.drops_by_cause(summary.frames_dropped),
            falls_behind=diary.falls_behind(),
            period_ms=period_ms(rehearsal),
            replay_late_ms=rehearsal.replay.late_ms,
            stages_ms=diary.stages_ms(),
            modality_weights=diary.mean_weights(),
            sensor_dropouts=diary.dropouts(stamps[0], stamps[-1]),
            seconds=self._seconds,
            model=model.name,
            model_scale=scale,
            model_looks=looks,
            weights_sha256=sha256(weights_of(model)),
            versions=versions(),
            series=Series(score.frames, diary.weights(stamps[0])),
            distance=distance,
        )

    def _draw(
        self, rehearsal: Loopback, score: DriveScore, answers: list[Labels | None]
    ) -> tuple[Gallery, dict[str, BandScore]]:
        """Video, montage and the report's figures, and the scores by distance, which need the frames too."""
        bands = DistanceBands(self._classes)
        with self._step("draw", "drawing", len(answers)) as advance:
            with closing(open_bag(self.bag)) as source:
                modalities = [MODALITY_OF_TOPIC[topic] for topic in source.topics if topic in MODALITY_OF_TOPIC]
            rate_hz, told = 1000 / period_ms(rehearsal), rehearsal.images["instances"]
            things = [told.get(stamp_ns) for stamp_ns in rehearsal.sent]

            def instances(index: int) -> NDArray[np.uint16] | None:
                answer = things[index]
                return None if answer is None else answer.image()

            gallery = Gallery(self.output, self._source, score, answers, self._truth, modalities, rate_hz, instances)
            gallery.draw(counted(open_recording(self.bag), answers, self._truth, bands), advance)
        self.video = gallery.video
        return gallery, bands.scores()

    @contextmanager
    def _step(self, name: str, text: str, total: int) -> Iterator[Callable[..., None]]:
        """A progress bar; call the yielded function to advance it. The step's duration is kept under its name."""
        bars = (BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
        began = time.monotonic()
        with Progress(SpinnerColumn(), TextColumn("{task.description:<24}"), *bars, console=self._console) as progress:
            task = progress.add_task(text, total=total)

            def advance(amount: int = 1, description: str | None = None) -> None:
                progress.update(task, advance=amount, description=description)

            yield advance
        self._seconds[name] = time.monotonic() - began


def period_ms(rehearsal: Loopback) -> float:
    """The median time between two frames."""
    stamps = list(rehearsal.sent)
    return float(np.median(np.diff(stamps))) / 1e6 if len(stamps) > 1 else 100.0

# SPDX-License-Identifier: Apache-2.0
"""Scores one network on every set, and with every subset of its sensors."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from perception.classes import CLASSES
from perception.comparing.parts import Part
from perception.comparing.report import ALL, CAMERA, FlickerScore, Known, Scored, SetScore, known, rounded
from perception.disk import write_file
from perception.engines import Engine, find_model, load_engine
from perception.engines.described import described_by
from perception.engines.manifest import digest_of
from perception.engines.openvino import OpenVinoEngine
from perception.errors import ModelError
from perception.evaluation.evaluate import evaluate
from perception.evaluation.scores.flicker import Flicker
from perception.export.graph import export_openvino
from perception.frame import MODALITIES
from perception.pipeline import Pipeline
from perception.sample import Sample
from perception.steadying import Steadying
from perception.threads import share_threads

PRECISION = "f32"


def exported(weights: Path, folder: Path) -> Path:
    """The weights for OpenVINO, in `folder`; made once for each weights."""
    path, note, digest = folder / "network.xml", folder / "network.sha256", digest_of(weights)
    if not (path.is_file() and note.is_file() and note.read_text("utf-8").strip() == digest):
        note.unlink(missing_ok=True)
        export_openvino(weights, path)
        write_file(note, f"{digest}\n".encode())
    return path


def engine_of(model: Path, threads: int | None) -> Engine:
    """The exported network in float32; a file that others made by the library that its model.yaml is for."""
    if described_by(model):
        return load_engine(*find_model(model, "auto"), threads)
    return OpenVinoEngine(model, threads, precision=PRECISION)


def load(model: Path, threads: int | None, resolution: float = 1.0) -> Pipeline:
    """The network with its engine, at this part of the resolution. Raises ModelError for one with other classes."""
    pipeline = Pipeline(engine_of(model, share_threads(threads)), model, threads != 1, scale=resolution)
    if pipeline.classes != CLASSES:
        raise ModelError(f"{model}: has classes of its own; compare scores {', '.join(CLASSES.names)}")
    return pipeline


def scored_of(part: Part, resolution: float) -> Scored:
    """What the part is, and how networks see it, for the report."""
    return Scored(part=part.what, of=len(part.samples), frames=len(part.chosen), real=part.real, resolution=resolution)


def subsets(sensors: Sequence[str], samples: Sequence[Sample]) -> dict[str, list[str]]:
    """The sensors to keep, by the name of the subset: the camera, it with each other sensor of the network that any of
    the samples has, and all of them."""
    there = [
        name
        for name in MODALITIES[1:]
        if name in sensors and any(name in sample.frame.modalities for sample in samples)
    ]
    found = {CAMERA: ["rgb"], **{f"+{name}": ["rgb", name] for name in there}}
    return {**found, ALL: ["rgb", *there]} if there else found


def passes(sensors: Sequence[str], part: Part) -> int:
    """How many frames `score` predicts."""
    kept = subsets(sensors, part.frames).values()
    return len({tuple(each) for each in kept}) * len(part.frames)


def score(pipeline: Pipeline, part: Part, done: Callable[[], None]) -> SetScore:
    """The network on one set. done: called after each frame.

    Raises DataError where no frame has truth.
    """
    kept = subsets(pipeline.sensors, part.frames)
    found: dict[tuple[str, ...], Known] = {}
    for sensors in dict.fromkeys(map(tuple, kept.values())):  # the last has all
        result = evaluate(pipeline, part.frames, sensors, lambda _: done())
        points = not result.confusion.pixels
        confusion = result.point_confusion if points else result.confusion
        found[sensors] = _four(confusion.mean_iou())
    calibration = result.details.calibration.score().expected_calibration_error
    return SetScore(
        scored=scored_of(part, pipeline.scale),
        at="points" if points else "pixels",
        soft_frames=result.soft_frames,
        iou=rounded(confusion.iou()),
        mean_iou=_four(confusion.mean_iou()),
        calibration_error=_four(calibration),
        subsets={name: found[tuple(each)] for name, each in kept.items()} if len(kept) > 1 else {},
    )


def flicker(pipeline: Pipeline, drive: Part, done: Callable[[], None]) -> FlickerScore:
    """Of consecutive frames, as the network labels them, and steadied."""
    plain, steady, steadying = Flicker(), Flicker(), Steadying()
    last: Sample | None = None
    for sample in drive.frames:
        if last is not None and not _follows(last, sample):
            plain.restart()
            steady.restart()
            steadying = Steadying()
        last, found = sample, pipeline(sample.frame)
        plain.add(sample.frame, found.labels)
        steady.add(sample.frame, steadying(sample.frame, found.labels, found.confidence)[0])
        done()
    return FlickerScore(
        scored=scored_of(drive, pipeline.scale), name=drive.name, share=_four(plain.share), steadied=_four(steady.share)
    )


def _follows(last: Sample, sample: Sample) -> bool:
    """Whether both are of one drive, whose name a sample's begins with."""
    same = last.name.rpartition("/")[0] == sample.name.rpartition("/")[0]
    return same and sample.frame.stamp_ns > last.frame.stamp_ns


def _four(value: float) -> Known:
    return known(round(value, 4))

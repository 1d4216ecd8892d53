# SPDX-License-Identifier: Apache-2.0
"""Runs a pipeline over samples with known truth and scores what it says."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

import cv2
import numpy as np
from numpy.typing import NDArray

from perception.classes import CLASSES, UNLABELLED, Classes
from perception.errors import DataError
from perception.evaluation.scores.details import Details, DetailScores
from perception.evaluation.scores.instances import Instances, InstanceScores
from perception.evaluation.scores.metrics import ConfusionMatrix
from perception.frame import MODALITIES, Frame, Prediction
from perception.reporting.reports import INLINE, OPTIONAL, plain
from perception.sample import Sample
from perception.sensors.presence import keep_modalities
from perception.sensors.projection import project_sweep
from perception.sensors.visibility import hidden_from_camera

Pixel = TypeVar("Pixel", np.uint8, np.uint16)

CONFIDENT = 0.75
"""Soft labels count as truth where their highest probability is at least this."""


@dataclass(frozen=True)
class FrameScore:
    """One frame's figures. soft: scored against soft labels where they are confident, not against ground truth.

    iou and pixel_accuracy are of pixels, NaN for a frame whose truth is known at its LiDAR points alone.
    """

    name: str
    iou: dict[str, float]
    pixel_accuracy: float
    milliseconds: float
    soft: bool


@dataclass(frozen=True, kw_only=True)
class Scores:
    """The figures of an `Evaluation`.

    iou, recall: of pixels by class, of point_… of LiDAR points that the camera sees, None without any; hidden_too: of
    all that are in the image. classes: those beyond the first four. What `details` has is not there where no pixel had
    truth. instances: of a network that has an instance head, where there is such truth. confusion: pixels by true and
    predicted class.
    """

    frames: int
    frames_scored_on_soft_labels: int
    frames_without_truth: int
    fps: float
    latency_ms: dict[str, float]
    classes: list[dict[str, Any]]
    iou: dict[str, float]
    mean_iou: float
    recall: dict[str, float]
    pixel_accuracy: float
    point_iou: dict[str, float] | None
    point_recall: dict[str, float] | None
    points: int
    hidden_points: int
    point_iou_hidden_too: dict[str, float] | None
    details: DetailScores | None = field(default=None, metadata=INLINE)
    instances: InstanceScores | None = field(default=None, metadata=OPTIONAL)
    modality_weights: dict[str, float]
    confusion: list[list[int]]
    per_frame: list[FrameScore]


@dataclass
class Evaluation:
    """The result of `evaluate`.

    confusion: all scored pixels of all frames. point_confusion: LiDAR points inside the image that have truth and that
    the camera sees; hidden_confusion: those that it does not see (`perception.sensors.visibility`), although the pixel
    that they would fall on has a label.
    details: the same pixels by distance, size of object, as KITTI's road and by confidence. instances: of those samples
    that have such truth.
    frames: each scored frame. without_truth: how many samples had no truth and were left out.
    modality_weights: weight of each sensor, the mean over the scored frames.
    """

    classes: Classes = CLASSES
    confusion: ConfusionMatrix = field(init=False)
    point_confusion: ConfusionMatrix = field(init=False)
    hidden_confusion: ConfusionMatrix = field(init=False)
    details: Details = field(init=False)
    instances: Instances = field(init=False)
    frames: list[FrameScore] = field(default_factory=list)
    without_truth: int = 0
    modality_weights: dict[str, float] = field(default_factory=lambda: dict.fromkeys(MODALITIES, 0.0))

    def __post_init__(self) -> None:
        self.confusion, self.point_confusion, self.hidden_confusion = (ConfusionMatrix(self.classes) for _ in range(3))
        self.details, self.instances = Details(self.classes), Instances(self.classes)

    @property
    def fps(self) -> float:
        """Frames per second of the pipeline alone: reading and rendering of the samples are not counted."""
        seconds = sum(score.milliseconds for score in self.frames) / 1e3
        return len(self.frames) / seconds if seconds else float("nan")

    @property
    def soft_frames(self) -> int:
        """How many frames were scored against soft labels."""
        return sum(score.soft for score in self.frames)

    def latency_ms(self) -> dict[str, float]:
        """Percentiles p50, p95 and p99 of the milliseconds that the pipeline took per frame."""
        times = [score.milliseconds for score in self.frames] or [float("nan")]
        return {f"p{q}": float(np.percentile(times, q)) for q in (50, 95, 99)}

    def _all_points(self) -> ConfusionMatrix:
        both = ConfusionMatrix(self.classes)
        both.add(self.point_confusion)
        both.add(self.hidden_confusion)
        return both

    def scores(self) -> Scores:
        """Every figure; NaN where there is none."""
        points, every_point = self.point_confusion, self._all_points()
        return Scores(
            frames=len(self.frames),
            frames_scored_on_soft_labels=self.soft_frames,
            frames_without_truth=self.without_truth,
            fps=self.fps,
            latency_ms=self.latency_ms(),
            classes=self.classes.beyond,
            iou=self.confusion.iou(),
            mean_iou=self.confusion.mean_iou(),
            recall=self.confusion.recall(),
            pixel_accuracy=self.confusion.pixel_accuracy(),
            point_iou=points.iou() if points.pixels else None,
            point_recall=points.recall() if points.pixels else None,
            points=points.pixels,
            hidden_points=self.hidden_confusion.pixels,
            point_iou_hidden_too=every_point.iou() if every_point.pixels else None,
            details=self.details.scores() if self.confusion.pixels else None,
            instances=self.instances.scores(),
            modality_weights=self.modality_weights,
            confusion=self.confusion.counts.tolist(),
            per_frame=self.frames,
        )

    def to_dict(self) -> dict[str, Any]:
        """`scores` as plain values; NaN becomes None."""
        return dict(plain(self.scores()))


def evaluate(
    pipeline: Callable[[Frame], Prediction],
    samples: Iterable[Sample],
    modalities: Sequence[str] | None = None,
    progress: Callable[[int], None] | None = None,
    observe: Callable[[Sample, Prediction], None] | None = None,
    classes: Classes = CLASSES,
) -> Evaluation:
    """Scores `pipeline` on `samples`, optionally with only some of their modalities kept.

    pipeline: a `Pipeline` or anything that turns a Frame into a Prediction. progress: called after each sample with the
    number done. observe: called with each scored sample and its result. classes: of the pipeline's labels and
    of the samples'. Samples with labels are scored against these; samples with probabilities only, against their most
    likely class where it is at least CONFIDENT (and their FrameScore says soft). Samples with point_labels are scored
    at their LiDAR points inside the image that the camera sees, each of which has the label of the pixel that it falls
    on, LiDAR kept or not. Samples with none of these are counted and left out. Labels of another size than the truth
    are resized to it (nearest).

    Raises DataError when a sample has none of `modalities` or when no sample has any truth.
    """
    result = Evaluation(classes)
    weights = dict.fromkeys(MODALITIES, 0.0)
    for done, sample in enumerate(samples, start=1):
        truth = truth_of(sample)
        if truth is None and sample.point_labels is None:
            result.without_truth += 1
        else:
            prediction = _score(result, pipeline, sample, truth, modalities)
            if observe is not None:
                observe(sample, prediction)
            for name, weight in prediction.modality_weights.items():
                weights[name] = weights.get(name, 0.0) + weight
        if progress is not None:
            progress(done)
    if not result.frames:
        raise DataError(f"nothing to score: none of the {result.without_truth} samples has labels of any kind")
    result.modality_weights = {name: weight / len(result.frames) for name, weight in weights.items()}
    return result


def truth_of(sample: Sample) -> NDArray[np.uint8] | None:
    """(H, W) class ids to score against, 255 where unknown; None for samples whose pixels have no truth."""
    if sample.labels is not None:
        return sample.labels
    if sample.probabilities is None:
        return None
    probabilities = cv2.resize(sample.probabilities, sample.frame.size, interpolation=cv2.INTER_LINEAR)
    labels: NDArray[np.uint8] = probabilities.argmax(axis=2).astype(np.uint8)
    labels[probabilities.max(axis=2) < CONFIDENT] = UNLABELLED
    return labels


def fit(image: NDArray[Pixel], truth: NDArray[Any]) -> NDArray[Pixel]:
    """(H, W) labels, confidence or instances at the size of `truth`, nearest neighbour."""
    if image.shape == truth.shape:
        return image
    return np.asarray(cv2.resize(image, truth.shape[::-1], interpolation=cv2.INTER_NEAREST), image.dtype)


def _score(
    result: Evaluation,
    pipeline: Callable[[Frame], Prediction],
    sample: Sample,
    truth: NDArray[np.uint8] | None,
    modalities: Sequence[str] | None,
) -> Prediction:
    try:
        frame = sample.frame if modalities is None else keep_modalities(sample.frame, modalities)
    except DataError as error:
        raise DataError(f"{sample.name}: {error}") from error
    start = time.perf_counter()
    prediction = pipeline(frame)
    milliseconds = (time.perf_counter() - start) * 1e3
    confusion = ConfusionMatrix(result.classes)
    if truth is not None:
        labels, confidence = fit(prediction.labels, truth), fit(prediction.confidence, truth)
        confusion.update(labels, truth)
        result.confusion.add(confusion)
        result.details.update(sample.frame, labels, confidence, truth)
        if prediction.instances is not None and sample.instances is not None:
            result.instances.update(fit(prediction.instances, truth), confidence, truth, sample.instances)
    if sample.point_labels is not None:
        _score_points(result, prediction, sample)
    soft = truth is not None and sample.labels is None
    result.frames.append(FrameScore(sample.name, confusion.iou(), confusion.pixel_accuracy(), milliseconds, soft))
    return prediction


def _score_points(result: Evaluation, prediction: Prediction, sample: Sample) -> None:
    """Points with the pixels that they fall on, whether or not the network was given them."""
    projection = project_sweep(sample.frame)
    assert projection is not None  # truth of points comes with points
    assert sample.point_labels is not None
    labels = np.asarray(cv2.resize(prediction.labels, sample.frame.size, interpolation=cv2.INTER_NEAREST), np.uint8)
    found, truth = labels.ravel()[projection.pixels], sample.point_labels[projection.rows]
    hidden = hidden_from_camera(sample.frame, projection)
    result.point_confusion.update(found[~hidden], truth[~hidden])
    result.hidden_confusion.update(found[hidden], truth[hidden])
    if prediction.instances is not None and sample.point_instances is not None:
        of_pixels = fit(prediction.instances, np.empty(sample.frame.size[::-1])).ravel()[projection.pixels]
        of_boxes = sample.point_instances[projection.rows]
        result.instances.update_points(of_pixels[~hidden], truth[~hidden], of_boxes[~hidden])

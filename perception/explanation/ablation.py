# SPDX-License-Identifier: Apache-2.0
"""Changes in the masks without each sensor."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from perception.classes import Classes
from perception.evaluation.evaluate import fit
from perception.evaluation.scores.metrics import ConfusionMatrix
from perception.frame import Frame, Prediction
from perception.sensors.presence import keep_modalities

Labels = NDArray[np.uint8]


@dataclass(frozen=True)
class Ablation:
    """The prediction without one sensor, compared with that of the whole frame.

    labels: (H, W) uint8 without the sensor. changed: the share of pixels whose label is another now. area_change: by
    class name, how much of the image it gained or lost, as a share of the image. iou: by class without the sensor; None
    without truth.
    """

    labels: Labels
    changed: float
    area_change: dict[str, float]
    iou: dict[str, float] | None


def ablate(
    pipeline: Callable[[Frame], Prediction], frame: Frame, labels: Labels, truth: Labels | None = None
) -> dict[str, Ablation]:
    """By name of each sensor of `frame`: the prediction without it. Empty for a frame with one sensor.

    labels: those of the whole frame. truth: class ids of the same size, 255 where unknown.
    """
    if len(frame.modalities) < 2:
        return {}
    return {name: _without(name, pipeline, frame, labels, truth) for name in frame.modalities}


def class_iou(labels: Labels, truth: Labels | None, classes: Classes) -> dict[str, float] | None:
    """IoU of this frame by foreground class, NaN for those in neither; None without truth."""
    if truth is None:
        return None
    confusion = ConfusionMatrix(classes)
    confusion.update(fit(labels, truth), truth)
    return confusion.iou()


def areas(labels: Labels, classes: Classes) -> dict[str, float]:
    """The share of the image that each class has, by name."""
    return {name: float((labels == class_id).mean()) for class_id, name in enumerate(classes.names)}


def _without(
    name: str, pipeline: Callable[[Frame], Prediction], frame: Frame, labels: Labels, truth: Labels | None
) -> Ablation:
    rest = keep_modalities(frame, [other for other in frame.modalities if other != name])
    prediction = pipeline(rest)
    others, classes = fit(prediction.labels, labels), prediction.classes
    before, after = areas(labels, classes), areas(others, classes)
    change = {class_name: after[class_name] - before[class_name] for class_name in classes.names}
    return Ablation(others, float((others != labels).mean()), change, class_iou(others, truth, classes))

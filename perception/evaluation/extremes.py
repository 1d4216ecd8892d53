# SPDX-License-Identifier: Apache-2.0
"""Collects, while frames are scored, the sensors' weights and the best and the worst frame."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

import cv2
import numpy as np
from numpy.typing import NDArray

from perception.evaluation.evaluate import fit, truth_of
from perception.evaluation.scores.metrics import ConfusionMatrix
from perception.frame import Frame, Prediction
from perception.reporting.dropout import Dropout
from perception.reporting.page import Picture
from perception.reporting.visualise import overlay, thermal_view
from perception.sample import Sample
from perception.sensors.spec import SPECS


class Extremes:
    """Takes every frame in order; keeps two frames' pictures and a few numbers of each.

    kept: the modalities that the network was given, None for all that a frame has.
    The best and the worst are by mean IoU where the pixels have truth, else by the confidence.
    """

    def __init__(self, kept: Collection[str] | None = None) -> None:
        self._kept = tuple(SPECS) if kept is None else kept
        self._present: list[set[str]] = []
        self._extremes: dict[str, tuple[float, list[Picture]]] = {}
        self.weights: list[dict[str, float]] = []
        """By frame: time_s, which is its number from 1, and the weight of each sensor."""

    def observe(self, sample: Sample, prediction: Prediction) -> None:
        """Take one frame in."""
        self._present.append(set(sample.frame.modalities) & set(self._kept))
        self.weights.append({"time_s": float(len(self._present)), **prediction.modality_weights})
        truth = truth_of(sample)
        confusion = ConfusionMatrix(prediction.classes)
        if truth is not None:
            confusion.update(fit(prediction.labels, truth), truth)
        merit, text = confusion.mean_iou(), "mean IoU {:.3f}"
        kinds = ("best", "worst")
        if np.isnan(merit):
            merit, text, kinds = (
                float(prediction.confidence.mean()) / 255,
                "mean confidence {:.3f}",
                ("surest", "least sure"),
            )
        for kind, sign in zip(kinds, (1, -1), strict=True):
            if kind not in self._extremes or sign * merit > sign * self._extremes[kind][0]:
                caption = f"The {kind} frame, {sample.name}: {text.format(merit)}."
                self._extremes[kind] = merit, _pictures(sample, prediction, truth, caption)

    @property
    def pictures(self) -> list[Picture]:
        """The best and the worst frame, each followed by its truth where that is known."""
        only = len(self._present) == 1
        chosen = list(self._extremes.values())[: 1 if only else None]
        return [picture for _, pictures in chosen for picture in pictures]

    def dropouts(self) -> list[Dropout]:
        """The runs of frames without a sensor that other frames have; their times are in frames."""
        gaps: list[Dropout] = []
        for name in (name for name in SPECS if any(name in present for present in self._present)):
            for number, present in enumerate(self._present, start=1):
                if name in present:
                    continue
                if gaps and gaps[-1].modality == name and gaps[-1].to_s == number - 0.5:
                    gaps[-1] = replace(gaps[-1], to_s=number + 0.5)
                else:
                    gaps.append(Dropout(name, number - 0.5, number + 0.5))
        return gaps


def _pictures(sample: Sample, prediction: Prediction, truth: NDArray[np.uint8] | None, caption: str) -> list[Picture]:
    image = _background(sample.frame)
    classes = prediction.classes
    pictures = [Picture(overlay(image, _sized(prediction.labels, image), classes=classes), caption)]
    if truth is not None:
        pictures.append(Picture(overlay(image, _sized(truth, image), classes=classes), f"The truth of {sample.name}."))
    return pictures


def _background(frame: Frame) -> NDArray[np.uint8]:
    """What the masks are drawn on: the camera's image, else the thermal one, else nothing."""
    if frame.rgb is not None:
        return frame.rgb
    width, height = frame.size
    if frame.infrared is not None:
        return thermal_view(frame.infrared, width, height)
    return np.full((height, width, 3), 24, np.uint8)


def _sized(labels: NDArray[np.uint8], image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    height, width = image.shape[:2]
    return np.asarray(cv2.resize(labels, (width, height), interpolation=cv2.INTER_NEAREST), np.uint8)

# SPDX-License-Identifier: Apache-2.0
"""The effect of each sensor: the masks with and without it, and where they differ most."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from perception.checking.findings import Finding, finding
from perception.classes import Classes
from perception.explanation.ablation import ablate
from perception.explanation.views import changed, masks
from perception.frame import Frame, Prediction
from perception.reporting.visualise import captioned

RGB = NDArray[np.uint8]
Labels = NDArray[np.uint8]

IDLE = 0.0005
"""The share of pixels below which, in every frame, a sensor changes next to nothing."""

WIDTH, WINDOW = 828, 0.12
"""The width of each of the three views in pixels; the frame around the greatest change, as a share of the width."""


@dataclass(frozen=True)
class Change:
    """What one frame's masks lose without a sensor: shares of the image's pixels, in total and by the class that they
    had or got. weight: the sensor's, in the whole frame."""

    pixels: float
    classes: dict[str, float]
    weight: float


@dataclass(frozen=True)
class _Shown:
    frame: Frame
    labels: Labels
    without: Labels
    classes: Classes


class Influence:
    """Takes frames and returns what each sensor changed in them."""

    def __init__(self, pipeline: Callable[[Frame], Prediction]) -> None:
        self._pipeline = pipeline
        self.changes: dict[str, list[Change]] = defaultdict(list)
        self._most: dict[str, _Shown] = {}

    def add(self, frame: Frame) -> None:
        """Predict the frame, and again without each of its sensors."""
        whole = self._pipeline(frame)
        for name, found in ablate(self._pipeline, frame, whole.labels).items():
            if name not in whole.modality_weights:
                continue  # the network has no channels for it
            change = _compared(whole, name, found.labels)
            if change.pixels >= max((each.pixels for each in self.changes[name]), default=0.0):
                self._most[name] = _Shown(frame, whole.labels, found.labels, whole.classes)
            self.changes[name].append(change)

    def table(self) -> dict[str, Change]:
        """By sensor, the mean over the frames."""
        return {
            name: Change(
                _mean([each.pixels for each in changes]),
                {kind: _mean([each.classes[kind] for each in changes]) for kind in changes[0].classes},
                _mean([each.weight for each in changes]),
            )
            for name, changes in self.changes.items()
        }

    def findings(self) -> Iterator[Finding]:
        """The results."""
        for name, changes in self.changes.items():
            if max(each.pixels for each in changes) < IDLE:
                yield finding(
                    "sensor-idle",
                    name,
                    f"at most {max(each.pixels for each in changes):.3%} of the pixels change without it",
                )

    def pictures(self) -> dict[str, RGB]:
        """By sensor, for the frame in which it changed most: the masks with it and without it, and the difference."""
        return {name: _drawn(name, shown) for name, shown in self._most.items()}


def _mean(values: list[float]) -> float:
    return float(np.mean(values))


def _compared(whole: Prediction, name: str, without: Labels) -> Change:
    differs = whole.labels != without
    classes = {
        kind: float((differs & ((whole.labels == number) | (without == number))).mean())
        for number, kind in enumerate(whole.classes.names)
    }
    return Change(float(differs.mean()), classes, whole.modality_weights[name])


def _drawn(name: str, shown: _Shown) -> RGB:
    frame = shown.frame
    classes = shown.classes
    views = [masks(frame, each, classes) for each in (shown.labels, shown.without)]
    views.append(changed(frame, shown.labels, shown.without, classes))
    height = round(WIDTH * frame.size[1] / frame.size[0])
    views = [np.asarray(cv2.resize(view, (WIDTH, height), interpolation=cv2.INTER_AREA), np.uint8) for view in views]
    corner, size = _where_most(shown.labels != shown.without)
    scale = WIDTH / frame.size[0]
    low = (round(corner[0] * scale), round(corner[1] * scale))
    high = (round((corner[0] + size) * scale), round((corner[1] + size) * scale))
    for view in views:
        cv2.rectangle(view, low, high, (255, 255, 255), 2)
    words = ("all sensors", f"without {name}", "what changes, in the colour it gets; most of it in the frame")
    return np.vstack([captioned(view, text) for view, text in zip(views, words, strict=True)])


def _where_most(differs: NDArray[np.bool_]) -> tuple[tuple[int, int], int]:
    """(x, y) of the square, and its side, in which most pixels differ; road and people count the same."""
    size = max(8, round(WINDOW * differs.shape[1]))
    size = min(size, *differs.shape)
    counts = cv2.boxFilter(differs.astype(np.float32), -1, (size, size), anchor=(0, 0), borderType=cv2.BORDER_CONSTANT)
    inside = counts[: differs.shape[0] - size + 1, : differs.shape[1] - size + 1]
    y, x = np.unravel_index(int(inside.argmax()), inside.shape)
    return (int(x), int(y)), size

# SPDX-License-Identifier: Apache-2.0
"""Steadier labels in a drive: what the last frame said of the same surface counts too."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from perception.classes import CLASSES, PEDESTRIAN, Classes
from perception.frame import Frame

NEW = 0.5
"""How much this frame counts beside the past: the weight of an exponential moving average."""

SURE, SURE_OF_PEOPLE = 170, 128
"""Confidence from which a new class is taken at once, and from which people are: 2/3, and more likely than not. People
are small, move by themselves, and are seldom seen surely."""

REST = 0.5
"""Of what a frame does not give its winning class, how much the class of the past is taken to have."""

WIDTH = 416
"""Width in pixels of the image whose motion is measured: twice as wide takes four times as long."""

LONGEST_NS = 500_000_000
"""Frames further apart than this have no common past."""

CHANGED = 24
"""Grey levels by which a surface may differ from itself in the last frame; more is another surface."""

_NONE: Any = None
"""An argument that OpenCV's types call for and its functions do not."""


@dataclass(frozen=True)
class _Past:
    """grey: the small image. winners: (H, W, 2) uint8, class id and score."""

    stamp_ns: int
    grey: NDArray[np.uint8]
    winners: NDArray[np.uint8]


class Steadying:
    """Averages the probabilities of a drive's frames along the motion of the image. One drive at a time, in order.

    The engine tells the winning class and its probability, so the average is kept of the winner alone: the same class
    again moves its score towards the new probability; another class takes over where the frame is sure of it, or once
    its share of the average is larger. The motion is optical flow (Kroeger et al., "Fast optical flow using dense
    inverse search", ECCV 2016) of the small grey image, so neither odometry nor depth is needed, and other road users
    move as they do. Where the image does not look as the motion says, as behind something that has moved away, the past
    does not count; nor after a gap, a step back in time, another image size, or a frame without an image. The last
    stamp again, as of a frame with a sensor left out, changes nothing.

    classes: that the labels are of.
    """

    def __init__(self, classes: Classes = CLASSES) -> None:
        self._past: _Past | None = None
        self._sure = np.where(classes.first == PEDESTRIAN, SURE_OF_PEOPLE, SURE).astype(np.uint8)

    def __call__(
        self, frame: Frame, labels: NDArray[np.uint8], confidence: NDArray[np.uint8]
    ) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
        """Labels and confidence as in `Prediction`, (H, W) uint8 each, steadied; the arguments stay as they are."""
        past = self._past
        if past is not None and frame.stamp_ns == past.stamp_ns:
            return labels, confidence
        grey = _grey(frame)
        if grey is None:
            self._past = None
            return labels, confidence
        winners = cv2.merge([labels, confidence])
        if past is not None and _continues(past, frame.stamp_ns, grey, winners):
            winners = _average(winners, _moved(past, grey), self._sure)
        self._past = _Past(frame.stamp_ns, grey, np.asarray(winners, np.uint8))
        steady, score = cv2.split(winners)
        return np.asarray(steady, np.uint8), np.asarray(score, np.uint8)


def motion(
    first: NDArray[np.uint8], second: NDArray[np.uint8], preset: int = cv2.DISOPTICAL_FLOW_PRESET_FAST
) -> NDArray[np.float32]:
    """(H, W, 2) float32 right and down, in pixels: where each pixel of the grey image `first` is in `second`.

    preset: of OpenCV's DISOpticalFlow, faster or more exact.
    """
    flow = cv2.DISOpticalFlow.create(preset)
    return np.asarray(flow.calc(first, second, _NONE), np.float32)


def _grey(frame: Frame) -> NDArray[np.uint8] | None:
    image = frame.rgb if frame.rgb is not None else frame.infrared
    if image is None:
        return None
    height = max(16, round(WIDTH * image.shape[0] / image.shape[1]))
    small: NDArray[Any] = cv2.resize(image, (WIDTH, height), interpolation=cv2.INTER_AREA)
    if small.ndim == 3:
        small = cv2.cvtColor(small, cv2.COLOR_RGB2GRAY)
    elif small.dtype == np.uint16:  # thermal counts fill a small part of their range
        small = cv2.normalize(small.astype(np.float32), _NONE, 0, 255, cv2.NORM_MINMAX)
    return np.asarray(small, np.uint8)


def _continues(past: _Past, stamp_ns: int, grey: NDArray[np.uint8], winners: NDArray[Any]) -> bool:
    same = past.grey.shape == grey.shape and past.winners.shape == winners.shape
    return same and 0 < stamp_ns - past.stamp_ns <= LONGEST_NS


def _moved(past: _Past, grey: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The last winners where their surfaces are now; score 0 where none of them is seen."""
    back = motion(grey, past.grey)
    before = cv2.remap(past.grey, grid(*grey.shape) + back, _NONE, cv2.INTER_LINEAR, borderValue=0)
    height, width = past.winners.shape[:2]
    back *= np.array([width / grey.shape[1], height / grey.shape[0]], np.float32)
    at = cv2.resize(back, (width, height), interpolation=cv2.INTER_LINEAR)
    cv2.add(at, grid(height, width), at)
    moved = cv2.remap(past.winners, at, _NONE, cv2.INTER_NEAREST, borderValue=0)
    known = np.where(cv2.absdiff(before, grey) > CHANGED, 0, 255).astype(np.uint8)
    full = cv2.resize(known, (width, height), interpolation=cv2.INTER_NEAREST)
    return np.asarray(cv2.bitwise_and(moved, cv2.merge([full, full])), np.uint8)


@lru_cache(maxsize=4)
def grid(height: int, width: int) -> NDArray[np.float32]:
    """(H, W, 2) each pixel's column and row; shared, so it cannot be written to."""
    rows, columns = np.indices((height, width), np.float32)
    places: NDArray[np.float32] = np.stack([columns, rows], axis=-1)
    places.flags.writeable = False
    return places


def _average(now: NDArray[Any], before: NDArray[np.uint8], sure: NDArray[np.uint8]) -> NDArray[Any]:
    """The winners of the moving average, and their share of it. sure: (256,) by class id, SURE or SURE_OF_PEOPLE."""
    labels, confidence = cv2.split(now)
    old_labels, score = cv2.split(before)
    new, old = cv2.convertScaleAbs(confidence, alpha=NEW), cv2.convertScaleAbs(score, alpha=1 - NEW)
    instead = cv2.add(old, cv2.convertScaleAbs(cv2.bitwise_not(confidence), alpha=NEW * REST))

    same = (labels == old_labels) & (score > 0)
    stays = ~same & (instead > new) & (score > 0) & (confidence < cv2.LUT(labels, sure))
    other = ~same & ~stays & (score > 0)
    for value, where in ((cv2.add(new, old), same), (instead, stays), (new, other)):
        np.copyto(confidence, value, where=where)
    np.copyto(labels, old_labels, where=stays)
    return np.asarray(cv2.merge([labels, confidence]))

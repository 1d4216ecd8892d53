# SPDX-License-Identifier: Apache-2.0
"""Weak labels made of full masks, as if a person had drawn boxes or strokes alone: to learn what those are worth."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

import cv2
import numpy as np
from numpy.typing import NDArray

from perception.classes import CLASSES, UNLABELLED, Classes
from perception.instances import THINGS
from perception.sample import Sample
from perception.training.checks.truth import hard_labels

INNER = 0.2
"""The share of a box, about its centre, that is taken for the thing in it."""

PAPER = 320
"""Pixels of the longer side of the image on which strokes are drawn; a stroke is one of them wide."""

MARGIN = 0.35
"""A stroke ends where it is nearer to its region's border than this share of the region's largest distance to it."""


def boxes(
    labels: NDArray[np.uint8], instances: NDArray[np.uint16] | None = None, classes: Classes = CLASSES
) -> NDArray[np.uint8]:
    """(H, W) class ids where a box about each vehicle and pedestrian is all that is known of them.

    The inner fifth of a box is its class, the rest of it is unknown, and a smaller box lies before a larger one: the
    Box^i of Khoreva et al., "Simple Does It: Weakly Supervised Instance and Semantic Segmentation", CVPR 2017. Outside
    all boxes there are certainly no things: `labels` (H, W), of road and background, stay. A box is about each thing of
    `instances` (see `Sample`), else about each connected region.
    """
    weak = labels.copy()
    found = [(*cv2.boundingRect(mask.astype(np.uint8)), kind) for kind, mask in _things(labels, instances, classes)]
    for left, top, width, height, kind in sorted(found, key=lambda box: -box[2] * box[3]):
        weak[top : top + height, left : left + width] = UNLABELLED
        wide, tall = (max(1, round(side * INNER**0.5)) for side in (width, height))
        left, top = left + (width - wide) // 2, top + (height - tall) // 2
        weak[top : top + tall, left : left + wide] = kind
    return weak


def scribbles(
    labels: NDArray[np.uint8], _instances: NDArray[np.uint16] | None = None, _classes: Classes = CLASSES
) -> NDArray[np.uint8]:
    """(H, W) class ids on a stroke along the middle of each connected region of `labels`; all else is unknown.

    A stroke is the region's skeleton without its ends, as people draw them (Lin et al., "ScribbleSup", CVPR 2016).
    """
    height, width = labels.shape
    scale = min(1.0, PAPER / max(height, width))
    size = max(1, round(width * scale)), max(1, round(height * scale))
    paper = cv2.resize(labels, size, interpolation=cv2.INTER_NEAREST)
    drawn = np.full_like(paper, UNLABELLED)
    for kind in np.unique(paper[paper != UNLABELLED]):
        mask = np.pad((paper == kind).astype(np.uint8), 1)  # so that a region also ends where the image does
        depth = cv2.distanceTransform(mask, cv2.DIST_L2, 5)
        count, numbers = cv2.connectedComponents(mask, connectivity=4)
        deepest, regions = np.zeros(count, np.float32), np.asarray(numbers, np.intp)
        np.maximum.at(deepest, regions, depth)
        stroke = (skeleton(mask) > 0) & (depth >= MARGIN * deepest[regions])
        drawn[stroke[1:-1, 1:-1]] = kind
    weak = np.asarray(cv2.resize(drawn, (width, height), interpolation=cv2.INTER_NEAREST), np.uint8)
    weak[weak != labels] = UNLABELLED  # where a stroke is wider than what it is drawn on
    return weak


WAYS: dict[str, Callable[[NDArray[np.uint8], NDArray[np.uint16] | None, Classes], NDArray[np.uint8]]] = {
    "boxes": boxes,
    "scribbles": scribbles,
}
"""By the name that a recipe gives."""


def weakened(sample: Sample, way: str, classes: Classes = CLASSES) -> Sample:
    """`sample` with weak labels in place of its own, which must be class ids or soft labels; those are hardened."""
    labels = WAYS[way](hard_labels(sample), sample.instances, classes)
    return replace(sample, labels=labels, probabilities=None, instances=None, point_instances=None)


def skeleton(mask: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """(H, W) 0 or 1: the lines, one pixel wide, to which the regions of a mask of 0 and 1 shrink.

    Zhang and Suen, "A fast parallel algorithm for thinning digital patterns", CACM 1984.
    """
    thin = mask.copy()
    while True:
        before = thin
        for removed in REMOVED:
            thin = thin & ~removed[cv2.filter2D(thin, -1, NEIGHBOURS, borderType=cv2.BORDER_CONSTANT)]
        if np.array_equal(thin, before):
            return thin


def _things(
    labels: NDArray[np.uint8], instances: NDArray[np.uint16] | None, classes: Classes
) -> Iterator[tuple[int, NDArray[np.bool_]]]:
    """Class id and (H, W) mask of each thing."""
    for kind in np.unique(labels[np.isin(classes.first[labels], THINGS)]).tolist():
        mask = labels == kind
        codes = np.zeros(labels.shape, np.uint16) if instances is None else instances
        for code in np.unique(codes[mask]).tolist():
            part = mask & (codes == code)
            if code:
                yield kind, part
                continue
            count, regions = cv2.connectedComponents(part.astype(np.uint8))
            yield from ((kind, regions == number) for number in range(1, count))


def _removed() -> NDArray[np.uint8]:
    """(2, 256) 1 where a pixel with these neighbours goes, by their bits as in NEIGHBOURS, in each half of a pass."""
    p = np.arange(256)[:, None] >> np.arange(8) & 1  # north first, then clockwise
    border = (p.sum(1) >= 2) & (p.sum(1) <= 6) & (((1 - p) * np.roll(p, -1, 1)).sum(1) == 1)
    north, east, south, west = p[:, ::2].T
    first = border & (north * east * south == 0) & (east * south * west == 0)
    second = border & (north * east * west == 0) & (north * south * west == 0)
    return np.array([first, second], np.uint8)


NEIGHBOURS = np.array([[128, 1, 2], [64, 0, 4], [32, 16, 8]], np.float32)
REMOVED = _removed()

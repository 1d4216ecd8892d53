# SPDX-License-Identifier: Apache-2.0
"""Which thing each pixel belongs to: from the network's centres and offsets, and parted by what a sensor measured.

After Panoptic-DeepLab (Cheng et al., CVPR 2020): every pixel of a vehicle or a pedestrian points at the centre of its
thing, and belongs to the centre of its class that is nearest to where it points. Then centres are joined that are close
together for the size of what they have: a large thing has several peaks.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from perception.classes import CLASSES, PEDESTRIAN, UNLABELLED, VEHICLE, Classes
from perception.frame import INSTANCE_STEP

THINGS = (VEHICLE, PEDESTRIAN)
"""Classes whose things are told apart, with those within them; the network has a map of centres for each."""

CELL = 4
"""Pixels of the network's input along each side of a cell of its centres and offsets."""

SURE = 0.5
"""The least score of a centre."""

NEIGHBOURHOOD = 9
"""Cells along each side of the square in which one centre stands alone."""

CLOSE = (0.45, 0.35)
"""By class of THINGS: two centres are of one thing if the means of what points at each are nearer than so many roots of
their area. People stand closer to each other than cars, for their size."""

TALL = (1.0, 4.0)
"""By class of THINGS: what is above another counts as so many times nearer. People stand beside each other."""

BESIDE = np.ones((3, 3), np.uint8)
"""The cells around one of the class that are looked at as well: a class may end within a cell."""

MOST = 100
"""Centres of a class in a frame; the strongest are kept."""

GAP = 1.5
"""Metres in depth without a point between two things."""

FEWEST = 8
"""Points that each of two things must have for them to be parted."""

MIXED = 0.1
"""Share of the points of the smaller of two things that may lie on the other's side of the line between them."""


def coded(labels: NDArray[np.uint8], numbers: NDArray[Any]) -> NDArray[np.uint16]:
    """Codes of instances as in `Prediction.instances`, from class ids and `numbers` of the same shape, 0 for none.

    What has no class or a number that no code can hold is none.
    """
    there = (numbers > 0) & (numbers < INSTANCE_STEP) & (labels != UNLABELLED)
    return np.where(there, labels.astype(np.uint32) * INSTANCE_STEP + numbers, 0).astype(np.uint16)


def recoded(instances: NDArray[np.uint16], table: NDArray[np.uint8]) -> NDArray[np.uint16]:
    """Codes whose class ids are looked up in `table` (256,)."""
    return coded(table[instances // INSTANCE_STEP], instances % INSTANCE_STEP)


def free_code(instances: NDArray[np.uint16], class_id: int) -> int:
    """The code after the last one of the class; 0, none, where there is no room."""
    start = class_id * INSTANCE_STEP
    last = int(instances[(instances > start) & (instances < start + INSTANCE_STEP)].max(initial=start))
    return last + 1 if last + 1 < start + INSTANCE_STEP else 0


class Extents(NamedTuple):
    """Of K instances, by ascending code.

    codes: (K,), as given. boxes: (K, 4) left, top, right and bottom pixel, the last two within. areas: (K,) pixels.
    """

    codes: NDArray[Any]
    boxes: NDArray[np.int64]
    areas: NDArray[np.int64]


def extents(instances: NDArray[Any]) -> Extents:
    """Where the instances in (H, W) unsigned codes are."""
    v, u = np.nonzero(instances)
    codes = instances[v, u]
    order = np.argsort(codes, kind="stable")  # of 16-bit numbers it is a radix sort
    codes, v, u = codes[order], v[order], u[order]
    starts = np.flatnonzero(np.diff(codes, prepend=codes.dtype.type(0)))
    if not len(starts):
        return Extents(codes, np.zeros((0, 4), np.int64), np.zeros(0, np.int64))
    sides = (np.minimum.reduceat(u, starts), np.minimum.reduceat(v, starts))
    ends = (np.maximum.reduceat(u, starts), np.maximum.reduceat(v, starts))
    return Extents(codes[starts], np.stack([*sides, *ends], 1), np.diff(starts, append=len(codes)))


def nearest_value(values: NDArray[Any], there: NDArray[np.bool_]) -> NDArray[Any]:
    """(H, W) at each pixel, the one of `values` (H, W) at the nearest pixel that is `there` (H, W), of which there is
    at least one."""
    _, regions = cv2.distanceTransformWithLabels(
        (~there).astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_5, labelType=cv2.DIST_LABEL_PIXEL
    )
    of_region = np.zeros(int(regions.max()) + 1, values.dtype)
    of_region[regions[there]] = values[there]
    return np.asarray(of_region[regions])


def group(labels: NDArray[np.uint8], found: NDArray[np.float32], classes: Classes = CLASSES) -> NDArray[np.uint16]:
    """(H, W) codes as in `Prediction.instances`; 0 also where a class has no centre.

    labels: (H, W) class ids. found: (len(THINGS) + 2, H/CELL, W/CELL), scores of the centres of each of THINGS in 0–1,
    and by how many pixels down and right the centre of each cell's thing is.
    """
    height, width = found.shape[1:]
    kinds = labels if len(classes) == len(CLASSES) else cv2.LUT(labels, classes.first)
    coarse = cv2.resize(kinds, (width, height), interpolation=cv2.INTER_NEAREST)
    instances = np.zeros(labels.shape, np.uint16)
    for kind, scores, close, tall in zip(THINGS, found, CLOSE, TALL, strict=False):
        own, numbers = coarse == kind, _centres(scores)
        cells = np.flatnonzero(cv2.dilate(own.view(np.uint8), BESIDE).view(bool))
        if not len(cells) or not numbers.any():
            continue
        row, column = np.divmod(cells, width)
        rows, columns = (
            at.astype(np.float32) + way[row, column] / CELL for at, way in ((row, found[-2]), (column, found[-1]))
        )
        at = np.rint(rows).clip(0, height - 1).astype(np.intp), np.rint(columns).clip(0, width - 1).astype(np.intp)
        pointed_at = nearest_value(numbers, numbers > 0)[at]
        own = own.flat[cells]
        joined = _joined(pointed_at[own], rows[own] / tall, columns[own], close, count=int(numbers.max()) + 1)
        codes = np.zeros((height, width), np.uint16)
        codes[row, column] = joined[pointed_at] + np.uint16(kind * INSTANCE_STEP)
        first, last = int(row[0]), int(row[-1]) + 1
        whole = cv2.resize(codes[first:last], None, fx=CELL, fy=CELL, interpolation=cv2.INTER_NEAREST)
        part = slice(first * CELL, last * CELL)
        cv2.copyTo(whole, (kinds[part] == kind).view(np.uint8), instances[part])
    return instances if len(classes) == len(CLASSES) else _of_most(instances, labels)


def _centres(scores: NDArray[np.float32]) -> NDArray[np.uint16]:
    """(h, w) the number of the centre in each cell, from 1; 0 for none."""
    square = np.ones((NEIGHBOURHOOD, NEIGHBOURHOOD), np.uint8)
    peaks = (scores >= SURE) & (scores == cv2.dilate(scores, square))
    # Coarse numbers make plateaus, of which each is one centre.
    count, plateaus = cv2.connectedComponents(peaks.astype(np.uint8))
    if count <= MOST + 1:
        return plateaus.astype(np.uint16)
    heights = np.zeros(count, np.float32)
    np.maximum.at(heights, plateaus[peaks], scores[peaks])
    numbers = np.zeros(count, np.uint16)
    numbers[1 + np.argsort(-heights[1:], kind="stable")[:MOST]] = np.arange(1, MOST + 1)
    return numbers[plateaus]


def _joined(
    numbers: NDArray[np.uint16], rows: NDArray[np.float32], columns: NDArray[np.float32], close: float, count: int
) -> NDArray[np.uint16]:
    """(count,) the number to take in place of each.

    numbers: (K,) which centre each cell of the class points at. rows, columns: (K,) where it points, in cells. close:
    of CLOSE.
    """
    table = np.arange(count, dtype=np.uint16)
    cells = np.bincount(numbers, minlength=count)
    there = np.flatnonzero(cells)
    areas = cells[there].astype(np.float64)
    places = np.stack([np.bincount(numbers, each, count)[there] for each in (rows, columns)], 1) / areas[:, None]
    while len(there) > 1:
        apart = np.linalg.norm(places[:, None] - places, axis=2) / np.sqrt(areas[:, None] + areas)
        np.fill_diagonal(apart, np.inf)
        first, second = sorted(divmod(int(apart.argmin()), len(there)))
        if apart[first, second] > close:
            break
        both = areas[[first, second]]
        places[first] = both @ places[[first, second]] / both.sum()
        areas[first] = both.sum()
        table[table == there[second]] = there[first]
        there, areas, places = np.delete(there, second), np.delete(areas, second), np.delete(places, second, 0)
    return table


def _of_most(instances: NDArray[np.uint16], labels: NDArray[np.uint8]) -> NDArray[np.uint16]:
    """The same with each thing's class: that which most of its pixels have."""
    codes, which = np.unique(instances, return_inverse=True)
    votes = np.zeros((len(codes), 256), np.int64)
    np.add.at(votes, (which.ravel(), labels.ravel()), 1)
    # Numbers of different classes within one kind stay different, since they were of one map of centres; a class that
    # is both a kind and within one cannot be.
    renamed = coded(votes.argmax(1).astype(np.uint8), codes % INSTANCE_STEP)
    return np.asarray(renamed[which.reshape(labels.shape)])


def part_by_depth(instances: NDArray[np.uint16], pixels: NDArray[np.intp], depth: NDArray[np.float32]) -> None:
    """Part, in place, what touches in the image and is apart in depth.

    instances: (H, W). pixels: (M,) indices v · W + u of points that the camera sees. depth: (M,) theirs along the
    optical axis [m]. A thing is parted where its points have a gap of more than GAP in depth and a line upright or
    across parts them in the image too; through a window, what is behind a vehicle is seen amid it. Each pixel then
    belongs to the nearest point's part; the farther one gets a new number.
    """
    codes = instances.ravel()[pixels]
    known = np.flatnonzero((codes > 0) & np.isfinite(depth))
    waiting = [known[codes[known] == code] for code in np.unique(codes[known])]
    while waiting:
        points = waiting.pop()
        far = _beyond_gap(depth[points])
        v, u = np.divmod(pixels[points], instances.shape[1])
        if far is None or not (_parted(u, far) or _parted(v, far)):
            continue
        code = int(instances.flat[pixels[points[0]]])
        new = free_code(instances, code // INSTANCE_STEP)
        if not new:
            return
        _divide(instances, code, new, (v, u), far)
        waiting += [points[far], points[~far]]


def _beyond_gap(depth: NDArray[np.float32]) -> NDArray[np.bool_] | None:
    """Which of the (M,) depths are beyond the widest gap with FEWEST points on each side; None without one."""
    if len(depth) < 2 * FEWEST:
        return None
    rising = np.sort(depth)
    gaps = np.diff(rising)[FEWEST - 1 : len(depth) - FEWEST]
    place = int(gaps.argmax())
    return depth > rising[FEWEST - 1 + place] if gaps[place] > GAP else None


def _parted(along: NDArray[np.intp], far: NDArray[np.bool_]) -> bool:
    """Whether a line across the axis of the coordinates `along` has the far points on one side and the near ones on
    the other."""
    order = np.argsort(along, kind="stable")
    before = np.cumsum(np.where(far[order], 1, -1))
    # With k points before the line, those of the wrong side are the far ones before it and the near ones after it.
    wrong = np.count_nonzero(~far) + before
    fewest = min(int(wrong.min()), len(far) - int(wrong.max()))
    return bool(fewest <= MIXED * min(np.count_nonzero(far), np.count_nonzero(~far)))


def _divide(
    instances: NDArray[np.uint16],
    code: int,
    new: int,
    where: tuple[NDArray[np.intp], NDArray[np.intp]],
    far: NDArray[np.bool_],
) -> None:
    """Give the pixels of `code` whose nearest point is far the code `new`. where: rows and columns of the points."""
    left, top, width, height = cv2.boundingRect((instances == code).astype(np.uint8))
    box = instances[top : top + height, left : left + width]
    place = where[0] - top, where[1] - left
    there, is_far = np.zeros(box.shape, bool), np.zeros(box.shape, bool)
    there[place] = True
    is_far[place[0][far], place[1][far]] = True
    box[(box == code) & nearest_value(is_far, there)] = new

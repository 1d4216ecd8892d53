# SPDX-License-Identifier: Apache-2.0
"""What the outputs of a described file say, as labels, confidence and things at the size of the engine's input."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from perception.classes import CLASSES, FIRST, UNLABELLED
from perception.engines.foreign.description import OF_THINGS, Description, our_id
from perception.engines.foreign.fitting import Fit, back
from perception.errors import ModelError
from perception.frame import INSTANCE_STEP
from perception.instances import THINGS

MOST = 100
"""Things of a frame; the strongest are kept."""

Outputs = Mapping[str, NDArray[Any]]
"""By part: see `KINDS`."""


class Decoded(NamedTuple):
    """labels, confidence: as in `NetworkOutput`. things: codes as in `Prediction.instances`; None without any kind of
    things."""

    labels: NDArray[np.uint8]
    confidence: NDArray[np.uint8]
    things: NDArray[np.uint16] | None = None


class Thing(NamedTuple):
    """A thing that the network found. class_id: the file's. mask: (height, width)."""

    class_id: int
    score: float
    mask: NDArray[np.bool_]


def decode(description: Description, outputs: Outputs, fit: Fit) -> Decoded:
    """Raises ModelError, which names the output, for shapes, ids and values that its kind does not have."""
    if description.kind in OF_THINGS:
        found = {"masks": _masked, "yolo": _of_prototypes}[description.kind](description, outputs, fit)
        return _painted(description, found, fit)
    how: Callable[[Description, Outputs, Fit], Decoded] = _labelled if description.kind == "labels" else _scored
    return how(description, outputs, fit)


def _scored(description: Description, outputs: Outputs, fit: Fit) -> Decoded:
    scores, table = outputs["scores"], description.table
    if scores.ndim != 4 or scores.shape[:2] != (1, len(table)):
        raise _wrong("scores", scores, f"(1, {len(table)}, h, w), as there are {len(table)} names")
    values = scores[0].astype(np.float32)
    if len(table) == 1:
        if description.kind == "logits":
            values = 1 / (1 + np.exp(-values.clip(-80, 80)))
        values = np.concatenate([values, 1 - values])
        table = np.append(table, our_id(description.elsewhere))
    elif description.kind == "logits":
        values = np.exp(values - values.max(0))
        values /= values.sum(0)
    # The share of each of ours, the last of them of what says nothing: three kinds of vehicle are one.
    ours = np.zeros((len(FIRST) + 1, *values.shape[1:]), np.float32)
    for row, class_id in zip(values, table.tolist(), strict=True):
        ours[min(class_id, len(FIRST))] += row
    if not np.isfinite(ours).all():
        raise ModelError("scores: values that are no numbers")
    whole = np.stack([back(plane, fit) for plane in ours])
    best = whole.argmax(0)
    confidence = np.rint(255 * whole.max(0).clip(0, 1))
    labels = np.where(best < len(FIRST), best, UNLABELLED).astype(np.uint8)
    return Decoded(labels, np.where(labels == UNLABELLED, 0, confidence).astype(np.uint8))


def _labelled(description: Description, outputs: Outputs, fit: Fit) -> Decoded:
    ids = outputs["labels"]
    ids = ids[:, 0] if ids.ndim == 4 and ids.shape[1] == 1 else ids
    if ids.ndim != 3 or len(ids) != 1:
        raise _wrong("labels", outputs["labels"], "(1, h, w) or (1, 1, h, w)")
    labels = back(_ours(description, ids[0]), fit, nearest=True)
    # A map of labels does not say how sure it is.
    return Decoded(labels, np.where(labels == UNLABELLED, 0, 255).astype(np.uint8))


def _masked(description: Description, outputs: Outputs, fit: Fit) -> list[Thing]:
    ids, scores, masks = outputs["labels"], outputs["scores"], outputs["masks"]
    count = len(scores)
    if scores.ndim != 1 or ids.shape != (count,):
        raise ModelError(f"labels, scores: {ids.shape} and {scores.shape}, expected (N,) both")
    if masks.shape != (count, 1, *fit.outer):
        raise _wrong("masks", masks, f"({count}, 1, {fit.outer[0]}, {fit.outer[1]}), as large as the input")
    _ours(description, ids)  # refuses those that have no name
    kept = _strongest(scores, description.threshold)
    return [
        Thing(int(ids[row]), float(scores[row]), back(masks[row, 0].astype(np.float32), fit) > 0.5)
        for row in kept.tolist()
    ]


def _of_prototypes(description: Description, outputs: Outputs, fit: Fit) -> list[Thing]:
    predictions, prototypes = outputs["predictions"], outputs["prototypes"]
    count = len(description.class_names)
    if prototypes.ndim != 4 or len(prototypes) != 1:
        raise _wrong("prototypes", prototypes, "(1, M, h, w)")
    rows = 4 + count + prototypes.shape[1]
    if predictions.ndim != 3 or predictions.shape[:2] != (1, rows):
        raise _wrong("predictions", predictions, f"(1, {rows}, A): 4 + {count} names + {prototypes.shape[1]} of masks")
    boxes, by_class, coefficients = np.split(predictions[0].astype(np.float32), [4, 4 + count])
    scores, ids = by_class.max(0), by_class.argmax(0)
    kept = _strongest(scores, description.threshold, None)
    corners = np.stack(
        [boxes[axis, kept] + side * boxes[axis + 2, kept] / 2 for side in (-1, 1) for axis in (0, 1)], axis=1
    )
    kept_boxes = _apart(corners, ids[kept], description.overlap)
    found = []
    rows_of, columns_of = np.ogrid[: fit.height, : fit.width]
    for place in kept_boxes:
        row = int(kept[place])
        logits = np.tensordot(coefficients[:, row], prototypes[0].astype(np.float32), 1)
        left, top, right, bottom = _box_back(corners[place], fit)
        inside = (rows_of >= top) & (rows_of < bottom) & (columns_of >= left) & (columns_of < right)
        found.append(Thing(int(ids[row]), float(scores[row]), (back(logits, fit) > 0) & inside))
    return found


def _strongest(scores: NDArray[Any], threshold: float, most: int | None = MOST) -> NDArray[np.intp]:
    """Rows of what has at least that score, the strongest first."""
    if not np.isfinite(scores).all():
        raise ModelError("scores: values that are no numbers")
    order = np.argsort(-scores, kind="stable")
    return np.asarray(order[scores[order] >= threshold][:most])


def _apart(corners: NDArray[np.float32], ids: NDArray[np.intp], overlap: float) -> list[int]:
    """Rows of boxes, the strongest first, of which none overlaps a stronger one of its class by more than `overlap`."""
    kept: list[int] = []
    areas = np.prod((corners[:, 2:] - corners[:, :2]).clip(0), axis=1)
    left = np.arange(len(corners))
    while len(left) and len(kept) < MOST:
        best, left = int(left[0]), left[1:]
        kept.append(best)
        low, high = np.maximum(corners[best, :2], corners[left, :2]), np.minimum(corners[best, 2:], corners[left, 2:])
        both = np.prod((high - low).clip(0), axis=1)
        union = areas[best] + areas[left] - both
        left = left[(ids[left] != ids[best]) | (both <= overlap * union)]
    return kept


def _box_back(corners: NDArray[np.float32], fit: Fit) -> tuple[float, float, float, float]:
    """Left, top, right and bottom in pixels of the engine's input."""
    (top, left), (rows, columns) = fit.start, fit.inner
    x, y = (corners[0::2] - left) * fit.width / columns, (corners[1::2] - top) * fit.height / rows
    return float(x[0]), float(y[0]), float(x[1]), float(y[1])


def _painted(description: Description, found: list[Thing], fit: Fit) -> Decoded:
    """The stronger thing has the pixels that two claim."""
    shape = (fit.height, fit.width)
    labels = np.full(shape, our_id(description.elsewhere), np.uint8)
    # Where no thing was found, none had more than the threshold.
    surely = 0 if description.elsewhere == "unlabelled" else round(255 * (1 - description.threshold))
    confidence = np.full(shape, surely, np.uint8)
    things = np.zeros(shape, np.uint16)
    free = np.ones(shape, bool)
    numbers = dict.fromkeys(THINGS, 0)
    for thing in sorted(found, key=lambda each: -each.score):
        class_id = int(description.table[thing.class_id])
        mask = thing.mask & free
        if class_id == UNLABELLED or not mask.any():
            continue
        free &= ~mask
        labels[mask] = class_id
        confidence[mask] = round(255 * min(thing.score, 1.0))
        kind = int(CLASSES.first[class_id])
        if kind in numbers:
            numbers[kind] += 1
            things[mask] = kind * INSTANCE_STEP + numbers[kind]
    return Decoded(labels, confidence, things)


def _ours(description: Description, ids: NDArray[Any]) -> NDArray[np.uint8]:
    """Our class ids of the file's. Raises ModelError for one that has no name."""
    if ids.dtype.kind not in "iu":
        raise ModelError(f"labels: {ids.dtype}, expected whole numbers")
    if ids.size and not 0 <= int(ids.min()) <= int(ids.max()) < len(description.table):
        strange = int(ids.min() if ids.min() < 0 else ids.max())
        raise ModelError(f"labels: class {strange}, names has {len(description.table)}")
    return np.asarray(description.table[ids])


def _wrong(part: str, array: NDArray[Any], expected: str) -> ModelError:
    return ModelError(f"{part}: the output is {'×'.join(map(str, array.shape))}, expected {expected}")

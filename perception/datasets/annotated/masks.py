# SPDX-License-Identifier: Apache-2.0
"""Masks as tools for annotation have them: run lengths, polygons, and the regions of an image of labels."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from perception.classes import BACKGROUND, UNLABELLED, Classes

Mask = NDArray[np.bool_]

NOTHING = "unlabelled"
"""The label of the pixels whose class is unknown, 255."""

SPECK = 64
"""Pixels from which on a region has a mask of its own; the smaller ones of a class have one together."""


class Region(NamedTuple):
    """A class's name, and the (H, W) mask of a part of it."""

    label: str
    mask: Mask


def marked_classes(classes: Classes) -> dict[str, int]:
    """Class ids by label of everything that is marked: all but the background, which is what no mask covers."""
    named = {name: number for number, name in enumerate(classes.names) if number != BACKGROUND}
    return {**named, NOTHING: UNLABELLED}


def colour_of(label: str, classes: Classes) -> str:
    """The label's colour as #rrggbb; what is unlabelled is black."""
    number = marked_classes(classes)[label]
    return "#" + "".join(f"{value:02x}" for value in (classes.palette[number] if number < len(classes) else (0, 0, 0)))


def regions(labels: NDArray[np.uint8], classes: Classes) -> Iterator[Region]:
    """The (H, W) labels as masks that do not overlap: one per connected region, and one for the specks of a class."""
    for label, number in marked_classes(classes).items():
        count, parts, figures, _ = cv2.connectedComponentsWithStats((labels == number).astype(np.uint8), connectivity=8)
        own = figures[:, cv2.CC_STAT_AREA] >= SPECK
        own[0] = False  # part 0 is everything else
        yield from (Region(label, parts == part) for part in np.flatnonzero(own))
        specks = (parts > 0) & ~own[parts]
        if count > 1 and specks.any():
            yield Region(label, specks)


def box_of(mask: Mask) -> tuple[int, int, int, int]:
    """left, top, width, height of a mask that is not empty."""
    rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    return int(columns[0]), int(rows[0]), int(columns[-1] - columns[0] + 1), int(rows[-1] - rows[0] + 1)


def run_lengths(flat: Mask) -> list[int]:
    """The lengths of the runs of (N,) values, False and True in turn; the first, of False, may be 0."""
    bounds = np.concatenate([[0], np.flatnonzero(flat[1:] != flat[:-1]) + 1, [len(flat)]])
    lengths: list[int] = np.diff(bounds).tolist()
    return [0, *lengths] if len(flat) and flat[0] else lengths


def of_run_lengths(lengths: Sequence[int], count: int) -> Mask:
    """(count,) values of `run_lengths`. Raises ValueError where they are not of so many."""
    runs = np.asarray(lengths, np.int64)
    if runs.ndim != 1 or (runs < 0).any() or runs.sum() != count:
        raise ValueError(f"run lengths of {runs.sum()} pixels, expected {count}")
    return np.repeat(np.arange(len(runs)) % 2 == 1, runs)


def of_polygon(corners: Sequence[float], height: int, width: int) -> Mask:
    """(height, width) pixels whose centre is inside the polygon x, y, x, y …, by the even-odd rule.

    Its coordinates are in pixels, 0, 0 the outer corner of the first. Raises ValueError for fewer than three corners.
    """
    points = np.asarray(corners, np.float64).reshape(-1, 2)
    if len(points) < 3 or not np.isfinite(points).all():
        raise ValueError(f"a polygon of {len(points)} corners, expected at least three")
    flips = np.zeros((height, width + 1), np.int32)
    centres = np.arange(height) + 0.5
    for (x0, y0), (x1, y1) in zip(points, np.roll(points, -1, axis=0), strict=True):
        rows = np.flatnonzero((min(y0, y1) <= centres) & (centres < max(y0, y1)))
        crossings = x0 + (centres[rows] - y0) / ((y1 - y0) or 1.0) * (x1 - x0)
        np.add.at(flips, (rows, np.clip(np.ceil(crossings - 0.5), 0, width).astype(int)), 1)
    return np.asarray(np.cumsum(flips, axis=1)[:, :width] % 2 == 1)

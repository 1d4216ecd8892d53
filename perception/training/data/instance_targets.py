# SPDX-License-Identifier: Apache-2.0
"""What an `InstanceHead` learns from a crop, computed after everything that changes the crop."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from perception.classes import CLASSES, UNLABELLED, Classes
from perception.frame import INSTANCE_STEP
from perception.instances import CELL, THINGS

SMALLEST = 12
"""Pixels of a thing in the crop; with fewer it is not learnt."""

SPREAD, LEAST, MOST = 0.1, 1.2, 4.0
"""Deviation of the Gaussian about a centre, as a share of the root of the thing's area; at least and at most, in
cells."""


def instance_targets(
    instances: NDArray[np.uint16] | None, labels: NDArray[np.uint8], classes: Classes = CLASSES
) -> NDArray[np.float32]:
    """(len(THINGS) + 4, h/4, w/4) by cell: a Gaussian about the centre of each visible thing of each of THINGS; how
    many pixels down and right the centre of the cell's thing is; 1 where centres are known; 1 in things.

    instances, labels: (h, w) of the crop, sides multiples of 4. Unknown are cells without a label, those of vehicles
    and pedestrians whose instance is unknown or too small, and everything without instances.
    """
    rows, columns = labels.shape[0] // CELL, labels.shape[1] // CELL
    targets = np.zeros((len(THINGS) + 4, rows, columns), np.float32)
    if instances is None:
        return targets
    down, right, known, things = targets[len(THINGS) :]
    middle = np.s_[CELL // 2 :: CELL, CELL // 2 :: CELL]
    cells, kinds = instances[middle], classes.first[labels[middle]]
    v, u = np.nonzero(instances)
    codes, which, areas = np.unique(instances[v, u], return_inverse=True, return_counts=True)
    # The middle of pixel (0, 0) of a cell is 1.5 pixels before the middle of the cell.
    centres = np.stack([np.bincount(which.ravel(), axis, len(codes)) for axis in (v, u)], 1) / areas[:, None]
    half = (CELL - 1) / 2
    known[:] = (labels[middle] != UNLABELLED) & ~(np.isin(kinds, THINGS) & (cells == 0))
    for code, area, (row, column) in zip(codes.tolist(), areas.tolist(), centres.tolist(), strict=True):
        mask = cells == code
        kind = int(classes.first[code // INSTANCE_STEP])
        if area < SMALLEST or kind not in THINGS:
            known[mask] = 0
            continue
        own_rows, own_columns = np.nonzero(mask)
        down[mask] = row - half - CELL * own_rows
        right[mask] = column - half - CELL * own_columns
        things[mask] = 1
        spread = float(np.clip(SPREAD * np.sqrt(area) / CELL, LEAST, MOST))
        _draw(targets[THINGS.index(kind)], (row - half) / CELL, (column - half) / CELL, spread)
    return targets


def _draw(scores: NDArray[np.float32], row: float, column: float, spread: float) -> None:
    """A Gaussian whose highest cell is 1, where it is higher than what is there."""
    # The cell that holds the centre is the one that is looked for: its score shall not depend on where in it that is.
    row, column = round(row), round(column)
    reach = int(np.ceil(3 * spread))
    top, left = max(row - reach, 0), max(column - reach, 0)
    part = scores[top : row + reach + 1, left : column + reach + 1]
    rows, columns = np.ogrid[top : top + part.shape[0], left : left + part.shape[1]]
    np.maximum(part, np.exp(-((rows - row) ** 2 + (columns - column) ** 2) / (2 * spread**2)), out=part)

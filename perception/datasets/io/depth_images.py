# SPDX-License-Identifier: Apache-2.0
"""Depth as 16-bit images: their unit is given, written beside them, or inferred from their values."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from perception.datasets.io.files import read_mono, read_text
from perception.errors import DataError

UNITS: dict[str, float] = {"m": 1.0, "cm": 0.01, "mm": 0.001, "m/256": 1 / 256}
"""Metres per step. Cameras and ROS write mm, KITTI and this project's simulator m/256."""

UNIT_FILE = "depth_unit.txt"
"""A file beside the folder `depth` with one of UNITS, or a number of metres."""

REACH_M = 120.0
"""Longest range of depth cameras [m]: values that would exceed it as m/256 are mm."""

LOOKED_AT = 8
"""Number of a folder's images that are examined, evenly spaced."""


def read_unit(text: str) -> float:
    """The metres of a unit of UNITS, or of a number of metres. Raises DataError for anything else."""
    try:
        unit = UNITS.get(text) or float(text)
    except ValueError:
        unit = math.nan
    if not 0 < unit < math.inf:
        raise DataError(f"{text!r}: not a unit of depth; use {', '.join(UNITS)}, or a number of metres, such as 0.0001")
    return unit


def read_depth(path: Path, unit: float) -> NDArray[np.float32]:
    """(H, W) float32 metres, NaN if invalid. unit: metres per step of the 16-bit numbers; 0 is invalid.

    Raises DataError as `read_mono` does, and for an image without 16 bits.
    """
    raw = _numbers(path)
    return np.where(raw > 0, raw * np.float32(unit), np.float32(np.nan)).astype(np.float32)


def find_unit(images: Sequence[Path], unit_file: Path) -> tuple[float, str]:
    """The unit of the images: that of `unit_file` if it exists, else the only one that fits their values.

    Also returns, for the user, how it was found; empty if the file says it. Raises DataError if it is ambiguous, with
    both readings in metres; and for a broken unit file.
    """
    if unit_file.is_file():
        text = read_text(unit_file).strip()
        try:
            return read_unit(text), ""
        except DataError as error:
            raise DataError(f"{unit_file}: {error}") from error
    far = max(_far(path) for path in images[:: max(1, len(images) // LOOKED_AT)])
    if far * UNITS["m/256"] > REACH_M:
        return UNITS["mm"], f"in mm: as m/256 they would reach {far / 256:.0f} m"
    where = images[0] if len(images) == 1 else images[0].parent
    raise DataError(
        f"{where}: depth up to {far:.0f} may be millimetres ({far / 1000:.1f} m) or metres × 256 ({far / 256:.1f} m): "
        f"use --depth-unit mm or --depth-unit m/256, or write the unit into {unit_file}"
    )


def _far(path: Path) -> float:
    """The 99th percentile of the valid numbers; 0 if there are none."""
    raw = _numbers(path)
    valid = raw[raw > 0]
    return float(np.percentile(valid, 99)) if valid.size else 0.0


def _numbers(path: Path) -> NDArray[np.uint16]:
    raw = read_mono(path)
    if raw.dtype != np.uint16:
        raise DataError(f"{path}: {raw.dtype}, expected a 16-bit PNG of depth, 0 invalid")
    return raw

# SPDX-License-Identifier: Apache-2.0
"""KITTI's timestamps.txt, exact to the nanosecond."""

from __future__ import annotations

import calendar
import re
import time
from collections.abc import Sequence
from pathlib import Path

from perception.datasets.io.files import read_text
from perception.errors import DataError

_STAMP = re.compile(r"(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d)(?:\.(\d{1,9}))?")


def parse_stamp(text: str) -> int:
    """'2011-09-26 13:04:32.335337762' → nanoseconds since 1970, the text taken as UTC.

    Integers throughout: a double holds today's seconds only to a few hundred nanoseconds. Raises ValueError.
    """
    match = _STAMP.fullmatch(text.strip())
    if match is None:
        raise ValueError(f"{text.strip()!r} is not a time like 2011-09-26 13:04:32.335337762")
    seconds = calendar.timegm(time.strptime(match[1], "%Y-%m-%d %H:%M:%S"))
    return seconds * 1_000_000_000 + int((match[2] or "0").ljust(9, "0"))


def read_stamps(path: Path, numbers: Sequence[int]) -> dict[int, int]:
    """Nanoseconds by frame number, for the frames `numbers` (sorted) whose files exist.

    Line i belongs to frame i, and an empty line to a frame without a stamp. If files are missing, some drives list
    only those that exist: as many lines as files, which then belong together in order.
    Raises DataError for malformed lines and for fewer lines than frames.
    """
    lines = read_text(path).splitlines()
    if numbers and len(lines) <= numbers[-1] and len(lines) != len(numbers):
        raise DataError(
            f"{path}: {len(lines)} lines, expected {numbers[-1] + 1} (one per frame up to {numbers[-1]:010d}) or "
            f"{len(numbers)} (one per file)"
        )
    rows = range(len(numbers)) if numbers and len(lines) <= numbers[-1] else numbers
    stamps: dict[int, int] = {}
    for number, row in zip(numbers, rows, strict=True):
        if lines[row].strip():
            try:
                stamps[number] = parse_stamp(lines[row])
            except ValueError as error:
                raise DataError(f"{path}: line {row + 1}: {error}") from error
    return stamps


def read_sweep_stamps(folder: Path, numbers: Sequence[int]) -> dict[int, int]:
    """When the Velodyne looked forward, as in `read_stamps`; if that is blank, midway between the start and end of its
    rotation, as it always is. folder: velodyne_points."""
    paths = [folder / f"timestamps{suffix}.txt" for suffix in ("_start", "_end")]
    start, end = (read_stamps(path, numbers) if path.is_file() else {} for path in paths)
    between = {number: (start[number] + end[number]) // 2 for number in start.keys() & end.keys()}
    forward = folder / "timestamps.txt"
    return between | (read_stamps(forward, numbers) if forward.is_file() or not between else {})

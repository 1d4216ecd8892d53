# SPDX-License-Identifier: Apache-2.0
"""When each point of a sweep was measured: drivers use the same field name for seconds, nanoseconds or clock times.

The unit is the one in which the sweep takes 1 ms to 0.5 s: no two units fit. The times are relative to the header's
stamp or on its clock, whichever puts the first or the last of them nearer to the stamp.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

STAMPS: tuple[str, ...] = ("start", "middle", "end")
"""The possible positions of a LiDAR's stamp in its sweep."""

UNITS_NS: dict[str, int] = {"s": 1_000_000_000, "ms": 1_000_000, "µs": 1_000, "ns": 1}
"""Nanoseconds by unit."""

SWEEP_NS = (1_000_000, 500_000_000)
"""Shortest and longest time from the first point of a sweep to the last."""


class PointTimes(NamedTuple):
    """since: (N,) float32 seconds from the first point. begin_ns: the first point's time minus the stamp. word: a
    message about what had to be guessed; "" if nothing had."""

    since: NDArray[np.float32]
    begin_ns: int
    word: str = ""


def read_times(values: NDArray[Any], name: str, stamp_ns: int, habit: str) -> PointTimes | str | None:
    """The times of a sweep's points from the values (N,) of its field `name`, of any number type.

    stamp_ns: of the header. habit: the stamp's position in the sweep, one of STAMPS, for times of another clock.
    None if all points have the same time, which is no information; a reason if the values cannot be times.
    """
    first, last = values.min().item(), values.max().item()
    if first == last:
        return None
    span = last - first
    unit = next((unit for unit, ns in UNITS_NS.items() if SWEEP_NS[0] <= span * ns <= SWEEP_NS[1]), None)
    if unit is None:  # also for values that are not finite
        return (
            f"{name}: from {first:.15g} to {last:.15g}, which is no sweep of 1 ms to 0.5 s in any unit; it is not used"
        )
    ns = UNITS_NS[unit]
    # In the field's own type: whole numbers are exact, and a double of seconds since 1970 still resolves 0.2 µs.
    since = (values - values.min()).astype(np.float32)
    since *= np.float32(1e-9 * ns)
    length = round(span * ns)
    relative = round(first * ns)
    begin = min((relative, relative - stamp_ns), key=lambda begin: min(abs(begin), abs(begin + length)))
    if min(abs(begin), abs(begin + length)) <= SWEEP_NS[1]:
        return PointTimes(since, begin)
    word = (
        f"{name}: {first:.15g} {unit} neither counts from header.stamp nor is of its clock; only differences count, "
        f"and the stamp is taken as the sweep's {habit} (lidar.stamp)"
    )
    return PointTimes(since, stamp_shift_ns(habit, length) - length // 2, word)


def stamp_shift_ns(habit: str, length_ns: int) -> int:
    """How long after the stamp the middle of a sweep of that length is; habit: one of STAMPS."""
    return {"start": length_ns // 2, "middle": 0, "end": -(length_ns // 2)}[habit]

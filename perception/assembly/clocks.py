# SPDX-License-Identifier: Apache-2.0
"""Whether the sensors of a recording are stamped by related clocks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timezone
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from perception.assembly.pairing import Instant, Timing, find_instants, nearest
from perception.errors import DataError

Span = tuple[int, int]
"""The first and the last of some times [ns]."""

_YEAR_2000_NS = 946_684_800_000_000_000


def pair_sensors(
    path: Path, stamps: Mapping[str, NDArray[np.int64]], recorded: Mapping[str, Span], timing: Timing
) -> tuple[list[Instant], dict[str, str]]:
    """The instants of the recording at `path`; and by sensor that is left out, the reason: its clock is unrelated.

    stamps, recorded: see `strangers`. Raises DataError where no sensor pairs with any other.
    """
    instants = find_instants(stamps, timing)
    apart = strangers(stamps, recorded, instants)
    if not apart:
        return instants, {}
    if all(len(instant.stamps_ns) == 1 for instant in instants):
        # If only two sensors are apart, one message names the other too.
        raise DataError(f"{path}: no messages pair; {'; '.join(list(apart.values())[: len(apart) - 1])}")
    known = {sensor: own for sensor, own in stamps.items() if sensor not in apart}
    return find_instants(known, timing), {sensor: f"{reason} It is left out" for sensor, reason in apart.items()}


def strangers(
    stamps: Mapping[str, NDArray[np.int64]], recorded: Mapping[str, Span], instants: Sequence[Instant]
) -> dict[str, str]:
    """The sensors that share no instant with any other although they were recorded at the same time, and why.

    stamps: by sensor, sorted [ns]. recorded: by sensor, when its messages were recorded.
    """
    together = {name for instant in instants if len(instant.stamps_ns) > 1 for name in instant.stamps_ns}
    present = [name for name, own in stamps.items() if len(own)]
    found = {}
    for name in present:
        beside = [other for other in present if other != name and _overlap(recorded[name], recorded[other])]
        if name not in together and beside:
            # Compare with a sensor that pairs with others, whose clock is right, rather than with another stranger.
            other = next((each for each in beside if each in together), beside[0])
            gap = _gap(stamps[name], stamps[other])
            found[name] = (
                f"{name}: its stamps ({_span(stamps[name])}) never meet those of {other} ({_span(stamps[other])}), at "
                f"best {gap:.3g} s apart, though both were recorded at the same time: is its clock right?"
            )
    return found


def _overlap(one: Span, other: Span) -> bool:
    return max(one[0], other[0]) < min(one[1], other[1])


def _gap(one: NDArray[np.int64], other: NDArray[np.int64]) -> float:
    """The smallest difference between a stamp of `one` and a stamp of `other` [s]."""
    stamps: list[int] = other.tolist()
    places = ((stamp, nearest(stamps, stamp)) for stamp in one.tolist())
    return min(abs(stamps[place] - stamp) for stamp, place in places if place is not None) * 1e-9


def _span(stamps: NDArray[np.int64]) -> str:
    return " to ".join(_moment(int(stamp)) for stamp in (stamps[0], stamps[-1]))


def _moment(stamp_ns: int) -> str:
    """The time in UTC; a clock that began with the sensor, or anything else long ago, in seconds."""
    if not _YEAR_2000_NS < stamp_ns < 10 * _YEAR_2000_NS:
        return f"{stamp_ns * 1e-9:.1f} s"
    return datetime.fromtimestamp(stamp_ns // 1_000_000_000, timezone.utc).strftime("%Y-%m-%d %H:%M:%S")

# SPDX-License-Identifier: Apache-2.0
"""Which messages belong to one instant: the same rules for live and recorded data.

One of the sensors that are alive is the trigger: the camera, else LiDAR, else infrared, else depth, else a further one.
Each of its messages is an instant; the other sensors add their message nearest in acquisition time, within the
tolerance.
`find_instants` applies the rules when all of the future is known; `Collector` is live and has to wait for it.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from perception.assembly.lidar_names import modality_of
from perception.sensors.spec import SPECS

Stamps = NDArray[np.int64]

TRIGGER_ORDER: tuple[str, ...] = tuple(sorted(SPECS, key=lambda name: SPECS[name].rank))
"""Sensors in the order in which they are preferred as trigger."""

PAIRINGS: tuple[str, ...] = ("completeness", "freshness")
"""Wait for each sensor's nearest message, or answer with the messages that have arrived."""

FRESH_WAIT_S = 0.008
"""The longest wait with freshness: the drivers of one instant's messages need this long one after the other."""


@dataclass(frozen=True)
class Timing:
    """How messages pair, in seconds.

    tolerance_s: the largest difference of stamps. wait_s: the longest wait after the trigger's message came.
    timeouts_s: by sensor, the silence after which it counts as lost. offsets_s: by sensor, what is added to its stamps
    to get the instant of acquisition; 0 for sensors that are not named. pairing: one of PAIRINGS. reach_s: for
    freshness, how much older than the trigger's message a message of one of MOVABLE may be.
    """

    tolerance_s: float
    wait_s: float
    timeouts_s: Mapping[str, float]
    offsets_s: Mapping[str, float] = field(default_factory=dict)
    pairing: str = "completeness"
    reach_s: float = 0.3

    @property
    def limit_s(self) -> float:
        """The longest wait that this pairing allows."""
        return self.wait_s if self.pairing == "completeness" else min(self.wait_s, FRESH_WAIT_S)


class Instant(NamedTuple):
    """The stamps [ns] of the messages of one instant, by sensor; the trigger's is its own."""

    trigger: str
    stamps_ns: Mapping[str, int]

    @property
    def stamp_ns(self) -> int:
        """The instant [ns]: the trigger's stamp."""
        return self.stamps_ns[self.trigger]


def in_order(sensors: Iterable[str]) -> list[str]:
    """The sensors in the order in which they are preferred as trigger; further LiDARs come after the first."""
    return sorted(sensors, key=rank)


def rank(sensor: str) -> tuple[int, str]:
    """The sensor's rank as a trigger: the lowest is preferred."""
    return TRIGGER_ORDER.index(modality_of(sensor)), sensor


def nearest(stamps: Sequence[int], wanted_ns: int) -> int | None:
    """The index of the stamp nearest to the wanted one, the earlier of two equally near ones; None if there is none.

    stamps: sorted [ns].
    """
    after = bisect_left(stamps, wanted_ns)
    beside = range(max(after - 1, 0), min(after + 1, len(stamps)))
    return min(beside, key=lambda place: abs(stamps[place] - wanted_ns), default=None)


def match(stamps: Sequence[int], wanted_ns: int, tolerance_s: float) -> int | None:
    """`nearest`, if it is not further away than the tolerance [s]."""
    place = nearest(stamps, wanted_ns)
    return place if place is not None and abs(stamps[place] - wanted_ns) <= tolerance_s * 1e9 else None


def find_instants(stamps: Mapping[str, Stamps], timing: Timing) -> list[Instant]:
    """The instants of a recording in the order of time: nothing is waited for, and nothing is dropped.

    Every message of the camera is an instant. Messages of LiDAR, infrared and depth, in this order, are instants while
    all preferred sensors are silent, each for longer than its own timeout. stamps: by sensor, sorted, without
    duplicates, in acquisition time [ns].
    """
    found: list[Instant] = []
    known: dict[str, list[int]] = {sensor: own.tolist() for sensor, own in stamps.items()}
    sensors = in_order(known)
    for order, trigger in enumerate(sensors):
        better = [(known[name], timing.timeouts_s.get(name, 0.5)) for name in sensors[:order]]
        found += [
            Instant(trigger, {trigger: stamp, **_others(known, trigger, stamp, timing.tolerance_s)})
            for stamp in known[trigger]
            if all(match(others, stamp, timeout) is None for others, timeout in better)
        ]
    return sorted(found, key=lambda instant: instant.stamp_ns)


def _others(known: Mapping[str, Sequence[int]], trigger: str, stamp: int, tolerance_s: float) -> dict[str, int]:
    """For each sensor other than the trigger, the stamp that belongs to the trigger's."""
    places = {sensor: match(own, stamp, tolerance_s) for sensor, own in known.items() if sensor != trigger}
    return {sensor: known[sensor][place] for sensor, place in places.items() if place is not None}

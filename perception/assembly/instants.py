# SPDX-License-Identifier: Apache-2.0
"""Which messages of a recording belong to one instant: as `Collector` pairs them, with all of the future known.

Every message of the camera is an instant; of LiDAR, infrared and depth, in this order, those are that come while all
better sensors are silent, each for longer than its own timeout. The other sensors add their message nearest in
acquisition time, within the tolerance. Nothing is waited for, and nothing is dropped.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from perception.assembly.collector import Timing, in_order

Stamps = NDArray[np.int64]


class Instant(NamedTuple):
    """The stamps [ns] of the messages of one instant, by sensor; the trigger's is its own."""

    trigger: str
    stamps_ns: Mapping[str, int]

    @property
    def stamp_ns(self) -> int:
        """When it was."""
        return self.stamps_ns[self.trigger]


def find_instants(stamps: Mapping[str, Stamps], timing: Timing) -> list[Instant]:
    """The instants in the order of time. stamps: by sensor, sorted, none twice, in acquisition time [ns]."""
    found: list[Instant] = []
    tolerance = timing.tolerance_s * 1e9
    sensors = in_order(stamps)
    for place, trigger in enumerate(sensors):
        own = stamps[trigger]
        silent = [
            _distance(own, stamps[better]) > timing.timeouts_s.get(better, 0.5) * 1e9 for better in sensors[:place]
        ]
        alone = own[np.logical_and.reduce(silent)] if silent else own
        columns: dict[str, Any] = {trigger: alone}
        for sensor, others in stamps.items():
            if sensor != trigger and len(others):
                nearest = others[_nearest(alone, others)]
                columns[sensor] = np.where(np.abs(nearest - alone) <= tolerance, nearest, -1)
        rows = [{sensor: int(column[row]) for sensor, column in columns.items()} for row in range(len(alone))]
        found += [Instant(trigger, {name: stamp for name, stamp in row.items() if stamp >= 0}) for row in rows]
    return sorted(found, key=lambda instant: instant.stamp_ns)


def _nearest(wanted: Stamps, among: Stamps) -> NDArray[np.intp]:
    """Index of the nearest of `among`, which is sorted and not empty, for each that is wanted."""
    after = np.clip(np.searchsorted(among, wanted), 1, max(len(among) - 1, 1))
    before, after = after - 1, np.minimum(after, len(among) - 1)
    return np.where(np.abs(among[before] - wanted) <= np.abs(among[after] - wanted), before, after)


def _distance(wanted: Stamps, among: Stamps) -> NDArray[np.float64]:
    """How far the nearest of `among` is; infinite where there is none."""
    if not len(among):
        return np.full(len(wanted), np.inf)
    return np.abs(among[_nearest(wanted, among)] - wanted).astype(np.float64)

# SPDX-License-Identifier: Apache-2.0
"""In which directions LiDARs fire, and when: turning stacks of beams, and solid-state sensors that look ahead only."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from perception.simulation.optics.vectors import Floats

PERIOD = 0.1
"""Seconds per sweep. The camera is exposed in its middle, when beams that turn look forward."""


@dataclass
class Firings:
    """One sweep's pulses.

    beam: (N,) int64, which laser. when: (N,) float32 seconds from the sweep's middle. direction: (N, 3) float32 unit
    vectors in the LiDAR frame.
    """

    beam: NDArray[np.int64]
    when: Floats
    direction: Floats


class Scanner(Protocol):
    """A kind of LiDAR. nearest, farthest: metres within which it measures."""

    @property
    def nearest(self) -> float: ...
    @property
    def farthest(self) -> float: ...

    def fire(self, density: float, time: float) -> Firings:
        """The sweep around `time` [s]. density: share of the pulses that are fired, for small simulations."""


@dataclass(frozen=True)
class Spinning:
    """Beams at fixed `elevations` [degrees] that turn once per sweep, in so many steps."""

    elevations: tuple[float, ...]
    steps: int
    nearest: float = 0.5
    farthest: float = 120.0

    def fire(self, density: float, time: float) -> Firings:
        """The same every sweep."""
        beams = np.deg2rad(np.array(self.elevations))
        count = max(1, round(self.steps * density))
        # Clockwise seen from above, from behind the vehicle, so that forward comes half-way.
        azimuth = np.pi - (np.arange(count) + 0.5) * (2 * np.pi / count)
        elevation, azimuth = (a.ravel() for a in np.meshgrid(beams, azimuth, indexing="ij"))
        when = np.tile((np.arange(count) + 0.5) / count - 0.5, len(beams)).astype(np.float32) * np.float32(PERIOD)
        return Firings(np.repeat(np.arange(len(beams)), count), when, _towards(azimuth, elevation))


@dataclass(frozen=True)
class Raster:
    """A mirror that draws `lines` of `steps` pulses, from the top down, over a field `width` by `height` degrees."""

    width: float
    height: float
    lines: int
    steps: int
    nearest: float = 0.5
    farthest: float = 150.0

    def fire(self, density: float, time: float) -> Firings:
        """The same every sweep."""
        count = max(1, round(self.steps * density))
        azimuth = np.deg2rad(self.width) * (0.5 - (np.arange(count) + 0.5) / count)
        elevation = np.deg2rad(self.height) * (0.5 - (np.arange(self.lines) + 0.5) / self.lines)
        elevation, azimuth = (a.ravel() for a in np.meshgrid(elevation, azimuth, indexing="ij"))
        when = ((np.arange(len(azimuth)) + 0.5) / len(azimuth) - 0.5).astype(np.float32) * np.float32(PERIOD)
        return Firings(np.repeat(np.arange(self.lines), count), when, _towards(azimuth, elevation))


@dataclass(frozen=True)
class Rosette:
    """Prisms that turn against each other draw petals, never the same twice, over `width` by `height` degrees.

    lasers: fire side by side. pulses: of all of them in a sweep.
    """

    width: float
    height: float
    lasers: int
    pulses: int
    nearest: float = 0.5
    farthest: float = 150.0

    def fire(self, density: float, time: float) -> Firings:
        """The petals that are drawn at that time."""
        shots = max(1, round(self.pulses * density / self.lasers))
        when = np.tile(((np.arange(shots) + 0.5) / shots - 0.5) * PERIOD, self.lasers)
        beam = np.repeat(np.arange(self.lasers), shots)
        first, second = (2 * np.pi * rate * (time + when) + _SPREAD * beam for rate in _PRISMS)
        azimuth = np.deg2rad(self.width / 4) * (np.cos(first) + np.cos(second))
        elevation = np.deg2rad(self.height / 4) * (np.sin(first) + np.sin(second))
        return Firings(beam, when.astype(np.float32), _towards(azimuth, elevation))


_PRISMS = (121.57, -77.73)
"""Turns per second of the two prisms."""

_SPREAD = 0.13
"""Radians between neighbouring lasers' petals."""


def _towards(azimuth: Floats, elevation: Floats) -> Floats:
    return np.stack(
        [np.cos(elevation) * np.cos(azimuth), np.cos(elevation) * np.sin(azimuth), np.sin(elevation)], 1
    ).astype(np.float32)


def _even(upper: float, lower: float, count: int) -> tuple[float, ...]:
    return tuple(float(v) for v in np.linspace(upper, lower, count))


HDL_64E = Spinning((*_even(2.0, -8.33, 32), *_even(-8.83, -24.33, 32)), 2083, 1.4)
"""Two blocks of lasers; 0.173° a step at 10 Hz."""

SCANNERS: dict[str, Scanner] = {
    "16 beams": Spinning(_even(15.0, -15.0, 16), 1800, farthest=100.0),
    "32 beams": Spinning(_even(10.67, -30.67, 32), 1800, farthest=100.0),
    "40 beams": Spinning((7.0, 5.0, 3.0, *_even(2.0, -6.0, 25), *_even(-7.0, -16.0, 12)), 1800),
    "64 beams": Spinning(_even(16.6, -16.6, 64), 1024),
    "128 beams": Spinning(_even(15.0, -25.0, 128), 1800),
    "raster": Raster(100.0, 25.0, 126, 600),
    "petals": Rosette(100.0, 25.0, 6, 60_000),
}
"""Kinds of LiDAR after those on the market, by what tells them apart."""

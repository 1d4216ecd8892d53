# SPDX-License-Identifier: Apache-2.0
"""A LiDAR's sweep, with the noise, losses and intensities of real ones; `scanners` says where it looks."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from perception.classes import BACKGROUND
from perception.simulation.optics.raycast import Hits, Tracer
from perception.simulation.optics.vectors import Floats, dot, moved, rotated, rows_of
from perception.simulation.optics.weather import Weather
from perception.simulation.sensors.scanners import PERIOD, Firings, Scanner
from perception.simulation.street.surface import MaterialTable, look_up

RANGE_NOISE = 0.02
HALF_SIGNAL = 6e-6
"""Returned signal (reflectivity · cosine / metres²) at which half of the pulses are lost."""


@dataclass
class Sweep:
    """One sweep, compensated for the vehicle's motion to the time of the image.

    points: (N, 4) float32 x, y, z [m] in the LiDAR frame, intensity 0–1. labels: (N,) uint8 class ids, exact.
    """

    points: Floats
    labels: NDArray[np.uint8]


class Lidar:
    """The sensor of one drive. density: share of the pulses that is fired, for small simulations."""

    def __init__(self, table: MaterialTable, scanner: Scanner, density: float = 1.0) -> None:
        self._table, self._scanner, self._density = table, scanner, density

    def sweep(
        self,
        tracer: Tracer,
        weather: Weather,
        pose: Callable[[float], NDArray[np.float64]],
        time: float,
        rng: np.random.Generator,
    ) -> Sweep:
        """One sweep around `time`. pose: time [s] → (4, 4) LiDAR → world."""
        firings = self._scanner.fire(self._density, time)
        rays = _rays(firings, pose, time)
        hits = tracer.cast(rays)
        met = rows_of(rays, hits.ray)
        distance, origin, direction = hits.distance, met[:, :3], met[:, 3:]
        beam = firings.beam[hits.ray]
        strength, intensity = self._returned(hits, direction, beam, weather, rng)
        measured = distance + np.float32(RANGE_NOISE) * rng.standard_normal(len(distance), np.float32)
        heard = strength / (strength + HALF_SIGNAL) > rng.random(len(distance), np.float32)
        heard &= rng.random(len(distance), np.float32) > 0.015
        heard &= (measured > self._scanner.nearest) & (measured < self._scanner.farthest)
        labels = self._table.class_id[hits.material]
        if weather.rain or weather.condition == "fog":
            measured, intensity, labels, heard = _scatter_back(
                measured, intensity, labels, heard, self._scanner.nearest, weather, rng
            )
        world = origin + direction * measured[:, None]
        back = np.linalg.inv(pose(time))
        points = np.empty((int(heard.sum()), 4), np.float32)
        points[:, :3] = moved(world[heard], back)
        points[:, 3] = np.round(np.clip(intensity[heard], 0.0, 0.99), 2)
        return Sweep(points, labels[heard])

    def _returned(
        self, hits: Hits, direction: Floats, beam: NDArray[np.int64], weather: Weather, rng: np.random.Generator
    ) -> tuple[Floats, Floats]:
        """Signal strength, which decides whether a pulse is heard, and the intensity that the sensor reports for it."""
        surface = look_up(hits, self._table, hits.distance * np.float32(0.003))
        cosine = np.abs(dot(hits.normal, direction))
        pattern = surface.albedo.mean(axis=1) / np.maximum(self._table.albedo[hits.material].mean(axis=1), 1e-3)
        reflectivity = self._table.reflectivity[hits.material] * np.clip(0.5 + 0.5 * pattern, 0.6, 1.4)
        reflectivity = reflectivity * (1.0 - 0.9 * surface.glass)
        if weather.wetness:
            reflectivity = reflectivity * (1.0 - 0.6 * weather.wetness * np.clip(hits.normal[:, 2], 0.0, 1.0))
        air = np.exp(-2.0 * np.float32(weather.lidar_extinction) * hits.distance)
        retro = np.maximum(reflectivity - 1.0, 0.0)
        # Mirror-like paint sends most of the pulse elsewhere unless it is met head-on.
        matt = 1.0 - 0.7 * np.clip(surface.specular, 0.0, 1.0) * (1.0 - cosine)
        strength = (np.minimum(reflectivity, 1.0) * cosine * matt + 3.0 * retro) * air / hits.distance**2
        # The sensor corrects for distance and partly for incidence; beyond 30 m its correction gives out.
        far = np.minimum(1.0, (30.0 / hits.distance) ** 1.6)
        gain = _BEAM_GAIN[beam] * (1.0 + 0.15 * rng.standard_normal(len(cosine), np.float32))
        gain *= rng.random(len(cosine), np.float32) > 0.03
        intensity = 0.8 * reflectivity**0.65 * matt * (0.75 + 0.25 * np.sqrt(cosine)) * far * gain * np.sqrt(air)
        return strength, np.asarray(intensity, np.float32)


def _rays(firings: Firings, pose: Callable[[float], NDArray[np.float64]], time: float) -> Floats:
    """Each pulse starts where the vehicle is at its instant."""
    before, now, after = pose(time - PERIOD / 2), pose(time), pose(time + PERIOD / 2)
    velocity = ((after[:3, 3] - before[:3, 3]) / PERIOD).astype(np.float32)
    rays = np.empty((len(firings.direction), 6), np.float32)
    rays[:, :3] = now[:3, 3].astype(np.float32) + firings.when[:, None] * velocity
    rays[:, 3:] = rotated(firings.direction, now)
    return rays


def _scatter_back(
    measured: Floats,
    intensity: Floats,
    labels: NDArray[np.uint8],
    heard: NDArray[np.bool_],
    nearest: float,
    weather: Weather,
    rng: np.random.Generator,
) -> tuple[Floats, Floats, NDArray[np.uint8], NDArray[np.bool_]]:
    """Some pulses come back early, from fog or drops close to the sensor; those points are background."""
    share = min(0.25, 1.2 * weather.lidar_extinction) if weather.condition == "fog" else 0.012 * weather.rain
    reach = 4.0 if weather.condition == "fog" else 7.0
    early = nearest + rng.exponential(reach, len(measured)).astype(np.float32)
    caught = (rng.random(len(measured), np.float32) < share) & (early < measured - 0.3)
    faint = (0.02 + 0.06 * rng.random(len(measured), np.float32)).astype(np.float32)
    return (
        np.where(caught, early, measured),
        np.where(caught, faint, intensity),
        np.where(caught, np.uint8(BACKGROUND), labels),
        heard | caught,
    )


_BEAM_GAIN = (1.0 + 0.15 * np.random.default_rng(64).standard_normal(128)).astype(np.float32)
"""Every laser reports its own idea of intensity, as uncalibrated units do."""

# SPDX-License-Identifier: Apache-2.0
"""A depth camera with its own light (time of flight, structured light): short range, blind in the sun."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from perception.simulation.optics.raycast import Tracer
from perception.simulation.optics.vectors import Floats, dot, rows_of
from perception.simulation.optics.weather import Weather
from perception.simulation.sensors.camera import View

NEAREST = 0.2
"""Metres below which there is no depth."""

SUNSHINE = 6.0
"""How much more a sunlit surface sends of the sun's light than of the sensor's own, at full sun and at the range."""


@dataclass(frozen=True)
class TimeOfFlight:
    """One such sensor. range: metres beyond which there is no depth. beside: metres from the lens to its own lamp."""

    range: float
    beside: float

    def measure(
        self, view: View, tracer: Tracer, pose: NDArray[np.float64], weather: Weather, rng: np.random.Generator
    ) -> NDArray[np.float32]:
        """(H, W) float32 metres along the optical axis, NaN where there is none. pose: (4, 4) optical frame → world."""
        shape = view.depth.shape
        depth = np.full(view.depth.size, np.nan, np.float32)
        signal = self._signal(view, weather)
        grain = cv2.GaussianBlur(rng.standard_normal(shape, np.float32), (0, 0), 1.0) * np.float32(3.5)
        rows = np.flatnonzero(signal > 1.0 + 0.25 * grain.ravel()[view.hits.ray])
        rows = rows[~self._in_shadow(view, tracer, pose, rows)]
        depth[view.hits.ray[rows]] = view.hits.distance[rows]
        depth = _with_flying_pixels(depth.reshape(shape), view.depth, rng)
        strength = np.ones(view.depth.size, np.float32)
        strength[view.hits.ray] = np.maximum(signal, 1.0)
        deviation = 0.004 + 0.004 * depth * depth / np.sqrt(strength.reshape(shape))
        depth += deviation * rng.standard_normal(shape, np.float32)
        depth[(depth < NEAREST) | (depth > self.range)] = np.nan
        return np.asarray(depth, np.float32)

    def _signal(self, view: View, weather: Weather) -> Floats:
        """(H,) what each hit returns of the lamp's light, over what is needed; panes and black things return little."""
        hits, surface = view.hits, view.surface
        cosine = np.clip(-dot(rows_of(view.direction, hits.ray), hits.normal), 0.0, 1.0)
        matt = (1.0 - 0.7 * np.clip(surface.specular, 0.0, 1.0) * (1.0 - cosine)) * (1.0 - 0.97 * surface.glass)
        air = np.exp(-2.0 * np.float32(weather.extinction) * hits.distance)
        returned = 9.0 * surface.albedo.mean(axis=1) * np.sqrt(cosine) * matt * air
        returned *= np.square(np.float32(self.range) / hits.distance)
        sunshine = view.sunlight * np.float32(weather.sun.mean() / 3.0)
        return np.asarray(returned / (1.0 + SUNSHINE * sunshine), np.float32)

    def _in_shadow(
        self, view: View, tracer: Tracer, pose: NDArray[np.float64], rows: NDArray[np.int64]
    ) -> NDArray[np.bool_]:
        """(K,) whether something nearer keeps the lamp's light from the hits `rows` (K,)."""
        rays = np.empty((len(rows), 6), np.float32)
        rays[:, :3] = pose[:3, 3] + self.beside * pose[:3, 0]
        rays[:, 3:] = view.hits.position[rows] - rays[:, :3]
        reached = np.full(len(rows), np.inf, np.float32)
        hits = tracer.cast(rays)
        reached[hits.ray] = hits.distance
        return np.asarray(reached < 0.98)


def _with_flying_pixels(depth: Floats, true: Floats, rng: np.random.Generator) -> Floats:
    """At edges a pixel sees both the near and the far thing: depth comes out between them, or not at all."""
    far_limit = np.minimum(true, np.float32(1e3))
    window = np.ones((3, 3), np.uint8)
    near, far = cv2.erode(far_limit, window), cv2.dilate(far_limit, window)
    edge = (far > 1.06 * near + 0.05) & np.isfinite(depth)
    lot = rng.random(depth.shape, np.float32)
    mixed = near + np.square(rng.random(depth.shape, np.float32)) * (np.minimum(far, near + 3.0) - near)
    flying = np.where(lot < 0.6, mixed, np.float32(np.nan))
    return np.asarray(np.where(edge & (lot < 0.8), flying, depth), np.float32)


def draw_time_of_flight(rng: np.random.Generator) -> TimeOfFlight:
    """Any such sensor."""
    return TimeOfFlight(range=float(rng.uniform(4.0, 12.0)), beside=float(rng.uniform(0.02, 0.1)))

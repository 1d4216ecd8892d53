# SPDX-License-Identifier: Apache-2.0
"""The light from surfaces to the camera: sun and shadows, sky, lamps, headlights, reflections."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from perception.simulation.optics.raycast import Hits, Tracer
from perception.simulation.optics.sky import mirrored, sky
from perception.simulation.optics.vectors import Floats, dot, normalised, reflected, rows_of
from perception.simulation.optics.weather import Weather
from perception.simulation.sensors.noise import noise
from perception.simulation.street.surface import MaterialTable, Surface
from perception.simulation.things import textures

LIFT = np.float32(0.02)
"""Metres by which secondary rays start off the surface, so that it does not shadow itself."""

LAMP_REACH, LAMPS_AT_ONCE = 28.0, 10
LAMP_COLOUR = np.array([4.2, 3.0, 1.7], np.float32)
HEADLIGHT_COLOUR = np.array([7.0, 6.8, 6.2], np.float32)

_PAVED = np.isin(textures.NAMES, ("asphalt", "marking", "concrete", "paving", "brick", "metal")).astype(np.float32)
"""1 for the patterns of ground on which water stands as a film."""


@dataclass
class Lighting:
    """The lights of one frame.

    lamps: (L, 3) world positions. ego: (4, 4) pose of the sensing vehicle, which carries headlights.
    """

    tracer: Tracer
    table: MaterialTable
    weather: Weather
    lamps: NDArray[np.float32]
    ego: NDArray[np.float64]

    def sunlight(self, hits: Hits, surface: Surface) -> Floats:
        """(H,) cosine of the sun's incidence, 0 in shadow. Leaves let some of it through."""
        cosine = dot(hits.normal, self.weather.to_sun)
        leaves = surface.texture == textures.LEAVES
        cosine[leaves] = np.where(cosine[leaves] > 0, 0.25 + 0.75 * cosine[leaves], -0.3 * cosine[leaves])
        cosine = np.maximum(cosine, 0.0)
        if self.weather.sun.max() < 0.02:
            return np.zeros_like(cosine)
        rows = np.flatnonzero(cosine > 0)
        rays = np.empty((len(rows), 6), np.float32)
        rays[:, :3] = rows_of(hits.position, rows) + rows_of(hits.normal, rows) * LIFT
        rays[:, 3:] = self.weather.to_sun
        cosine[rows[self.tracer.blocked(rays)]] = 0.0
        return np.asarray(cosine, np.float32)

    def open_sky(self, hits: Hits, rows: NDArray[np.int64], number: NDArray[np.int64]) -> Floats:
        """(K,) 0 or 1: whether one ray from each of the hits `rows` (K,) gets to the sky.

        The rays' directions, the `number`th (K,) of DIRECTIONS each, are spread by the cosine about the normal.
        """
        normal = rows_of(hits.normal, rows)
        rays = np.empty((len(rows), 6), np.float32)
        rays[:, :3] = rows_of(hits.position, rows) + normal * LIFT
        rays[:, 3:] = normal + rows_of(DIRECTIONS, number) * np.float32(0.98)
        return 1.0 - self.tracer.blocked(rays).astype(np.float32)

    def radiance(self, hits: Hits, surface: Surface, view: Floats, sunlight: Floats, open_sky: Floats) -> Floats:
        """(H, 3) linear RGB that the surfaces send back along `view`, the unit directions (H, 3) they are seen in."""
        weather = self.weather
        up = (0.5 + 0.5 * hits.normal[:, 2])[:, None]
        sky_light, ground_light = self._ambient()
        seen = open_sky[:, None]
        light = seen * (up * sky_light + (1 - up) * ground_light) + (1 - seen) * 0.55 * ground_light
        light += sunlight[:, None] * weather.sun
        if weather.glow > 0.2:
            light += weather.glow * self._lamps(hits)
            light += weather.glow * self._headlights(hits)
        albedo = surface.albedo
        wet = np.zeros(len(albedo), np.float32)
        if weather.wetness:
            flat = np.clip((hits.normal[:, 2] - 0.8) * 5.0, 0.0, 1.0)
            wet = flat * _PAVED[surface.texture] * np.float32(weather.wetness)
            albedo = albedo * (1.0 - 0.45 * wet)[:, None]
        colour = albedo * light + surface.glow * np.float32(weather.glow)
        self._add_gloss(colour, hits, surface.specular * (1.0 - wet), view, sunlight, open_sky)
        self._add_puddles(colour, hits, wet, view)
        return colour

    def _ambient(self) -> tuple[Floats, Floats]:
        """(3,) light from the whole sky on a surface that faces up, and from the ground on one that faces down."""
        weather = self.weather
        clouds = 0.15 * (weather.cloud - weather.zenith) * weather.cloudiness
        sky_light = weather.zenith * 0.6 + weather.horizon * 0.4 + clouds
        ground_light = 0.14 * (sky_light + weather.sun * max(float(weather.to_sun[2]), 0.0))
        return sky_light.astype(np.float32), ground_light.astype(np.float32)

    def _add_gloss(
        self, colour: Floats, hits: Hits, specular: Floats, view: Floats, sunlight: Floats, open_sky: Floats
    ) -> None:
        """Paint and panes mirror the sky and the sun."""
        rows = np.flatnonzero(specular > 0.06)
        mirror, cosine = reflected(rows_of(view, rows), rows_of(hits.normal, rows))
        strength = specular[rows] * _fresnel(cosine)
        highlight = np.maximum(dot(mirror, self.weather.to_sun), 0.0) ** 90 * (sunlight[rows] > 0) * 6.0
        seen = np.maximum(open_sky[rows], 0.25)[:, None]
        light = mirrored(mirror, self.weather) * seen + highlight[:, None] * self.weather.sun
        colour[rows] += strength[:, None] * (light - 0.3 * colour[rows])

    def _add_puddles(self, colour: Floats, hits: Hits, wet: Floats, view: Floats) -> None:
        """Wet ground mirrors the street itself, so these rays are traced; what they meet is shaded simply."""
        rows = np.flatnonzero(wet > 0.05)
        if len(rows) == 0:
            return
        position = hits.position[rows]
        puddle = 0.5 + 0.5 * np.clip(noise(position[:, 0], position[:, 1], 13.0, 1.2), -1.0, 1.0)
        ripple = 0.02 + 0.05 * (1.0 - puddle)
        normal = hits.normal[rows].copy()
        normal[:, 0] += ripple * noise(position[:, 0], position[:, 1], 1.9, 0.3)
        normal[:, 1] += 0.5 * ripple * noise(position[:, 1], position[:, 0], 2.3, 0.3)
        mirror, cosine = reflected(view[rows], normalised(normal))
        mirror[:, 2] = np.maximum(mirror[:, 2], 0.005)
        there = self.tracer.cast(np.concatenate([position + hits.normal[rows] * LIFT, mirror], 1))
        light = sky(mirror, self.weather)
        sky_light, ground_light = self._ambient()
        material = there.material
        shade = 0.5 * sky_light + ground_light
        light[there.ray] = self.table.albedo[material] * shade + self.table.glow[material] * self.weather.glow
        strength = wet[rows] * (0.3 + 0.7 * puddle) * _fresnel(cosine)
        colour[rows] += strength[:, None] * (light - 0.5 * colour[rows])

    def _lamps(self, hits: Hits) -> Floats:
        total = np.zeros_like(hits.position)
        here = self.ego[:3, 3] + 12.0 * self.ego[:3, 0]
        nearest = np.argsort(np.linalg.norm(self.lamps - here, axis=1), kind="stable")[:LAMPS_AT_ONCE]
        for lamp in self.lamps[nearest]:
            rows = np.flatnonzero(np.abs(hits.position[:, 0] - lamp[0]) < LAMP_REACH)
            total[rows] += LAMP_COLOUR * _falloff(hits, rows, lamp, np.array([0, 0, -1], np.float32), 1.2)[:, None]
        return total

    def _headlights(self, hits: Hits) -> Floats:
        pose = self.ego.astype(np.float32)
        beam = pose[:3, 0] - np.float32(0.045) * pose[:3, 2]
        total = np.zeros_like(hits.position)
        for side in (0.6, -0.6):
            lamp = pose[:3, :3] @ np.array([1.8, side, 0.65], np.float32) + pose[:3, 3]
            total += HEADLIGHT_COLOUR * _falloff(hits, slice(None), lamp, beam, 14.0)[:, None]
        return total


def _falloff(hits: Hits, rows: NDArray[np.int64] | slice, lamp: Floats, beam: Floats, narrowness: float) -> Floats:
    """Irradiance of a unit lamp: inverse square, Lambert's cosine, and a cone around `beam`."""
    towards = lamp - hits.position[rows]
    square = dot(towards, towards) + 0.5
    towards /= np.sqrt(square)[:, None]
    cosine = np.maximum(dot(towards, hits.normal[rows]), 0.0)
    cone = np.maximum(-dot(towards, beam), 0.0) ** narrowness
    return np.asarray(cosine * cone / square, np.float32)


def _fresnel(cosine: Floats) -> Floats:
    """Share of light that a smooth surface mirrors, by the cosine of incidence."""
    return np.asarray(0.05 + 0.9 * (1 - np.clip(cosine, 0, 1)) ** 5, np.float32)


def _fibonacci_sphere(count: int) -> Floats:
    """(count, 3) unit vectors spread evenly; normal + unit vector is distributed by the cosine."""
    number = np.arange(count) + 0.5
    z = 1 - 2 * number / count
    angle = np.pi * (1 + 5**0.5) * number
    radius = np.sqrt(1 - z * z)
    return np.stack([radius * np.cos(angle), radius * np.sin(angle), z], 1).astype(np.float32)


DIRECTIONS = _fibonacci_sphere(8)

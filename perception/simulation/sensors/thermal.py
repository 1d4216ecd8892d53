# SPDX-License-Identifier: Apache-2.0
"""A thermal camera: what the surfaces radiate by their temperature, and the cold sky they mirror."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from perception.simulation.optics.sky import cloud_cover
from perception.simulation.optics.vectors import Floats, dot, reflected, rows_of
from perception.simulation.optics.weather import Weather
from perception.simulation.sensors.camera import View
from perception.simulation.sensors.noise import noise, unrolled
from perception.simulation.street.surface import MaterialTable
from perception.simulation.things import textures

DETECTOR_NOISE = 0.06
"""Deviation in kelvin of one pixel."""

_STONE = ("asphalt", "marking", "concrete", "paving", "brick", "plaster", "windows")
_MASSIVE = np.isin(textures.NAMES, _STONE).astype(np.float32)
"""1 for the patterns of things that are slow to cool."""


def see_heat(view: View, table: MaterialTable, weather: Weather, rng: np.random.Generator) -> NDArray[np.uint16]:
    """(H, W) uint16 apparent temperature in hundredths of a kelvin."""
    height, width = view.depth.shape
    image = np.empty(height * width, np.float32)
    hits = view.hits
    image[hits.missed] = sky_temperature(view.direction[hits.missed], weather)
    image[hits.ray] = _surface_temperature(view, table, weather)
    distance = np.where(np.isfinite(view.depth), view.depth, 0.0).ravel()
    kept = np.exp(-np.float32(0.35 * weather.extinction if weather.condition == "fog" else 0.0008) * distance)
    image = weather.air_temperature + kept * (image - weather.air_temperature)
    return _detect(image.reshape(height, width), rng)


def sky_temperature(direction: Floats, weather: Weather) -> Floats:
    """(N,) apparent °C of the sky: coldest overhead, near the air's temperature at the horizon, warmer in clouds."""
    height = np.clip(direction[:, 2], 0.0, 1.0) ** 0.45
    clear = weather.air_temperature + height * (weather.sky_temperature - weather.air_temperature)
    cover = cloud_cover(direction, weather)
    return np.asarray(clear + 0.5 * cover * (weather.air_temperature - 6.0 - clear), np.float32)


def _surface_temperature(view: View, table: MaterialTable, weather: Weather) -> Floats:
    hits, surface = view.hits, view.surface
    darkness = 1.0 - 0.6 * surface.albedo.mean(axis=1)
    massive = _MASSIVE[surface.texture]
    own: Floats = weather.air_temperature + table.warmth[hits.material] + weather.stored_heat * massive
    own += weather.sun_heat * view.sunlight * darkness
    # Open surfaces lose heat to the sky, sheltered ones keep it; sheet metal and leaves have little to lose.
    loss: Floats = (weather.air_temperature - weather.sky_temperature) * (0.16 - 0.11 * massive)
    own -= loss * view.open_sky * np.maximum(hits.normal[:, 2], 0.0)
    mottled: Floats = noise(*unrolled(hits.local, hits.local_normal), 9.0, 0.9)
    own += mottled * (0.35 + 0.03 * weather.sun_heat)
    emissivity = table.emissivity[hits.material] - 0.12 * surface.glass
    direction = rows_of(view.direction, hits.ray)
    # Every surface turns into a mirror at grazing incidence.
    grazing = 1.0 - np.clip(-dot(direction, hits.normal), 0.0, 1.0)
    share = np.minimum((1.0 - emissivity) + 0.3 * np.square(np.square(np.square(grazing))), 0.9)
    rows = np.flatnonzero(share > 0.06)
    mirror, _ = reflected(rows_of(direction, rows), rows_of(hits.normal, rows))
    around = sky_temperature(mirror, weather)
    sheltered = 1.0 - view.open_sky[rows] * np.clip(mirror[:, 2] * 4.0 + 0.3, 0.0, 1.0)
    around += sheltered * (weather.air_temperature - around)
    own[rows] += share[rows] * (around - own[rows])
    return np.asarray(own, np.float32)


def _detect(celsius: Floats, rng: np.random.Generator) -> NDArray[np.uint16]:
    """Half the resolution of the colour camera, a soft lens, pixel and column noise."""
    height, width = celsius.shape
    small = cv2.resize(celsius, (max(width // 2, 1), max(height // 2, 1)), interpolation=cv2.INTER_AREA)
    small = cv2.GaussianBlur(small, (0, 0), 0.6)
    small = small + np.float32(DETECTOR_NOISE) * rng.standard_normal(small.shape, np.float32)
    small = small + np.float32(0.4 * DETECTOR_NOISE) * rng.standard_normal((1, small.shape[1]), np.float32)
    image = cv2.resize(small, (width, height), interpolation=cv2.INTER_LINEAR)
    return np.asarray(np.clip((image + 273.15) * 100.0 + 0.5, 0, 65535), np.uint16)

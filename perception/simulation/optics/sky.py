# SPDX-License-Identifier: Apache-2.0
"""The light that comes from the sky, by direction."""

from __future__ import annotations

import numpy as np

from perception.simulation.optics.vectors import Floats, dot
from perception.simulation.optics.weather import Weather
from perception.simulation.sensors.noise import noise


def sky(direction: Floats, weather: Weather) -> Floats:
    """(N, 3) linear RGB radiance of the sky in unit `direction`s (N, 3); below the horizon, of the haze."""
    height = np.clip(direction[:, 2], 0.0, 1.0)
    towards_zenith = np.sqrt(height)[:, None]
    colour = weather.horizon + towards_zenith * (weather.zenith - weather.horizon)
    cover = cloud_cover(direction, weather)[:, None]
    shade = np.where(cover > 0.7, 1.0 - 0.5 * (cover - 0.7), 1.0)
    colour += cover * (weather.cloud * shade - colour)
    towards_sun = np.maximum(dot(direction, weather.to_sun), 0.0)
    glare = 0.25 * towards_sun**8 + 1.5 * towards_sun**120 + 30.0 * (towards_sun > 0.99996)
    colour += glare[:, None] * (1.0 - 0.9 * cover) * weather.sun * 0.6
    return np.asarray(colour, np.float32)


def cloud_cover(direction: Floats, weather: Weather) -> Floats:
    """(N,) 0–1 how much cloud there is in unit `direction`s (N, 3)."""
    # A layer of clouds, flat overhead and bent down to the horizon; units of the cloud height.
    reach = 1.0 / (np.maximum(direction[:, 2], 0.0) + 0.12)
    x = direction[:, 0] * reach + weather.cloud_offset[0]
    y = direction[:, 1] * reach + weather.cloud_offset[1]
    density = noise(x, y, 14.0, 1.6) + 0.25 * noise(x, y, 3.0, 1.2)
    return np.clip((density + 4.0 * weather.cloudiness - 2.2) * 0.9, 0.0, 1.0)


def mirrored(direction: Floats, weather: Weather) -> Floats:
    """(N, 3) what a glossy surface reflects from `direction`: sky, or the street's dim skyline near the horizon."""
    light = sky(direction, weather)
    open_sky = np.clip((direction[:, 2] - 0.12) / 0.3, 0.0, 1.0)[:, None]
    street = 0.16 * weather.zenith + 0.12 * weather.horizon + 0.05 * weather.sun
    return np.asarray(street + open_sky * (light - street), np.float32)

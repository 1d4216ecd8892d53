# SPDX-License-Identifier: Apache-2.0
"""The conditions a street is driven in: light, air and temperature, varied from drive to drive by the seed."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from perception.errors import PerceptionError

CONDITIONS: tuple[str, ...] = ("day", "dusk", "night", "fog", "rain")

Colour = NDArray[np.float32]


@dataclass(frozen=True)
class Weather:
    """Everything that light and air do to the sensors during one drive.

    to_sun: (3,) unit vector towards the sun, in the world frame. cloudiness: 0 clear – 1 overcast;
    cloud_offset: (2,) which clouds.
    sun, zenith, horizon, cloud, fog: (3,) linear RGB radiance; full sun on a white surface gives about 3.
    extinction: of light by haze, fog or rain, 1/m; lidar_extinction: the same at 905 nm.
    wetness: of the road, 0–1. rain: 0–1. glow: share of the lamps that are on, 0–1.
    air_temperature, sky_temperature: °C. sun_heat: °C that full sun adds to a dark surface. stored_heat: °C that stone
    and asphalt have kept from before.
    key: the brightness that exposure aims at; contrast: exponent of the camera's curve about it.
    white_balance: (3,) gains. noise: of the image sensor, 1 at daylight gain.
    """

    condition: str
    to_sun: Colour
    sun: Colour
    zenith: Colour
    horizon: Colour
    cloud: Colour
    cloudiness: float
    cloud_offset: Colour
    fog: Colour
    extinction: float
    lidar_extinction: float
    wetness: float
    rain: float
    glow: float
    air_temperature: float
    sky_temperature: float
    sun_heat: float
    stored_heat: float
    key: float
    contrast: float
    white_balance: Colour
    noise: float


def rng_for(seed: int, condition: str, *salt: int) -> np.random.Generator:
    """A generator that depends only on what is given, whatever was drawn before."""
    return np.random.default_rng([seed, CONDITIONS.index(condition), *salt])


def weather_for(seed: int, condition: str) -> Weather:
    """The weather of the drive with this `seed`.

    Raises PerceptionError for a condition that is not in CONDITIONS.
    """
    if condition not in CONDITIONS:
        raise PerceptionError(f"unknown condition {condition!r}: choose one of {', '.join(CONDITIONS)}")
    climate, rng = _CLIMATES[condition], rng_for(seed, condition, 1)
    overcast = _cloudiness(climate, rng)
    clear = 1.0 - overcast
    elevation, air = rng.uniform(*climate.elevation), float(rng.uniform(*climate.air))
    low = float(np.clip((30 - elevation) / 30, 0, 1))
    # A low sun is red, and clouds take it away; fog and rain name what is left of it.
    veil = 1.0 if climate.always_overcast else clear**1.5
    sun = climate.sunlight * veil * np.array([1.0, 0.95 - 0.30 * low, 0.88 - 0.60 * low])
    grey = np.array([1.0, 1.02, 1.06])
    zenith = climate.skylight * (np.array(climate.zenith) * clear + 1.15 * grey * overcast)
    horizon = climate.skylight * (np.array(climate.horizon) * clear + 0.95 * grey * overcast)
    horizon *= rng.uniform(*climate.haze)
    cloud = climate.skylight * grey * (0.85 + 1.1 * clear) + 0.25 * sun
    visibility = rng.uniform(*climate.visibility)
    raining = condition == "rain"
    return Weather(
        condition=condition,
        to_sun=_direction(elevation, rng.uniform(0, 360)),
        sun=sun.astype(np.float32),
        zenith=zenith.astype(np.float32),
        horizon=horizon.astype(np.float32),
        cloud=cloud.astype(np.float32),
        cloudiness=overcast,
        cloud_offset=rng.uniform(0, 1000, 2).astype(np.float32),
        fog=horizon.astype(np.float32),
        extinction=3.0 / visibility,
        lidar_extinction=climate.lidar_dimming / visibility,
        wetness=float(rng.uniform(0.6, 1.0)) if raining else 0.0,
        rain=float(rng.uniform(0.4, 1.0)) if raining else 0.0,
        glow=climate.glow,
        air_temperature=air,
        sky_temperature=air - (8 + 24 * clear),
        sun_heat=float(rng.uniform(*climate.sun_heat)) * (1 - 0.8 * overcast),
        stored_heat=float(rng.uniform(*climate.stored_heat)),
        key=float(rng.uniform(0.06, 0.12)) * climate.brightness,
        contrast=float(rng.uniform(1.0, 1.35)),
        white_balance=np.exp(rng.normal(0, 0.06) * np.array([1, 0, -1]) + rng.normal(0, 0.015, 3)).astype(np.float32),
        noise=climate.noise * float(rng.uniform(0.8, 1.3)),
    )


Range = tuple[float, float]


@dataclass(frozen=True)
class _Climate:
    """What a condition leaves to chance, as (lowest, highest), and what it does not. Units as in Weather."""

    elevation: Range
    sunlight: float
    skylight: float
    air: Range
    zenith: tuple[float, float, float] = (0.30, 0.52, 1.0)
    horizon: tuple[float, float, float] = (0.85, 0.98, 1.15)
    haze: Range = (1.0, 1.0)
    always_overcast: bool = False
    visibility: Range = (2500.0, 12000.0)
    lidar_dimming: float = 0.3
    glow: float = 0.03
    sun_heat: Range = (0.0, 0.0)
    stored_heat: Range = (0.5, 0.5)
    brightness: float = 1.0
    noise: float = 1.0


_CLIMATES: dict[str, _Climate] = {
    "day": _Climate((18, 62), 3.2, 1.0, (8, 28), haze=(1.0, 2.0), sun_heat=(9, 24)),
    "dusk": _Climate(
        (3, 9), 1.3, 0.32, (5, 22), (0.35, 0.50, 1.0), (2.0, 1.25, 0.95),
        glow=0.6, sun_heat=(6, 12), stored_heat=(3, 10), brightness=0.85, noise=1.8,
    ),
    "night": _Climate(
        (-20, -20), 0.0, 0.004, (-2, 16), (0.35, 0.50, 1.0), (1.7, 1.3, 1.0),
        glow=1.0, stored_heat=(1, 8), brightness=0.5, noise=3.0,
    ),
    "fog": _Climate(
        (15, 40), 0.12, 0.9, (0, 10), always_overcast=True, visibility=(45, 160), lidar_dimming=2.2, glow=0.25,
        brightness=1.6,
    ),
    "rain": _Climate(
        (20, 50), 0.25, 0.75, (5, 15), always_overcast=True, visibility=(350, 900), lidar_dimming=2.2, glow=0.25,
        brightness=1.2, noise=1.2,
    ),
}  # fmt: skip


def _cloudiness(climate: _Climate, rng: np.random.Generator) -> float:
    if climate.always_overcast:
        return 1.0
    if rng.random() < 0.3:
        return float(rng.uniform(0.85, 1.0))
    return float(rng.uniform(0.0, 0.55))


def _direction(elevation: float, azimuth: float) -> Colour:
    e, a = np.deg2rad([elevation, azimuth])
    return np.array([np.cos(e) * np.cos(a), np.cos(e) * np.sin(a), np.sin(e)], np.float32)

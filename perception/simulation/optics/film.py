# SPDX-License-Identifier: Apache-2.0
"""From light to image: exposure, glow around lamps, rain, lens, sensor noise and the curve to sRGB."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from perception.simulation.optics.vectors import Floats, dot
from perception.simulation.optics.weather import Weather

LUMINANCE = np.array([0.2126, 0.7152, 0.0722], np.float32)
MIDDLE_GREY = 0.14
_CURVE_STEPS = 4096


def develop(radiance: Floats, lit: NDArray[np.bool_], weather: Weather, rng: np.random.Generator) -> NDArray[np.uint8]:
    """(H, W, 3) uint8 sRGB of `radiance` (H, W, 3) linear. lit: (H, W) where there is something other than sky."""
    picture = radiance * (_exposure(radiance, lit, weather) * weather.white_balance)
    if weather.rain:
        _draw_rain(picture, weather, rng)
    if weather.glow > 0.2:
        _bloom(picture)
    picture *= _vignette(picture.shape[0], picture.shape[1])[..., None]
    picture = cv2.GaussianBlur(picture, (0, 0), 0.55 * picture.shape[1] / 1242 + 0.02)
    _add_noise(picture, weather.noise, rng)
    steps = np.clip(picture * _CURVE_STEPS, 0, _CURVE_STEPS).astype(np.uint16)
    return _curve(weather.contrast)[steps]


def _exposure(radiance: Floats, lit: NDArray[np.bool_], weather: Weather) -> float:
    luminance = dot(radiance[lit], LUMINANCE)
    if len(luminance) == 0:
        luminance = dot(radiance.reshape(-1, 3), LUMINANCE)
    typical = np.exp(np.log(luminance + 1e-4).mean())
    return float(weather.key / typical)


def _bloom(picture: Floats) -> None:
    """Lamps that are far too bright spread light around them, as through any windscreen."""
    small = cv2.resize(np.maximum(picture - 1.0, 0.0), None, fx=0.25, fy=0.25, interpolation=cv2.INTER_AREA)
    small = np.minimum(small, 30.0)
    spread = 0.05 * cv2.GaussianBlur(small, (0, 0), 1.5) + 0.04 * cv2.GaussianBlur(small, (0, 0), 8)
    picture += cv2.resize(spread, picture.shape[1::-1], interpolation=cv2.INTER_LINEAR)


def _draw_rain(picture: Floats, weather: Weather, rng: np.random.Generator) -> None:
    """Streaks of nearby drops: brighter than what is dark, and a little out of focus."""
    height, width = picture.shape[:2]
    layer = np.zeros((height, width), np.uint8)
    count = int(700 * weather.rain)
    starts = rng.uniform((0, -0.1), (1, 1), (count, 2)) * (width, height)
    lengths = rng.gamma(2.0, 0.022, count) * height
    slant = rng.normal(0.0, 0.06, count)
    ends = starts + np.stack([slant * lengths, lengths], 1)
    for start, end, strength in zip(starts.astype(int), ends.astype(int), rng.uniform(30, 120, count), strict=True):
        cv2.line(layer, start.tolist(), end.tolist(), int(strength), 1, cv2.LINE_AA)
    cover = cv2.GaussianBlur(layer, (0, 0), 0.7).astype(np.float32)[..., None] / 255.0
    picture += cover * (picture.mean() * 1.3 - 0.8 * picture) * 0.6


def _vignette(height: int, width: int) -> Floats:
    x = np.linspace(-1, 1, width, dtype=np.float32)[None, :]
    y = np.linspace(-1, 1, height, dtype=np.float32)[:, None] * np.float32(height / width)
    return 1.0 - 0.18 * (x * x + y * y)


def _add_noise(picture: Floats, amount: float, rng: np.random.Generator) -> None:
    """Shot noise that grows with the root of the light, and read noise."""
    grain = rng.standard_normal(picture.shape, np.float32)
    grain *= np.sqrt(np.maximum(picture, 0.0) * np.float32(6e-5) + np.float32(2e-6)) * np.float32(amount)
    picture += grain


def _curve(contrast: float) -> NDArray[np.uint8]:
    """Linear light → 8-bit sRGB, with `contrast` about a middle grey and a black level, as cameras have."""
    light = np.linspace(0, 1, _CURVE_STEPS + 1)
    light = np.maximum(light - 0.002, 0.0)
    light = np.minimum(MIDDLE_GREY * (light / MIDDLE_GREY) ** contrast, 1.0)
    srgb = np.where(light <= 0.0031308, 12.92 * light, 1.055 * light ** (1 / 2.4) - 0.055)
    return np.asarray(np.clip(srgb * 255 + 0.5, 0, 255), np.uint8)

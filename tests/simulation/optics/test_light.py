# SPDX-License-Identifier: Apache-2.0
"""Light on the small street of conftest, at places of it whose answer is known."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from perception.simulation.optics.light import DIRECTIONS, HEADLIGHT_COLOUR, Lighting
from perception.simulation.optics.raycast import Hits
from perception.simulation.street.surface import look_up


def look_down(studio: Any, *places: tuple[float, float]) -> Hits:
    """What rays straight down from 20 m above the places (x, y) hit."""
    rays = np.array([[x, y, 20, 0, 0, -1] for x, y in places], np.float32)
    hits: Hits = studio.tracer.cast(rays)
    assert len(hits.ray) == len(places)
    return hits


def lit(studio: Any, **changes: Any) -> Lighting:
    """The studio's lighting under a weather with changes."""
    weather = replace(studio.weather, **changes)
    return Lighting(studio.tracer, studio.table, weather, studio.lighting.lamps, studio.lighting.ego)


def surface_of(studio: Any, hits: Hits) -> Any:
    return look_up(hits, studio.table, np.full(len(hits.ray), 0.01, np.float32))


def test_open_ground_gets_the_sun_by_its_cosine(day: Any) -> None:
    to_sun = np.array([0.6, 0.0, 0.8], np.float32)
    hits = look_down(day, (-20.0, 0.0), (16.0, 0.0))  # asphalt and the roof of the car
    found = lit(day, to_sun=to_sun, sun=np.ones(3, np.float32)).sunlight(hits, surface_of(day, hits))
    np.testing.assert_allclose(found, [0.8, 0.8], atol=1e-5)


def test_behind_the_facade_there_is_shadow(day: Any) -> None:
    """The facade is 12 m high at x = 40; the sun stands beyond it at 45°."""
    to_sun = np.array([np.sqrt(0.5), 0.0, np.sqrt(0.5)], np.float32)
    hits = look_down(day, (30.0, 0.0), (26.0, 0.0), (8.0, 2.0))
    found = lit(day, to_sun=to_sun, sun=np.ones(3, np.float32)).sunlight(hits, surface_of(day, hits))
    assert found[0] == 0
    assert found[1] == pytest.approx(np.sqrt(0.5), abs=1e-5)
    assert found[2] == pytest.approx(np.sqrt(0.5), abs=1e-5)


def test_there_is_no_sun_at_night(night: Any) -> None:
    hits = look_down(night, (-20.0, 0.0))
    assert night.lighting.sunlight(hits, surface_of(night, hits)).tolist() == [0]


def test_open_ground_sees_the_sky_and_the_ground_under_a_car_does_not(day: Any) -> None:
    below = np.array([[17.0, 0.0, 0.05, 0, 0, -1]] * 8 + [[-50.0, 0.0, 0.05, 0, 0, -1]] * 8, np.float32)
    hits = day.tracer.cast(below)
    numbers = np.tile(np.arange(8), 2)
    found = day.lighting.open_sky(hits, np.arange(16), numbers)
    assert found[8:].mean() == 1
    assert found[:8].mean() < 0.5


def test_directions_are_spread_evenly() -> None:
    np.testing.assert_allclose(np.linalg.norm(DIRECTIONS, axis=1), 1, atol=1e-6)
    np.testing.assert_allclose(DIRECTIONS.mean(axis=0), 0, atol=0.12)
    apart = DIRECTIONS @ DIRECTIONS.T - 2 * np.eye(8)
    assert apart.max() < 0.7


def test_radiance_of_matt_ground_is_albedo_by_light(day: Any) -> None:
    """Level ground under an open sky, without clouds, sun and lamps: albedo × (0.6 zenith + 0.4 horizon)."""
    light = lit(day, sun=np.zeros(3, np.float32), cloudiness=0.0, glow=0.0, wetness=0.0)
    hits = look_down(day, (-20.0, 0.0))
    surface = surface_of(day, hits)
    surface.specular[:] = 0
    one, down = np.ones(1, np.float32), np.array([[0, 0, -1]], np.float32)
    found = light.radiance(hits, surface, down, 0 * one, one)
    weather = light.weather
    np.testing.assert_allclose(found, surface.albedo * (0.6 * weather.zenith + 0.4 * weather.horizon), rtol=1e-4)
    sunny = lit(day, sun=np.full(3, 2, np.float32), cloudiness=0.0, glow=0.0, wetness=0.0)
    more = sunny.radiance(hits, surface, down, 0.5 * one, one)
    np.testing.assert_allclose(more - found, surface.albedo * 0.5 * 2, rtol=1e-4)


def test_headlights_light_what_is_ahead(night: Any) -> None:
    hits = look_down(night, (12.0, 0.0), (-12.0, 0.0), (12.0, 30.0))
    surface = surface_of(night, hits)
    surface.specular[:] = 0
    one, down = np.ones(3, np.float32), np.tile(np.array([[0, 0, -1]], np.float32), (3, 1))
    unlit = lit(night, glow=0.0).radiance(hits, surface, down, 0 * one, one)
    light = lit(night, glow=1.0)
    light.lamps = np.zeros((0, 3), np.float32)
    extra = light.radiance(hits, surface, down, 0 * one, one) - unlit
    assert extra[0].min() > 10 * max(extra[1].max(), extra[2].max())
    assert extra[0] / surface.albedo[0] == pytest.approx(HEADLIGHT_COLOUR * (extra[0, 0] / surface.albedo[0, 0] / 7.0))


def test_a_street_lamp_lights_the_ground_below_it(night: Any) -> None:
    """It hangs 6 m above (10, 5): 1 / (6² + 0.5) of its colour straight below, but for its own angle."""
    hits = look_down(night, (10.0, 5.0), (10.0, 12.0), (70.0, 5.0))
    surface = surface_of(night, hits)
    surface.specular[:] = 0
    one, down = np.ones(3, np.float32), np.tile(np.array([[0, 0, -1]], np.float32), (3, 1))
    dark = lit(night, glow=1.0)
    dark.lamps = np.zeros((0, 3), np.float32)
    extra = lit(night, glow=1.0).radiance(hits, surface, down, 0 * one, one)
    extra -= dark.radiance(hits, surface, down, 0 * one, one)
    below = extra[0] / surface.albedo[0]
    square = 6.0**2 + 0.5
    cosine = 6 / np.sqrt(square)
    np.testing.assert_allclose(below, np.array([4.2, 3.0, 1.7]) * cosine**2.2 / square, rtol=1e-3)
    assert 0 < (extra[1] / surface.albedo[1]).max() < below.min()
    np.testing.assert_allclose(extra[2], 0, atol=1e-7)


def test_wet_ground_is_darker_and_mirrors(day: Any) -> None:
    light = dict(sun=np.zeros(3, np.float32), cloudiness=0.0, glow=0.0)
    hits = look_down(day, (-20.0, 0.0))
    surface = surface_of(day, hits)
    one = np.ones(1, np.float32)
    steep, flat = (np.array([v], np.float32) for v in ((0, 0, -1), (0.995, 0, -0.0998)))
    dry, wet = (lit(day, wetness=w, **light) for w in (0.0, 1.0))
    dry_down, wet_down = (each.radiance(hits, surface, steep, 0 * one, one) for each in (dry, wet))
    dry_flat, wet_flat = (each.radiance(hits, surface, flat, 0 * one, one) for each in (dry, wet))
    assert (wet_flat - wet_down > dry_flat - dry_down).all()  # a grazing view of a film mirrors the sky

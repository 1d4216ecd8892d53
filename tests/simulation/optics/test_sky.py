# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from perception.simulation.optics.sky import cloud_cover, mirrored, sky
from perception.simulation.optics.weather import weather_for

CLEAR = replace(weather_for(0, "day"), cloudiness=0.0)
DARK = replace(CLEAR, sun=np.zeros(3, np.float32))
UP = np.array([[0, 0, 1]], np.float32)


def directions(count: int = 2000) -> np.ndarray:
    found = np.random.default_rng(0).normal(size=(count, 3))
    found[:, 2] = np.abs(found[:, 2])
    return (found / np.linalg.norm(found, axis=1, keepdims=True)).astype(np.float32)


def cloudless(found: np.ndarray) -> np.ndarray:
    return found[cloud_cover(found, CLEAR) == 0]


def test_overhead_is_the_zenith_and_level_the_horizon() -> None:
    still = replace(DARK, cloudiness=-9.0)
    np.testing.assert_allclose(sky(UP, still)[0], still.zenith, rtol=1e-5)
    np.testing.assert_allclose(sky(np.array([[1, 0, 0]], np.float32), still)[0], still.horizon, rtol=1e-5)
    np.testing.assert_allclose(sky(np.array([[0.8, 0, -0.6]], np.float32), still)[0], still.horizon, rtol=1e-5)
    quarter = np.array([[np.sqrt(1 - 0.0625), 0, 0.25]], np.float32)
    np.testing.assert_allclose(sky(quarter, still)[0], (still.zenith + still.horizon) / 2, rtol=1e-5)


def test_the_sun_is_where_the_weather_has_it() -> None:
    found = cloudless(directions())
    weather = replace(CLEAR, cloudiness=-9.0)
    extra = sky(found, weather) - sky(found, replace(DARK, cloudiness=-9.0))
    brightest = found[extra.sum(axis=1).argmax()]
    assert brightest @ weather.to_sun > 0.95
    disk = sky(weather.to_sun[None], weather)[0]
    assert (disk > 15 * weather.sun).all()
    behind = found[found @ weather.to_sun < 0]
    np.testing.assert_allclose(sky(behind, weather), sky(behind, replace(DARK, cloudiness=-9.0)), atol=1e-5)


@pytest.mark.parametrize("share", [0.0, 0.3, 0.6, 1.0])
def test_the_more_clouds_the_more_of_the_sky_is_covered(share: float) -> None:
    cover = cloud_cover(directions(), replace(CLEAR, cloudiness=share))
    assert cover.min() >= 0
    assert cover.max() <= 1
    more = cloud_cover(directions(), replace(CLEAR, cloudiness=share + 0.2))
    assert (more >= cover).all()
    assert more.mean() > cover.mean() or cover.min() == 1


def test_an_overcast_sky_hides_the_sun() -> None:
    weather = replace(CLEAR, cloudiness=9.0)
    disk, beside = sky(weather.to_sun[None], weather), sky(-weather.to_sun[None] * [[1, 1, -1]], weather)
    clear = sky(weather.to_sun[None], replace(CLEAR, cloudiness=-9.0))
    assert (disk < 0.2 * clear).all()
    assert (beside <= weather.cloud + 1e-4).all()


def test_glossy_things_mirror_the_sky_above_and_the_street_below() -> None:
    weather = replace(DARK, cloudiness=-9.0)
    steep = np.array([[0.6, 0, 0.8]], np.float32)
    np.testing.assert_allclose(mirrored(steep, weather), sky(steep, weather), rtol=1e-5)
    level = mirrored(np.array([[1, 0, 0.05]], np.float32), weather)[0]
    np.testing.assert_allclose(level, 0.16 * weather.zenith + 0.12 * weather.horizon, rtol=1e-5)

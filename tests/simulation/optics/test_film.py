# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from perception.simulation.optics.film import MIDDLE_GREY, develop
from perception.simulation.optics.weather import Weather, weather_for

CLEAR = replace(
    weather_for(0, "day"), key=MIDDLE_GREY, contrast=1.0, white_balance=np.ones(3, np.float32), noise=0.0, glow=0.0
)
LIT = np.ones((40, 60), bool)


def shot(radiance: np.ndarray, weather: Weather = CLEAR, lit: np.ndarray = LIT, seed: int = 0) -> np.ndarray:
    return develop(radiance.astype(np.float32), lit, weather, np.random.default_rng(seed))


@pytest.mark.parametrize("light", [0.01, 1.0, 300.0])
def test_exposure_makes_any_even_light_middle_grey(light: float) -> None:
    """0.14 of linear light, less the black level, is 103 of 255 in sRGB."""
    image = shot(np.full((40, 60, 3), light))
    assert (image.shape, image.dtype) == ((40, 60, 3), np.uint8)
    expected = 255 * (1.055 * 0.138 ** (1 / 2.4) - 0.055)
    np.testing.assert_allclose(image[18:22, 28:32], expected, atol=2)


def test_the_corners_are_darker_than_the_middle() -> None:
    image = shot(np.ones((40, 60, 3)))
    assert image[0, 0, 0] < image[20, 30, 0] - 5
    np.testing.assert_allclose(image[0, 0], image[-1, -1], atol=1)


def test_twice_the_light_is_twice_the_linear_value() -> None:
    """A twelfth of the picture has twice the light, and exposure is by the mean of the logarithm."""
    radiance = np.ones((40, 60, 3))
    radiance[15:25, 20:40] = 2.0
    before, after = (
        ((shot(r)[20, 30, 0] / 255 + 0.055) / 1.055) ** 2.4 + 0.002 for r in (np.ones((40, 60, 3)), radiance)
    )
    assert after / before == pytest.approx(2 / 2 ** (1 / 12), rel=0.02)


def test_exposure_is_by_what_is_lit_and_not_by_the_sky() -> None:
    radiance = np.ones((40, 60, 3))
    radiance[:20] = 50.0
    below = LIT.copy()
    below[:20] = False
    image = shot(radiance, lit=below)
    assert image[5, 30].min() > 250
    assert image[30, 30, 0] == pytest.approx(shot(np.ones((40, 60, 3)))[30, 30, 0], abs=2)
    assert shot(radiance)[30, 30, 0] < image[30, 30, 0]
    assert shot(radiance, lit=np.zeros_like(LIT)).std() > 0  # nothing but sky is exposed by the sky


def test_white_balance_is_by_channel() -> None:
    warm = replace(CLEAR, white_balance=np.array([1.2, 1.0, 0.8], np.float32))
    red, green, blue = shot(np.ones((40, 60, 3)), warm)[20, 30].astype(int)
    assert red > green > blue


def test_noise_grows_with_its_amount_and_its_seed_says_which() -> None:
    grey = np.ones((40, 60, 3))
    spreads = [shot(grey, replace(CLEAR, noise=amount))[15:25, 25:35].std() for amount in (0.0, 2.0, 6.0)]
    assert spreads[0] < 1 < spreads[1] < spreads[2]
    noisy = replace(CLEAR, noise=3.0)
    np.testing.assert_array_equal(shot(grey, noisy), shot(grey, noisy))
    assert (shot(grey, noisy) != shot(grey, noisy, seed=1)).any()


def test_lamps_that_are_too_bright_glow_into_the_dark() -> None:
    night = np.full((80, 120, 3), 0.02)
    night[38:42, 58:62] = 60.0
    lit = np.ones((80, 120), bool)
    off, on = (shot(night, replace(CLEAR, glow=glow), lit).astype(int) for glow in (0.0, 1.0))
    assert on[46, 60, 0] > off[46, 60, 0] + 10
    assert on[5, 5, 0] <= off[5, 5, 0] + 5


def test_rain_draws_streaks() -> None:
    dark = np.full((80, 120, 3), 1.0)
    dark[:, :60] = 0.05
    lit = np.ones((80, 120), bool)
    dry, wet = (shot(dark, replace(CLEAR, rain=rain), lit).astype(int) for rain in (0.0, 1.0))
    assert (np.abs(wet - dry).max(axis=2) > 3).mean() > 0.05
    assert wet[:, 5:55].mean() > dry[:, 5:55].mean()  # drops are brighter than the dark

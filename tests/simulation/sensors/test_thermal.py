# SPDX-License-Identifier: Apache-2.0
from typing import Any

import numpy as np
import pytest

from perception.classes import PEDESTRIAN, ROAD
from perception.simulation.sensors.thermal import see_heat, sky_temperature


@pytest.mark.parametrize("light", ["day", "night"])
def test_people_are_warmer_than_the_street_by_day_and_by_night(light: str, request: Any) -> None:
    studio = request.getfixturevalue(light)
    image = see_heat(studio.view, studio.table, studio.weather, np.random.default_rng(0))
    assert image.dtype == np.uint16
    celsius = image / 100.0 - 273.15
    person, road = celsius[studio.view.labels == PEDESTRIAN], celsius[studio.view.labels == ROAD]
    assert np.median(person) == pytest.approx(studio.weather.air_temperature + 14.0, abs=6.0 + studio.weather.sun_heat)
    # The sun may heat the road as far as a person: only by night is the order sure.
    if light == "night":
        assert np.median(person) > np.median(road) + 5.0


def test_the_sky_is_cold_and_coldest_overhead(day: Any) -> None:
    up, level = sky_temperature(np.array([[0, 0, 1], [1, 0, 0.02]], np.float32), day.weather)
    assert up < level <= day.weather.air_temperature

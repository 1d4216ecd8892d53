# SPDX-License-Identifier: Apache-2.0
import numpy as np
import pytest

from perception.errors import PerceptionError
from perception.simulation.optics.weather import CONDITIONS, weather_for


@pytest.mark.parametrize("condition", CONDITIONS)
def test_one_seed_has_one_weather(condition: str) -> None:
    first, second, other = weather_for(3, condition), weather_for(3, condition), weather_for(4, condition)
    assert repr(first) == repr(second)
    assert repr(first) != repr(other)
    assert np.linalg.norm(first.to_sun) == pytest.approx(1.0, abs=1e-5)


def test_conditions_differ_as_they_should() -> None:
    for seed in range(20):
        day, night, fog, rain = (weather_for(seed, c) for c in ("day", "night", "fog", "rain"))
        assert night.sun.max() == 0.0
        assert night.zenith.max() < 0.05 * day.zenith.max()
        assert fog.extinction > 5 * day.extinction
        assert rain.wetness > 0 == day.wetness
        assert day.sky_temperature < day.air_temperature


def test_an_unknown_condition_is_refused() -> None:
    with pytest.raises(PerceptionError, match=r"snow.*day, dusk, night, fog, rain"):
        weather_for(0, "snow")

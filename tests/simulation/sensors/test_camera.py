# SPDX-License-Identifier: Apache-2.0
from typing import Any

import numpy as np
import pytest

from perception.classes import BACKGROUND, PEDESTRIAN, ROAD, VEHICLE
from perception.simulation.optics.film import LUMINANCE, develop
from perception.simulation.optics.weather import rng_for


def _pixel(studio: Any, forward: float, left: float, up: float) -> tuple[int, int]:
    """Row and column at which a point of the ego frame is seen."""
    x, y, w = studio.camera.model.intrinsics @ [-left, 1.65 - up, forward]
    return round(y / w), round(x / w)


def _brightness(studio: Any) -> Any:
    radiance = studio.camera.expose(studio.view, studio.tracer, studio.lighting, studio.pose)
    return radiance @ LUMINANCE


def test_depth_and_labels_are_exact(day: Any) -> None:
    depth, labels = day.view.depth, day.view.labels
    for point, distance, label in (
        ((15.0, 0.0, 1.0), 15.0, VEHICLE),
        ((7.85, 2.0, 1.0), 7.85, PEDESTRIAN),
        ((9.0, -1.0, 0.0), 9.0, ROAD),
        ((40.0, -5.0, 5.0), 40.0, BACKGROUND),
    ):
        row, column = _pixel(day, *point)
        assert labels[row, column] == label
        assert depth[row, column] == pytest.approx(distance, rel=0.03)


def test_the_sky_is_background_without_depth(day: Any) -> None:
    sky = ~np.isfinite(day.view.depth)
    assert (day.view.labels[sky] == BACKGROUND).all()


def test_shadows_are_darker_than_sunlit_ground(day: Any) -> None:
    hits, light = day.view.hits, day.view.sunlight
    road = (day.view.labels.ravel()[hits.ray] == ROAD) & (hits.distance < 20)
    lit, shaded = road & (light > 0), road & (light == 0)
    assert lit.any()
    assert shaded.any()
    brightness = _brightness(day).ravel()[hits.ray]
    assert brightness[shaded].mean() < 0.6 * brightness[lit].mean()


def test_headlights_light_the_road_near_the_vehicle_by_night(night: Any) -> None:
    brightness = _brightness(night)
    near, far = _pixel(night, 9.0, -0.5, 0.0), _pixel(night, 35.0, -6.0, 0.0)
    assert brightness[near] > 3 * brightness[far]


def test_fog_takes_contrast_away_with_distance(day: Any, fog: Any) -> None:
    def contrast(studio: Any) -> float:
        facade = np.abs(studio.view.depth - 40.0) < 0.5
        brightness = _brightness(studio)[facade]
        return float(brightness.std() / brightness.mean())

    assert contrast(fog) < 0.5 * contrast(day)


@pytest.mark.parametrize("condition", ["day", "dusk", "night", "fog", "rain"])
def test_images_are_well_exposed(condition: str, request: Any) -> None:
    from perception.simulation.optics.weather import weather_for

    radiance = np.random.default_rng(0).lognormal(-3, 0.7, (60, 200, 3)).astype(np.float32)
    image = develop(radiance, np.ones((60, 200), bool), weather_for(1, condition), rng_for(1, condition, 9))
    assert image.dtype == np.uint8
    assert image.shape == (60, 200, 3)
    assert 25 < image.mean() < 180
    assert (image == 255).mean() < 0.1

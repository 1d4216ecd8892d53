# SPDX-License-Identifier: Apache-2.0
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from perception.classes import PEDESTRIAN
from perception.simulation import SimulatedDrive
from perception.simulation.sensors.tof import TimeOfFlight, draw_time_of_flight

SENSOR = TimeOfFlight(range=10.0, beside=0.08)


def _depth(studio: Any, sensor: TimeOfFlight = SENSOR) -> Any:
    return sensor.measure(studio.view, studio.tracer, studio.pose, studio.weather, np.random.default_rng(0))


def test_nothing_is_measured_beyond_the_range(night: Any) -> None:
    for reach in (7.0, 12.0):
        depth = _depth(night, TimeOfFlight(reach, 0.05))
        assert depth.dtype == np.float32
        assert 0.8 * reach < np.nanmax(depth) <= reach


def test_noise_grows_with_distance(night: Any) -> None:
    error = _depth(night) - night.view.depth
    inside = night.view.labels != PEDESTRIAN
    near, far = (inside & (np.abs(night.view.depth - z) < 0.5) for z in (5.5, 7.5))
    assert abs(np.nanmedian(error[near])) < 0.02
    assert 0.01 < np.nanstd(error[near]) < np.nanstd(error[far]) < 0.4


def test_the_sun_blinds_it(day: Any, night: Any) -> None:
    within = night.view.depth < 8
    lit = np.zeros(day.view.depth.size, bool)
    lit[day.view.hits.ray] = day.view.sunlight > 0.3
    sunlit = within & lit.reshape(within.shape)
    assert sunlit.sum() > 500
    by_day, by_night = (np.isfinite(_depth(studio)[sunlit]).mean() for studio in (day, night))
    assert by_day < 0.1 < 0.35 < by_night


def test_a_near_thing_throws_the_lamps_shadow_on_its_one_side(night: Any) -> None:
    wide = _depth(night, TimeOfFlight(10.0, 1.0))  # a lamp far to the right: the shadow is wide, and on the left
    row, column = (int(v.mean()) for v in np.nonzero(night.view.labels == PEDESTRIAN))
    left, right = wide[row + 15 :, column - 18 : column - 8], wide[row + 15 :, column + 8 : column + 18]
    assert np.isfinite(left).mean() < np.isfinite(right).mean()


def test_edges_have_pixels_that_fly_between_near_and_far(night: Any) -> None:
    depth, true = _depth(night), night.view.depth
    between = (np.abs(depth - true) > 0.3) & np.isfinite(depth)
    assert 5 < between.sum() < 0.02 * depth.size


def test_drawn_sensors_reach_4_to_12_metres() -> None:
    reach = [draw_time_of_flight(np.random.default_rng(seed)).range for seed in range(200)]
    assert (min(reach), max(reach)) == (pytest.approx(4, abs=0.2), pytest.approx(12, abs=0.2))


def test_panes_and_black_paint_return_nothing(night: Any) -> None:
    surface = night.view.surface
    assert np.isfinite(_depth(night)).any()
    for hidden in (replace(surface, glass=np.ones_like(surface.glass)), replace(surface, albedo=0.05 * surface.albedo)):
        studio = replace(night, view=replace(night.view, surface=hidden))
        # A few pixels of the near person's edge may still fly.
        assert np.isfinite(_depth(studio)).mean() < 0.001


def test_a_robots_street_by_night() -> None:
    drive = SimulatedDrive(9, "night", 4, rate_hz=0.8, scale=0.2, rig="robot", depth="tof")
    depth: Any = drive[1].frame.depth
    assert 0.05 < np.isfinite(depth).mean() < 0.8
    assert np.nanmax(depth) <= 12.0

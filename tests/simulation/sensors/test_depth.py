# SPDX-License-Identifier: Apache-2.0
from typing import Any

import numpy as np
import pytest

from perception.simulation.sensors.depth import DEPTHS, RANGE, measure_depth, which_depth

LEVER = 721.5377 * 0.54


def test_noise_grows_with_distance_and_stays_small(day: Any) -> None:
    measured = measure_depth(day.view, day.weather, LEVER, np.random.default_rng(0))
    error = measured - day.view.depth
    near = np.abs(day.view.depth - 8.0) < 1.5
    far = np.abs(day.view.depth - 40.0) < 0.5
    assert 0 < np.nanstd(error[near]) < 0.2
    assert 2 * np.nanstd(error[near]) < np.nanstd(error[far]) < 4.0
    assert abs(np.nanmean(error[near])) < 0.02


def test_what_cannot_be_measured_is_nan(day: Any, fog: Any) -> None:
    measured = measure_depth(day.view, day.weather, LEVER, np.random.default_rng(0))
    assert measured.dtype == np.float32
    assert np.isnan(measured[~np.isfinite(day.view.depth)]).all()
    assert np.nanmax(measured) <= RANGE
    holes = np.isnan(measured[np.isfinite(day.view.depth)]).mean()
    assert 0 < holes < 0.15
    in_fog = np.isnan(measure_depth(fog.view, fog.weather, LEVER, np.random.default_rng(0)))
    assert in_fog[np.isfinite(fog.view.depth)].mean() > holes


def test_a_shorter_stereo_base_measures_worse(day: Any) -> None:
    wall = np.abs(day.view.depth - 40.0) < 0.5
    errors = [
        np.nanstd((measure_depth(day.view, day.weather, lever, np.random.default_rng(0)) - day.view.depth)[wall])
        for lever in (LEVER, LEVER / 2)
    ]
    assert errors[1] == pytest.approx(2 * errors[0], rel=0.05)


def test_any_is_mostly_stereo_and_never_two_kinds_for_one_seed() -> None:
    kinds = [which_depth("any", seed) for seed in range(300)]
    assert kinds == [which_depth("any", seed) for seed in range(300)]
    assert [round(kinds.count(kind) / 300, 1) for kind in DEPTHS] == [0.2, 0.6, 0.2, 0.0]  # ideal, stereo, tof, any
    assert which_depth("tof", 3) == "tof"

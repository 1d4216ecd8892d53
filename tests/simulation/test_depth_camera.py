# SPDX-License-Identifier: Apache-2.0
from typing import Any

import numpy as np

from perception.simulation.depth import RANGE, measure_depth


def test_noise_grows_with_distance_and_stays_small(day: Any) -> None:
    measured = measure_depth(day.view, day.weather, np.random.default_rng(0))
    error = measured - day.view.depth
    near = np.abs(day.view.depth - 8.0) < 1.5
    far = np.abs(day.view.depth - 40.0) < 0.5
    assert 0 < np.nanstd(error[near]) < 0.2
    assert 2 * np.nanstd(error[near]) < np.nanstd(error[far]) < 4.0
    assert abs(np.nanmean(error[near])) < 0.02


def test_what_cannot_be_measured_is_nan(day: Any, fog: Any) -> None:
    measured = measure_depth(day.view, day.weather, np.random.default_rng(0))
    assert measured.dtype == np.float32
    assert np.isnan(measured[~np.isfinite(day.view.depth)]).all()
    assert np.nanmax(measured) <= RANGE
    holes = np.isnan(measured[np.isfinite(day.view.depth)]).mean()
    assert 0 < holes < 0.15
    in_fog = np.isnan(measure_depth(fog.view, fog.weather, np.random.default_rng(0)))
    assert in_fog[np.isfinite(fog.view.depth)].mean() > holes

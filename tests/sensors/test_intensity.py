# SPDX-License-Identifier: Apache-2.0
"""Every driver has its own scale; a frame's is 0–1, the same from sweep to sweep."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from perception.sensors.intensity import SWEEPS, IntensityScale

RNG = np.random.default_rng(5)


def street() -> Any:
    """(2000,) fractions of 1: mostly dull, and one in a hundred a reflector."""
    return np.where(RNG.random(2000) < 0.01, RNG.uniform(0.9, 1.0, 2000), RNG.beta(2, 6, 2000))


def read(scale: IntensityScale, raw: Any, given: float = 0.0) -> Any:
    """The intensities as in a frame."""
    values = raw.astype(np.float32)
    scale.normalise(values, "intensity", raw.dtype, given)
    return values


def taught(factor: float, dtype: Any, sweeps: int = SWEEPS) -> IntensityScale:
    scale = IntensityScale()
    for _ in range(sweeps):
        read(scale, (street() * factor).astype(dtype))
    return scale


@pytest.mark.parametrize(
    ("factor", "dtype", "maximum", "exact"),
    [
        (1.0, np.float32, 1.0, 0),
        (100.0, np.float32, 100.0, 0),
        (255.0, np.float32, 255.0, 0),
        (255.0, np.uint16, 255.0, 0),
        (255.0, np.uint8, 255.0, 0),
        (100.0, np.uint8, 255.0, 0),
        (4095.0, np.uint16, 4095.0, 0),
        (65535.0, np.uint16, 65535.0, 0),
        (3300.0, np.float32, 3300.0, 0.02),
        (3300.0, np.uint16, 3300.0, 0.02),
        (1.4, np.float64, 1.4, 0.02),
    ],
)
def test_the_scale_is_learnt_and_kept(factor: float, dtype: Any, maximum: float, exact: float) -> None:
    scale, truth = taught(factor, dtype), street()
    raw = (truth * factor).astype(dtype)
    np.testing.assert_allclose(read(scale, raw), raw.astype(np.float32) / maximum, atol=0.03)
    found, how = scale.described.removeprefix("0–").split(" of intensity, ")
    assert float(found) == pytest.approx(maximum, rel=exact)
    assert how == ("8 bits" if dtype == np.uint8 else "learnt")


def test_the_numbers_of_one_sensor_do_not_jump_from_sweep_to_sweep() -> None:
    """A dark place: the largest value of a 0–255 sensor is 1."""
    dark = np.zeros(2000, np.float32)
    dark[::7] = 1
    assert read(taught(255, np.float32), dark).max() == np.float32(1 / 255)
    assert read(IntensityScale(), dark).max() == np.float32(1 / 100), "whole numbers are counts and not shares of 1"


def test_one_reading_out_of_range_changes_nothing() -> None:
    truth = street().astype(np.float32)
    truth[77] = 1.01
    for scale in (IntensityScale(), taught(1, np.float32)):
        np.testing.assert_array_equal(read(scale, truth), np.minimum(truth, 1))
        assert not scale.words()


def test_one_bright_sweep_among_the_first_is_no_scale() -> None:
    scale = taught(1, np.float32, sweeps=SWEEPS - 1)
    read(scale, (street() * 5000).astype(np.float32))
    assert scale.described == "0–1 of intensity, learnt"


def test_a_wrong_scale_is_mended_once_with_a_word() -> None:
    """The vehicle began in a tunnel."""
    scale = IntensityScale()
    for _ in range(SWEEPS):
        read(scale, np.floor(street() * 60).astype(np.float32))
    assert scale.words() == [
        "intensity: field 'intensity' goes up to 59, so 0–100 counts as 0–1; set lidar.intensity_max to change this"
    ]
    given = [read(scale, np.full(2000, 250, np.float32))[0] for _ in range(6)]
    assert given == [1.0] * 4 + [np.float32(250 / 255)] * 2
    assert scale.words() == [
        "intensity: field 'intensity' goes up to 250, beyond the 0–100 of before; now 0–255 counts as 0–1"
    ]
    for _ in range(50):
        read(scale, np.ones(2000, np.float32))
    assert (scale.described, scale.words()) == ("0–255 of intensity, learnt", [])


def test_the_parameter_wins() -> None:
    scale = taught(255, np.float32)
    np.testing.assert_array_equal(read(scale, np.float32([0, 25, 50, 90]), 50.0), np.float32([0, 0.5, 1, 1]))
    assert scale.described == "0–50 of intensity, as the parameter says"
    assert read(scale, np.float32([51])) == np.float32(0.2)


def test_a_recording_decides_before_its_first_sweep_is_used() -> None:
    scale = taught(255, np.float32, sweeps=3)
    assert scale.described == "0–255 of intensity, learnt from 3 of 20 sweeps"
    scale.settle()
    assert read(scale, np.float32([51])) == np.float32(0.2)
    assert scale.described == "0–255 of intensity, learnt"


def test_sweeps_of_zeros_teach_nothing() -> None:
    scale = IntensityScale()
    for _ in range(2 * SWEEPS):
        assert not read(scale, np.zeros(100, np.float32)).any()
    assert read(scale, np.float32([0, 51, 255])).tolist() == [0, np.float32(0.2), 1]


def test_negative_intensities_are_zero() -> None:
    assert read(IntensityScale(), np.float32([-3, 0.5, 1])).tolist() == [0, 0.5, 1]


def test_a_sweep_of_ones_is_a_share() -> None:
    assert read(IntensityScale(), np.ones(100, np.float32)).tolist() == [1.0] * 100


def test_another_lidar_on_the_same_topic_is_found_out() -> None:
    """A recording with 0–255 and then one with 0–1, played to one node."""
    scale = taught(255, np.float32)
    scale.words()
    truths = [street().astype(np.float32) for _ in range(SWEEPS)]
    given = [read(scale, truth) for truth in truths]
    np.testing.assert_allclose(given[0], truths[0] / 255, rtol=1e-5)
    np.testing.assert_array_equal(given[-1], truths[-1])
    assert scale.words() == [
        "intensity: field 'intensity' has fractions of 1, no longer the 0–255 of before (another LiDAR?); "
        "now 0–1 counts"
    ]
    again = [read(scale, (street() * 255).astype(np.float32)).max() for _ in range(5)]
    assert (again[0], scale.described) == (1.0, "0–255 of intensity, learnt")


def test_a_scale_of_its_own_does_not_creep() -> None:
    """Sweeps differ by their reflectors; a sensor without a limit is not learnt again with every brighter one."""
    scale = taught(3300, np.float32)
    kept, _ = scale.described, scale.words()
    for _ in range(50):
        read(scale, (street() * 3300 * 1.6).astype(np.float32))
    assert (scale.described, scale.words()) == (kept, [])

# SPDX-License-Identifier: Apache-2.0
import numpy as np
import pytest

from perception.simulation.sensors.scanners import HDL_64E, PERIOD, SCANNERS, Firings


def _angles(firings: Firings) -> tuple[np.ndarray, np.ndarray]:
    x, y, z = firings.direction.T
    return np.rad2deg(np.arctan2(y, x)), np.rad2deg(np.arcsin(z))


@pytest.mark.parametrize("name", SCANNERS)
def test_every_scanner_fires_unit_vectors_within_its_period(name: str) -> None:
    firings = SCANNERS[name].fire(0.2, 3.0)
    assert firings.direction.dtype == firings.when.dtype == np.float32
    assert len(firings.beam) == len(firings.when) == len(firings.direction)
    np.testing.assert_allclose(np.linalg.norm(firings.direction, axis=1), 1.0, atol=1e-5)
    assert np.abs(firings.when).max() <= PERIOD / 2
    assert firings.beam.max() < 128


def test_the_hdl_64e_turns_clockwise_and_looks_forward_at_the_images_instant() -> None:
    firings = HDL_64E.fire(1.0, 0.0)
    azimuth, elevation = _angles(firings)
    assert len(firings.beam) == 64 * 2083
    assert (elevation.max(), elevation.min()) == (pytest.approx(2.0, abs=1e-3), pytest.approx(-24.33, abs=1e-3))
    assert np.abs(azimuth[np.abs(firings.when) < 1e-4]).max() < 1.0
    assert (azimuth[firings.when < -0.001] > 0).all()  # left first


@pytest.mark.parametrize("name", ["raster", "petals"])
def test_solid_state_sensors_look_ahead_only(name: str) -> None:
    azimuth, elevation = _angles(SCANNERS[name].fire(1.0, 0.7))
    assert (azimuth.min(), azimuth.max()) == (pytest.approx(-50, abs=2), pytest.approx(50, abs=2))
    assert (elevation.min(), elevation.max()) == (pytest.approx(-12.5, abs=1), pytest.approx(12.5, abs=1))


def test_petals_never_fall_the_same_way_twice_and_a_raster_always_does() -> None:
    petals, raster = SCANNERS["petals"], SCANNERS["raster"]
    between = np.abs(petals.fire(0.1, 0.0).direction - petals.fire(0.1, 0.1).direction).max()
    assert between > 0.1
    np.testing.assert_array_equal(raster.fire(0.1, 0.0).direction, raster.fire(0.1, 0.1).direction)

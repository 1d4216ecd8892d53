# SPDX-License-Identifier: Apache-2.0
import numpy as np
import pytest

from perception.simulation.sensors.noise import cell_hash, noise
from perception.simulation.things.materials import MATERIALS
from perception.simulation.things.textures import NAMES, PATTERNS, Patch


def _patch(footprint: float, count: int = 4000) -> Patch:
    rng = np.random.default_rng(0)
    u, v = rng.uniform(-20, 20, (2, count)).astype(np.float32)
    return Patch(
        u=u,
        v=v,
        height=v,
        footprint=np.full(count, footprint, np.float32),
        albedo=np.full((count, 3), 0.3, np.float32),
        specular=np.zeros(count, np.float32),
        glow=np.zeros((count, 3), np.float32),
        glass=np.zeros(count, np.float32),
    )


@pytest.mark.parametrize("name", NAMES)
def test_patterns_stay_finite_near_and_far(name: str) -> None:
    for footprint in (0.002, 0.05, 2.0):
        patch = _patch(footprint)
        PATTERNS[name](patch)
        for values in (patch.albedo, patch.glow, patch.specular, patch.glass):
            assert np.isfinite(values).all()
            assert values.min() >= 0.0
            assert values.max() < 3.0


@pytest.mark.parametrize("name", ["asphalt", "brick", "paving", "leaves", "grass", "concrete", "windows"])
def test_detail_fades_with_distance(name: str) -> None:
    near, far = _patch(0.002), _patch(1.0)
    PATTERNS[name](near)
    PATTERNS[name](far)
    assert near.albedo.std() > 0.01
    assert far.albedo.std() < 0.8 * near.albedo.std()


def test_every_material_has_a_known_pattern() -> None:
    assert {material.texture for material in MATERIALS} <= set(NAMES)


def test_noise_repeats_without_a_seam() -> None:
    rng = np.random.default_rng(1)
    u, v = rng.uniform(-5, 5, (2, 3000)).astype(np.float32)
    values = noise(u, v, 4.0)
    np.testing.assert_allclose(noise(u + 4.0, v - 8.0, 4.0), values, atol=0.02)
    assert abs(values.mean()) < 0.2
    assert values.std() == pytest.approx(1.0, abs=0.25)
    assert noise(u[:0], v[:0], 4.0).shape == (0,)


def test_cell_hashes_are_spread_evenly_and_repeat() -> None:
    column, row = (a.ravel() for a in np.mgrid[-50:50, -50:50].astype(np.int64))
    values = cell_hash(column, row)
    assert values.min() >= 0.0
    assert values.max() < 1.0
    assert np.histogram(values, 10, (0, 1))[0].min() > 800
    np.testing.assert_array_equal(values, cell_hash(column, row))

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import numpy as np
import pytest

from perception.classes import BACKGROUND
from perception.simulation.street import yards
from perception.simulation.street.yards import SUNK
from perception.simulation.things.materials import MATERIALS, index

SEEDS = range(12)


def rng(seed: int) -> np.random.Generator:
    return np.random.default_rng(seed)


@pytest.mark.parametrize("seed", SEEDS)
def test_a_garage_faces_the_street_with_its_doors_set_back(seed: int) -> None:
    mesh = yards.garage(rng(seed), 6.0)
    low, high = mesh.vertices.min(axis=0), mesh.vertices.max(axis=0)
    assert low[2] == pytest.approx(-SUNK, abs=1e-5)
    assert 6.0 <= high[1] - low[1] <= 6.7  # its depth, and the roof's overhang on both ends
    assert low[0] == pytest.approx(-high[0], abs=1e-4)
    assert {MATERIALS[m].class_id for m in mesh.materials} == {BACKGROUND}


@pytest.mark.parametrize("seed", SEEDS)
def test_a_mound_keeps_within_its_size(seed: int) -> None:
    mesh = yards.mound(rng(seed), (2.0, 0.8, 1.5), index("gravel"), dents=0.22)
    low, high = mesh.vertices.min(axis=0), mesh.vertices.max(axis=0)
    assert (np.abs([low[:2], high[:2]]) <= [2.0, 0.8]).all()
    assert 1.5 * (1 - 0.22) <= high[2] <= 1.5
    assert -0.15 * 1.5 <= low[2] < 0  # it reaches into the ground
    assert (high[:2] > [1.2, 0.5]).all()


def test_a_mound_without_dents_is_an_ellipse_from_above() -> None:
    mesh = yards.mound(rng(0), (2.0, 1.0, 1.0), 0, dents=0.0, square=2.0)
    foot = mesh.vertices[np.abs(mesh.vertices[:, 2]) < 1e-6]
    np.testing.assert_allclose((foot[:, 0] / 2) ** 2 + foot[:, 1] ** 2, 1, atol=1e-5)
    assert len(foot) == 18


@pytest.mark.parametrize("seed", SEEDS)
def test_boulders_stand_in_a_row_about_the_middle(seed: int) -> None:
    mesh = yards.boulders(rng(seed))
    low, high = mesh.vertices.min(axis=0), mesh.vertices.max(axis=0)
    assert abs(low[0] + high[0]) < 1.0
    assert high[0] - low[0] < 3 * 2.0 + 0.6


def test_a_turned_body_has_its_profile_all_around() -> None:
    mesh = yards.turned([(0.5, 0.0), (0.5, 1.0), (0.2, 1.5)], [3, 4])
    radius = np.hypot(mesh.vertices[:, 0], mesh.vertices[:, 1])
    for r, z in ((0.5, 0.0), (0.5, 1.0), (0.2, 1.5)):
        at = np.isclose(mesh.vertices[:, 2], z)
        assert at.sum() >= 14
        np.testing.assert_allclose(radius[at], r, atol=1e-6)
    heights = mesh.vertices[mesh.triangles][..., 2].mean(axis=1)
    assert {(bool(h < 1.0), int(m)) for h, m in zip(heights, mesh.materials, strict=True)} == {(True, 3), (False, 4)}


@pytest.mark.parametrize(("length", "height"), [(2.0, 1.8), (7.0, 1.2)])
def test_a_screen_has_posts_every_two_metres(length: float, height: float) -> None:
    mesh = yards.screen(length, height, 5)
    low, high = mesh.vertices.min(axis=0), mesh.vertices.max(axis=0)
    assert high[0] - low[0] == pytest.approx(length + 0.1)  # half a post at each end
    assert (low[2], high[2]) == pytest.approx((-SUNK, height + 0.03))
    assert set(mesh.materials) == {5}
    posts = round(length / 1.8) + 1
    assert len(mesh.triangles) == 12 * (posts + 1)


def test_a_barrier_is_narrow_on_top() -> None:
    mesh = yards.concrete_barrier(4.0, 0.9, index("concrete"))
    top, foot = (mesh.vertices[np.isclose(mesh.vertices[:, 2], z, atol=1e-5)] for z in (0.9, -SUNK))
    assert np.abs(top[:, 1]).max() == pytest.approx(0.09)
    assert np.abs(foot[:, 1]).max() == pytest.approx(0.3)
    assert np.ptp(mesh.vertices[:, 0]) == pytest.approx(4.0)


def test_a_double_guard_rail_has_a_second_beam_above() -> None:
    one, two = (yards.guard_rail(index("guard_rail"), double) for double in (False, True))
    assert len(two.triangles) == 2 * len(one.triangles)
    assert two.vertices[:, 2].max() == pytest.approx(one.vertices[:, 2].max() + 0.33)
    assert np.ptp(one.vertices[:, 0]) == pytest.approx(4.0, abs=0.3)


@pytest.mark.parametrize("make", [yards.stack, yards.kiosk, yards.phone_box, yards.heap])
def test_the_same_seed_makes_the_same_thing(make: object) -> None:
    assert callable(make)
    np.testing.assert_array_equal(make(rng(3)).vertices, make(rng(3)).vertices)
    assert make(rng(3)).vertices[:, 2].max() > 0.5

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from perception.classes import BACKGROUND
from perception.simulation.scene import Mesh
from perception.simulation.things import containers
from perception.simulation.things.materials import MATERIALS, index
from perception.simulation.things.shapes import box

MAKERS = (containers.skip, containers.site_container, containers.waste_containers, containers.bottle_banks)


@pytest.mark.parametrize("make", [*MAKERS, containers.wheelie_bins])
def test_the_same_seed_makes_the_same_background(make: Callable[[np.random.Generator], Mesh]) -> None:
    for seed in range(4):
        mesh, again = (make(np.random.default_rng(seed)) for _ in range(2))
        np.testing.assert_array_equal(mesh.vertices, again.vertices)
        assert {MATERIALS[m].class_id for m in mesh.materials} == {BACKGROUND}
        assert mesh.vertices[:, 2].max() > 0.8


def test_things_in_a_row_keep_their_distance_about_the_middle() -> None:
    one = box((0.4, 0.4, 1.0), (0, 0, 0.5), 0)
    for count in (1, 2, 5):
        row = containers.in_a_row([one] * count, 1.5)
        middles = row.vertices.reshape(count, -1, 3).mean(axis=1)
        np.testing.assert_allclose(np.diff(middles[:, 0]), 1.5, atol=1e-5)
        assert middles[:, 0].mean() == pytest.approx(0, abs=1e-5)
        assert np.ptp(middles[:, 1:], axis=0).max() == pytest.approx(0, abs=1e-5)


def test_a_skip_is_wider_at_its_rim_and_filled() -> None:
    for seed in range(6):
        mesh = containers.skip(np.random.default_rng(seed))
        foot = mesh.vertices[np.isclose(mesh.vertices[:, 2], -0.05, atol=1e-6)]
        assert np.abs(foot[:, 0]).max() < np.abs(mesh.vertices[:, 0]).max() - 0.2
        fillings = {index(name) for name in ("gravel", "dirt", "leaves_3", "boards_grey", "concrete")}
        assert len(set(mesh.materials.tolist()) & fillings) == 1


def test_waste_containers_have_their_size() -> None:
    counts = set()
    for seed in range(12):
        mesh = containers.waste_containers(np.random.default_rng(seed))
        length, depth, height = np.ptp(mesh.vertices, axis=0)
        count = round((length - 1.38) / 1.5) + 1
        counts.add(count)
        assert length == pytest.approx(1.38 + 1.5 * (count - 1), abs=1e-4)
        assert depth == pytest.approx(1.06, abs=1e-4)
        assert 1.3 < height < 1.4
    assert counts == {1, 2, 3}

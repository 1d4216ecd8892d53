# SPDX-License-Identifier: Apache-2.0
from dataclasses import replace

import numpy as np
import pytest

from perception.classes import BACKGROUND
from perception.simulation.street import buildings
from perception.simulation.things.materials import MATERIALS


@pytest.mark.parametrize("style", ["urban", "residential"])
@pytest.mark.parametrize("seed", range(6))
def test_buildings_fill_their_plot(style: str, seed: int) -> None:
    plan = buildings.random_building(np.random.default_rng(seed), style, 12.0, True, False)
    mesh = buildings.build(plan)
    low, high = mesh.vertices.min(axis=0), mesh.vertices.max(axis=0)
    assert low[0] > -0.5
    assert high[0] < 12.5
    assert -1.6 < low[1] < 0.0
    assert high[1] < plan.depth + 0.7
    assert high[2] > plan.storeys * plan.storey
    assert all(MATERIALS[m].class_id == BACKGROUND for m in mesh.materials)
    assert len(mesh.triangles) < 4000


def test_detail_gives_windows_and_a_door() -> None:
    plan = replace(buildings.random_building(np.random.default_rng(1), "residential", 10.0, True, False), detailed=True)
    names = {MATERIALS[m].name for m in buildings.build(plan).materials}
    assert {"window", "frame"} <= names
    assert any(n.startswith("door_") for n in names)
    plain = buildings.build(buildings.random_building(np.random.default_rng(1), "residential", 10.0, False, False))
    assert any(MATERIALS[m].texture == "windows" for m in plain.materials)
    assert len(plain.triangles) < 100


def test_nights_have_more_lit_windows() -> None:
    def lit(night: bool) -> int:
        rng = np.random.default_rng(5)
        plan = buildings.random_building(rng, "urban", 16.0, True, night)
        return sum(MATERIALS[m].name == "window_lit" for m in buildings.build(replace(plan, shop=False)).materials)

    assert lit(True) > lit(False)


def test_walls_and_fences_have_their_length() -> None:
    for mesh in (buildings.garden_wall(7.0, 1.2, "stone_wall"), buildings.fence(7.0, 1.2, "wood")):
        assert np.ptp(mesh.vertices[:, 0]) == pytest.approx(7.0, abs=0.15)
        assert mesh.vertices[:, 2].max() == pytest.approx(1.2, abs=0.12)

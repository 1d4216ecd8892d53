# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import numpy as np
import pytest

from perception.simulation.things.materials import index
from perception.simulation.traffic.trucks import BUILDERS


@pytest.mark.parametrize(("name", "length", "height"), [("truck", 8.2, 3.5), ("semi", 15.4, 4.0), ("bus", 12.0, 3.05)])
def test_sizes_are_those_of_the_road(name: str, length: float, height: float) -> None:
    mesh = BUILDERS[name]()
    low, high = mesh.vertices.min(axis=0), mesh.vertices.max(axis=0)
    assert high[0] - low[0] == pytest.approx(length, abs=0.3)
    assert high[2] == pytest.approx(height, abs=0.1)
    assert low[2] == pytest.approx(0, abs=1e-5)
    assert (high[1] - low[1]) < 3.1  # mirrors included


@pytest.mark.parametrize("name", BUILDERS)
def test_the_nose_is_where_the_headlights_are(name: str) -> None:
    mesh = BUILDERS[name]()
    half = np.ptp(mesh.vertices[:, 0]) / 2
    for material, end in (("headlight", 1), ("taillight", -1)):
        places = mesh.vertices[mesh.triangles[mesh.materials == index(material)]].reshape(-1, 3)
        assert (places[:, 0] * end > half - 0.5).all()
        assert {int(np.sign(y)) for y in places[:, 1]} == {-1, 1}
    assert (mesh.materials == index("car_glass")).any()


@pytest.mark.parametrize("name", BUILDERS)
def test_tyres_touch_the_road_on_both_sides(name: str) -> None:
    mesh = BUILDERS[name]()
    tyre = mesh.vertices[np.unique(mesh.triangles[mesh.materials == index("tyre")])]
    touching = tyre[tyre[:, 2] < 1e-5]
    assert {int(np.sign(y)) for y in touching[:, 1]} == {-1, 1}
    axles = len(np.unique(touching[:, 0].round(2)))
    assert axles == {"truck": 2, "semi": 5, "bus": 2}[name]

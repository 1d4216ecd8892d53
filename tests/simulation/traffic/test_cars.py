# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import numpy as np
import pytest

from perception.simulation.things.materials import index
from perception.simulation.traffic.cars import BODIES, SCREEN, car, skin, wheel_pair


@pytest.mark.parametrize("name", BODIES)
def test_a_profile_runs_from_tail_to_nose_over_the_whole_length(name: str) -> None:
    body = BODIES[name]
    x = np.array([station[0] for station in body.profile])
    assert (np.diff(x) > 0).all()
    assert x[0] == pytest.approx(-body.length / 2, abs=0.02)
    assert x[-1] == pytest.approx(body.length / 2, abs=0.02)
    assert all(body.floor < top < 2.5 for _, top, _ in body.profile)
    assert x[0] < body.axles[0] < body.axles[1] < x[-1]


@pytest.mark.parametrize("name", BODIES)
def test_the_skin_is_as_high_and_wide_as_its_body(name: str) -> None:
    body = BODIES[name]
    mesh = skin(body)
    assert mesh.vertices[:, 2].max() == pytest.approx(max(top for _, top, _ in body.profile))
    assert mesh.vertices[:, 2].min() == pytest.approx(body.floor, abs=0.02)
    assert np.abs(mesh.vertices[:, 1]).max() == pytest.approx(body.width / 2, rel=0.01)
    mirror = np.array([1, -1, 1], np.float32)
    there = {tuple(v) for v in mesh.vertices.round(4).tolist()}
    assert there == {tuple(v) for v in (mesh.vertices * mirror + 0.0).round(4).tolist()}


@pytest.mark.parametrize("name", BODIES)
def test_the_windscreen_is_glass_and_slopes_forward(name: str) -> None:
    body = BODIES[name]
    front = [i for i, (x, _, kind) in enumerate(body.profile) if kind == SCREEN and x > 0]
    assert len(front) == 1
    (high_x, high, _), (low_x, low, _) = body.profile[front[0]], body.profile[front[0] + 1]
    assert low_x > high_x
    assert high > low
    mesh = skin(body)
    glass = mesh.vertices[mesh.triangles[mesh.materials == index("car_glass")]].mean(axis=1)
    assert glass[:, 2].min() > body.belt - 0.1
    assert ((glass[:, 0] > high_x) & (glass[:, 0] < low_x)).any()


@pytest.mark.parametrize("name", BODIES)
def test_lights_are_at_their_ends(name: str) -> None:
    mesh, body = car(name), BODIES[name]
    for material, end in (("headlight", 1), ("taillight", -1)):
        places = mesh.vertices[mesh.triangles[mesh.materials == index(material)]].reshape(-1, 3)
        assert (places[:, 0] * end > body.length / 2 - 0.25).all()
        assert {int(np.sign(y)) for y in places[:, 1]} == {-1, 1}


def test_wheels_stand_on_the_road_under_their_axle() -> None:
    mesh = wheel_pair(1.3, 0.9, 0.32, 0.2)
    tyre = mesh.vertices[np.unique(mesh.triangles[mesh.materials == index("tyre")])]
    assert tyre[:, 2].min() == pytest.approx(0, abs=1e-6)
    assert tyre[:, 2].max() == pytest.approx(0.64, abs=0.01)  # of fourteen corners
    assert tyre[:, 0].mean() == pytest.approx(1.3, abs=0.01)
    assert np.abs(tyre[:, 1]).max() == pytest.approx(0.925)
    assert np.abs(tyre[:, 1]).min() == pytest.approx(0.725)
    assert mesh.vertices[:, 1].min() == pytest.approx(-mesh.vertices[:, 1].max())

# SPDX-License-Identifier: Apache-2.0
import numpy as np
import pytest

from perception.classes import PEDESTRIAN, VEHICLE
from perception.simulation.scene import Mesh
from perception.simulation.things.materials import MATERIALS
from perception.simulation.traffic.cyclists import bicycle, rider, scooter
from perception.simulation.traffic.people import random_person


def classes(mesh: Mesh) -> set[int]:
    return {MATERIALS[m].class_id for m in mesh.materials}


@pytest.mark.parametrize(("mesh", "length"), [(bicycle(0), 1.75), (scooter(1), 1.86)])
def test_two_wheelers(mesh: Mesh, length: float) -> None:
    assert classes(mesh) == {VEHICLE}
    assert np.ptp(mesh.vertices[:, 0]) == pytest.approx(length, abs=0.1)
    assert mesh.vertices[:, 2].min() == pytest.approx(0.0, abs=0.01)


@pytest.mark.parametrize("seed", range(8))
def test_rider_is_a_person_on_a_vehicle(seed: int) -> None:
    person = random_person(np.random.default_rng(seed))
    mesh = rider(person, seed, 0.7 * seed, seed % 2 == 0)
    assert classes(mesh) == {VEHICLE, PEDESTRIAN}
    body = np.array([MATERIALS[m].class_id for m in mesh.materials]) == PEDESTRIAN
    corners = mesh.vertices[mesh.triangles[body]]
    assert corners[..., 2].min() > 0.0
    assert 1.3 < corners[..., 2].max() < 2.15


def test_pedalling_moves_the_legs() -> None:
    person = random_person(np.random.default_rng(1))
    assert not np.allclose(rider(person, 0, 0.0, True).vertices, rider(person, 0, 1.5, True).vertices, atol=0.05)

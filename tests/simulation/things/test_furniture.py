# SPDX-License-Identifier: Apache-2.0
import numpy as np
import pytest

from perception.classes import BACKGROUND
from perception.simulation.scene import Mesh
from perception.simulation.things import furniture
from perception.simulation.things.materials import MATERIALS

THINGS = {
    "lamp": (furniture.lamp(), 7.7),
    "lantern": (furniture.lantern(), 4.2),
    "signal": (furniture.signal(True), 3.4),
    "bollard": (furniture.bollard(True), 0.95),
    "bin": (furniture.wheelie_bin(), 1.1),
    "cabinet": (furniture.cabinet(), 1.25),
    "shelter": (furniture.bus_shelter(), 2.56),
    "pole": (furniture.utility_pole(), 8.5),
    "rail": (furniture.guard_rail(), 0.75),
    "delineator": (furniture.delineator(), 1.0),
}


@pytest.mark.parametrize(("mesh", "height"), THINGS.values(), ids=THINGS)
def test_things_stand_on_the_ground(mesh: Mesh, height: float) -> None:
    assert mesh.vertices[:, 2].min() == pytest.approx(0.0, abs=0.06)
    assert mesh.vertices[:, 2].max() == pytest.approx(height, abs=0.1)
    assert all(MATERIALS[m].class_id == BACKGROUND for m in mesh.materials)


@pytest.mark.parametrize("kind", ["round", "triangle", "blue", "priority"])
def test_signs_shine_towards_the_traffic_only(kind: str) -> None:
    mesh = furniture.sign(kind)
    x = mesh.vertices[mesh.triangles][..., 0].mean(axis=1)
    shiny = np.array([MATERIALS[m].reflectivity > 1.0 for m in mesh.materials])
    back = np.array([MATERIALS[m].name == "steel" for m in mesh.materials]) & (x < -0.0405)
    assert shiny.any()
    assert x[shiny].max() < x[back].min()


def test_the_light_hangs_where_the_lamp_says() -> None:
    mesh = furniture.lamp()
    glowing = np.array([MATERIALS[m].name == "lamp" for m in mesh.materials])
    middle = mesh.vertices[mesh.triangles[glowing]].reshape(-1, 3).mean(axis=0)
    np.testing.assert_allclose(middle, [0.0, furniture.LAMP_REACH, furniture.LAMP_HEIGHT], atol=0.05)

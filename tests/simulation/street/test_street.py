# SPDX-License-Identifier: Apache-2.0
import numpy as np
import pytest
from numpy.typing import NDArray

from perception.classes import BACKGROUND, ROAD
from perception.simulation.scene import Mesh, merge
from perception.simulation.street.markings import markings
from perception.simulation.street.plan import SIDES, StreetPlan, random_plan
from perception.simulation.street.street import ground
from perception.simulation.things.materials import MATERIALS

CLASS = np.array([m.class_id for m in MATERIALS])


def seen_from_above(mesh: Mesh, places: NDArray[np.float64]) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Class and height of the ground at (N, 3) places."""
    o3d = pytest.importorskip("open3d", exc_type=ImportError)
    scene = o3d.t.geometry.RaycastingScene()
    scene.add_triangles(o3d.core.Tensor(mesh.vertices), o3d.core.Tensor(mesh.triangles))
    rays = np.concatenate(
        [places[:, :2], np.full((len(places), 1), 50.0), np.tile([0, 0, -1.0], (len(places), 1))], axis=1
    )
    answer = scene.cast_rays(o3d.core.Tensor(rays.astype(np.float32)))
    return CLASS[mesh.materials[answer["primitive_ids"].numpy()]], 50.0 - answer["t_hit"].numpy()


@pytest.fixture(scope="module", params=range(8))
def street(request: pytest.FixtureRequest) -> tuple[StreetPlan, Mesh]:
    rng = np.random.default_rng(request.param)
    plan = random_plan(rng, 10.0)
    return plan, merge([ground(plan), markings(plan, rng)])


def test_the_carriageway_is_road_at_its_height(street: tuple[StreetPlan, Mesh]) -> None:
    plan, mesh = street
    s, d = (
        v.ravel()
        for v in np.meshgrid(np.arange(-40.3, 150.0, 3.7), np.linspace(-plan.edge(-1) + 0.1, plan.edge(1) - 0.1, 15))
    )
    classes, heights = seen_from_above(mesh, plan.line.points(s, d))
    assert np.all(classes == ROAD)
    expected = plan.line.points(s, d)[:, 2] + [plan.height(a, b) for a, b in zip(s, d, strict=True)]
    np.testing.assert_allclose(heights, expected, atol=0.02)


def test_beside_the_carriageway_is_background_at_kerb_height(street: tuple[StreetPlan, Mesh]) -> None:
    plan, mesh = street
    for side in SIDES:
        s = np.array([x for a, b in plan.closed(side, 0.5) for x in np.arange(a + 0.1, b - 0.1, 2.3)])
        places = plan.line.points(s, side * (plan.edge(side) + 0.5))
        classes, heights = seen_from_above(mesh, places)
        assert np.all(classes == BACKGROUND)
        np.testing.assert_allclose(heights - places[:, 2], plan.height(s[0], side * (plan.edge(side) + 0.5)), atol=0.03)


def test_side_streets_are_road(street: tuple[StreetPlan, Mesh]) -> None:
    plan, mesh = street
    for junction in plan.junctions:
        for side in junction.sides:
            s = junction.s + np.linspace(-0.95, 0.95, 7) * junction.half
            for d in (0.3, 5.0, 20.0, 60.0):
                assert np.all(seen_from_above(mesh, plan.line.points(s, side * (plan.edge(side) + d)))[0] == ROAD)


def test_land_reaches_the_horizon(street: tuple[StreetPlan, Mesh]) -> None:
    _, mesh = street
    angle = np.linspace(0, 2 * np.pi, 16)
    classes, _ = seen_from_above(mesh, 800.0 * np.column_stack([np.cos(angle), np.sin(angle), 0 * angle]))
    assert np.all(classes == BACKGROUND)


def test_markings_lie_on_the_road() -> None:
    for seed in range(12):
        rng = np.random.default_rng(seed)
        plan = random_plan(rng, 10.0)
        mesh = markings(plan, rng)
        assert np.all(CLASS[mesh.materials] == ROAD)
        names = {MATERIALS[m].name for m in mesh.materials}
        assert "manhole" in names
        if plan.marked or plan.zebras:
            assert "marking" in names

# SPDX-License-Identifier: Apache-2.0
"""What is as large as a vehicle and none: it keeps off the road, is background, and disturbs nothing."""

from collections.abc import Callable

import numpy as np
import pytest

from perception.classes import BACKGROUND
from perception.simulation import world
from perception.simulation.scene import Mesh
from perception.simulation.street import yards
from perception.simulation.street.plan import SIDES, StreetPlan, random_plan
from perception.simulation.things.clutter import THINGS, clutter
from perception.simulation.things.materials import MATERIALS, STREET_MATERIALS
from perception.simulation.things.placement import Placement

MAKERS = {getattr(make, "__name__", "?"): make for make in THINGS}
MAKERS["garage"] = lambda rng: yards.garage(rng, 5.0)


def furnish(
    seed: int, occupied: tuple[tuple[float, float], ...] = (), street: str = "any"
) -> tuple[StreetPlan, list[Mesh]]:
    """A street's plan, and nothing but clutter on it."""
    rng, placed = np.random.default_rng(seed), Placement()
    plan = random_plan(rng, 10.0, street=street)
    placed.in_the_way += occupied
    clutter(plan, np.random.default_rng([seed, 11]), placed, [], 10.0)
    return plan, placed.meshes()


STREETS = [furnish(seed) for seed in range(24)]
LANES = [furnish(seed, street="lane") for seed in range(4)]


@pytest.mark.parametrize("make", MAKERS.values(), ids=MAKERS)
def test_things_stand_on_the_ground_and_are_background(make: Callable[[np.random.Generator], Mesh]) -> None:
    for seed in range(8):
        mesh = make(np.random.default_rng(seed))
        low, high = mesh.vertices.min(axis=0), mesh.vertices.max(axis=0)
        assert -0.45 < low[2] < 0.06
        assert 0.5 < high[2] < 4.5
        assert (high - low)[:2].max() < 7.5
        assert np.abs(low + high)[:2].max() < 1.5
        assert {MATERIALS[m].class_id for m in mesh.materials} == {BACKGROUND}


def distances(plan: StreetPlan, mesh: Mesh) -> tuple[np.ndarray, np.ndarray]:
    """(s, d) of every vertex: those of the nearest point of the street's line."""
    s = np.arange(plan.line.start, plan.line.end, 0.5)
    line, heading = plan.line.points(s, 0.0)[:, :2], np.array([plan.line.heading_at(v) for v in s])
    offset = mesh.vertices[:, None, :2] - line
    nearest = np.hypot(*np.moveaxis(offset, -1, 0)).argmin(axis=1)
    rest, angle = offset[np.arange(len(offset)), nearest], heading[nearest]
    along, aside = np.cos(angle) * rest[:, 0] + np.sin(angle) * rest[:, 1], -np.sin(angle) * rest[:, 0]
    return s[nearest] + along, aside + np.cos(angle) * rest[:, 1]


def test_nothing_stands_on_the_carriageway_or_in_side_streets() -> None:
    for plan, meshes in STREETS[:12] + LANES:
        for mesh in meshes:
            s, d = distances(plan, mesh)
            (side,) = {side for side in SIDES if (d * side > 0).all()}
            assert np.abs(d).min() > plan.edge(side)
            assert any(a - 0.5 < s.min() and s.max() < b + 0.5 for a, b in plan.closed(side))


def test_some_streets_are_empty_and_some_are_full() -> None:
    counts = [len(meshes) for _, meshes in STREETS]
    assert min(counts) == 0
    assert max(counts) > 40
    assert 8 < np.mean(counts) < 60


def test_lanes_are_lined_with_things() -> None:
    assert min(len(meshes) for _, meshes in LANES) > 30


def test_the_same_seed_gives_the_same_things() -> None:
    for one, other in zip(STREETS[3][1], furnish(3)[1], strict=True):
        np.testing.assert_array_equal(one.vertices, other.vertices)
        np.testing.assert_array_equal(one.materials, other.materials)


def test_what_stands_there_already_keeps_its_place() -> None:
    plan, bare = STREETS[2]
    assert bare
    spots = tuple(
        (float(s), side * (plan.edge(side) + a)) for side in SIDES for s in range(-60, 500) for a in range(12)
    )
    assert not furnish(2, spots)[1]


def test_everything_else_of_a_street_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(world, "roadworks", lambda *_: None)  # they look for a free place
    with_it = world.build_scene(5)
    monkeypatch.setattr(world, "clutter", lambda *_: None)
    without = world.build_scene(5)
    count = len(without.static.vertices)
    assert len(with_it.static.vertices) > count
    np.testing.assert_array_equal(with_it.static.vertices[:count], without.static.vertices)
    np.testing.assert_array_equal(with_it.static.materials[: len(without.static.materials)], without.static.materials)
    street = len(STREET_MATERIALS)
    assert with_it.materials[:street] == without.materials[:street]
    for one, other in zip(with_it.actors, without.actors, strict=True):
        np.testing.assert_array_equal(one.pose(4.2), other.pose(4.2))

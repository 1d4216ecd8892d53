# SPDX-License-Identifier: Apache-2.0
import builtins
from typing import Any

import numpy as np
import pytest

from perception.errors import PerceptionError
from perception.simulation.optics.raycast import STATIC, Tracer
from perception.simulation.scene import Mesh, Scene
from perception.simulation.things.shapes import ellipsoids

AHEAD = np.array([[0, 0, 1.0, 1, 0, 0]], np.float32)
DOWN = np.array([[0, -3, 2.0, 0, 0, -1]], np.float32)


def test_the_nearer_of_moving_and_standing_things_is_hit(street: Scene) -> None:
    tracer = Tracer(street)
    tracer.move_to(0.0)
    hits = tracer.cast(np.concatenate([AHEAD, DOWN]))
    np.testing.assert_allclose(hits.distance, [15.0, 2.0], atol=1e-4)
    assert hits.instance.tolist() == [1, STATIC]
    np.testing.assert_allclose(hits.position, [[15, 0, 1], [0, -3, 0]], atol=1e-4)
    np.testing.assert_allclose(hits.normal, [[-1, 0, 0], [0, 0, 1]], atol=1e-5)


def test_actors_move_and_keep_their_own_coordinates(street: Scene) -> None:
    tracer = Tracer(street)
    tracer.move_to(2.0)
    hits = tracer.cast(AHEAD)
    assert hits.distance[0] == pytest.approx(25.0, abs=1e-4)
    np.testing.assert_allclose(hits.local, [[0, 0, 1]], atol=1e-4)


def test_rays_into_the_sky_hit_nothing(street: Scene) -> None:
    tracer = Tracer(street)
    tracer.move_to(0.0)
    up = np.array([[0, 0, 2.0, 0, 0, 1]], np.float32)
    assert len(tracer.cast(up).ray) == 0
    assert tracer.blocked(np.concatenate([up, AHEAD])).tolist() == [False, True]


def test_curved_meshes_have_rounded_normals_and_boxes_sharp_ones(street: Scene) -> None:
    ball = ellipsoids([[1, 1, 1]], [[5, 0, 0]], 0, sides=24, stacks=16)
    tracer = Tracer(Scene(street.materials, ball))
    tracer.move_to(0.0)
    rays = np.zeros((50, 6), np.float32)
    rays[:, 3] = 1
    rays[:, 1] = np.linspace(-0.7, 0.7, 50)
    rays[:, 2] = 0.11
    hits = tracer.cast(rays)
    exact = hits.position - [5, 0, 0]
    exact /= np.linalg.norm(exact, axis=1, keepdims=True)
    assert (hits.normal * exact).sum(1).min() > 0.995


def test_a_missing_library_is_explained(street: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    real = builtins.__import__

    def without_open3d(name: str, *rest: Any, **options: Any) -> Any:
        if name == "open3d":
            raise OSError("libusb-1.0.so.0: cannot open shared object file: No such file or directory")
        return real(name, *rest, **options)

    monkeypatch.setattr(builtins, "__import__", without_open3d)
    with pytest.raises(PerceptionError, match=r"apt-get install libusb-1\.0-0"):
        Tracer(street)


def test_a_scene_without_actors_can_be_seen(street: Scene) -> None:
    triangle = Mesh(
        np.array([[3, -1, 0], [3, 1, 0], [3, 0, 2]], np.float32),
        np.array([[0, 1, 2]], np.uint32),
        np.zeros(1, np.uint16),
    )
    tracer = Tracer(Scene(street.materials, triangle))
    tracer.move_to(0.0)
    assert tracer.cast(AHEAD).distance[0] == pytest.approx(3.0)


def test_some_of_the_hits_leave_the_other_rays_missed(day: Any) -> None:
    hits = day.view.hits
    some = hits.of(np.array([0, 2, 5]))
    np.testing.assert_array_equal(some.ray, hits.ray[[0, 2, 5]])
    np.testing.assert_array_equal(some.distance, hits.distance[[0, 2, 5]])
    assert len(some.missed) == len(hits.ray) + len(hits.missed) - 3
    assert not np.isin(some.ray, some.missed).any()


def test_moving_things_are_numbered_after_the_standing_ones(street: Scene) -> None:
    numbered = Scene(street.materials, street.static, street.actors, things=np.full(len(street.static.triangles), 4))
    tracer = Tracer(numbered)
    tracer.move_to(0.0)
    hits = tracer.cast(np.concatenate([AHEAD, DOWN]))
    assert hits.thing.tolist() == [5, 4]
    assert hits.of(np.array([1])).thing.tolist() == [4]
    assert Scene(street.materials, street.static).things.tolist() == [0] * len(street.static.triangles)

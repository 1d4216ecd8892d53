# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from perception.simulation.scene import Mesh, Scene, merge, transformed
from perception.simulation.things.shapes import box, pose

coordinates = st.floats(-50, 50)


def corners(mesh: Mesh) -> np.ndarray:
    """(T, 3, 3) of every triangle."""
    return mesh.vertices[mesh.triangles]


def test_merging_keeps_every_triangle_with_its_corners_and_material() -> None:
    parts = [box((1, 2, 3), (i, 0, 0), i) for i in range(3)]
    found = merge(parts)
    np.testing.assert_array_equal(corners(found), np.concatenate([corners(part) for part in parts]))
    np.testing.assert_array_equal(found.materials, np.repeat(range(3), len(parts[0].triangles)))
    assert (found.vertices.dtype, found.triangles.dtype, found.materials.dtype) == (np.float32, np.uint32, np.uint16)


@given(coordinates, coordinates, st.floats(-3.2, 3.2))
def test_moving_is_applying_the_pose_to_each_vertex(x: float, y: float, yaw: float) -> None:
    mesh, place = box((1, 2, 3), (1, 0, 0), 0), pose(x, y, 0.5, yaw)
    found = transformed(mesh, place)
    expected = (place @ np.c_[mesh.vertices, np.ones(len(mesh.vertices))].T).T[:, :3]
    np.testing.assert_allclose(found.vertices, expected, atol=1e-4)
    np.testing.assert_array_equal(found.triangles, mesh.triangles)


def test_the_given_mesh_stays_where_it_is() -> None:
    mesh = box((1, 1, 1), (0, 0, 0), 0)
    before = mesh.vertices.copy()
    transformed(mesh, pose(5, 5))
    np.testing.assert_array_equal(mesh.vertices, before)


def test_a_scene_of_nothing_but_ground_stands_still_and_is_unlit() -> None:
    scene = Scene([], box((1, 1, 1), (0, 0, 0), 0))
    np.testing.assert_array_equal(scene.ego(3.0), np.eye(4))
    assert scene.lamps.shape == (0, 3)

# SPDX-License-Identifier: Apache-2.0
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from perception.simulation.scene import Mesh, merge
from perception.simulation.things import shapes

lengths = st.floats(0.05, 20.0)
angles = st.floats(-np.pi, np.pi)


def area(mesh: Mesh) -> float:
    a, b, c = (mesh.vertices[mesh.triangles[:, i]].astype(float) for i in range(3))
    return float(0.5 * np.linalg.norm(np.cross(b - a, c - a), axis=1).sum())


def extent(mesh: Mesh) -> np.ndarray:
    return np.ptp(mesh.vertices, axis=0)


@given(st.floats(-100, 100), st.floats(-100, 100), angles, st.floats(-0.5, 0.5))
def test_pose_is_rigid(x: float, y: float, yaw: float, pitch: float) -> None:
    matrix = shapes.pose(x, y, 1.0, yaw, pitch)
    np.testing.assert_allclose(matrix[:3, :3] @ matrix[:3, :3].T, np.eye(3), atol=1e-12)
    assert np.linalg.det(matrix[:3, :3]) == pytest.approx(1.0)
    assert matrix[2, 0] == pytest.approx(np.sin(pitch))


@given(lengths, lengths, lengths)
def test_box_has_its_size_and_surface(x: float, y: float, z: float) -> None:
    mesh = shapes.box((x, y, z), (1.0, 2.0, 3.0), 7)
    np.testing.assert_allclose(extent(mesh), [x, y, z], rtol=1e-4, atol=1e-5)
    assert area(mesh) == pytest.approx(2 * (x * y + y * z + z * x), rel=1e-3)
    assert set(mesh.materials) == {7}


@given(st.tuples(lengths, lengths, lengths), st.floats(0.05, 1.0))
def test_tube_is_as_wide_as_its_radius_everywhere(end: tuple[float, float, float], radius: float) -> None:
    mesh = shapes.tube((0.0, 0.0, 0.0), end, radius, 0, 12)
    axis = np.array(end) / np.linalg.norm(end)
    off_axis = mesh.vertices - (mesh.vertices @ axis)[:, None] * axis
    np.testing.assert_allclose(np.linalg.norm(off_axis, axis=1), radius, rtol=1e-3, atol=1e-4)


def test_rounded_tubes_reach_beyond_their_ends_by_the_radius() -> None:
    mesh = shapes.tubes([[0, 0, 0]], [[0, 0, 2]], 0.5, 0.25, 0, rounded=True)
    assert mesh.vertices[:, 2].min() == pytest.approx(-0.5)
    assert mesh.vertices[:, 2].max() == pytest.approx(2.25)


def test_ellipsoid_has_its_radii() -> None:
    mesh = shapes.ellipsoids([[1.0, 2.0, 3.0]], [[5.0, 0.0, 0.0]], 1, 24, 16)
    np.testing.assert_allclose(extent(mesh), [2, 4, 6], rtol=0.02)


def test_loft_gives_faces_their_materials_and_closes_its_ends() -> None:
    square = np.array([[0, 0, 0], [0, 1, 0], [0, 1, 1], [0, 0, 1]], float)
    mesh = shapes.loft([square, square + np.array([1.0, 0.0, 0.0])], np.array([[1, 2, 3, 4]]), caps=9)
    assert area(mesh) == pytest.approx(6.0)
    assert np.bincount(mesh.materials).tolist() == [0, 2, 2, 2, 2, 0, 0, 0, 0, 8]


def test_disc_faces_its_normal() -> None:
    mesh = shapes.disc((1.0, 2.0, 3.0), (0.0, 1.0, 0.0), 0.5, 0, 32)
    assert extent(mesh)[1] < 0.01
    assert area(mesh) == pytest.approx(np.pi * 0.25, rel=0.02)


def test_mirrored_keeps_surfaces_facing_outwards() -> None:
    mesh = shapes.box((1, 1, 1), (0, 3, 0), 0)
    mirror = shapes.mirrored(mesh)
    assert mirror.vertices[:, 1].max() == pytest.approx(-2.5)
    a, b, c = (mirror.vertices[mirror.triangles[:, i]] for i in range(3))
    outward = (a + b + c) / 3 - [0, -3, 0]
    original = [mesh.vertices[mesh.triangles[:, i]] for i in range(3)]
    sign = np.sign(
        np.sum(
            np.cross(original[1] - original[0], original[2] - original[0]) * (np.mean(original, axis=0) - [0, 3, 0]),
            axis=1,
        )
    )
    np.testing.assert_array_equal(np.sign(np.sum(np.cross(b - a, c - a) * outward, axis=1)), sign)


def test_recoloured_exchanges_materials_without_touching_the_original() -> None:
    mesh = shapes.boxes([[1, 1, 1]], [[0, 0, 0], [2, 0, 0]], [3, 5])
    other = shapes.recoloured(mesh, {3: 8, 99: 1})
    assert set(other.materials) == {8, 5}
    assert set(mesh.materials) == {3, 5}


def test_instances_place_every_copy() -> None:
    mesh = shapes.box((1, 1, 1), (0, 0, 0), 2)
    copies = shapes.instances(mesh, [shapes.pose(x, 0.0) for x in (0.0, 10.0, 20.0)])
    assert len(copies.triangles) == 3 * len(mesh.triangles)
    assert extent(copies)[0] == pytest.approx(21.0)
    assert area(copies) == pytest.approx(18.0)
    assert area(merge([mesh, copies])) == pytest.approx(24.0)

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from perception.frame import CameraModel
from perception.sensors.projection import MIN_DEPTH, nearest_per_pixel, project

# x forward, y left, z up → x right, y down, z forward
LIDAR_TO_CAMERA = np.array([[0, -1, 0, 0.0], [0, 0, -1, -0.08], [1, 0, 0, -0.27], [0, 0, 0, 1]])
CAMERA = CameraModel(np.array([[70.0, 0, 40], [0, 70, 20], [0, 0, 1]]), 80, 40)


def clouds(max_points: int = 60) -> st.SearchStrategy[np.ndarray]:
    seeds = st.tuples(st.integers(0, max_points), st.integers(0, 2**32 - 1))
    return seeds.map(
        lambda s: np.random.default_rng(s[1]).uniform((-20, -20, -3, 0), (40, 20, 3, 1), (s[0], 4)).astype(np.float32)
    )


def reference(points: np.ndarray) -> dict[int, tuple[int, float, float]]:
    """The pinhole model point by point: row → (pixel, distance of u or v to the next rounding edge, depth)."""
    seen = {}
    for row, point in enumerate(points.astype(np.float64)):
        x, y, z = LIDAR_TO_CAMERA[:3, :3] @ point[:3] + LIDAR_TO_CAMERA[:3, 3]
        if z <= MIN_DEPTH:
            continue
        u, v = 70 * x / z + 40, 70 * y / z + 20
        if -0.5 < u < 79.5 and -0.5 < v < 39.5:
            edge = min(abs(u + 0.5 - round(u + 0.5)), abs(v + 0.5 - round(v + 0.5)))
            seen[row] = (round(v) * 80 + round(u), edge, z)
    return seen


@given(clouds())
def test_equals_the_pinhole_model_point_by_point(points: np.ndarray) -> None:
    expected = reference(points)
    projection = project(points, LIDAR_TO_CAMERA, CAMERA)
    pixels = np.rint(projection.uv).astype(int)
    for row, (u, v), depth in zip(projection.rows, pixels, projection.depth, strict=True):
        if row in expected and expected[row][1] > 1e-3:  # single precision may round the other way at an edge
            assert v * 80 + u == expected[row][0]
            assert abs(depth - expected[row][2]) < 1e-3
    certain = {row for row, (_, edge, z) in expected.items() if edge > 1e-3 and z > MIN_DEPTH + 1e-3}
    assert certain <= set(projection.rows.tolist())


@settings(max_examples=50)
@given(clouds(200))
def test_z_buffer_keeps_the_nearest_point_of_each_pixel(points: np.ndarray) -> None:
    coarse = CAMERA.resized(8, 4)  # many points per pixel
    projection = project(points, LIDAR_TO_CAMERA, coarse)
    pixel, row = nearest_per_pixel(projection)
    all_pixels = np.rint(projection.uv).astype(int) @ [1, coarse.width]
    assert sorted(pixel) == sorted(set(all_pixels))
    for p, r in zip(pixel, row, strict=True):
        assert projection.depth[r] == projection.depth[all_pixels == p].min()


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_of_points_equally_near_the_first_of_the_sweep_wins(dtype: type) -> None:
    points: np.ndarray = np.array(
        [[10, 0.3, 0.1, 1], [9.7, 0.3, 0.1, 1], [9.7, 0.3, 0.1, 0.5], [9.7, 0.3, 0.1, 0]], dtype
    )
    projection = project(points, LIDAR_TO_CAMERA, CAMERA.resized(8, 4))
    _, places = nearest_per_pixel(projection)
    assert projection.rows[places].tolist() == [1]


def test_leaves_out_what_is_not_finite_behind_or_outside() -> None:
    points = np.array([[10, 0, 0, 1], [np.nan, 0, 0, 1], [np.inf, 0, 0, 1], [-10, 0, 0, 1], [10, 50, 0, 1]], np.float32)
    assert project(points, LIDAR_TO_CAMERA, CAMERA).rows.tolist() == [0]


def test_an_empty_sweep_projects_to_nothing() -> None:
    projection = project(np.zeros((0, 4), np.float32), LIDAR_TO_CAMERA, CAMERA)
    assert projection.uv.shape == (0, 2)
    assert len(nearest_per_pixel(projection)[0]) == 0


@given(st.integers(1, 500), st.integers(1, 500))
def test_a_resized_camera_sees_a_point_at_the_same_place_of_its_image(width: int, height: int) -> None:
    point = np.array([[10, 1, 0.5, 1]], np.float32)
    u, v = project(point, LIDAR_TO_CAMERA, CAMERA).uv[0]
    small = CAMERA.resized(width, height)
    resized = project(point, LIDAR_TO_CAMERA, small).uv[0]
    np.testing.assert_allclose((resized + 0.5) / (width, height), ((u + 0.5) / 80, (v + 0.5) / 40), rtol=1e-4)

# SPDX-License-Identifier: Apache-2.0
from typing import Any

import numpy as np
import pytest

from perception.classes import ROAD
from perception.errors import PerceptionError
from perception.simulation.sensors.camera import Camera
from perception.simulation.sensors.rig import PIXELS, RIGS, Rig, rig_for
from perception.simulation.sensors.scanners import SCANNERS, Spinning

KITTI = rig_for("kitti")
NAMED = [name for name in RIGS if name != "random"]


def _angles(rig: Rig) -> tuple[float, float]:
    """Pitch (down) and roll (clockwise) of the camera in degrees, from where its axes point."""
    right, _, forward = rig.camera_to_ego()[:3, :3].T
    return float(np.rad2deg(np.arcsin(-forward[2]))), float(np.rad2deg(np.arcsin(-right[2] / np.hypot(*forward[:2]))))


def test_the_lidar_turns_where_kitti_mounts_it() -> None:
    pose = KITTI.lidar_to_ego()
    assert pose[2, 3] == pytest.approx(1.73, abs=0.03)
    np.testing.assert_allclose(pose[:3, :3], np.eye(3), atol=0.03)  # x forward, y left, z up, almost level


def test_what_lies_ahead_of_the_lidar_is_in_front_of_the_camera() -> None:
    x, y, z, _ = KITTI.lidar_to_camera @ [10.0, 0.0, 0.0, 1.0]
    assert (abs(x), abs(y)) < (0.5, 0.5)
    assert z == pytest.approx(9.73, abs=0.05)


def test_kittis_numbers_are_those_of_its_calibration() -> None:
    assert KITTI.camera.intrinsics.tolist() == [[721.5377, 0, 609.5593], [0, 721.5377, 172.854], [0, 0, 1]]
    assert KITTI.camera_to_ego().tolist() == [[0, 0, 1, 0], [-1, 0, 0, 0], [0, -1, 0, 1.65], [0, 0, 0, 1]]
    assert KITTI.lidar_to_camera[:3, 3] == pytest.approx([0.0571, -0.0755, -0.2694], abs=1e-4)


def test_a_scaled_camera_sees_the_same_directions() -> None:
    full, half = KITTI.camera_model(), KITTI.camera_model(0.5)
    assert (full.width, full.height) == (1242, 375)
    assert (half.width, half.height) == (621, 188)
    ray = np.array([0.3, -0.1, 1.0])
    u, v = (full.intrinsics @ ray)[:2]
    scaled = [(u + 0.5) * half.width / full.width - 0.5, (v + 0.5) * half.height / full.height - 0.5]
    np.testing.assert_allclose((half.intrinsics @ ray)[:2], scaled)


def test_cityscapes_has_the_real_sets_camera() -> None:
    rig = rig_for("cityscapes")
    assert rig.camera.intrinsics == pytest.approx(np.array([[1131.26, 0, 548.49], [0, 1132.6509, 256.5685], [0, 0, 1]]))
    assert (rig.camera.width, rig.camera.height, rig.camera_height, rig.baseline) == (1024, 512, 1.22, 0.209313)
    assert np.deg2rad(_angles(rig)[0]) == pytest.approx(0.038, abs=1e-4)


@pytest.mark.parametrize("name", NAMED)
def test_the_road_lies_as_far_below_the_camera_as_the_rig_says(name: str, day: Any) -> None:
    rig = rig_for(name)
    pose = rig.camera_to_ego()
    camera = Camera(rig.camera_model(0.2), day.table)
    view = camera.look(day.tracer, day.lighting, pose)
    row, column = np.nonzero((view.labels == ROAD) & (view.depth < 60))
    assert len(row) > 1000
    rays = np.linalg.inv(camera.model.intrinsics) @ [column, row, np.ones(len(row))]
    height = (pose[:3, :3] @ (rays * view.depth[row, column]))[2]
    np.testing.assert_allclose(height, -rig.camera_height, atol=0.03)
    assert _angles(rig) == pytest.approx((rig.pitch, rig.roll), abs=1e-6)


def test_a_camera_that_looks_down_sees_the_horizon_higher() -> None:
    truck = rig_for("truck")  # 5° down
    matrix, camera = truck.camera.intrinsics, truck.camera
    ahead = truck.camera_to_ego()[:3, :3].T @ [1.0, 0.0, 0.0]
    higher = matrix[1, 1] * np.tan(np.deg2rad(5))
    assert (matrix @ ahead / ahead[2])[1] == pytest.approx((camera.height - 1) / 2 - higher)


def test_a_camera_turned_clockwise_sees_the_horizon_fall_to_the_left() -> None:
    rig = next(rig for rig in (rig_for("random", seed) for seed in range(50)) if rig.roll > 1.0)
    left, right = (rig.camera_to_ego()[:3, :3].T @ [1.0, side, 0.0] for side in (1.0, -1.0))
    # In the optical frame y is down: what is level and to the right has climbed, since the camera's right side sank.
    assert right[1] / right[2] < left[1] / left[2]


def test_random_rigs_are_all_different_and_within_their_ranges() -> None:
    rigs = [rig_for("random", seed) for seed in range(200)]
    assert {str(rig.lidar) for rig in rigs} == {str(scanner) for scanner in SCANNERS.values()}
    height, pitch, roll, baseline = np.array([(r.camera_height, r.pitch, r.roll, r.baseline) for r in rigs]).T
    assert (height.min(), height.max()) == (pytest.approx(0.5, abs=0.05), pytest.approx(2.6, abs=0.05))
    assert (pitch.min(), pitch.max()) == (pytest.approx(-6, abs=0.3), pytest.approx(6, abs=0.3))
    assert (roll.min(), roll.max()) == (pytest.approx(-3, abs=0.2), pytest.approx(3, abs=0.2))
    assert 0.1 <= baseline.min() < 0.11
    assert 0.55 < baseline.max() <= 0.6
    for rig in rigs:
        field_of_view = 2 * np.rad2deg(np.arctan(rig.camera.width / 2 / rig.camera.intrinsics[0, 0]))
        assert 45 <= field_of_view <= 110
        assert rig.camera.width * rig.camera.height == pytest.approx(PIXELS, rel=0.02)
        assert 1.75 < rig.camera.width / rig.camera.height < 3.35
        forward, left, up = rig.lidar_to_ego()[:3, 3] - [0, 0, rig.camera_height]
        assert -1.5 <= forward <= 0.5
        assert abs(left) <= 0.6
        assert 0.2 <= up <= 1.2
        assert abs(np.rad2deg(np.arctan2(rig.lidar_to_ego()[1, 0], rig.lidar_to_ego()[0, 0]))) < 4.1
    again = rig_for("random", 7)
    assert (again.camera_height, again.lidar) == (rigs[7].camera_height, rigs[7].lidar)


def test_rigs_have_the_beams_that_are_on_the_market() -> None:
    assert sorted(len(s.elevations) for s in SCANNERS.values() if isinstance(s, Spinning)) == [16, 32, 40, 64, 128]


def test_an_unknown_rig_is_refused() -> None:
    with pytest.raises(PerceptionError, match=r"rig 'tank': expected kitti or car"):
        rig_for("tank")

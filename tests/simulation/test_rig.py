# SPDX-License-Identifier: Apache-2.0
import numpy as np
import pytest

from perception.simulation import rig


def test_the_lidar_turns_where_kitti_mounts_it() -> None:
    pose = rig.lidar_to_ego()
    assert pose[2, 3] == pytest.approx(rig.LIDAR_HEIGHT, abs=0.03)
    np.testing.assert_allclose(pose[:3, :3], np.eye(3), atol=0.03)  # x forward, y left, z up, almost level


def test_what_lies_ahead_of_the_lidar_is_in_front_of_the_camera() -> None:
    x, y, z, _ = rig.lidar_to_camera() @ [10.0, 0.0, 0.0, 1.0]
    assert (abs(x), abs(y)) < (0.5, 0.5)
    assert z == pytest.approx(9.73, abs=0.05)


def test_a_scaled_camera_sees_the_same_directions() -> None:
    full, half = rig.camera_model(), rig.camera_model(0.5)
    assert (full.width, full.height) == (1242, 375)
    assert (half.width, half.height) == (621, 188)
    ray = np.array([0.3, -0.1, 1.0])
    u, v = (full.intrinsics @ ray)[:2]
    scaled = [(u + 0.5) * half.width / full.width - 0.5, (v + 0.5) * half.height / full.height - 0.5]
    np.testing.assert_allclose((half.intrinsics @ ray)[:2], scaled)

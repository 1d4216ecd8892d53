# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from typing import Any

import numpy as np
import pytest

pytest.importorskip("rclpy")

from nav_msgs.msg import Odometry
from numpy.typing import NDArray

from perception.errors import MessageError
from perception.ros.motion import EgoMotion

MS = 1_000_000
SIDEWAYS = np.array([[0.0, -1, 0, 0.5], [1, 0, 0, 0.2], [0, 0, 1, 1.0], [0, 0, 0, 1]])
"""From a LiDAR that looks to the left to the vehicle."""


class Tf:
    """Knows where the LiDAR sits, and that everything came a metre nearer."""

    def lookup(self, target: str, source: str) -> NDArray[np.float64] | None:
        return SIDEWAYS if (target, source) == ("base_link", "side") else None

    def motion(self, frame: str, from_ns: int, to_ns: int, fixed: str) -> NDArray[np.float64] | None:
        moved = np.eye(4)
        moved[0, 3] = -1.0
        return moved if fixed == "odom" else None

    def forget(self) -> None:
        pass


def odometry(stamp_ms: int, forward: float, turn: float = 0.0) -> Any:
    message = Odometry(child_frame_id="base_link")
    message.header.stamp.nanosec = stamp_ms * MS
    message.twist.twist.linear.x = forward
    message.twist.twist.angular.z = turn
    return message


def test_what_is_ahead_comes_nearer() -> None:
    motion = EgoMotion()
    motion.put_odometry(odometry(100, 10.0))
    moved = motion.between("lidar", 50 * MS, 100 * MS)
    assert moved is not None
    np.testing.assert_allclose(moved @ [20.0, 3, 0, 1], [19.5, 3, 0, 1], atol=1e-9)
    back = motion.between("lidar", 100 * MS, 50 * MS)
    assert back is not None
    np.testing.assert_allclose(back @ moved, np.eye(4), atol=1e-9)


def test_the_mount_counts() -> None:
    motion = EgoMotion(Tf())
    motion.put_odometry(odometry(100, 10.0))
    moved = motion.between("side", 0, 100 * MS)
    assert moved is not None
    # What this LiDAR sees to its right is ahead of the vehicle.
    np.testing.assert_allclose(moved @ [0.0, -20, 0, 1], [0.0, -19, 0, 1], atol=1e-9)


def test_the_speed_nearest_in_time_counts() -> None:
    motion = EgoMotion()
    for stamp, speed in ((0, 1.0), (100, 2.0), (200, 3.0)):
        motion.put_odometry(odometry(stamp, speed))
    moved = motion.between("lidar", 0, 110 * MS)
    assert moved is not None
    assert moved[0, 3] == pytest.approx(-0.22)


def test_without_fresh_speeds_tf_is_asked_and_else_nothing_moves() -> None:
    stale = EgoMotion(Tf(), "odom")
    stale.put_odometry(odometry(0, 10.0))
    moved = stale.between("lidar", 700 * MS, 800 * MS)
    assert moved is not None
    assert moved[0, 3] == -1.0
    assert EgoMotion(Tf()).between("lidar", 0, 50 * MS) is None
    assert EgoMotion().between("lidar", 0, 50 * MS) is None


@pytest.mark.parametrize("speeds", [(float("nan"), 0.0), (1e6, 0.0), (10.0, 1e300), (-float("inf"), 0.0)])
def test_speeds_that_are_no_vehicles_are_left_out(speeds: tuple[float, float]) -> None:
    motion = EgoMotion()
    with pytest.raises(MessageError, match=r"^twist: "):
        motion.put_odometry(odometry(100, *speeds))
    assert motion.between("lidar", 50 * MS, 100 * MS) is None

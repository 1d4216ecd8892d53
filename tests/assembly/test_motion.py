# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from typing import Any

import numpy as np
import pytest

pytest.importorskip("rclpy")

from nav_msgs.msg import Odometry
from numpy.typing import NDArray
from sensor_msgs.msg import Imu

from perception.assembly.motion import EgoMotion
from perception.errors import MessageError

MS = 1_000_000
SIDEWAYS = np.array([[0.0, -1, 0, 0.5], [1, 0, 0, 0.2], [0, 0, 1, 1.0], [0, 0, 0, 1]])
"""From a LiDAR that looks to the left to the vehicle."""


class Tf:
    """Knows the LiDAR's pose, and that everything came a metre nearer."""

    def lookup(self, target: str, source: str, at_ns: int | None = None) -> NDArray[np.float64] | None:
        return SIDEWAYS if (target, source) == ("base_link", "side") else None

    def motion(self, frame: str, from_ns: int, to_ns: int, fixed: str) -> NDArray[np.float64] | None:
        moved = np.eye(4)
        moved[0, 3] = -1.0
        return moved if fixed == "odom" else None

    def forget(self) -> None:
        pass


def odometry(stamp_ms: int, forward: float, turn: float = 0.0, frame: str = "base_link") -> Any:
    message = Odometry(child_frame_id=frame)
    message.header.frame_id = "wheel_odom"
    message.header.stamp.nanosec = stamp_ms * MS
    message.twist.twist.linear.x = forward
    message.twist.twist.angular.z = turn
    return message


def imu(stamp_ms: int, turn: float, frame: str = "imu") -> Any:
    message = Imu()
    message.header.frame_id = frame
    message.header.stamp.nanosec = stamp_ms * MS
    message.angular_velocity.z = turn
    return message


def test_a_sensors_own_velocity_is_in_its_frame() -> None:
    motion = EgoMotion(Tf())
    motion.put_odometry(odometry(100, 10.0))
    np.testing.assert_allclose(motion.velocity("base_link", 100 * MS), [10, 0, 0], atol=1e-6)
    np.testing.assert_allclose(motion.velocity("side", 100 * MS), [0, -10, 0], atol=1e-6)
    with pytest.raises(MessageError, match="odometry: no TF from 'front'"):
        motion.velocity("front", 100 * MS)
    by_tf = EgoMotion(Tf(), "odom")  # a metre nearer in 50 ms
    np.testing.assert_allclose(by_tf.velocity("front", 100 * MS), [20, 0, 0], atol=1e-6)


def test_an_imu_tells_no_velocity() -> None:
    motion = EgoMotion()
    motion.put_imu(imu(100, 0.1))
    assert motion.velocity("imu", 100 * MS) is None


def test_what_is_ahead_comes_nearer() -> None:
    motion = EgoMotion()
    motion.put_odometry(odometry(100, 10.0))
    moved = motion.between("base_link", 50 * MS, 100 * MS)
    assert moved is not None
    np.testing.assert_allclose(moved @ [20.0, 3, 0, 1], [19.5, 3, 0, 1], atol=1e-9)
    back = motion.between("/base_link", 100 * MS, 50 * MS)
    assert back is not None
    np.testing.assert_allclose(back @ moved, np.eye(4), atol=1e-9)


def test_the_mount_counts() -> None:
    motion = EgoMotion(Tf())
    motion.put_odometry(odometry(100, 10.0))
    moved = motion.between("side", 0, 100 * MS)
    assert moved is not None
    # Things to the right of this LiDAR are ahead of the vehicle.
    np.testing.assert_allclose(moved @ [0.0, -20, 0, 1], [0.0, -19, 0, 1], atol=1e-9)


def test_a_vehicle_that_gains_speed_is_followed_exactly() -> None:
    motion = EgoMotion()
    for stamp, speed in ((100, 2.0), (0, 1.0), (200, 3.0)):
        motion.put_odometry(odometry(stamp, speed))
    path = motion.path("base_link", np.array([0, 55, 110]) * MS, 110 * MS)
    assert path is not None
    # 1 m/s and 10 m/s²: 0.1705 m in 110 ms, of which 0.070125 m in the first half.
    np.testing.assert_allclose(path[:, 0, 3], [-0.1705, -0.100375, 0.0], atol=1e-9)


@pytest.mark.parametrize(("body", "word"), [("", "child_frame_id is empty"), ("rear_axle", "no TF from 'side' to its")])
def test_without_the_mount_nothing_is_moved_and_told(body: str, word: str) -> None:
    """A LiDAR that looks backwards would be moved the wrong way."""
    motion = EgoMotion(Tf())
    motion.put_odometry(odometry(100, 10.0, frame=body))
    with pytest.raises(MessageError, match=f"^odometry: .*{word}"):
        motion.between("side", 0, 100 * MS)
    with_tf = EgoMotion(Tf(), "odom")
    with_tf.put_odometry(odometry(100, 10.0, frame=body))
    moved = with_tf.between("side", 0, 100 * MS)
    assert moved is not None
    assert moved[0, 3] == -1.0, "TF knows the motion by itself"


class Still(Tf):
    """Knows the pose of a frame that does not move with the vehicle."""

    def lookup(self, target: str, source: str, at_ns: int | None = None) -> NDArray[np.float64] | None:
        return SIDEWAYS

    def motion(self, frame: str, from_ns: int, to_ns: int, fixed: str) -> NDArray[np.float64] | None:
        return np.eye(4) if frame == "site" else super().motion(frame, from_ns, to_ns, "odom")


@pytest.mark.parametrize("frame", ["wheel_odom", "/wheel_odom", "map", "world", "site"])
def test_what_stands_still_is_not_moved_again(frame: str) -> None:
    motion = EgoMotion(Still(), "world")
    motion.put_odometry(odometry(100, 20.0))
    moved = motion.between(frame, 50 * MS, 100 * MS)
    assert moved is not None
    np.testing.assert_array_equal(moved, np.eye(4))
    assert motion.still(frame)
    riding = motion.between("side", 50 * MS, 100 * MS)
    assert riding is not None
    assert riding[1, 3] == pytest.approx(1.0)
    assert not motion.still("side")


def test_odometry_in_its_own_frame_makes_no_sensor_stand_still() -> None:
    motion = EgoMotion()
    message = odometry(100, 10.0)
    message.header.frame_id = "base_link"
    motion.put_odometry(message)
    assert not motion.still("base_link")


def test_an_imu_turns_a_sweep_where_nothing_else_is_known() -> None:
    motion = EgoMotion(Tf())
    for stamp in range(0, 200, 10):
        motion.put_imu(imu(stamp, 1.0, "base_link"))
    moved = motion.between("side", 0, 100 * MS)
    assert moved is not None
    # The vehicle turns left by 0.1 rad about the LiDAR: things that were ahead of the LiDAR are then to its right.
    np.testing.assert_allclose(moved @ [10.0, 0, 0, 1], [10 * np.cos(0.1), -10 * np.sin(0.1), 0, 1], atol=1e-9)
    elsewhere = EgoMotion(Tf())
    elsewhere.put_imu(imu(50, 1.0))
    with pytest.raises(MessageError, match=r"^imu: no TF from 'side' to its header.frame_id 'imu'"):
        elsewhere.between("side", 0, 100 * MS)
    motion.put_odometry(odometry(50, 10.0))
    moved = motion.between("side", 0, 100 * MS)
    assert moved is not None
    assert moved[1, 3] == pytest.approx(1.0), "odometry comes first"


def test_tf_is_asked_every_ten_milliseconds_and_changes_evenly_between() -> None:
    asked: list[int] = []

    class Rolling(Tf):
        def motion(self, frame: str, from_ns: int, to_ns: int, fixed: str) -> NDArray[np.float64] | None:
            asked.append(from_ns)
            moved = np.eye(4)
            moved[0, 3] = 20e-9 * (from_ns - to_ns)
            return moved

    times = np.arange(0, 101) * MS
    path = EgoMotion(Rolling(), "odom").path("lidar", times, 100 * MS)
    assert path is not None
    np.testing.assert_allclose(path[:, 0, 3], 20e-9 * (times - 100 * MS), atol=1e-9)
    assert len(asked) == 11


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

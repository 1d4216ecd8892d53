# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from helpers.kitti import PACKET
from hypothesis import given
from hypothesis import strategies as st

from perception.assembly.transforms import transform_matrix
from perception.bags.kitti.oxts_messages import fix_status, oxts_messages
from perception.bags.raw import TYPES
from perception.datasets.kitti.oxts import OxtsPacket, parse_oxts_packet

ANGLES = st.floats(-np.pi, np.pi)


def packet(**changes: Any) -> OxtsPacket:
    return replace(parse_oxts_packet(" ".join(map(str, PACKET)), "here"), **changes)


def read(packet: OxtsPacket) -> tuple[Any, Any, Any]:
    read: list[Any] = [TYPES.deserialize_cdr(raw.data, raw.type) for raw in oxts_messages(packet, 5)]
    imu, fix, velocity = read
    assert {message.header.frame_id for message in (imu, fix, velocity)} == {"imu_link"}
    return imu, fix, velocity


@given(st.floats(-0.5, 0.5), st.floats(-0.5, 0.5), ANGLES, st.floats(-20, 20), st.floats(-20, 20), st.floats(-2, 2))
def test_the_velocity_is_in_the_frame_of_its_header(
    roll: float, pitch: float, yaw: float, ve: float, vn: float, vu: float
) -> None:
    imu, _, velocity = read(packet(roll=roll, pitch=pitch, yaw=yaw, ve=ve, vn=vn, vu=vu))
    q, v = imu.orientation, velocity.twist.linear
    transform = type("Transform", (), {"rotation": q, "translation": type("Zero", (), {"x": 0, "y": 0, "z": 0})})
    attitude = transform_matrix(transform)
    assert attitude is not None
    np.testing.assert_allclose(attitude[:3, :3] @ [v.x, v.y, v.z], [ve, vn, vu], atol=1e-6)


def test_a_car_that_drives_straight_on_level_ground_goes_along_x() -> None:
    _, _, velocity = read(packet(roll=0, pitch=0, yaw=np.pi / 2, ve=0, vn=10, vu=0))
    v = velocity.twist.linear
    np.testing.assert_allclose([v.x, v.y, v.z], [10, 0, 0], atol=1e-9)


def test_front_down_is_a_positive_pitch() -> None:
    imu, _, _ = read(packet(roll=0, pitch=0.1, yaw=0))
    assert imu.orientation.y == pytest.approx(np.sin(0.05))


def test_the_position_and_its_covariance() -> None:
    _, fix, _ = read(packet())
    assert (fix.latitude, fix.longitude, fix.altitude) == tuple(PACKET[:3])
    np.testing.assert_allclose(fix.position_covariance.reshape(3, 3), np.diag([0.25, 0.25, 1.0]))
    assert (fix.position_covariance_type, fix.status.status, fix.status.service) == (1, 2, 1)
    _, fix, _ = read(packet(pos_accuracy=float("nan")))
    assert (fix.position_covariance_type, fix.position_covariance.any()) == (0, False)


def test_covariances_are_diagonal_and_known() -> None:
    imu, _, _ = read(packet())
    for name in ("orientation", "angular_velocity", "linear_acceleration"):
        covariance = getattr(imu, f"{name}_covariance").reshape(3, 3)
        assert (np.diag(covariance) > 0).all()
        assert np.count_nonzero(covariance) == 3


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({}, 2),
        ({"posmode": 3}, 0),
        ({"posmode": 7}, 1),
        ({"posmode": 0}, -1),
        ({"numsats": 3}, -1),
        ({"navstat": 2}, -1),
        ({"numsats": -1, "posmode": -1}, 0),
    ],
)
def test_status(changes: dict[str, int], status: int) -> None:
    assert fix_status(packet(**changes)) == status

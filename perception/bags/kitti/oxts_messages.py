# SPDX-License-Identifier: Apache-2.0
"""OXTS packets → Imu, NavSatFix and TwistStamped, all in imu_link (x forward, y left, z up)."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from perception.bags.geometry import quaternion, vector
from perception.bags.raw import RawMessage, header, make, raw
from perception.datasets.kitti.oxts import OxtsPacket, oxts_attitude
from perception.datasets.kitti.recording import IMU

TOPICS: tuple[str, ...] = ("/kitti/oxts/imu", "/kitti/oxts/gps/fix", "/kitti/oxts/gps/vel")

_ATTITUDE_SIGMA = np.radians([0.03, 0.03, 0.1])
_RATE_SIGMA = np.radians([0.01] * 3)
_ACCELERATION_SIGMA = np.array([0.01] * 3)
"""Roll, pitch and heading [rad], rates [rad/s] and accelerations [m/s²] of the RT3003, by its manufacturer's data
sheet."""

_LOCKED = 4
_DIFFERENTIAL = {4, 5, 6, 14, 15, 16}  # also RTK, float or integer; from 12 on, of post-processing
_SATELLITE_AUGMENTED = {7, 8, 9, 17, 18, 19}  # WAAS, OmniSTAR
_NO_POSITION = {0, 1, 2, 10, 11, 12}


def oxts_messages(packet: OxtsPacket, stamp_ns: int) -> list[RawMessage]:
    """The three messages of a packet, by TOPICS."""
    types = (("Imu", _imu(packet)), ("NavSatFix", _fix(packet)))
    messages = [
        raw(topic, f"sensor_msgs/msg/{name}", stamp_ns, {"header": header(stamp_ns, IMU), **fields})
        for topic, (name, fields) in zip(TOPICS, types, strict=False)
    ]
    fields = {"header": header(stamp_ns, IMU), "twist": _twist(packet)}
    return [*messages, raw(TOPICS[2], "geometry_msgs/msg/TwistStamped", stamp_ns, fields)]


def fix_status(packet: OxtsPacket) -> int:
    """NavSatStatus: -1 no fix, 0 fix, 1 with corrections from satellites, 2 with those of a ground station.

    Drives of later days have -1 for the satellites and modes, which means unknown.
    """
    if packet.navstat != _LOCKED or 0 <= packet.numsats < 4 or packet.posmode in _NO_POSITION:
        return -1
    if packet.posmode in _DIFFERENTIAL:
        return 2
    return 1 if packet.posmode in _SATELLITE_AUGMENTED else 0


def _imu(packet: OxtsPacket) -> dict[str, Any]:
    """Rates and accelerations about the unit's own axes (wx, ax, …), not the horizontal ones (wf, af, …)."""
    return {
        "orientation": quaternion(oxts_attitude(packet)),
        "orientation_covariance": _diagonal(_ATTITUDE_SIGMA),
        "angular_velocity": vector((packet.wx, packet.wy, packet.wz)),
        "angular_velocity_covariance": _diagonal(_RATE_SIGMA),
        "linear_acceleration": vector((packet.ax, packet.ay, packet.az)),
        "linear_acceleration_covariance": _diagonal(_ACCELERATION_SIGMA),
    }


def _fix(packet: OxtsPacket) -> dict[str, Any]:
    sigma = packet.pos_accuracy if math.isfinite(packet.pos_accuracy) and packet.pos_accuracy > 0 else 0.0
    # OXTS states no accuracy of the height; twice that of the position is usual for satellites.
    return {
        "status": make("sensor_msgs/msg/NavSatStatus", status=fix_status(packet), service=1),
        "latitude": packet.lat,
        "longitude": packet.lon,
        "altitude": packet.alt,
        "position_covariance": _diagonal(np.array([sigma, sigma, 2 * sigma])),
        "position_covariance_type": 1 if sigma else 0,
    }


def _twist(packet: OxtsPacket) -> Any:
    """vf and vl are in the horizontal plane: the velocity in the unit's axes is computed from east, north, up."""
    velocity = oxts_attitude(packet).T @ np.array([packet.ve, packet.vn, packet.vu])
    return make("geometry_msgs/msg/Twist", linear=vector(velocity), angular=vector((packet.wx, packet.wy, packet.wz)))


def _diagonal(sigma: NDArray[np.float64]) -> NDArray[np.float64]:
    """(9,) covariance, row by row, of independent errors."""
    return np.diag(sigma**2).reshape(9)

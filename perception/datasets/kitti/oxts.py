# SPDX-License-Identifier: Apache-2.0
"""OXTS packets: the vehicle's GPS and inertial unit, and the poses computed from them."""

from __future__ import annotations

import math
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from perception.datasets.io.files import read_text
from perception.errors import DataError
from perception.storage import source

EARTH_RADIUS_M = 6_378_137.0


@dataclass(frozen=True)
class OxtsPacket:
    """One packet, its 30 fields by KITTI's names and in KITTI's order.

    lat, lon [deg], alt [m]: position. roll (positive left side up), pitch (positive front down), yaw (0 east,
    counter-clockwise) [rad]. vn, ve: velocity north and east; vf, vl, vu: forward, leftward, upward, relative to the
    earth's surface [m/s]. ax, ay, az: acceleration along the vehicle's front, left, top; af, al, au: the same
    along forward, leftward, upward [m/s²]. wx, wy, wz and wf, wl, wu: angular rates about those axes [rad/s].
    pos_accuracy [m], vel_accuracy [m/s]: north/east. navstat: navigation status. numsats: satellites tracked.
    posmode, velmode, orimode: modes of the GPS receiver.
    """

    lat: float
    lon: float
    alt: float
    roll: float
    pitch: float
    yaw: float
    vn: float
    ve: float
    vf: float
    vl: float
    vu: float
    ax: float
    ay: float
    az: float
    af: float
    al: float
    au: float
    wx: float
    wy: float
    wz: float
    wf: float
    wl: float
    wu: float
    pos_accuracy: float
    vel_accuracy: float
    navstat: int
    numsats: int
    posmode: int
    velmode: int
    orimode: int


def read_oxts_packet(path: str | Path) -> OxtsPacket:
    """Reads oxts/data/NUMBER.txt. Raises DataError for a missing file and for anything but 30 numbers."""
    return parse_oxts_packet(read_text(source(path)), f"{path}")


def parse_oxts_packet(text: str, where: str) -> OxtsPacket:
    """The packet in a line. where: its place, for the DataError if it has not 30 numbers."""
    words = text.split()
    names = [field.name for field in fields(OxtsPacket)]
    if len(words) != len(names):
        raise DataError(f"{where}: {len(words)} numbers, expected {len(names)}")
    try:
        values: list[Any] = [float(word) for word in words]
        values[25:] = [int(value) for value in values[25:]]
    except (ValueError, OverflowError) as error:
        raise DataError(f"{where}: {error}") from error
    return OxtsPacket(*values)


def oxts_pose(packet: OxtsPacket, origin: OxtsPacket) -> NDArray[np.float64]:
    """(4, 4) pose of the inertial unit in a world with x east, y north, z up, with its origin at `origin`; metres.

    Mercator projection scaled at the origin's latitude, as in KITTI's development kit.
    """
    scale = math.cos(math.radians(origin.lat))
    pose = _pose(packet, scale)
    pose[:3, 3] -= _pose(origin, scale)[:3, 3]
    return pose


def oxts_attitude(packet: OxtsPacket) -> NDArray[np.float64]:
    """(3, 3) rotation from the inertial unit's axes (x forward, y left, z up) to east, north, up."""
    return _about_z(packet.yaw) @ _about_y(packet.pitch) @ _about_x(packet.roll)


def _pose(packet: OxtsPacket, scale: float) -> NDArray[np.float64]:
    east = scale * EARTH_RADIUS_M * math.radians(packet.lon)
    north = scale * EARTH_RADIUS_M * math.log(math.tan(math.pi / 4 + math.radians(packet.lat) / 2))
    pose = np.eye(4)
    pose[:3, :3] = oxts_attitude(packet)
    pose[:3, 3] = east, north, packet.alt
    return pose


def _about_x(angle: float) -> NDArray[np.float64]:
    c, s = math.cos(angle), math.sin(angle)
    return np.array([[1, 0, 0], [0, c, -s], [0, s, c]])


def _about_y(angle: float) -> NDArray[np.float64]:
    c, s = math.cos(angle), math.sin(angle)
    return np.array([[c, 0, s], [0, 1, 0], [-s, 0, c]])


def _about_z(angle: float) -> NDArray[np.float64]:
    c, s = math.cos(angle), math.sin(angle)
    return np.array([[c, -s, 0], [s, c, 0], [0, 0, 1]])

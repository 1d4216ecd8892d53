# SPDX-License-Identifier: Apache-2.0
"""Names of several LiDARs: each is a sensor of its own, and together they are one modality of a frame."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeVar

T = TypeVar("T")

MOST = 9
"""The most LiDARs of one vehicle."""


def lidar_names(count: int) -> tuple[str, ...]:
    """The names of that many LiDARs: lidar, lidar2, lidar3 …"""
    return ("lidar", *(f"lidar{number}" for number in range(2, count + 1)))


def modality_of(sensor: str) -> str:
    """The modality of a frame that a sensor's messages belong to: lidar for every LiDAR, else its own name."""
    return sensor.rstrip("0123456789")


def first_of(by_sensor: Mapping[str, T], modality: str) -> T:
    """The value of a modality: with several LiDARs, that of the first one present."""
    return by_sensor[min(name for name in by_sensor if modality_of(name) == modality)]

# SPDX-License-Identifier: Apache-2.0
"""Sensors that stop, come late, twice, in disorder or not at all."""

from __future__ import annotations

import random
import time
from collections.abc import Iterable
from typing import Any

import pytest
from helpers.drive import STRICT, Drive, Note, lost
from helpers.vehicle import wait_for

OK, WARN, ERROR = b"\x00", b"\x01", b"\x02"


def test_a_lidar_that_stops_and_returns(well: Drive, record_property: Note) -> None:
    well.faults["lidar"] = lost
    stamps = well.for_seconds(2.0)
    well.expect_answers(stamps, record_property)
    wait_for(lambda: well.fusion() == (WARN, well.fusion()[1]) and "without lidar" in well.fusion()[1], 5)
    well.expect_recovery(record_property)


def test_a_camera_that_stops_and_returns(well: Drive, record_property: Note) -> None:
    well.faults["rgb"] = lost
    time.sleep(0.8)  # longer than its timeout
    stamps = well.for_seconds(1.5)
    well.expect_answers(stamps, record_property)
    wait_for(lambda: "without rgb" in well.fusion()[1], 5)
    well.expect_recovery(record_property)


def test_every_sensor_stops_and_returns(well: Drive, record_property: Note) -> None:
    well.faults |= {"rgb": lost, "lidar": lost}
    wait_for(lambda: well.fusion() == (ERROR, "every sensor is silent: nothing is published"), 10)
    well.expect_recovery(record_property)


def test_losses(well: Drive, record_property: Note) -> None:
    """Every image that arrived is answered, whatever the LiDAR loses."""
    chance = random.Random(0)

    def lossy(message: Any) -> Iterable[tuple[float, Any]]:
        return () if chance.random() < 0.3 else ((0.0, message),)

    well.faults["lidar"] = lossy
    stamps = well.for_seconds(3.0)
    well.expect_answers(stamps, record_property)
    well.expect_recovery(record_property)


def test_duplicates(well: Drive, record_property: Note) -> None:
    before = len(well.all("/perception/labels"))
    well.faults |= dict.fromkeys(("rgb", "lidar"), lambda message: ((0.0, message), (0.0, message), (0.03, message)))
    stamps = well.for_seconds(2.0)
    well.expect_answers(stamps, record_property)
    heard = well.all("/perception/labels")[before:]
    assert len(heard) == len({(m.header.stamp.sec, m.header.stamp.nanosec) for m in heard})
    wait_for(lambda: int(well.statuses()["rgb"][2].get("dropped_duplicate", 0)) > 0, 5)
    well.expect_recovery(record_property)


@pytest.mark.parametrize("late_s", [0.005, 0.095, 0.15])
def test_a_lidar_that_comes_late(well: Drive, record_property: Note, late_s: float) -> None:
    """Each image is answered together with the sweep of its own stamp."""
    well.faults["lidar"] = lambda message: ((late_s, message),)
    well.for_seconds(1.0)  # how late it comes has to be learnt
    stamps = set(well.for_seconds(3.0)[:-3])
    well.expect_answers(stamps, record_property)
    paired = stamps & well.with_lidar()
    assert len(paired) >= (0.95 if STRICT else 0.8) * len(stamps)
    wait_for(lambda: abs(float(well.statuses()["fusion"][2]["lidar.latency_ms_p95"]) - 1e3 * late_s) < 60, 10)
    well.expect_recovery(record_property)


@pytest.mark.parametrize("sensor", ["rgb", "lidar"])
def test_jitter_and_disorder(well: Drive, record_property: Note, sensor: str) -> None:
    """Up to half a second late: the node answers on, and never twice nor backwards."""
    chance, before = random.Random(1), len(well.all("/perception/labels"))
    well.faults[sensor] = lambda message: ((chance.uniform(0.0, 0.5), message),)
    stamps = well.for_seconds(3.0)
    if sensor == "lidar":
        well.expect_answers(stamps, record_property)
    heard = [m.header.stamp.sec + 1e-9 * m.header.stamp.nanosec for m in well.all("/perception/labels")[before:]]
    assert len(heard) > 5
    assert heard == sorted(set(heard))
    well.expect_recovery(record_property)

# SPDX-License-Identifier: Apache-2.0
"""Stamps from the future, the past and nowhere."""

from __future__ import annotations

import time
from collections.abc import Iterable
from typing import Any

import pytest
from helpers.drive import Drive, Note
from helpers.vehicle import wait_for


@pytest.mark.parametrize("jump", [-3600.0, -20.0, 3600.0])
def test_the_clock_jumps_as_when_a_bag_starts_again(well: Drive, record_property: Note, jump: float) -> None:
    well.clock = jump
    seconds = well.wait_until_whole()
    record_property("recovery_s", round(seconds, 2))
    assert seconds < 3.0
    stamps = well.for_seconds(1.0)
    well.expect_answers(stamps, record_property)
    well.expect_recovery(record_property)


@pytest.mark.parametrize("away", [3600, -3600])
@pytest.mark.parametrize("sensor", ["rgb", "lidar"])
def test_one_stamp_is_far_away(well: Drive, record_property: Note, sensor: str, away: int) -> None:
    told: list[int] = []

    def once(message: Any) -> Iterable[tuple[float, Any]]:
        if not told:
            told.append(1)
            message.header.stamp.sec += away
        return ((0.0, message),)

    well.faults[sensor] = once
    time.sleep(0.3)
    assert told
    well.expect_recovery(record_property)
    stamps = well.for_seconds(1.0)
    well.expect_answers(stamps, record_property)


def test_a_lidar_without_stamps_pairs_by_arrival(well: Drive, record_property: Note) -> None:
    def unstamped(message: Any) -> Iterable[tuple[float, Any]]:
        message.header.stamp.sec = message.header.stamp.nanosec = 0
        return ((0.0, message),)

    well.faults["lidar"] = unstamped
    stamps = well.for_seconds(2.0)
    well.expect_answers(stamps, record_property)
    wait_for(lambda: 0 in well.with_lidar(), 5)
    wait_for(lambda: "header.stamp: zero" in well.statuses()["lidar"][1], 5)
    well.expect_recovery(record_property)

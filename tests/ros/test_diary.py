# SPDX-License-Identifier: Apache-2.0
"""When a sensor was away, by what the node said once a second."""

from __future__ import annotations

import pytest

pytest.importorskip("rclpy")

from perception.ros.diary import Diary
from perception.ros.recorder import Status

SECOND = 1_000_000_000


def said(second: float, alive: bool, age: str) -> Status:
    return Status(round(second * SECOND), "perception: lidar", 0, "", {"alive": str(alive), "age_s": age})


def test_a_sensor_that_was_silent_for_a_while() -> None:
    statuses = [said(1, True, "0.1"), said(2, False, "0.8"), said(3, False, "1.8"), said(4, True, "0.0")]
    gaps = Diary([*statuses, said(9, False, "4")]).dropouts(0, 5 * SECOND)
    assert gaps == [{"modality": "lidar", "from_s": pytest.approx(1.2), "to_s": 4.0}]
    gaps = Diary(statuses[:3]).dropouts(0, 5 * SECOND)
    assert gaps == [{"modality": "lidar", "from_s": pytest.approx(1.2), "to_s": 5.0}]


def test_a_sensor_that_never_spoke_has_no_drop_out() -> None:
    assert Diary([said(1, False, "")]).dropouts(0, 5 * SECOND) == []

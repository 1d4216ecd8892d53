# SPDX-License-Identifier: Apache-2.0
"""When a sensor was silent, from the node's reports once a second."""

from __future__ import annotations

import pytest

pytest.importorskip("rclpy")

from perception.reporting.dropout import Dropout
from perception.ros.watch.diagnostics_log import DiagnosticsLog
from perception.ros.watch.recorder import Status

SECOND = 1_000_000_000


def said(second: float, alive: bool, age: str) -> Status:
    return Status(round(second * SECOND), "perception: lidar", 0, "", {"alive": str(alive), "age_s": age})


def test_a_sensor_that_was_silent_for_a_while() -> None:
    statuses = [said(1, True, "0.1"), said(2, False, "0.8"), said(3, False, "1.8"), said(4, True, "0.0")]
    gaps = DiagnosticsLog([*statuses, said(9, False, "4")]).dropouts(0, 5 * SECOND)
    assert gaps == [Dropout("lidar", pytest.approx(1.2), 4.0)]
    gaps = DiagnosticsLog(statuses[:3]).dropouts(0, 5 * SECOND)
    assert gaps == [Dropout("lidar", pytest.approx(1.2), 5.0)]


def test_a_sensor_that_never_spoke_has_no_drop_out() -> None:
    assert DiagnosticsLog([said(1, False, "")]).dropouts(0, 5 * SECOND) == []


def second(number: int, sent: int, answered: int, superseded: int) -> list[Status]:
    fusion = {"frames": str(number * answered), "rate_hz": str(answered), "trigger": "rgb"}
    camera = {"received": str(number * sent), "rate_hz": str(sent), "dropped_superseded": str(number * superseded)}
    time_ns = number * SECOND
    return [Status(time_ns, "perception: fusion", 0, "", fusion), Status(time_ns, "perception: rgb", 0, "", camera)]


def test_a_node_that_leaves_out_most_frames_falls_behind() -> None:
    slow = [status for number in range(1, 6) for status in second(number, 25, 9, 16)]
    assert DiagnosticsLog(slow).falls_behind().startswith("does not keep up: 9 of 25 Hz; try rgb at 9 Hz, ")
    assert DiagnosticsLog([*slow, *second(6, 25, 9, 16)], "front/perception").falls_behind() == ""


def test_who_has_chosen_the_model_already_is_not_told_to() -> None:
    slow = [status for number in range(1, 6) for status in second(number, 25, 9, 16)]
    assert "model:=auto" in DiagnosticsLog(slow).falls_behind()
    for status in slow[::2]:
        status.values["model_steps"] = "1"
    assert "model" not in DiagnosticsLog(slow).falls_behind()


def test_prepared_frames_that_newer_ones_replaced_were_left_out_too() -> None:
    slow = [status for number in range(1, 6) for status in second(number, 25, 9, 0)]
    for number, status in enumerate(slow[1::2], 1):
        status.values["dropped_overtaken"] = str(16 * number)
    assert DiagnosticsLog(slow).falls_behind().startswith("does not keep up: 9 of 25 Hz")


def test_the_model_is_the_one_that_ran_longest() -> None:
    statuses = [status for number in range(1, 6) for status in second(number, 10, 10, 0)]
    assert DiagnosticsLog(statuses).model() == ("", 1.0, 1)
    for number, status in enumerate(statuses[::2]):
        status.values["model"] = "a" if number in (0, 4) else "b"
    assert DiagnosticsLog(statuses).model() == ("b", 1.0, 1)


def test_a_frame_now_and_then_is_not_falling_behind() -> None:
    assert (
        DiagnosticsLog([status for number in range(1, 6) for status in second(number, 25, 24, 1)]).falls_behind() == ""
    )
    assert DiagnosticsLog(second(1, 25, 9, 16)).falls_behind() == ""
    assert DiagnosticsLog([]).falls_behind() == ""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from perception.sensors.point_times import STAMPS, PointTimes, read_times, stamp_shift_ns

STAMP = 1_795_946_400_123_456_789
"""The stamp of the header."""

RELATIVE = np.linspace(0.0, 0.1, 1001)
"""The times in a sweep of 0.1 s [s]."""


def read(values: Any, stamp_ns: int = STAMP, habit: str = "middle") -> PointTimes:
    found = read_times(np.asarray(values), "t", stamp_ns, habit)
    assert isinstance(found, PointTimes)
    return found


def offsets_ns(times: PointTimes) -> Any:
    return times.since.astype(np.float64) * 1e9 + times.begin_ns


@pytest.mark.parametrize(
    ("values", "precision_ns"),
    [
        pytest.param(RELATIVE.astype(np.float32), 10, id="Velodyne: float32 s"),
        pytest.param(np.rint(RELATIVE * 1e9).astype(np.uint32), 0, id="Ouster, Livox: uint32 ns"),
        pytest.param(np.rint(RELATIVE * 1e6).astype(np.uint32), 0, id="uint32 µs"),
        pytest.param(RELATIVE * 1e3, 1, id="float64 ms"),
        pytest.param(STAMP * 1e-9 + RELATIVE, 500, id="Hesai, RoboSense: float64 s since 1970"),
        pytest.param(STAMP + RELATIVE * 1e9, 500, id="Livox: float64 ns since 1970"),
        pytest.param(
            (STAMP + np.rint(RELATIVE * 1e9).astype(np.int64)).astype(np.uint64), 0, id="uint64 ns since 1970"
        ),
        pytest.param(STAMP // 1000 + np.rint(RELATIVE * 1e6).astype(np.int64), 1000, id="int64 µs since 1970"),
    ],
)
def test_units_and_relations(values: Any, precision_ns: int) -> None:
    found = read(values)
    np.testing.assert_allclose(offsets_ns(found), RELATIVE * 1e9, atol=precision_ns + 10)
    assert found.word == ""


def test_times_before_a_stamp_at_the_end() -> None:
    for values in (RELATIVE - 0.1, STAMP * 1e-9 - 0.1 + RELATIVE):
        found = read(values.astype(np.float32) if values[0] < 0 else values)
        np.testing.assert_allclose(offsets_ns(found), (RELATIVE - 0.1) * 1e9, atol=500)


@pytest.mark.parametrize("stamp_s", [0.02, 0.3, 7.0])
def test_simulated_time_near_zero(stamp_s: float) -> None:
    stamp = round(stamp_s * 1e9)
    for values in (RELATIVE, RELATIVE + stamp_s):
        np.testing.assert_allclose(offsets_ns(read(values, stamp)), RELATIVE * 1e9, atol=10)


@pytest.mark.parametrize(("habit", "first"), [("start", 0.0), ("middle", -0.05), ("end", -0.1)])
def test_another_clock_tells_differences_alone(habit: str, first: float) -> None:
    found = read(40.0 + RELATIVE, habit=habit)
    np.testing.assert_allclose(offsets_ns(found), (RELATIVE + first) * 1e9, atol=10)
    assert found.word.startswith("t: 40 s neither counts from header.stamp nor is of its clock; ")
    assert f"the sweep's {habit}" in found.word


@pytest.mark.parametrize(
    "values", [np.array([0, 3e10]), np.array([np.nan, 0.1]), np.array([0.0, STAMP * 1e-9]), [0, 7e-10]]
)
def test_what_cannot_be_times_is_not_used(values: Any) -> None:
    found = read_times(np.asarray(values), "time", STAMP, "middle")
    assert isinstance(found, str)
    assert found.startswith("time: from ")


def test_one_time_for_all_points_tells_nothing() -> None:
    assert read_times(np.zeros(5, np.uint32), "t", STAMP, "middle") is None


def test_habits() -> None:
    assert [stamp_shift_ns(habit, 100) for habit in STAMPS] == [50, 0, -50]

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from dataclasses import replace

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from perception.assembly.pairing import Instant, Timing, find_instants

TIMING = Timing(tolerance_s=0.05, wait_s=0.05, timeouts_s=dict.fromkeys(("rgb", "depth", "infrared", "lidar"), 0.5))
S = 1_000_000_000


def instants(**seconds: list[float]) -> list[Instant]:
    stamps = {name: np.array([round(each * S) for each in times], np.int64) for name, times in seconds.items()}
    return find_instants(stamps, TIMING)


def test_the_nearest_sweep_within_the_tolerance_belongs_to_an_image() -> None:
    found = instants(rgb=[1.0, 1.1, 1.2], lidar=[0.97, 1.04, 1.13, 1.3])
    assert [instant.stamps_ns.get("lidar") for instant in found] == [0.97 * S, 1.13 * S, None]
    assert {instant.trigger for instant in found} == {"rgb"}


def test_a_sensor_may_serve_two_images() -> None:
    found = instants(rgb=[1.0, 1.05], lidar=[1.02])
    assert [instant.stamps_ns["lidar"] for instant in found] == [1.02 * S] * 2


def test_the_lidar_triggers_while_the_camera_is_away_for_longer_than_its_timeout() -> None:
    found = instants(rgb=[1.0, 4.0], lidar=[1.0, 1.4, 2.0, 3.0, 3.6, 4.0])
    assert [(instant.trigger, instant.stamp_ns / S) for instant in found] == [
        ("rgb", 1.0), ("lidar", 2.0), ("lidar", 3.0), ("rgb", 4.0),
    ]  # fmt: skip
    assert [instant.trigger for instant in instants(depth=[1.0, 2.0], infrared=[1.0])] == ["infrared", "depth"]


def test_further_lidars_pair_and_trigger_after_the_first() -> None:
    found = instants(rgb=[1.0], lidar2=[1.01, 3.0], lidar=[0.98, 2.0], infrared=[3.0])
    assert [instant.stamps_ns for instant in found] == [
        {"rgb": S, "lidar": 0.98 * S, "lidar2": 1.01 * S}, {"lidar": 2 * S}, {"lidar2": 3 * S, "infrared": 3 * S},
    ]  # fmt: skip


def test_each_sensor_is_away_by_its_own_timeout() -> None:
    stamps = {name: np.array(times, np.int64) * S for name, times in (("rgb", [1, 9]), ("lidar", [1, 3, 5]))}
    patient = replace(TIMING, timeouts_s={**TIMING.timeouts_s, "rgb": 3.0, "lidar": 0.5})
    assert [(each.trigger, each.stamp_ns // S) for each in find_instants(stamps, patient)] == [
        ("rgb", 1), ("lidar", 5), ("rgb", 9),
    ]  # fmt: skip


def test_nothing_makes_nothing() -> None:
    assert instants() == []
    assert instants(rgb=[], lidar=[]) == []


@given(
    rgb=st.sets(st.integers(0, 10 * S), max_size=20),
    lidar=st.sets(st.integers(0, 10 * S), max_size=20),
)
def test_every_image_is_an_instant_once(rgb: set[int], lidar: set[int]) -> None:
    stamps = {"rgb": np.array(sorted(rgb), np.int64), "lidar": np.array(sorted(lidar), np.int64)}
    found = find_instants(stamps, TIMING)
    assert sorted(instant.stamp_ns for instant in found if instant.trigger == "rgb") == sorted(rgb)
    for instant in found:
        near = [each for each in lidar if abs(each - instant.stamp_ns) <= TIMING.tolerance_s * S]
        best = min((abs(each - instant.stamp_ns) for each in near), default=None)
        chosen = instant.stamps_ns.get("lidar")
        assert (chosen is None) == (best is None)
        assert chosen is None or abs(chosen - instant.stamp_ns) == best

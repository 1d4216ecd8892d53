# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from perception.assembly.settings.parameters import make_settings
from perception.checking.findings import Finding
from perception.checking.scan import Heard, Scan
from perception.checking.timing import check_clocks, check_pairs, check_sensor, pairings

T0 = 1_700_000_000_000_000_000
TIMING = make_settings({}).timing


def heard(name: str, stamps_s: np.ndarray, late_s: np.ndarray | float = 0.02) -> Heard:
    stamps = T0 + np.round(stamps_s * 1e9).astype(np.int64)
    arrived = stamps + np.round(np.broadcast_to(late_s, stamps.shape) * 1e9).astype(np.int64)
    return Heard(f"/{name}", name, "", (), arrived.tolist(), stamps.tolist())


def scanned(*topics: Heard) -> Scan:
    return Scan(Path("bag"), heard={each.topic: each for each in topics})


def codes(findings: list[Finding]) -> list[tuple[str, str]]:
    return [(each.code, each.where) for each in findings]


REGULAR = np.arange(100) / 10


def test_a_regular_sensor_is_clean() -> None:
    noisy = REGULAR + np.random.default_rng(0).normal(0, 0.004, 100)
    assert codes(list(check_sensor(heard("image", noisy), TIMING))) == []
    assert heard("image", noisy).period_s == pytest.approx(0.1, abs=0.002)


def test_one_message_of_a_hundred_may_be_lost_and_three_not() -> None:
    assert codes(list(check_sensor(heard("image", np.delete(REGULAR, 50)), TIMING))) == []
    found = list(check_sensor(heard("image", np.delete(REGULAR, [20, 50, 51])), TIMING))
    assert codes(found) == [("messages-dropped", "/image")]
    assert "3 of 100 messages are missing; the longest gap is 0.30 s at a period of 0.100 s" in found[0].what


@pytest.mark.parametrize(("rate_hz", "low"), [(4.2, False), (3.5, True)])
def test_a_rate_is_low_where_two_periods_are_the_timeout(rate_hz: float, low: bool) -> None:
    found = codes(list(check_sensor(heard("points", np.arange(30) / rate_hz), TIMING)))
    assert found == ([("rate-low", "/points")] if low else [])


def test_a_clock_that_drifts() -> None:
    found = list(check_clocks(scanned(heard("image", REGULAR), heard("points", REGULAR, 0.02 + 0.004 * REGULAR))))
    assert codes(found) == [("clock-drift", "/points")]
    assert "3.98 ms per second" in found[0].what


@pytest.mark.parametrize(
    ("late_s", "code"), [(-0.01, ""), (-0.05, "clock-offset"), (0.14, ""), (0.2, "sensor-late"), (1.5, "clock-offset")]
)
def test_late_or_another_clock(late_s: float, code: str) -> None:
    found = codes(list(check_clocks(scanned(heard("image", REGULAR), heard("points", REGULAR, late_s)))))
    assert found == ([(code, "/points")] if code else [])


def test_a_bag_recorded_from_a_bag_is_worth_knowing_and_hides_nothing() -> None:
    days = 86_400.0 * 30
    found = codes(
        list(check_clocks(scanned(heard("image", REGULAR, days + 0.02), heard("points", REGULAR, days + 0.3))))
    )
    assert found == [("clock-recorder", "all sensors"), ("sensor-late", "/points")]


def test_offsets_and_shares() -> None:
    found = scanned(heard("image", np.arange(300) / 30), heard("points", REGULAR + 0.01))
    told = pairings(found, TIMING)["lidar"]
    assert (told.offset_ms_p50, told.offset_ms_max) == pytest.approx((10.0, 43.333), abs=0.01)
    assert (told.share, told.allowed) == pytest.approx((1.0, 1 / 3), abs=0.01)
    assert list(check_pairs(found, TIMING)) == []

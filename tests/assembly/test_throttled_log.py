# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest

from perception.assembly.throttled_log import ThrottledLog


def test_each_cause_once_per_period_with_the_number_left_out() -> None:
    now = [0.0]
    errors: list[str] = []
    warnings: list[str] = []
    complaints = ThrottledLog(errors.append, warnings.append, clock=lambda: now[0])
    for size in (3, 4, 5):
        complaints.error("/image", f"data: {size} bytes")
    complaints.error("/image", "step: 1")
    complaints.warn("/points", "camera: none")
    assert errors == ["/image: data: 3 bytes", "/image: step: 1"]
    assert warnings == ["/points: camera: none"]
    now[0] = 4.9
    complaints.error("/image", "data: 6 bytes")
    assert len(errors) == 2
    now[0] = 5.1
    complaints.error("/image", "data: 7 bytes")
    assert errors[2] == "/image: data: 7 bytes (3 more since the last line)"


def test_a_real_logger_takes_errors_and_warnings() -> None:
    """rclpy refuses a second severity from one line of code."""
    logger = pytest.importorskip("rclpy.logging").get_logger("complaints")
    complaints = ThrottledLog(logger.error, logger.warning)
    for number in range(2):
        complaints.error("/image", f"data{number}: short")
        complaints.warn("/points", f"camera{number}: none")


def test_recent_forgets() -> None:
    now = [0.0]
    complaints = ThrottledLog(lambda _: None, lambda _: None, clock=lambda: now[0])
    assert complaints.recent("/image") is None
    complaints.error("/image", "data: short")
    assert complaints.recent("/image") == "data: short"
    now[0] = 6
    assert complaints.recent("/image") is None

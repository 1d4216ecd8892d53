# SPDX-License-Identifier: Apache-2.0
"""Which messages are shown together."""

from __future__ import annotations

from perception.assembly.live_pairing import TIMEOUT_S, WAIT_S, LivePairing

STEP_NS = 100_000_000


def offered(*names: str, number: int = 10, now: float = 0.0) -> LivePairing:
    moments = LivePairing()
    for name in names:
        moments.offer(name, STEP_NS * number, f"{name} {number}", now)
    return moments


def test_labels_come_with_what_they_were_made_of() -> None:
    moments = offered("rgb", "labels")
    moments.offer("rgb", STEP_NS * 11, "rgb 11", 0.05)  # newer, but not labelled yet
    taken = moments.take(0.06)
    assert taken is not None
    assert taken.messages == {"rgb": "rgb 10", "labels": "labels 10"}
    assert taken.stamp_ns == STEP_NS * 10
    assert moments.take(0.07) is None


def test_the_newest_is_taken_and_what_is_older_never_again() -> None:
    moments = offered("labels", "rgb")
    for name in ("labels", "rgb"):
        moments.offer(name, STEP_NS * 12, f"{name} 12", 0.2)
    taken = moments.take(0.2)
    assert taken is not None
    assert taken.stamp_ns == STEP_NS * 12
    assert moments.take(5.0) is None


def test_a_slow_sensor_is_waited_for_and_then_counts_as_unchanged() -> None:
    moments = offered("infrared", number=5)
    moments.offer("labels", STEP_NS * 10, "labels 10", 0.5)
    assert moments.take(0.5 + WAIT_S / 2) is None
    taken = moments.take(0.5 + WAIT_S)
    assert taken is not None
    assert set(taken.messages) == {"labels"}
    assert "infrared" in taken.alive


def test_without_labels_a_sensor_leads() -> None:
    moments = offered("labels", "rgb")
    moments.offer("rgb", STEP_NS * 30, "rgb 30", TIMEOUT_S + 0.5)
    taken = moments.take(TIMEOUT_S + 0.5)
    assert taken is not None
    assert taken.messages == {"rgb": "rgb 30"}
    assert taken.alive == {"rgb"}


def test_nothing_is_shown_of_nothing() -> None:
    assert LivePairing().take(0.0) is None
    assert offered("labels").take(TIMEOUT_S * 2) is None


def test_a_recording_that_begins_anew_is_shown_again() -> None:
    moments = offered("labels", number=100)
    assert moments.take(0.0) is not None
    moments.offer("labels", STEP_NS, "labels 1", 0.1)
    taken = moments.take(0.1)
    assert taken is not None
    assert taken.messages == {"labels": "labels 1"}


def test_a_nearer_message_that_is_due_is_waited_for() -> None:
    moments = LivePairing()
    for number in range(5):
        moments.offer("rgb", 50_000_000 * number, f"rgb {number}", 0.05 * number)
        if number > 1:  # its period is known
            assert moments.take(0.05 * number + 0.003) is None, "the sweep of 50 ms before is within the tolerance"
        moments.offer("lidar", 50_000_000 * number, f"lidar {number}", 0.05 * number + 0.004)
        taken = moments.take(0.05 * number + 0.004)
        if number > 1:
            assert taken is not None
            assert taken.messages == {"rgb": f"rgb {number}", "lidar": f"lidar {number}"}

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import threading
import time

from perception.recordings.pace import Pace


def waited(pace: Pace, moment: float) -> float:
    """Seconds that waiting for the moment took."""
    began = time.monotonic()
    assert pace.wait(moment, threading.Event(), lambda left: left)
    return time.monotonic() - began


def test_nothing_is_early_and_nothing_due_waits() -> None:
    pace = Pace()
    assert waited(pace, time.monotonic() + 0.1) >= 0.1
    assert waited(pace, time.monotonic() - 5) < 0.05
    assert pace.held == 0


def test_a_halt_moves_everything_after_it() -> None:
    pace, moment = Pace(), time.monotonic() + 0.05
    pace.toggle()
    assert pace.halted
    threading.Timer(0.3, pace.toggle).start()
    assert waited(pace, moment) >= 0.3
    assert not pace.halted
    assert 0.25 < pace.held < 1
    assert time.monotonic() >= moment + pace.held


def test_steps_let_one_instant_through_each() -> None:
    pace, stop, passed = Pace(), threading.Event(), []
    begin = time.monotonic()
    pace.step()  # the first only halts

    def run() -> None:
        for number in range(5):
            if not pace.wait(begin + 100 * number, stop, lambda left: left):
                return
            passed.append(number)

    thread = threading.Thread(target=run)
    thread.start()
    time.sleep(0.1)
    assert passed == []
    for expected in ([0], [0, 1]):
        pace.step()
        time.sleep(0.15)
        assert passed == expected
    stop.set()
    thread.join(5)
    assert passed == [0, 1]


def test_a_new_round_forgets_the_halts_of_the_last() -> None:
    pace = Pace()
    pace.toggle()
    time.sleep(0.05)
    pace.toggle()
    assert pace.held > 0
    pace.restart()
    assert pace.held == 0


def test_the_tick_says_when_it_wants_to_be_asked_again() -> None:
    asked: list[float] = []

    def tick(left: float) -> float:
        asked.append(left)
        return 0.01

    assert Pace().wait(time.monotonic() + 0.1, threading.Event(), tick)
    assert len(asked) > 3
    assert asked == sorted(asked, reverse=True)

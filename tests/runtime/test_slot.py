# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import threading
import time

import pytest

from perception.runtime.slot import RUNS, Pace, Slot


def always() -> bool:
    return True


def test_a_pace_is_that_of_the_last_runs() -> None:
    pace = Pace()
    assert pace.quantile(0.5) == 0.0
    for seconds in (9.0, *range(1, RUNS + 1)):
        pace.add(seconds)
    assert (pace.quantile(0.25), pace.quantile(0.5), pace.quantile(1.0)) == (5, 9, 16)


def test_what_waits_is_replaced_and_returned() -> None:
    slot = Slot[str]()
    assert slot.offer("old") is None
    assert slot.offer("new") == "old"
    assert slot.get() == "new"


def test_it_is_nobodys_turn_before_the_taker_is_nearly_free() -> None:
    """The taker needs 0.1 s: who needs 0.02 s is let go 0.08 s after something was taken, and not before."""
    slot = Slot[int]()
    assert slot.is_turn(0.02)
    taken = threading.Event()

    def work() -> None:
        while slot.get() is not None:
            taken.set()
            time.sleep(0.1)

    worker = threading.Thread(target=work)
    worker.start()
    for number in range(4):
        taken.clear()
        slot.put(number)
    assert taken.wait(5)
    began = time.monotonic()
    assert not slot.is_turn(0.02)
    slot.wait_for_turn(0.02, always)
    assert time.monotonic() - began == pytest.approx(0.08, abs=0.05)
    assert slot.is_turn(0.02)
    slot.close()
    worker.join(5)
    assert not worker.is_alive()


def test_who_waits_for_a_turn_may_be_called_back() -> None:
    slot, wanted = Slot[int](), [True]
    slot.pace.add(60)
    slot.offer(1)
    slot.get()
    waiting = threading.Thread(target=slot.wait_for_turn, args=(0.0, lambda: wanted[0]))
    waiting.start()
    wanted[0] = False
    slot.wake()
    waiting.join(5)
    assert not waiting.is_alive()


def test_finishing_waits_until_what_is_there_was_taken() -> None:
    slot = Slot[int]()
    slot.offer(1)
    finishing = threading.Thread(target=slot.finish)
    finishing.start()
    assert slot.get() == 1
    finishing.join(5)
    assert not finishing.is_alive()
    assert slot.get() is None

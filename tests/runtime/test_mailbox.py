# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import threading
import time

from perception.assembly.collector import TRIGGER_ORDER, Change, Collector, Timing
from perception.runtime.mailbox import Handover

TIMING = Timing(tolerance_s=0.05, wait_s=0.05, timeouts_s=dict.fromkeys(TRIGGER_ORDER, 0.2))


def always() -> bool:
    return True


def test_a_waiting_worker_gets_the_set_at_once() -> None:
    handover, taken = Handover(Collector(["rgb"], TIMING)), []
    worker = threading.Thread(target=lambda: taken.append((handover.take(always), time.monotonic())))
    worker.start()
    time.sleep(0.05)
    put = time.monotonic()
    handover.put("rgb", 1, "image")
    worker.join(2)
    (found, changes), at = taken[0]
    assert found.arrivals["rgb"].message == "image"
    assert changes == [Change("rgb", True, True)]
    assert at - put < 0.1


def test_silence_is_noticed_without_a_message() -> None:
    handover = Handover(Collector(["rgb"], TIMING))
    handover.put("rgb", 1, "image")
    handover.take(always)
    began = time.monotonic()
    assert handover.take(always) == (None, [Change("rgb", False)])
    assert 0.1 < time.monotonic() - began < 1


def test_a_busy_worker_gets_the_newest_and_the_rest_is_counted() -> None:
    handover = Handover(Collector(["rgb"], TIMING))
    for stamp in range(1, 6):
        handover.put("rgb", stamp, stamp)
    found, _ = handover.take(always)
    assert found is not None
    assert found.stamp_ns == 5
    handover.count_drop("rgb", "broken")
    states, _ = handover.snapshot()
    assert states["rgb"].drops == {"superseded": 4, "broken": 1}


def test_a_worker_that_wants_nothing_any_more_is_let_go() -> None:
    handover, wanted = Handover(Collector(["rgb"], TIMING)), [True]
    taken: list[object] = []
    worker = threading.Thread(target=lambda: taken.append(handover.take(lambda: wanted[0])))
    worker.start()
    wanted[0] = False
    handover.wake()
    worker.join(2)
    assert taken == [(None, [])]
    handover.put("rgb", 1, "image")
    assert handover.take(always)[0] is not None  # and the next one goes on

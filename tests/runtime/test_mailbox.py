# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import threading
import time

from perception.assembly.collector import Change, Collector
from perception.assembly.pairing import TRIGGER_ORDER, Timing
from perception.runtime.mailbox import Mailbox

TIMING = Timing(tolerance_s=0.05, wait_s=0.05, timeouts_s=dict.fromkeys(TRIGGER_ORDER, 0.2))


def always() -> bool:
    return True


def test_a_waiting_worker_gets_the_set_at_once() -> None:
    mailbox, taken = Mailbox(Collector(["rgb"], TIMING)), []
    worker = threading.Thread(target=lambda: taken.append((mailbox.take(always), time.monotonic())))
    worker.start()
    time.sleep(0.05)
    put = time.monotonic()
    mailbox.put("rgb", 1, "image")
    worker.join(2)
    (found, changes), at = taken[0]
    assert found.arrivals["rgb"].message == "image"
    assert changes == [Change("rgb", True, True)]
    assert at - put < 0.1


def test_silence_is_noticed_without_a_message() -> None:
    mailbox = Mailbox(Collector(["rgb"], TIMING))
    mailbox.put("rgb", 1, "image")
    mailbox.take(always)
    began = time.monotonic()
    assert mailbox.take(always) == (None, [Change("rgb", False)])
    assert 0.1 < time.monotonic() - began < 1


def test_a_busy_worker_gets_the_newest_and_the_rest_is_counted() -> None:
    mailbox = Mailbox(Collector(["rgb"], TIMING))
    for stamp in range(1, 6):
        mailbox.put("rgb", stamp, stamp)
    found, _ = mailbox.take(always)
    assert found is not None
    assert found.stamp_ns == 5
    mailbox.count_drop("rgb", "broken")
    states, _ = mailbox.snapshot()
    assert states["rgb"].drops == {"superseded": 4, "broken": 1}


def test_a_worker_that_wants_nothing_any_more_is_let_go() -> None:
    mailbox, wanted = Mailbox(Collector(["rgb"], TIMING)), [True]
    taken: list[object] = []
    worker = threading.Thread(target=lambda: taken.append(mailbox.take(lambda: wanted[0])))
    worker.start()
    wanted[0] = False
    mailbox.wake()
    worker.join(2)
    assert taken == [(None, [])]
    mailbox.put("rgb", 1, "image")
    assert mailbox.take(always)[0] is not None  # and the next one goes on

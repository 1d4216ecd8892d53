# SPDX-License-Identifier: Apache-2.0
"""The threads that do the work, one behind the other: newest set → prepared frame → prediction → messages."""

from __future__ import annotations

import threading
import traceback
from collections.abc import Callable, Sequence
from queue import Queue
from typing import Any

from perception.errors import PerceptionError
from perception.ros.collector import Change, SensorSet
from perception.ros.complaints import Complaints
from perception.ros.handover import Handover

Outbox = Queue[Any] | None
"""Where a step puts what it made, with the set that it is made of; nowhere for the last one."""


class Worker:
    """Takes sets from `handover` through `steps`, each in a thread of its own, until stopped.

    The first step gets the set, every other what the step before it returned; None ends the set's way. No more than one
    result waits in front of a step, and none is prepared before that one is taken: what is worked on is the newest that
    there was. on_change is told of sensors that come and go. Errors become complaints about `name`; nothing that one
    set does stops the worker.
    """

    def __init__(
        self,
        name: str,
        handover: Handover,
        steps: Sequence[Callable[[Any], Any]],
        on_change: Callable[[Change], None],
        complaints: Complaints,
    ) -> None:
        self._name, self._handover, self._complaints = name, handover, complaints
        self._on_change = on_change
        outboxes: list[Outbox] = [*(Queue() for _ in steps[1:]), None]
        self._threads = [self._thread(0, self._take, steps[0], outboxes[0])]
        for place, step in enumerate(steps[1:], 1):
            self._threads.append(self._thread(place, self._work, outboxes[place - 1], step, outboxes[place]))
        for thread in self._threads:
            thread.start()

    @staticmethod
    def _thread(place: int, body: Callable[..., None], *arguments: Any) -> threading.Thread:
        return threading.Thread(target=body, args=arguments, name=f"perception step {place}", daemon=True)

    def stop(self) -> None:
        """Finish the sets in hand and end the threads."""
        self._handover.close()
        for thread in self._threads:
            thread.join()

    def _take(self, step: Callable[[Any], Any], outbox: Outbox) -> None:
        while not self._handover.closed:
            matched, changes = self._handover.take()
            for change in changes:
                self._on_change(change)
            if matched is not None:
                self._do(step, matched, matched, outbox)
        if outbox is not None:
            outbox.put(None)

    def _work(self, inbox: Queue[Any], step: Callable[[Any], Any], outbox: Outbox) -> None:
        while (waiting := inbox.get()) is not None:
            inbox.task_done()  # here, not when it is done: it lets the step before begin with the next set
            matched, given = waiting
            self._do(step, matched, given, outbox)
        if outbox is not None:
            outbox.put(None)

    def _do(self, step: Callable[[Any], Any], matched: SensorSet, given: Any, outbox: Outbox) -> None:
        try:
            result = step(given)
        except PerceptionError as error:
            self._fail(matched, str(error))
        except Exception as error:
            # Whatever one frame does, the vehicle needs the next.
            if not self._handover.closed:
                self._fail(matched, f"{type(error).__name__}: {error}; please report it\n{traceback.format_exc()}")
        else:
            if result is not None and outbox is not None:
                outbox.put((matched, result))
                outbox.join()

    def _fail(self, matched: SensorSet, reason: str) -> None:
        self._handover.count_drop(matched.trigger, "failed")
        self._complaints.error(self._name, reason)

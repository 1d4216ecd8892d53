# SPDX-License-Identifier: Apache-2.0
"""The threads that do the work, one behind the other: newest set → prepared frame → prediction → messages."""

from __future__ import annotations

import threading
import time
import traceback
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from typing import Any, NamedTuple

from perception.assembly.collector import Change, SensorSet
from perception.assembly.throttled_log import ThrottledLog
from perception.errors import PerceptionError
from perception.runtime.mailbox import Mailbox
from perception.runtime.slot import Pace, Slot

STOP_S = 1.0
"""How long `stop` waits for the sets in hand."""

_BREATH_S = 0.1
"""After a defect outside of the steps, so that one that stays does not take the processor."""

LEAD = 0.75
"""Quantile of the first step's latest times that it begins before the second is free."""


class Hang(NamedTuple):
    """A step that does not come back, and for how many seconds it has not."""

    step: str
    seconds: float


Outbox = Slot[tuple[SensorSet, Any]] | None
"""Where a step puts what it made, with the set that it is made of; nowhere for the last one."""

Put = Callable[[tuple[SensorSet, Any]], None] | None
"""How it does so."""


class Worker:
    """Takes sets from `mailbox` through `steps`, each in a thread of its own, until stopped.

    The first step gets the set, every other what the step before it returned; None ends the set's way. No more than one
    result waits in front of a step. The first step begins just in time for the second: so late that what it makes is
    ready when the second is free, with the newest set that there is then; should the second take longer, a newer set's
    result replaces the one that waits, which is counted as overtaken. So a set is hardly older than the time between
    two of them when the second step begins, however slow that is. on_change is told of sensors that come and go. Errors
    become complaints about `name`; nothing that one set does stops the worker. A step that hangs in native code cannot
    be ended: `hang` tells of it, and `stop` leaves its thread behind, of which nothing more comes.
    """

    def __init__(
        self,
        name: str,
        mailbox: Mailbox,
        steps: Mapping[str, Callable[[Any], Any]],
        on_change: Callable[[Change], None],
        complaints: ThrottledLog,
    ) -> None:
        self._name, self._mailbox, self._complaints = name, mailbox, complaints
        self._on_change, self._steps = on_change, list(steps.values())
        self._stopped = self._abandoned = False
        self._begun = dict.fromkeys(steps, 0)
        self._at_work = dict.fromkeys(steps, False)
        self._seen, self._held, self._looked = dict(self._begun), dict.fromkeys(steps, 0.0), time.monotonic()
        self._first_takes = Pace()
        self._slots: list[Slot[tuple[SensorSet, Any]]] = [Slot() for _ in self._steps[1:]]
        outboxes: list[Outbox] = [*self._slots, None]
        names = list(steps)
        self._threads = [self._thread(0, self._take, names[0], self._steps[0], outboxes[0])]
        for place, inbox in enumerate(self._slots, 1):
            self._threads.append(
                self._thread(place, self._work, names[place], inbox, self._steps[place], outboxes[place])
            )
        for thread in self._threads:
            thread.start()

    @staticmethod
    def _thread(place: int, body: Callable[..., None], *arguments: Any) -> threading.Thread:
        return threading.Thread(target=body, args=arguments, name=f"perception step {place}", daemon=True)

    def hang(self, now: float) -> Hang | None:
        """The step that has been at one set for longest, where one is. To be called now and then; now: monotonic [s].

        Time in which nobody asks, as while the whole process was halted, counts as a second at most.
        """
        passed, self._looked = min(now - self._looked, 1.0), now
        for step, begun in self._begun.items():
            same = self._at_work[step] and begun == self._seen[step]
            self._held[step] = self._held[step] + passed if same else 0.0
            self._seen[step] = begun
        seconds, step = max((seconds, step) for step, seconds in self._held.items())
        return Hang(step, seconds) if seconds else None

    def stop(self, within: float = STOP_S) -> bool:
        """Finish the sets in hand and end the threads; False where one did not end `within` so many seconds.

        What such a thread may still return is thrown away.
        """
        self._stopped = True
        self._mailbox.wake()
        for slot in self._slots:
            slot.wake()
        deadline = time.monotonic() + within
        for thread in self._threads:
            thread.join(max(0.0, deadline - time.monotonic()))
        self._abandoned = True
        for slot in self._slots:
            slot.close()
        return not any(thread.is_alive() for thread in self._threads)

    def _take(self, name: str, step: Callable[[Any], Any], outbox: Outbox) -> None:
        while not self._stopped:
            lead_s = self._first_takes.quantile(LEAD)
            pace_s = lead_s if outbox is None else max(lead_s, outbox.pace.quantile(0.5))
            if outbox is not None:
                outbox.wait_for_turn(lead_s, lambda: not self._stopped)
            try:
                matched, changes = self._mailbox.take(partial(self._wants, outbox, lead_s), pace_s)
            except Exception as error:
                self._complain(_defect(error))
                time.sleep(_BREATH_S)
                continue
            for change in changes:
                self._tell(name, change)
            if matched is not None:
                began = time.monotonic()
                self._do(name, step, matched, matched, self._offer if outbox is not None else None)
                self._first_takes.add(time.monotonic() - began)
        if outbox is not None:
            outbox.finish()

    def _wants(self, outbox: Outbox, lead_s: float) -> bool:
        """Whether a set that comes now can be ready just in time."""
        return not self._stopped and (outbox is None or outbox.is_turn(lead_s))

    def _offer(self, made: tuple[SensorSet, Any]) -> None:
        """Put what the first step made in the place of what waits there."""
        replaced = self._slots[0].offer(made)
        if replaced is not None:
            self._mailbox.count_drop(replaced[0].trigger, "overtaken")

    def _tell(self, name: str, change: Change) -> None:
        try:
            with self._working(name):
                self._on_change(change)
        except Exception as error:
            self._complain(_defect(error))

    def _work(self, name: str, inbox: Slot[tuple[SensorSet, Any]], step: Callable[[Any], Any], outbox: Outbox) -> None:
        while (waiting := inbox.get()) is not None:
            self._mailbox.wake()  # what comes now is too early for the step that has just begun
            matched, given = waiting
            self._do(name, step, matched, given, outbox.put if outbox is not None else None)
        if outbox is not None:
            outbox.close()

    def _do(self, name: str, step: Callable[[Any], Any], matched: SensorSet, given: Any, put: Put) -> None:
        try:
            with self._working(name):
                result = step(given)
        except PerceptionError as error:
            self._fail(matched, str(error))
        except Exception as error:
            # Whatever one frame does, the vehicle needs the next.
            if not self._stopped:
                self._fail(matched, _defect(error))
        else:
            if result is not None and put is not None and not self._abandoned:
                put((matched, result))

    @contextmanager
    def _working(self, name: str) -> Iterator[None]:
        """Let `hang` know that the step is at something."""
        self._begun[name] += 1
        self._at_work[name] = True
        try:
            yield
        finally:
            self._at_work[name] = False

    def _fail(self, matched: SensorSet, reason: str) -> None:
        if not self._abandoned:
            self._mailbox.count_drop(matched.trigger, "failed")
            self._complain(reason)

    def _complain(self, reason: str) -> None:
        self._complaints.error(self._name, reason)


def _defect(error: Exception) -> str:
    return f"{type(error).__name__}: {error}; please report it\n{''.join(traceback.format_exception(error))}"

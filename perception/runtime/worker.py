# SPDX-License-Identifier: Apache-2.0
"""The threads that do the work, one behind the other: newest set → prepared frame → prediction → messages."""

from __future__ import annotations

import threading
import time
import traceback
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Generic, NamedTuple, TypeVar

from perception.assembly.collector import Change, SensorSet
from perception.assembly.throttled_log import ThrottledLog
from perception.errors import PerceptionError
from perception.runtime.mailbox import Mailbox

T = TypeVar("T")

STOP_S = 1.0
"""How long `stop` waits for the sets in hand."""

_BREATH_S = 0.1
"""After a defect outside of the steps, so that one that stays does not take the processor."""


class Hang(NamedTuple):
    """A step that does not come back, and for how many seconds it has not."""

    step: str
    seconds: float


class Slot(Generic[T]):
    """Room for one thing between two threads; `put` returns when it was taken, or when the slot was closed."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._thing: T | None = None
        self._closed = False

    def put(self, thing: T) -> None:
        """Offer it, and wait until it is taken."""
        with self._changed:
            self._thing = thing
            self._changed.notify_all()
            self._changed.wait_for(lambda: self._closed or self._thing is None)

    def get(self) -> T | None:
        """Wait for the next thing; None once the slot is closed."""
        with self._changed:
            self._changed.wait_for(lambda: self._closed or self._thing is not None)
            thing, self._thing = None if self._closed else self._thing, None
            self._changed.notify_all()
            return thing

    def close(self) -> None:
        """Nobody waits any more."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()


Outbox = Slot[tuple[SensorSet, Any]] | None
"""Where a step puts what it made, with the set that it is made of; nowhere for the last one."""


class Worker:
    """Takes sets from `mailbox` through `steps`, each in a thread of its own, until stopped.

    The first step gets the set, every other what the step before it returned; None ends the set's way. No more than one
    result waits in front of a step, and none is prepared before that one is taken: what is worked on is the newest that
    there was. on_change is told of sensors that come and go. Errors become complaints about `name`; nothing that one
    set does stops the worker. A step that hangs in native code cannot be ended: `hang` tells of it, and `stop` leaves
    its thread behind, of which nothing more comes.
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
        deadline = time.monotonic() + within
        for thread in self._threads:
            thread.join(max(0.0, deadline - time.monotonic()))
        self._abandoned = True
        for slot in self._slots:
            slot.close()
        return not any(thread.is_alive() for thread in self._threads)

    def _take(self, name: str, step: Callable[[Any], Any], outbox: Outbox) -> None:
        while not self._stopped:
            try:
                matched, changes = self._mailbox.take(lambda: not self._stopped)
            except Exception as error:
                self._complain(_defect(error))
                time.sleep(_BREATH_S)
                continue
            for change in changes:
                self._tell(name, change)
            if matched is not None:
                self._do(name, step, matched, matched, outbox)
        if outbox is not None:
            outbox.close()

    def _tell(self, name: str, change: Change) -> None:
        try:
            with self._working(name):
                self._on_change(change)
        except Exception as error:
            self._complain(_defect(error))

    def _work(self, name: str, inbox: Slot[tuple[SensorSet, Any]], step: Callable[[Any], Any], outbox: Outbox) -> None:
        while (waiting := inbox.get()) is not None:
            matched, given = waiting
            self._do(name, step, matched, given, outbox)
        if outbox is not None:
            outbox.close()

    def _do(self, name: str, step: Callable[[Any], Any], matched: SensorSet, given: Any, outbox: Outbox) -> None:
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
            if result is not None and outbox is not None and not self._abandoned:
                outbox.put((matched, result))

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

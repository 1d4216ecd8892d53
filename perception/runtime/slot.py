# SPDX-License-Identifier: Apache-2.0
"""Room for one thing between two threads, of which the one that fills it can be just in time."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")

RUNS = 16
"""Times that a pace is made of."""

EARLY = 0.25
"""Quantile of the taker's latest times after which it is expected to be free: one that is waited for costs nothing."""


class Pace:
    """How long something takes, by the last RUNS times."""

    def __init__(self) -> None:
        self._seconds: deque[float] = deque(maxlen=RUNS)

    def add(self, seconds: float) -> None:
        """It took so long."""
        self._seconds.append(seconds)

    def quantile(self, share: float) -> float:
        """The time that this share of the runs took at most [s]; 0 before the first."""
        ordered = sorted(self._seconds)
        return ordered[min(int(share * len(ordered)), len(ordered) - 1)] if ordered else 0.0


class Slot(Generic[T]):
    """Room for one thing. One thread fills it by `put` or `offer`, another takes by `get`.

    pace: from a `get` that returned to the next that is called.
    """

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._thing: T | None = None
        self._closed = False
        self._free = False
        self._taken_at: float | None = None
        self.pace = Pace()

    def put(self, thing: T) -> None:
        """Fill it, and wait until the thing is taken or the slot closed."""
        with self._changed:
            self._thing = thing
            self._changed.notify_all()
            self._changed.wait_for(self._empty)

    def offer(self, thing: T) -> T | None:
        """Fill it at once; what waited there until now is returned, and never taken."""
        with self._changed:
            replaced, self._thing = self._thing, thing
            self._changed.notify_all()
            return replaced

    def wait_for_turn(self, lead_s: float, wanted: Callable[[], bool]) -> None:
        """Wait until `lead_s` before a new thing would be taken at once, as far as the taker's pace tells.

        wanted: is asked whether to wait on, also by `wake`.
        """
        with self._changed:
            while wanted() and not self._closed and (left := self._left(lead_s)) > 0:
                self._changed.wait(left)

    def is_turn(self, lead_s: float) -> bool:
        """Whether `wait_for_turn` would not wait."""
        with self._changed:
            return self._left(lead_s) <= 0

    def get(self) -> T | None:
        """Wait for the next thing; None once the slot is closed."""
        with self._changed:
            if self._taken_at is not None:
                self.pace.add(time.monotonic() - self._taken_at)
            self._free = True
            self._changed.notify_all()
            self._changed.wait_for(lambda: self._closed or self._thing is not None)
            thing, self._thing = None if self._closed else self._thing, None
            self._free, self._taken_at = False, time.monotonic()
            self._changed.notify_all()
            return thing

    def wake(self) -> None:
        """Ask whoever waits for a turn whether it still wants one."""
        with self._changed:
            self._changed.notify_all()

    def finish(self) -> None:
        """Close it as soon as what is in it was taken."""
        with self._changed:
            self._changed.wait_for(self._empty)
        self.close()

    def close(self) -> None:
        """Nobody waits any more."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def _left(self, lead_s: float) -> float:
        """How long until it is somebody's turn [s]; 0 or less where it is."""
        if self._taken_at is None or (self._free and self._thing is None):
            return 0.0
        return self._taken_at + self.pace.quantile(EARLY) - lead_s - time.monotonic()

    def _empty(self) -> bool:
        return self._closed or self._thing is None

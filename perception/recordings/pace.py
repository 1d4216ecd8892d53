# SPDX-License-Identifier: Apache-2.0
"""When each instant of a recording is due, taking pauses into account."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

HALTED_PERIOD_S = 0.02
"""How often a paused replay checks whether it may continue."""

KEYS = "space pauses and continues, → or s publishes the next instant, q ends"
"""The effect of a terminal's keys on a replay."""


class Pace:
    """Pauses, continues and steps; safe to call from another thread than the one that waits."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._halted_at: float | None = None
        self._steps = 0
        self._held = 0.0

    @property
    def halted(self) -> bool:
        """Whether the replay is paused."""
        with self._lock:
            return self._halted_at is not None

    def toggle(self) -> None:
        """Pause, or continue after a pause."""
        with self._lock:
            now = time.monotonic()
            if self._halted_at is None:
                self._halted_at = now
            else:
                self._held += now - self._halted_at
                self._halted_at, self._steps = None, 0

    def step(self) -> None:
        """If it runs, pause; if it is paused, publish the next instant."""
        with self._lock:
            if self._halted_at is None:
                self._halted_at = time.monotonic()
            else:
                self._steps += 1

    def restart(self) -> None:
        """Begin again: earlier pauses do not count. A paused replay stays paused."""
        with self._lock:
            self._held = 0.0
            if self._halted_at is not None:
                self._halted_at = time.monotonic()

    @property
    def held(self) -> float:
        """How much later [s] everything is because of the pauses that are over."""
        with self._lock:
            return self._held

    def wait(self, moment: float, stop: threading.Event, tick: Callable[[float], float]) -> bool:
        """Sleep until `moment` [monotonic s], plus the pauses on the way; False once `stop` is set.

        tick: called with the remaining seconds; it returns after how many seconds to call it again.
        """
        while not stop.is_set():
            with self._lock:
                now, halted = time.monotonic(), self._halted_at is not None
                if halted and self._steps:
                    self._steps -= 1
                    self._held, self._halted_at = now - moment, now
                    return True
                left = moment + self._held - now
            if not halted and left <= 0:
                return True
            stop.wait(HALTED_PERIOD_S if halted else tick(left))
        return False

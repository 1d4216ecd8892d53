# SPDX-License-Identifier: Apache-2.0
"""When each instant of a recording is due, also after pauses."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

HALTED_PERIOD_S = 0.02
"""How often a halted replay looks whether it may go on."""

KEYS = "space halts and goes on, → or s publishes the next instant, q ends"
"""What the keys of a terminal do to a replay."""


class Pace:
    """Halts, goes on and steps; safe to call from another thread than the one that waits."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._halted_at: float | None = None
        self._steps = 0
        self._held = 0.0

    @property
    def halted(self) -> bool:
        """Whether the replay stands still."""
        with self._lock:
            return self._halted_at is not None

    def toggle(self) -> None:
        """Halt, or go on from where it was halted."""
        with self._lock:
            now = time.monotonic()
            if self._halted_at is None:
                self._halted_at = now
            else:
                self._held += now - self._halted_at
                self._halted_at, self._steps = None, 0

    def step(self) -> None:
        """Halt where it is not, and publish the next instant where it is."""
        with self._lock:
            if self._halted_at is None:
                self._halted_at = time.monotonic()
            else:
                self._steps += 1

    def restart(self) -> None:
        """Begin anew: what was halted before does not count. A replay that stands still goes on doing so."""
        with self._lock:
            self._held = 0.0
            if self._halted_at is not None:
                self._halted_at = time.monotonic()

    @property
    def held(self) -> float:
        """By how much [s] everything is later than without halts, those that are over."""
        with self._lock:
            return self._held

    def wait(self, moment: float, stop: threading.Event, tick: Callable[[float], float]) -> bool:
        """Sleep until `moment` [monotonic s] and the halts on the way are over; False once `stop` is set.

        tick: is told how many seconds are left, and says after how many it wants to be told again.
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

# SPDX-License-Identifier: Apache-2.0
"""The collector between threads: callbacks put messages in, one worker at a time takes the newest set out."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from copy import copy
from typing import Any

from perception.assembly.collector import Change, Collector, SensorSet, SensorState
from perception.assembly.pairing import Timing


class Mailbox:
    """A `Collector` that several threads may use; arrival times are of the monotonic clock."""

    def __init__(self, collector: Collector) -> None:
        self._collector = collector
        self._condition = threading.Condition()

    def put(self, sensor: str, stamp_ns: int, message: Any) -> None:
        """Store one message; never blocks for longer than a few microseconds."""
        with self._condition:
            self._collector.offer(sensor, stamp_ns, message, time.monotonic())
            self._condition.notify()

    def take(self, wanted: Callable[[], bool], pace_s: float = 0.0) -> tuple[SensorSet | None, list[Change]]:
        """Wait for a set or for a sensor to come or go, whichever is first; (None, []) once it is not wanted any more.

        wanted: is asked after every message, and after `wake`. pace_s: see `Collector.poll`.
        """
        with self._condition:
            while wanted():
                ready = self._collector.poll(time.monotonic(), pace_s)
                changes = self._collector.changes()
                if ready is not None or changes:
                    return ready, changes
                deadline = self._collector.deadline
                self._condition.wait(None if deadline is None else max(0.0, deadline - time.monotonic()))
            return None, []

    def wake(self) -> None:
        """Ask whoever waits whether it still wants a set."""
        with self._condition:
            self._condition.notify_all()

    def set_timing(self, timing: Timing) -> None:
        """Pair by other times from now on."""
        with self._condition:
            self._collector.timing = timing
            self._condition.notify()

    def count_drop(self, sensor: str, cause: str) -> None:
        """Count a message that was taken but could not be used."""
        with self._condition:
            self._collector.sensors[sensor].drops[cause] += 1

    def snapshot(self) -> tuple[Mapping[str, SensorState], int]:
        """Copies of the sensors' states, and how often the clock went back."""
        with self._condition:
            states = {name: copy(state) for name, state in self._collector.sensors.items()}
            for state in states.values():
                state.drops, state.habits = state.drops.copy(), copy(state.habits)
            return states, self._collector.clock_jumps

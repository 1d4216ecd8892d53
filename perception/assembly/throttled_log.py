# SPDX-License-Identifier: Apache-2.0
"""Errors about messages: each cause only once in a period, with the topic, however often it happens."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

PERIOD_S = 5.0
"""The period in which there is one line per topic and cause."""


class ThrottledLog:
    """Passes the first of equal messages on and counts the rest; several threads may use it.

    error, warn: functions that write a line, e.g. an rclpy logger's methods.
    """

    def __init__(
        self,
        error: Callable[[str], object],
        warn: Callable[[str], object],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._error, self._warn, self._clock = error, warn, clock
        self._lock = threading.Lock()
        self._said: dict[tuple[str, str], tuple[float, int]] = {}
        self._latest: dict[str, tuple[float, str]] = {}

    def error(self, topic: str, reason: object) -> None:
        """Log an error: `reason` begins with its cause and a colon, such as the message's field."""
        line = self._line(topic, str(reason))
        if line is not None:
            self._error(line)

    def warn(self, topic: str, reason: object) -> None:
        """Log a warning: something is missing, and the node works without it."""
        line = self._line(topic, str(reason))
        if line is not None:
            self._warn(line)  # in a line of code of its own: rclpy allows only one severity per line of code

    def recent(self, topic: str) -> str | None:
        """The newest message about the topic that is not older than the period."""
        with self._lock:
            said_at, reason = self._latest.get(topic, (float("-inf"), ""))
            return reason if self._clock() - said_at < PERIOD_S else None

    def _line(self, topic: str, reason: str) -> str | None:
        """The line to write; None if it was written a moment ago."""
        now, key = self._clock(), (topic, reason.partition(":")[0])
        with self._lock:
            self._latest[topic] = (now, reason)
            said_at, untold = self._said.get(key, (float("-inf"), 0))
            if now - said_at < PERIOD_S:
                self._said[key] = (said_at, untold + 1)
                return None
            self._said[key] = (now, 0)
        return f"{topic}: {reason}" + (f" ({untold} more since the last line)" if untold else "")

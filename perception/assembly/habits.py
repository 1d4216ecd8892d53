# SPDX-License-Identifier: Apache-2.0
"""The traffic of one sensor, learnt from its last messages: its period and its latency."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from statistics import median

_STEPS = 16
"""Differences of stamps that are looked back upon."""

_LATENCIES = 64
"""Latencies that are looked back upon: six seconds at 10 Hz, after which a slow spell is forgotten."""

_ENOUGH = 4
"""Latencies before anything is said of the next."""

_LEAST_MARGIN_S = 0.002
"""What a machine that does other things too adds now and then."""


@dataclass
class Habits:
    """period_ns: the usual difference of stamps; jitter_ns: the most that one was off it of late, messages that were
    lost apart. typical_s, late_s: the median and the 95th percentile of how much later than the trigger's message of
    the same stamp its messages come, below 0 for earlier. budget_s: how late one may be that still is to be expected.
    All None until enough is known.
    """

    period_ns: float | None = None
    jitter_ns: float = 0.0
    typical_s: float | None = None
    late_s: float | None = None
    budget_s: float | None = None
    _steps: deque[int] = field(default_factory=lambda: deque(maxlen=_STEPS))
    _latencies: deque[float] = field(default_factory=lambda: deque(maxlen=_LATENCIES))

    def stepped(self, step_ns: int) -> None:
        """A message was stamped so much [ns] after the one before."""
        self._steps.append(step_ns)
        # The median: a lost message is no sign of a slow sensor.
        period = self.period_ns = float(median(self._steps))
        off = sorted(abs(step - max(1, round(step / period)) * period) for step in self._steps)
        self.jitter_ns = off[-2] if len(off) > 1 else 0.0

    def came(self, latency_s: float) -> None:
        """A message came so much [s] after the trigger's of the same stamp."""
        self._latencies.append(latency_s)
        if len(self._latencies) < _ENOUGH:
            return
        ordered = sorted(self._latencies)
        self.typical_s, self.late_s, high = (_quantile(ordered, share) for share in (0.5, 0.95, 0.97))
        self.budget_s = high + max(_LEAST_MARGIN_S, 0.5 * (high - self.typical_s))

    def forget_steps(self) -> None:
        """Its stamps begin anew."""
        self._steps.clear()
        self.period_ns, self.jitter_ns = None, 0.0

    def forget_latencies(self) -> None:
        """Another sensor triggers from now on."""
        self._latencies.clear()
        self.typical_s = self.late_s = self.budget_s = None


def _quantile(ordered: list[float], share: float) -> float:
    return ordered[round(share * (len(ordered) - 1))]

# SPDX-License-Identifier: Apache-2.0
"""The traffic of one sensor, learnt from its last messages: its period and its latency."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from statistics import median

_STEPS = 16
"""The number of past stamp differences that are kept."""

_LATENCIES = 64
"""The number of past latencies that are kept: six seconds at 10 Hz, after which a slow period is forgotten."""

_ENOUGH = 4
"""The fewest latencies from which the next one is predicted."""

_LEAST_MARGIN_S = 0.002
"""The delay that a machine with other work adds now and then."""


@dataclass
class Habits:
    """period_ns: the usual difference of stamps; jitter_ns: its largest recent deviation, lost messages not counted.
    typical_s, late_s: the median and the 95th percentile of how much later than the trigger's message of the same stamp
    its messages arrive, below 0 for earlier. budget_s: the latest arrival that is still expected.
    All are None until enough is known.
    """

    period_ns: float | None = None
    jitter_ns: float = 0.0
    typical_s: float | None = None
    late_s: float | None = None
    budget_s: float | None = None
    _steps: deque[int] = field(default_factory=lambda: deque(maxlen=_STEPS))
    _latencies: deque[float] = field(default_factory=lambda: deque(maxlen=_LATENCIES))

    def stepped(self, step_ns: int) -> None:
        """Take in that a message was stamped this much [ns] after the one before."""
        self._steps.append(step_ns)
        # The median: a lost message is not a sign of a slow sensor.
        period = self.period_ns = float(median(self._steps))
        off = sorted(abs(step - max(1, round(step / period)) * period) for step in self._steps)
        self.jitter_ns = off[-2] if len(off) > 1 else 0.0

    def came(self, latency_s: float) -> None:
        """Take in that a message arrived this much [s] after the trigger's message of the same stamp."""
        self._latencies.append(latency_s)
        if len(self._latencies) < _ENOUGH:
            return
        ordered = sorted(self._latencies)
        self.typical_s, self.late_s, high = (_quantile(ordered, share) for share in (0.5, 0.95, 0.97))
        self.budget_s = high + max(_LEAST_MARGIN_S, 0.5 * (high - self.typical_s))

    def forget_steps(self) -> None:
        """Forget the stamps: a new series begins."""
        self._steps.clear()
        self.period_ns, self.jitter_ns = None, 0.0

    def forget_latencies(self) -> None:
        """Forget the latencies: another sensor is the trigger now."""
        self._latencies.clear()
        self.typical_s = self.late_s = self.budget_s = None


def _quantile(ordered: list[float], share: float) -> float:
    return ordered[round(share * (len(ordered) - 1))]

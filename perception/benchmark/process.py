# SPDX-License-Identifier: Apache-2.0
"""Memory and processor use of another process, sampled from /proc while it runs."""

from __future__ import annotations

import os
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np

PERIOD_S = 0.25


class Usage(NamedTuple):
    """time_s: monotonic. rss_mb: resident memory, shared libraries and segments included. cpu_s: used so far."""

    time_s: float
    rss_mb: float
    cpu_s: float


def read_usage(pid: int) -> Usage:
    """The current use of the process `pid`. Raises OSError when it is gone."""
    folder = Path(f"/proc/{pid}")
    status = dict(line.split(":", 1) for line in (folder / "status").read_text().splitlines())
    # The name, second of the fields, may hold spaces; user and system ticks are the 14th and 15th.
    ticks = (folder / "stat").read_text().rpartition(")")[2].split()[11:13]
    cpu_s = sum(map(int, ticks)) / os.sysconf("SC_CLK_TCK")
    return Usage(time.monotonic(), int(status.get("VmRSS", "0 kB").split()[0]) / 1024, cpu_s)


@dataclass(frozen=True)
class Memory:
    """Megabytes. steady: the median of the second half; growth: from its third to its last quarter."""

    start: float
    steady: float
    peak: float
    growth: float


@dataclass(frozen=True)
class Effort:
    """What a process took. cpu_percent: 100 is one core, busy all the time."""

    memory_mb: Memory | None
    cpu_percent: float | None


class Watch:
    """Samples the process `pid` in a thread, from `start` to `stop` or to the process's end."""

    def __init__(self, pid: int) -> None:
        self._pid = pid
        self._samples: list[Usage] = []
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="watch", daemon=True)

    def start(self) -> None:
        """Start sampling; only once."""
        self._thread.start()

    def stop(self) -> None:
        """Stop, with a last sample."""
        self._stop.set()
        self._thread.join()

    def summary(self) -> Effort:
        """What it took; both None before the second sample."""
        if len(self._samples) < 2:
            return Effort(None, None)
        rss = np.array([sample.rss_mb for sample in self._samples])
        half, quarter = rss[len(rss) // 2 :], max(1, len(rss) // 4)
        memory = Memory(
            start=float(rss[0]),
            steady=float(np.median(half)),
            peak=float(rss.max()),
            growth=float(np.median(rss[-quarter:]) - np.median(half[:quarter])),
        )
        first, last = self._samples[0], self._samples[-1]
        return Effort(memory, 100 * (last.cpu_s - first.cpu_s) / (last.time_s - first.time_s))

    def _run(self) -> None:
        stopped = False
        while not stopped:
            stopped = self._stop.wait(PERIOD_S if self._samples else 0)
            try:
                self._samples.append(read_usage(self._pid))
            except OSError:
                return

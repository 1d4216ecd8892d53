# SPDX-License-Identifier: Apache-2.0
"""The rates of cameras, kept for the next start: a node that knows its camera's rate begins with the right model."""

from __future__ import annotations

from pathlib import Path

from perception.engines.cache import Kept

SAME = 0.05
"""A rate that differs by less is the one that is kept."""


class Rates:
    """By name, such as a node's and its camera's. folder: see `Kept`."""

    def __init__(self, folder: Path | None = None) -> None:
        self._kept = Kept("rates.json", folder)
        self._latest: dict[str, float] = {}

    def known(self, name: str) -> float | None:
        """The rate when it was last seen [Hz]; None where it never was."""
        match self._kept.get(name):
            case float(rate_hz) if rate_hz > 0:
                return rate_hz
        return None

    def add(self, name: str, rate_hz: float) -> None:
        """Keep a rate. Reads the file the first time alone: it is called every second."""
        known = self._latest.get(name) or self.known(name)
        if known is None or abs(rate_hz - known) > SAME * known:
            self._kept.put(name, known := float(rate_hz))
        self._latest[name] = known

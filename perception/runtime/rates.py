# SPDX-License-Identifier: Apache-2.0
"""The rates of cameras, kept for the next start: a node that knows its camera's rate begins with the right model."""

from __future__ import annotations

import json
from contextlib import suppress
from pathlib import Path

from perception.disk import write_json
from perception.engines.cache import compiled_cache
from perception.errors import DataError

SAME = 0.05
"""A rate that differs by less is the one that is kept."""

MAX_KEPT = 100
"""Rates in the user's cache; the oldest go first."""


class Rates:
    """By name, such as a node's and its camera's; nothing is kept where there is no cache folder.

    folder: that of compiled networks, beside which they are kept; None for the user's.
    """

    def __init__(self, folder: Path | None = None) -> None:
        cache = folder or compiled_cache()
        self._path = cache.parent / "rates.json" if cache else None

    def known(self, name: str) -> float | None:
        """The rate when it was last seen [Hz]; None where it never was."""
        match self._read().get(name):
            case float(rate_hz) if rate_hz > 0:
                return rate_hz
        return None

    def add(self, name: str, rate_hz: float) -> None:
        """Keep a rate."""
        known = self.known(name)
        if self._path is None or (known is not None and abs(rate_hz - known) <= SAME * known):
            return
        kept = {other: rate for other, rate in self._read().items() if other != name} | {name: float(rate_hz)}
        with suppress(OSError, DataError):  # a full disk: it is learnt again
            write_json(self._path, dict(list(kept.items())[-MAX_KEPT:]))

    def _read(self) -> dict[str, object]:
        try:
            content = json.loads(self._path.read_text("utf-8")) if self._path else {}
        except (OSError, ValueError):
            return {}
        return content if isinstance(content, dict) else {}

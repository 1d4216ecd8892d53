# SPDX-License-Identifier: Apache-2.0
"""How long every network of a comparison is trained: so many iterations, or so much time."""

from __future__ import annotations

import re
from dataclasses import dataclass

from perception.errors import DataError

SECONDS = {"s": 1, "min": 60, "h": 3600}
"""Of each unit of time."""


@dataclass(frozen=True)
class Budget:
    """Either iterations, or seconds of training steps; the other is None."""

    iterations: int | None = None
    seconds: float | None = None

    def __str__(self) -> str:
        if self.seconds is None:
            return f"{self.iterations}it"
        return f"{self.seconds / 60:g}min" if self.seconds >= 60 else f"{self.seconds:g}s"

    def steps(self, seconds_per_step: float) -> int:
        """The iterations that fit, at least one. seconds_per_step: measured; not used by a budget of iterations."""
        if self.iterations is not None:
            return self.iterations
        assert self.seconds is not None
        return max(1, round(self.seconds / seconds_per_step))


def read_budget(text: str) -> Budget:
    """The budget that is written as 25min, 90s, 2h or 200it. Raises DataError for anything else."""
    found = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([a-z]+)", text.strip().lower())
    number, unit = (float(found[1]), found[2]) if found else (0.0, "")
    if number > 0 and unit in SECONDS:
        return Budget(seconds=number * SECONDS[unit])
    if number >= 1 and unit == "it" and number.is_integer():
        return Budget(iterations=int(number))
    raise DataError(f"{text}: not a budget; write for example 25min, 90s, 2h, or 200it for so many iterations")

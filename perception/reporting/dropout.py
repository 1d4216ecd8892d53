# SPDX-License-Identifier: Apache-2.0
"""A sensor that is away for a while."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Dropout:
    """A time without a sensor that is there at others: from and to in seconds, or in frames."""

    modality: str
    from_s: float
    to_s: float

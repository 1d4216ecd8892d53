# SPDX-License-Identifier: Apache-2.0
"""What is known of a recorded topic."""

from __future__ import annotations

from typing import NamedTuple


class Topic(NamedTuple):
    """latched: late subscribers get its last messages (transient local)."""

    type: str
    messages: int
    latched: bool = False
    reliable: bool = True

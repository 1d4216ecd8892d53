# SPDX-License-Identifier: Apache-2.0
"""What is known of a recorded topic."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple


class Offer(NamedTuple):
    """The quality of service that a publisher offers."""

    reliable: bool
    latched: bool


class Topic(NamedTuple):
    """latched: late subscribers get its last messages (transient local). offers: of its publishers, where known."""

    type: str
    messages: int
    latched: bool = False
    reliable: bool = True
    offers: tuple[Offer, ...] = ()


class Graph(NamedTuple):
    """Live topics. offered: by topic, its type and what its publishers offer. requested: what was asked for, by topic.

    tf: whether /tf_static can be heard at all.
    """

    offered: Mapping[str, Topic]
    requested: Mapping[str, Offer]
    tf: bool = True

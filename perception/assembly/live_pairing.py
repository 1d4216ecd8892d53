# SPDX-License-Identifier: Apache-2.0
"""Which messages are shown together: the newest labels with the messages they were made from, and nothing older.

No ROS, no threads, no clock of its own: `now` [s] is any clock that never jumps.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from perception.assembly.pairing import match

ORDER: tuple[str, ...] = ("labels", "instances", "objects", "rgb", "cloud", "lidar", "infrared", "depth")
"""What defines a moment: the node's labels; while they are silent, the first sensor in this list that publishes."""

TOLERANCE_S = 0.06
WAIT_S = 0.15
TIMEOUT_S = 1.0
JUMP_NS = 1_000_000_000
"""A stamp this much older than an earlier one: the recording that is played has started again."""

_KEPT = 8


class Kept(NamedTuple):
    """A message as it arrived."""

    stamp_ns: int
    arrived: float
    message: Any


@dataclass(frozen=True)
class Moment:
    """What is shown together, by name. alive: who sent something lately, whether or not that belongs to this moment."""

    stamp_ns: int
    messages: dict[str, Any]
    alive: frozenset[str]


@dataclass
class LivePairing:
    """Give it every message, and take a moment whenever there is time for one."""

    kept: dict[str, deque[Kept]] = field(default_factory=dict)
    shown_ns: int | None = None

    def offer(self, name: str, stamp_ns: int, message: Any, now: float) -> None:
        """Take a message of one of ORDER."""
        row = self.kept.setdefault(name, deque(maxlen=_KEPT))
        if row and stamp_ns < row[-1].stamp_ns - JUMP_NS:
            for each in self.kept.values():
                each.clear()
            self.shown_ns = None
        row.append(Kept(stamp_ns, now, message))

    def take(self, now: float) -> Moment | None:
        """The newest moment that is complete, or that has waited long enough; each once, none older than the last."""
        alive = frozenset(name for name, row in self.kept.items() if row and now - row[-1].arrived < TIMEOUT_S)
        trigger = next((name for name in ORDER if name in alive), None)
        if trigger is None:
            return None
        for opening in sorted(self.kept[trigger], reverse=True, key=lambda kept: kept.stamp_ns):
            if self.shown_ns is not None and opening.stamp_ns <= self.shown_ns:
                return None
            messages = {name: self._nearest(name, opening.stamp_ns) for name in alive}
            found = {name: kept.message for name, kept in messages.items() if kept is not None}
            settled = all(
                kept and not self._nearer_due(name, opening.stamp_ns, kept) for name, kept in messages.items()
            )
            if settled or now - opening.arrived >= WAIT_S:
                self.shown_ns = opening.stamp_ns
                return Moment(opening.stamp_ns, found, alive)
        return None

    def _nearer_due(self, name: str, stamp_ns: int, kept: Kept) -> bool:
        """Whether the next message of this name will be nearer than the present one."""
        stamps = [each.stamp_ns for each in self.kept[name]][-2:]
        if len(stamps) < 2 or stamps[1] >= stamp_ns:
            return False
        return abs(2 * stamps[1] - stamps[0] - stamp_ns) < abs(kept.stamp_ns - stamp_ns)

    def _nearest(self, name: str, stamp_ns: int) -> Kept | None:
        kept = sorted(self.kept[name], key=lambda each: each.stamp_ns)
        place = match([each.stamp_ns for each in kept], stamp_ns, TOLERANCE_S)
        return None if place is None else kept[place]

# SPDX-License-Identifier: Apache-2.0
"""When to run a quicker model, and when the better one again: a state machine without threads, clock or ROS.

Rungs are numbered from the best model to the quickest. Once the camera's rate is known, the rung is taken that holds it
with time to spare. From then on, down goes who leaves frames out, or has no time left, for BEHIND_S; up goes who, for
some time, would have had time to spare with the better model too. That time doubles with every step up that had to be
taken back soon, so that a machine in between does not swing.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from perception.engines.family import SPARE

BEHIND_S = 2.0
"""Frames are left out, or wait, for so long before a step down."""

TOLERATED = 0.05
"""Share of the frames that may be left out."""

ROOM_S = 10.0
"""There is room for so long before a step up, at first."""

MOST_ROOM_S = 320.0

TAKEN_BACK_S = 30.0
"""A step down so soon after one up takes it back."""

FORGET_S = 600.0
"""So long after the last step up that was no good, it is forgotten."""

SETTLE_S = 1.0
"""What comes in so long after a step was not yet by it."""

QUICKER = 0.9
"""A rung that needs more than this part of another's time is no quicker."""

TWICE = 2.0
"""How many times the next rung's time one takes whose time is not known."""

BUSY = 0.5
"""Share of a period that the network takes at least where it is what holds frames up."""


FULL = 0.95
"""Share of a period that the network takes at least where it has no time left: frames wait, and are left out next."""


class Tick(NamedTuple):
    """What happened since the tick before.

    now: monotonic [s]. period_s: between two frames of the camera; None where it is not known yet. came, left_behind:
    frames that came, and those of them that a newer one replaced. infer_s: what the network takes of late.
    """

    now: float
    period_s: float | None
    came: int
    left_behind: int
    infer_s: float


class Controller:
    """Decides by one `step` a second or so.

    place: the rung that runs. times_s: what each takes on this machine when it has it to itself, None where that is not
    known; may be set from outside. spare: how many times that must be there for each, since it takes longer beside the
    rest of a node; None for SPARE. A rung that is `barred` is never stepped to.
    """

    def __init__(self, times_s: Sequence[float | None], place: int, spare: Sequence[float] | None = None) -> None:
        self.times_s, self.place = list(times_s), place
        self._spare = list(spare or [SPARE] * len(times_s))
        self.barred: set[int] = set()
        self._rated = False
        self._patience_s = ROOM_S
        self._moved_at, self._moved_up = float("-inf"), False
        self._regretted_at = float("-inf")
        self._before: float | None = None
        self._behind_since: float | None = None
        self._room_since: float | None = None

    def step(self, tick: Tick) -> int | None:
        """The rung to go to; None to stay. The answer stays the same until it has `moved`, or the rung is barred."""
        before, self._before = self._before, tick.now
        if tick.now < self._moved_at + SETTLE_S or tick.period_s is None:
            self._behind_since = self._room_since = None
            return None
        if tick.now - self._regretted_at >= FORGET_S:
            self._patience_s = ROOM_S
        began = tick.now if before is None else before
        share = tick.infer_s / tick.period_s
        behind = share >= FULL or (share >= BUSY and tick.left_behind > TOLERATED * tick.came)
        down = self._down(tick.infer_s, tick.period_s)
        if not self._rated:
            # The rate was a guess until now: what was chosen for it may not hold the camera's, or a better one may.
            rated = self._for_rate(tick.period_s, down, behind)
            if rated is not None:
                return rated
            self._rated = True
        if behind:
            self._room_since = None
            self._behind_since = began if self._behind_since is None else self._behind_since
            return down if tick.now - self._behind_since >= BEHIND_S else None
        self._behind_since = None
        up = self._up()
        if up is None or not self._has_room(up, tick.infer_s, tick.period_s):
            self._room_since = None
            return None
        self._room_since = began if self._room_since is None else self._room_since
        return up if tick.now - self._room_since >= self._patience_s else None

    def moved(self, place: int, now: float) -> None:
        """Another rung runs."""
        up = place < self.place
        if not up and self._moved_up and now - self._moved_at < TAKEN_BACK_S:
            self._regret(now)
        self.place, self._moved_at, self._moved_up = place, now, up
        self._behind_since = self._room_since = None

    def declined(self, now: float) -> None:
        """A step up that was asked for is not taken: the rung was timed, and has no time to spare now."""
        self._room_since = None
        self._regret(now)

    def pause(self) -> None:
        """What was until now says nothing about what comes, as when sensors were not listened to."""
        self._before = self._behind_since = self._room_since = None

    def _for_rate(self, period_s: float, down: int | None, behind: bool) -> int | None:
        """The rung for a rate that has become known; None for the one that runs."""
        if not behind:
            for place in range(self.place):
                if place not in self.barred and self._holds(place, period_s):
                    return place
        here = self.times_s[self.place]
        return None if here is None or self._holds(self.place, period_s) else down

    def _holds(self, place: int, period_s: float) -> bool:
        """Whether that rung is known to hold the rate with time to spare, when it is alone."""
        needed = self._needed(place)
        return needed is not None and needed <= period_s

    def _needed(self, place: int) -> float | None:
        """The period that the rung needs when it is alone [s], if that is known."""
        seconds = self.times_s[place]
        return None if seconds is None else self._spare[place] * seconds

    def _has_room(self, up: int, infer_s: float, period_s: float) -> bool:
        """Whether that rung would, as things are; this one takes `infer_s` now."""
        here, there = self.times_s[self.place], self.times_s[up]
        if there is None:
            return SPARE * TWICE * infer_s <= period_s
        return self._holds(up, period_s) and (here is None or SPARE * infer_s * there / here <= period_s)

    def _regret(self, now: float) -> None:
        self._patience_s = min(2 * self._patience_s, MOST_ROOM_S)
        self._regretted_at = now

    def _down(self, infer_s: float, period_s: float) -> int | None:
        """The first quicker rung that may hold the rate as things are; the last of them where none does."""
        here, needed, found = self.times_s[self.place], self._needed(self.place), None
        for place in range(self.place + 1, len(self.times_s)):
            there, needs = self.times_s[place], self._needed(place)
            if place in self.barred or (needed is not None and needs is not None and needs > QUICKER * needed):
                continue
            found = place
            if here is None or there is None or max(there, infer_s * there / here) <= period_s:
                break
        return found

    def _up(self) -> int | None:
        return next((place for place in range(self.place - 1, -1, -1) if place not in self.barred), None)

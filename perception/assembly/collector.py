# SPDX-License-Identifier: Apache-2.0
"""`pairing` while messages arrive: a state machine without threads, clocks or ROS that adds the waiting.

Each message of the trigger opens a set; the other living sensors add their messages by the same rules. The collector
waits for a message that is nearer than the best so far, or the only one, as long as it may still arrive. When a
message is due follows from the stamps of its sensor; how long it takes follows from its arrivals (`Habits`). Several
sets may wait at once; they become ready in the order of their stamps.

Nothing queues: a newer set that is ready replaces a set that was not taken, which counts as a drop. Sets that were all
waiting for one message are handed out one after the other at the pace at which they were opened, if the caller keeps
up with it. A sensor that is silent for longer than its timeout is left out, and taken back with its next message, even
if its stamps have gone back by then.

Acquisition stamps [ns] are only compared with each other; `now` [s] is any clock that never jumps.
"""

from __future__ import annotations

import math
from collections import Counter, deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from perception.assembly.habits import Habits
from perception.assembly.pairing import Timing, in_order, match, nearest, rank
from perception.sensors.spec import SPECS

MOVABLE: tuple[str, ...] = tuple(name for name, spec in SPECS.items() if spec.movable)
"""The sensors whose messages can be moved to another instant if the vehicle's motion is known."""

JUMP_NS = 1_000_000_000
"""A stamp this much older than its predecessor is not a late message: the clock went back, as when a bag restarts."""

LEFT_BEHIND: tuple[str, ...] = ("superseded", "overtaken")
"""Causes of drops that mean "too slow": a newer set came before this one was taken or, once prepared, before the
network was free."""

_KEPT = 32
"""Messages per sensor that may still find their set."""

_PENDING = 16
"""The most sets that may wait at once, and that may be ready: 0.3 s of a camera at 50 Hz."""

_GAIN_NS = 1_000_000
"""The collector does not wait for a message that is nearer by less than this."""

_UNPAIRED = 10
"""So many sets without a sensor, and messages of it without a set, are no longer a coincidence."""


@dataclass
class Arrival:
    """One message of one sensor, as it came; `arrived` is the reader's clock [s]."""

    stamp_ns: int
    arrived: float
    message: Any
    used: bool = False


@dataclass(frozen=True)
class SensorSet:
    """The messages of one instant, by sensor; the trigger's message gives the stamp.

    apart: the sensors whose message is further away than the tolerance, usable only if it can be moved.
    """

    trigger: str
    arrivals: Mapping[str, Arrival]
    apart: frozenset[str] = frozenset()

    @property
    def stamp_ns(self) -> int:
        """The trigger's acquisition stamp."""
        return self.arrivals[self.trigger].stamp_ns


@dataclass
class SensorState:
    """The state of one sensor.

    drops: counts by cause. missed, unmatched: sets without it, and messages of it without a set, since it was last in
    a set.
    gap_ns: its nearest stamp minus the trigger's, when it last missed a set.
    """

    kept: deque[Arrival] = field(default_factory=deque)
    last_stamp_ns: int | None = None
    last_arrived: float | None = None
    habits: Habits = field(default_factory=Habits)
    alive: bool = False
    received: int = 0
    drops: Counter[str] = field(default_factory=Counter)
    missed: int = 0
    unmatched: int = 0
    gap_ns: int = 0

    @property
    def unpaired(self) -> bool:
        """Whether it is alive but in no set: its stamps are further from the trigger's than the tolerance."""
        return self.alive and min(self.missed, self.unmatched) >= _UNPAIRED

    @property
    def stamps_ns(self) -> list[int]:
        """The newest of the kept stamps, which are sorted: older and repeated stamps are not kept."""
        return [arrival.stamp_ns for arrival in self.kept]

    def miss(self, stamp_ns: int) -> None:
        """Count a set of that stamp without it."""
        self.missed += 1
        place = nearest(self.stamps_ns, stamp_ns)
        self.gap_ns = 0 if place is None else self.kept[place].stamp_ns - stamp_ns

    def restart(self) -> None:
        """Forget its stamps: a new series begins."""
        self.drops["clock jump"] += sum(not arrival.used for arrival in self.kept)
        self.kept.clear()
        self.habits.forget_steps()
        self.last_stamp_ns = None
        self.missed = self.unmatched = 0

    def let_go(self, oldest_ns: int | None) -> None:
        """Drop messages that no set can need any more. oldest_ns: the oldest stamp that a set has or may still have."""
        # Of the older ones, the last is nearer than all others.
        while len(self.kept) > _KEPT or (
            oldest_ns is not None and len(self.kept) > 1 and self.kept[1].stamp_ns <= oldest_ns
        ):
            if not self.kept.popleft().used:
                self.drops["unmatched"] += 1
                self.unmatched += 1


@dataclass(frozen=True)
class Change:
    """A sensor came (`alive`) or went; `first` at its first message ever."""

    sensor: str
    alive: bool
    first: bool = False


class _Opened(NamedTuple):
    """A set that waits for more messages."""

    trigger: str
    arrival: Arrival


class _Ready(NamedTuple):
    """A complete set. due: when it may be taken, at the pace of the sets that became ready together with it."""

    matched: SensorSet
    due: float


class Collector:
    """Pairs the messages of `sensors`. Call `offer` with each message, `poll` for the next set that is ready."""

    def __init__(self, sensors: Iterable[str], timing: Timing) -> None:
        self.timing = timing
        self.sensors: dict[str, SensorState] = {name: SensorState() for name in in_order(sensors)}
        self.clock_jumps = 0
        self._pending: deque[_Opened] = deque()
        self._ready: deque[_Ready] = deque()
        self._answered: tuple[str, int] | None = None
        self._changes: list[Change] = []
        self._leader: str | None = None
        self._led: deque[tuple[int, float]] = deque(maxlen=64)
        """Stamps and arrivals of the trigger `_leader`; the others' latencies are measured relative to it."""

    def offer(self, sensor: str, stamp_ns: int, message: Any, now: float) -> None:
        """Take one message. Old, repeated and unused ones are dropped and counted."""
        stamp_ns += round(1e9 * self.timing.offsets_s.get(sensor, 0.0))
        state = self.sensors[sensor]
        state.received += 1
        if state.last_stamp_ns is not None and stamp_ns < state.last_stamp_ns - JUMP_NS:
            self._jump(sensor, stamp_ns)
        if state.last_stamp_ns is not None and stamp_ns < state.last_stamp_ns and now >= self._lost_at(sensor):
            # The stamps began again: a driver with another clock, or a bag shorter than what counts as a jump.
            state.restart()
        if state.last_stamp_ns is not None and stamp_ns <= state.last_stamp_ns:
            state.drops["duplicate" if stamp_ns == state.last_stamp_ns else "out of order"] += 1
            return
        arrival = Arrival(stamp_ns, now, message)
        self._note(sensor, arrival)
        if self._answered is not None and abs(stamp_ns - self._answered[1]) <= self._tolerance_ns:
            # The message would have been in that set, so the sensor is worth waiting for again.
            state.missed = 0
        self._advance(now)
        self._learn(sensor, arrival)
        if sensor == self.trigger:
            self._open(sensor, arrival)
            self._advance(now)

    def poll(self, now: float, pace_s: float = 0.0) -> SensorSet | None:
        """The next set that is ready, once; None if there is none. Sensors whose timeout is over are left out.

        pace_s: the time that the caller needs for a set; if the trigger is faster, the newest set is the next.
        """
        self._advance(now)
        trigger = self.trigger
        if trigger is not None and 1e9 * pace_s > (self.sensors[trigger].habits.period_ns or math.inf):
            while len(self._ready) > 1:
                self._drop_oldest()
        return self._ready.popleft().matched if self._ready else None

    @property
    def trigger(self) -> str | None:
        """The sensor that opens sets now; None while all are silent."""
        return next((name for name, state in self.sensors.items() if state.alive), None)

    @property
    def deadline(self) -> float | None:
        """When `poll` next has something to do even if no message comes; None for never."""
        times = [self._lost_at(name) for name, state in self.sensors.items() if state.alive]
        if self._pending:
            times.append(self._closes_at(self._pending[0]))
        return min(times, default=None)

    def changes(self) -> list[Change]:
        """The sensors that came and went since the last call."""
        changes, self._changes = self._changes, []
        return changes

    @property
    def _tolerance_ns(self) -> float:
        return self.timing.tolerance_s * 1e9

    def _advance(self, now: float) -> None:
        """Update for the time that has passed: leave silent sensors out, and close the sets that cannot gain any
        more."""
        for name, state in self.sensors.items():
            if state.alive and now >= self._lost_at(name):
                state.alive = False
                self._changes.append(Change(name, alive=False))
        trigger = self.trigger
        if trigger is not None:
            # A better trigger came back: its own sets will hold the messages of the sets that the lesser one opened.
            self._pending = deque(each for each in self._pending if rank(each.trigger) <= rank(trigger))
        closed: list[SensorSet] = []
        while self._pending and now >= self._closes_at(self._pending[0]):
            closed.append(self._close())
        for matched in closed:
            later = 1e-9 * (matched.stamp_ns - closed[0].stamp_ns)
            self._ready.append(_Ready(matched, now + min(later, self.timing.wait_s)))
        self._supersede(now)
        oldest_ns = None if trigger is None else self.sensors[trigger].last_stamp_ns
        if oldest_ns is not None:
            oldest_ns = min([oldest_ns, *(each.arrival.stamp_ns for each in self._pending)])
        for state in self.sensors.values():
            state.let_go(oldest_ns)

    def _supersede(self, now: float) -> None:
        """Drop the sets that were not taken in time and that a newer one replaces."""
        while len(self._ready) > 1:
            trigger, due = self._ready[0].matched.trigger, self._ready[0].due
            if len(self._ready) <= _PENDING and now < due + 0.5e-9 * (self.sensors[trigger].habits.period_ns or 0.0):
                return
            self._drop_oldest()

    def _drop_oldest(self) -> None:
        self.sensors[self._ready.popleft().matched.trigger].drops["superseded"] += 1

    def _lost_at(self, sensor: str) -> float:
        last = self.sensors[sensor].last_arrived
        return math.inf if last is None else last + self.timing.timeouts_s[sensor]

    def _open(self, sensor: str, arrival: Arrival) -> None:
        last = (self._pending[-1].trigger, self._pending[-1].arrival.stamp_ns) if self._pending else self._answered
        if last is not None and last[0] != sensor and -JUMP_NS <= arrival.stamp_ns - last[1] <= self._tolerance_ns:
            # Another trigger has just answered for this instant, or for a later one.
            if not arrival.used:
                arrival.used = True
                self.sensors[sensor].drops["already answered"] += 1
            return
        self._pending.append(_Opened(sensor, arrival))

    def _close(self) -> SensorSet:
        """The set that has waited longest, with the messages that have arrived for it."""
        sensor, arrival = self._pending.popleft()
        arrivals, apart = {sensor: arrival}, set()
        for name, state in self.sensors.items():
            if name == sensor:
                continue
            match = self._match(name, arrival.stamp_ns)
            if match is None and (match := self._within_reach(name, arrival.stamp_ns)) is not None:
                apart.add(name)
            if match is not None:
                arrivals[name] = match
            else:
                state.miss(arrival.stamp_ns)
        for name, each in arrivals.items():
            each.used = True
            self.sensors[name].missed = self.sensors[name].unmatched = 0
        self._answered = (sensor, arrival.stamp_ns)
        return SensorSet(sensor, arrivals, frozenset(apart))

    def _closes_at(self, opened: _Opened) -> float:
        """Until when a message may arrive that improves the set; minus infinity if none can."""
        if len(self._pending) > _PENDING:
            return -math.inf
        others = [self._comes_by(name, opened.arrival) for name in self.sensors if name != opened.trigger]
        return max(others, default=-math.inf)

    def _comes_by(self, name: str, asking: Arrival) -> float:
        """The latest arrival of the sensor's message that is nearer to the requesting one than the earlier ones.

        Minus infinity if there is none, or if it comes too late.
        """
        state, habits, limit = self.sensors[name], self.sensors[name].habits, asking.arrived + self.timing.limit_s
        if not state.alive or state.unpaired:
            return -math.inf
        last, period = state.last_stamp_ns, habits.period_ns
        if last is not None and last >= asking.stamp_ns:
            return -math.inf  # later messages are further away
        if last is None or period is None:
            return limit
        match = self._match(name, asking.stamp_ns)
        reach = self._tolerance_ns if match is None else asking.stamp_ns - match.stamp_ns - _GAIN_NS
        due = max(1, round((asking.stamp_ns - last) / period)) * period + last - asking.stamp_ns
        if abs(due) - habits.jitter_ns > reach:
            return -math.inf
        if habits.typical_s is None or habits.budget_s is None:
            return limit
        in_time = 1e9 * (self.timing.limit_s - habits.typical_s)
        if due > in_time:
            return -math.inf
        # If the nearest is lost, those after it may still be nearer than the best so far.
        due += max(0.0, min(reach, in_time) - due) // period * period
        return min(limit, asking.arrived + min(due + habits.jitter_ns, reach) * 1e-9 + habits.budget_s)

    def _match(self, sensor: str, stamp_ns: int) -> Arrival | None:
        """The sensor's message nearest to the stamp, within the tolerance."""
        state = self.sensors[sensor]
        place = match(state.stamps_ns, stamp_ns, self.timing.tolerance_s) if state.alive else None
        return None if place is None else state.kept[place]

    def _within_reach(self, sensor: str, stamp_ns: int) -> Arrival | None:
        """With freshness: the newest message that is older than the stamp and can be moved to it."""
        state = self.sensors[sensor]
        if self.timing.pairing != "freshness" or sensor not in MOVABLE or not state.alive:
            return None
        older = (arrival for arrival in reversed(state.kept) if arrival.stamp_ns <= stamp_ns)
        newest = next(older, None)
        return newest if newest and stamp_ns - newest.stamp_ns <= self.timing.reach_s * 1e9 else None

    def _note(self, sensor: str, arrival: Arrival) -> None:
        state = self.sensors[sensor]
        if not state.alive:
            self._changes.append(Change(sensor, alive=True, first=state.last_arrived is None))
        if state.last_stamp_ns is not None:
            step_ns = arrival.stamp_ns - state.last_stamp_ns
            state.habits.stepped(step_ns)
            if step_ns > JUMP_NS:
                # A long silence, or a clock that was set: messages that were late may no longer be.
                state.habits.forget_latencies()
        state.alive, state.last_arrived, state.last_stamp_ns = True, arrival.arrived, arrival.stamp_ns
        state.kept.append(arrival)

    def _learn(self, sensor: str, arrival: Arrival) -> None:
        """Learn how much later than the trigger's message of the same stamp this one arrived."""
        if self.trigger != self._leader:
            self._leader = self.trigger
            self._led.clear()
            for state in self.sensors.values():
                state.habits.forget_latencies()
        if sensor == self._leader:
            if self._led and arrival.stamp_ns <= self._led[-1][0]:
                self._led.clear()
            self._led.append((arrival.stamp_ns, arrival.arrived))
        elif self._led:
            stamp_ns, arrived = min(self._led, key=lambda led: abs(led[0] - arrival.stamp_ns))
            if abs(stamp_ns - arrival.stamp_ns) <= JUMP_NS:
                latency = arrival.arrived - arrived - 1e-9 * (arrival.stamp_ns - stamp_ns)
                self.sensors[sensor].habits.came(latency)

    def _jump(self, sensor: str, stamp_ns: int) -> None:
        """The sensor's clock went back: nothing from before may pair with the new messages.

        If it is the trigger's, the others' clocks have gone back too, or will. If it is another sensor's, only that one
        has.
        """
        self.clock_jumps += 1
        trigger = self.trigger
        leads = trigger is None or rank(sensor) <= rank(trigger)
        for name, state in self.sensors.items():
            last = state.last_stamp_ns
            if name == sensor or (leads and last is not None and last > stamp_ns + JUMP_NS):
                state.restart()
        if not leads:
            return
        for ready in self._ready:
            self.sensors[ready.matched.trigger].drops["clock jump"] += 1
        self._pending.clear()
        self._ready.clear()
        self._answered = None

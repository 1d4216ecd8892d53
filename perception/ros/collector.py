# SPDX-License-Identifier: Apache-2.0
"""Which messages belong to one instant: a state machine without threads, clocks or ROS.

Of the sensors that are alive one is the trigger: the camera, else LiDAR, else infrared, else depth. Each of its
messages opens a set; the other living sensors add their message nearest in acquisition time, within the tolerance.
A set is ready when every living sensor is in it, when the one that is missing can no longer come, or when its wait is
over. Nothing queues: a newer set replaces one that was not taken, which counts as a drop. A sensor that is silent
longer than its timeout is left out, and taken back with its next message, even if its stamps have gone back by then.

Acquisition stamps [ns] only ever compare with each other; `now` [s] is any clock that never jumps.
"""

from __future__ import annotations

import math
from collections import Counter, deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from perception.ros.lidar_names import modality_of

TRIGGER_ORDER: tuple[str, ...] = ("rgb", "lidar", "infrared", "depth")
"""Who triggers, best first."""

JUMP_NS = 1_000_000_000
"""A stamp this much older than its predecessor is no late message: the clock went back, as when a bag starts again."""

_KEPT = 4
"""Messages per sensor that may still find their set; a sensor four times as fast as the trigger still pairs."""

_UNPAIRED = 10
"""Sets without a sensor, and messages of it without a set, before that is no accident."""


def in_order(sensors: Iterable[str]) -> list[str]:
    """The sensors as they trigger, best first; further LiDARs come after the first."""
    return sorted(sensors, key=lambda name: (TRIGGER_ORDER.index(modality_of(name)), name))


@dataclass(frozen=True)
class Timing:
    """How messages pair, in seconds.

    tolerance_s: the largest difference of stamps. wait_s: the longest wait after the trigger's message came.
    timeouts_s: by sensor, the silence after which it counts as lost. offsets_s: by sensor, what its stamps lack to the
    instant of acquisition; nothing where it is not named.
    """

    tolerance_s: float
    wait_s: float
    timeouts_s: Mapping[str, float]
    offsets_s: Mapping[str, float] = field(default_factory=dict)


@dataclass
class Arrival:
    """One message of one sensor, as it came; `arrived` is the reader's clock [s]."""

    stamp_ns: int
    arrived: float
    message: Any
    used: bool = False


@dataclass(frozen=True)
class SensorSet:
    """The messages of one instant, by sensor; the trigger's gives the stamp."""

    trigger: str
    arrivals: Mapping[str, Arrival]

    @property
    def stamp_ns(self) -> int:
        """The trigger's acquisition stamp."""
        return self.arrivals[self.trigger].stamp_ns


@dataclass
class SensorState:
    """What is known of one sensor.

    period_ns: usual difference of its stamps. drops: counts by cause. missed, unmatched: sets without it, and messages
    of it without a set, since it was in one. gap_ns: its nearest stamp less the trigger's, when it missed a set last.
    """

    kept: deque[Arrival] = field(default_factory=lambda: deque(maxlen=_KEPT))
    last_stamp_ns: int | None = None
    last_arrived: float | None = None
    period_ns: float | None = None
    alive: bool = False
    received: int = 0
    drops: Counter[str] = field(default_factory=Counter)
    missed: int = 0
    unmatched: int = 0
    gap_ns: int = 0

    @property
    def unpaired(self) -> bool:
        """Whether it is alive and yet in no set: its stamps are further from the trigger's than the tolerance."""
        return self.alive and min(self.missed, self.unmatched) >= _UNPAIRED

    def miss(self, stamp_ns: int) -> None:
        """Count a set of that stamp without it."""
        self.missed += 1
        self.gap_ns = min((arrival.stamp_ns - stamp_ns for arrival in self.kept), key=abs, default=0)

    def restart(self) -> None:
        """Forget its stamps: what comes begins anew."""
        self.drops["clock jump"] += sum(not arrival.used for arrival in self.kept)
        self.kept.clear()
        self.last_stamp_ns = self.period_ns = None
        self.missed = self.unmatched = 0


@dataclass(frozen=True)
class Change:
    """A sensor came (`alive`) or went; `first` at its first message ever."""

    sensor: str
    alive: bool
    first: bool = False


class Collector:
    """Pairs the messages of `sensors`. Call `offer` with each message, `poll` for the newest set that is ready."""

    def __init__(self, sensors: Iterable[str], timing: Timing) -> None:
        self.timing = timing
        self.sensors: dict[str, SensorState] = {name: SensorState() for name in in_order(sensors)}
        self.clock_jumps = 0
        self._pending: tuple[str, Arrival] | None = None
        self._ready: SensorSet | None = None
        self._answered: tuple[str, int] | None = None
        self._changes: list[Change] = []

    def offer(self, sensor: str, stamp_ns: int, message: Any, now: float) -> None:
        """Take one message. Old, repeated and unused ones are dropped and counted."""
        stamp_ns += round(1e9 * self.timing.offsets_s.get(sensor, 0.0))
        state = self.sensors[sensor]
        state.received += 1
        if state.last_stamp_ns is not None and stamp_ns < state.last_stamp_ns - JUMP_NS:
            self._clear()
        if state.last_stamp_ns is not None and stamp_ns < state.last_stamp_ns and now >= self._lost_at(sensor):
            # It began again: a driver with another clock, or a bag shorter than what counts as a jump.
            state.restart()
        if state.last_stamp_ns is not None and stamp_ns <= state.last_stamp_ns:
            state.drops["duplicate" if stamp_ns == state.last_stamp_ns else "out of order"] += 1
            return
        arrival = Arrival(stamp_ns, now, message)
        self._note(sensor, arrival)
        if self._answered is not None and abs(stamp_ns - self._answered[1]) <= self.timing.tolerance_s * 1e9:
            # It would have been in that set: worth waiting for again.
            state.missed = 0
        self._advance(now)
        if sensor == self.trigger:
            self._open(sensor, arrival)
            self._advance(now)

    def poll(self, now: float) -> SensorSet | None:
        """The newest set that is ready, once; None where there is none. Sensors whose timeout is over are left out."""
        self._advance(now)
        ready, self._ready = self._ready, None
        return ready

    @property
    def trigger(self) -> str | None:
        """The sensor that opens sets now; None while all are silent."""
        return next((name for name, state in self.sensors.items() if state.alive), None)

    @property
    def deadline(self) -> float | None:
        """When `poll` has something to do next though no message comes; None for never."""
        times = [self._lost_at(name) for name, state in self.sensors.items() if state.alive]
        if self._pending is not None:
            times.append(self._closes_at(self._pending[1]))
        return min(times, default=None)

    def changes(self) -> list[Change]:
        """The sensors that came and went since the last call."""
        changes, self._changes = self._changes, []
        return changes

    def _advance(self, now: float) -> None:
        """Let time pass: leave silent sensors out, and close the pending set where nothing more can be gained."""
        for name, state in self.sensors.items():
            if state.alive and now >= self._lost_at(name):
                state.alive = False
                self._changes.append(Change(name, alive=False))
        if self._pending is None:
            return
        sensor, arrival = self._pending
        if self.trigger not in (sensor, None):
            # A better trigger came back: its own set will hold this message too.
            self._pending = None
        elif now >= self._closes_at(arrival) or not self._awaited(sensor, arrival):
            self._close()

    def _lost_at(self, sensor: str) -> float:
        last = self.sensors[sensor].last_arrived
        return math.inf if last is None else last + self.timing.timeouts_s[sensor]

    def _closes_at(self, arrival: Arrival) -> float:
        return arrival.arrived + self.timing.wait_s

    def _open(self, sensor: str, arrival: Arrival) -> None:
        if self._answered is not None:
            trigger, stamp_ns = self._answered
            if trigger != sensor and abs(arrival.stamp_ns - stamp_ns) <= self.timing.tolerance_s * 1e9:
                # Another trigger has just answered for this instant.
                arrival.used = True
                self.sensors[sensor].drops["already answered"] += 1
                return
        if self._pending is not None:
            self._close()
        self._pending = (sensor, arrival)

    def _close(self) -> None:
        """The pending set becomes the one that is ready, with what has come for it."""
        assert self._pending is not None
        sensor, arrival = self._pending
        arrivals = {sensor: arrival}
        for name in [name for name in self.sensors if name != sensor]:
            match = self._match(name, arrival.stamp_ns)
            if match is not None:
                arrivals[name] = match
            else:
                self.sensors[name].miss(arrival.stamp_ns)
        for name, each in arrivals.items():
            each.used = True
            self.sensors[name].missed = self.sensors[name].unmatched = 0
        if self._ready is not None:
            self.sensors[self._ready.trigger].drops["superseded"] += 1
        self._pending, self._ready = None, SensorSet(sensor, arrivals)
        self._answered = (sensor, arrival.stamp_ns)

    def _awaited(self, trigger: str, arrival: Arrival) -> bool:
        """Whether a living sensor that is not in the trigger's set yet may still add to it."""
        latest = arrival.stamp_ns + self.timing.tolerance_s * 1e9
        return any(
            name != trigger
            and state.alive
            and not state.unpaired
            and self._match(name, arrival.stamp_ns) is None
            # A slow sensor's next message may be due only after the tolerance: waiting would be in vain.
            and (state.last_stamp_ns is None or state.last_stamp_ns + 0.8 * (state.period_ns or 0.0) <= latest)
            for name, state in self.sensors.items()
        )

    def _match(self, sensor: str, stamp_ns: int) -> Arrival | None:
        """The sensor's message nearest to the stamp, within the tolerance."""
        state = self.sensors[sensor]
        if not state.alive or not state.kept:
            return None
        nearest = min(state.kept, key=lambda arrival: abs(arrival.stamp_ns - stamp_ns))
        return nearest if abs(nearest.stamp_ns - stamp_ns) <= self.timing.tolerance_s * 1e9 else None

    def _note(self, sensor: str, arrival: Arrival) -> None:
        state = self.sensors[sensor]
        if not state.alive:
            self._changes.append(Change(sensor, alive=True, first=state.last_arrived is None))
            state.period_ns = None
        elif state.last_stamp_ns is not None:
            step = arrival.stamp_ns - state.last_stamp_ns
            # Down at once, up slowly: a lost message is no sign of a slow sensor, and waiting in vain costs less.
            state.period_ns = min(step, 1.1 * (state.period_ns or step))
        state.alive, state.last_arrived, state.last_stamp_ns = True, arrival.arrived, arrival.stamp_ns
        if len(state.kept) == _KEPT and not state.kept[0].used:
            state.drops["unmatched"] += 1
            state.unmatched += 1
        state.kept.append(arrival)

    def _clear(self) -> None:
        """The clock went back: nothing of before may pair with what comes."""
        self.clock_jumps += 1
        if self._ready is not None:
            self.sensors[self._ready.trigger].drops["clock jump"] += 1
        for state in self.sensors.values():
            state.restart()
        self._pending = self._ready = self._answered = None

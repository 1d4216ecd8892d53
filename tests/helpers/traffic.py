# SPDX-License-Identifier: Apache-2.0
"""Sensors in simulated time, and what a collector makes of their messages."""

from __future__ import annotations

import heapq
import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from perception.assembly.collector import Arrival, Collector, SensorSet

MS = 1_000_000


@dataclass(frozen=True)
class Sensor:
    """What one sensor sends: `rate` a second [Hz], the first at `phase` [s], each `latency` [s] later.

    jitter: what is added to the latency of each, evenly distributed [s]; noise: how far stamps are off their place [s].
    lost: the share of messages that never come. pauses: from and to [s], when it sends nothing. jumps: when and by how
    much its clock is set [s].
    """

    rate: float
    latency: float = 0.0
    jitter: float = 0.0
    phase: float = 0.0
    noise: float = 0.0
    lost: float = 0.0
    pauses: Sequence[tuple[float, float]] = ()
    jumps: Sequence[tuple[float, float]] = ()

    def messages(self, seconds: float, dice: random.Random) -> Iterable[tuple[float, int]]:
        """When each comes [s], and its stamp [ns], in the order in which they come: a network keeps it."""
        came = 0.0
        for number in range(int((seconds - self.phase) * self.rate)):
            at = self.phase + number / self.rate
            stamp = at + dice.uniform(-self.noise, self.noise)
            came = max(came, at + self.latency + dice.uniform(0, self.jitter))
            if dice.random() < self.lost or any(begin <= at < end for begin, end in self.pauses):
                continue
            yield came, round(1e9 * (1000.0 + stamp + sum(by for when, by in self.jumps if at >= when)))


@dataclass
class Answer:
    """A set, when it was taken [s], and by sensor the budget and the latency that had been learnt by then [s]."""

    at: float
    matched: SensorSet
    learnt: dict[str, tuple[float | None, float | None]]

    @property
    def waited(self) -> float:
        """How long after the trigger's message [s]."""
        return self.at - self.matched.arrivals[self.matched.trigger].arrived

    def offset_ms(self, sensor: str) -> float | None:
        """The sensor's stamp less the trigger's; None without it."""
        arrival = self.matched.arrivals.get(sensor)
        return None if arrival is None else (arrival.stamp_ns - self.matched.stamp_ns) / MS


@dataclass
class Traffic:
    """What came of it. sent: every message as it came, by sensor; longest: the most messages held by one sensor."""

    collector: Collector
    answers: list[Answer] = field(default_factory=list)
    sent: dict[str, list[Arrival]] = field(default_factory=dict)
    longest: int = 0

    def of(self, trigger: str, after: float = 0.0) -> list[Answer]:
        """The answers to its messages that came after so many seconds."""
        return [each for each in self.answers if each.matched.trigger == trigger and each.at >= after]

    def share(self, sensor: str, after: float = 0.0) -> float:
        """Of the answers, those with the sensor."""
        late = [each for each in self.answers if each.at > after]
        return sum(sensor in each.matched.arrivals for each in late) / max(len(late), 1)


def drive(
    collector: Collector, sensors: dict[str, Sensor], seconds: float, seed: int = 0, busy: float = 0.0
) -> Traffic:
    """Let the sensors send, and a worker that needs `busy` [s] for each set take them as soon as it may."""
    dice = random.Random(seed)
    found = Traffic(collector, sent={name: [] for name in sensors})
    messages = heapq.merge(
        *[[(came, name, stamp) for came, stamp in sensor.messages(seconds, dice)] for name, sensor in sensors.items()]
    )
    free = 0.0

    def work(until: float) -> None:
        """Take what is ready before then, at the moments at which a worker would wake."""
        nonlocal free
        now = free
        while now < until:
            matched = collector.poll(now)
            if matched is not None:
                habits = {name: state.habits for name, state in collector.sensors.items()}
                learnt = {name: (each.budget_s, each.typical_s) for name, each in habits.items()}
                found.answers.append(Answer(now, matched, learnt))
                now = free = now + busy
            else:
                now = max(free, collector.deadline or until)

    for came, name, stamp in messages:
        work(came)
        before = collector.sensors[name].last_stamp_ns
        collector.offer(name, stamp, None, came)
        state = collector.sensors[name]
        if state.last_stamp_ns != before:
            found.sent[name].append(
                next((a for a in state.kept if a.stamp_ns == stamp), Arrival(stamp, came, None, True))
            )
        found.longest = max(found.longest, *(len(each.kept) for each in collector.sensors.values()))
        free = max(free, came)
    work(seconds + 1.0)
    return found

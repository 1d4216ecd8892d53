# SPDX-License-Identifier: Apache-2.0
"""/diagnostics once a second: the state of each sensor and of the fusion (REP 107)."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field

from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus, KeyValue

from perception.assembly.collector import LEFT_BEHIND, SensorState
from perception.assembly.pairing import Timing
from perception.assembly.statistics import ENOUGH, Limits, Summary, falls_behind
from perception.assembly.throttled_log import ThrottledLog
from perception.ground import Ground
from perception.sensors.alignment import Misalignment

OK, WARN, ERROR, STALE = DiagnosticStatus.OK, DiagnosticStatus.WARN, DiagnosticStatus.ERROR, DiagnosticStatus.STALE

LEFT_OUT = ("broken", "no calibration", "out of view", "no information", "frozen", "no motion")
"""Why frames are made without the messages of a sensor although they arrive."""

STANDING = ("duplicate", "out of order")
"""Why the collector drops the messages of a sensor whose stamps do not advance."""

KEEPING_UP_OVER = 5
"""The number of reports, one a second, until "does not keep up" is reported: a single delay does not count."""

ANOTHER_CLOCK_MS = 10_000.0
"""Stamps that are further apart than this cannot be corrected by an offset parameter."""

Report = tuple[bytes, str, dict[str, object]]
"""Level, one line for a human reader, and values for a dashboard."""


@dataclass(frozen=True)
class Snapshot:
    """Everything that one report is about, at one moment (`now`, monotonic seconds).

    refused: topics with a publisher that does not fit, and what of it does not, such as "QoS (reliability)".
    misaligned: how the sweep would fit the image better. bit_depth: how many bits the camera's 16-bit images use, 0 for
    other images. intensities: by LiDAR, which intensity means 1. limits: the limits of warnings. timing: how messages
    pair. nearest: by topic without a publisher, the published topic with the most similar name. restarts: how often the
    worker was restarted because it hung. model: what runs, as values for the report.
    """

    now: float
    sensors: Mapping[str, SensorState]
    clock_jumps: int
    summary: Summary
    refused: Mapping[str, str] = field(default_factory=dict)
    misaligned: Misalignment | None = None
    bit_depth: int = 0
    intensities: Mapping[str, str] = field(default_factory=dict)
    limits: Limits = field(default_factory=Limits)
    timing: Timing = field(default_factory=lambda: Timing(0.05, 0.25, {}))
    nearest: Mapping[str, str] = field(default_factory=dict)
    restarts: int = 0
    model: Mapping[str, object] = field(default_factory=dict)


class Diagnostics:
    """Turns snapshots into DiagnosticArray messages; rates are since the snapshot before.

    name: the node's. topics: by sensor that is listened to. infos: its camera_info topic, by sensor.
    """

    def __init__(
        self,
        name: str,
        topics: Mapping[str, tuple[str, ...]],
        complaints: ThrottledLog,
        infos: Mapping[str, str] | None = None,
    ) -> None:
        self._name, self._topics, self._complaints, self._infos = name, topics, complaints, infos or {}
        self._before: Snapshot | None = None
        self._lately: deque[Snapshot] = deque(maxlen=KEEPING_UP_OVER)

    def begin(self) -> None:
        """Start counting here: earlier counts do not describe the present."""
        self._before = None
        self._lately.clear()

    def report(self, snapshot: Snapshot) -> DiagnosticArray:
        """The message for this moment, without its header's stamp."""
        before, self._before = self._before or snapshot, snapshot
        self._lately.append(snapshot)
        seconds = max(snapshot.now - before.now, 1e-3)
        reports = {"fusion": self._fusion(snapshot, before, seconds)}
        for sensor, state in snapshot.sensors.items():
            reports[sensor] = self._sensor(sensor, state, before.sensors[sensor], seconds, snapshot)
        return _array(self._name, reports)

    def idle(self, state: str, failure: str | None = None) -> DiagnosticArray:
        """The message of a node that is not active; failure: why its last transition failed."""
        self.begin()
        report: Report = (OK, state, {}) if failure is None else (ERROR, f"{state}: {failure.splitlines()[0]}", {})
        return _array(self._name, {"fusion": report})

    def _sensor(
        self, sensor: str, state: SensorState, before: SensorState, seconds: float, snapshot: Snapshot
    ) -> Report:
        topics, received = self._topics[sensor], state.received - before.received
        # An image that is sent both raw and compressed is one image.
        rate_hz = (received - (state.drops["duplicate"] - before.drops["duplicate"])) / seconds
        age = snapshot.now - state.last_arrived if state.last_arrived is not None else None
        values: dict[str, object] = {
            "alive": state.alive,
            "rate_hz": round(rate_hz, 2),
            "age_s": "" if age is None else round(age, 3),
            "received": state.received,
            "dropped": sum(state.drops.values()),
            **{f"dropped_{cause.replace(' ', '_')}": count for cause, count in sorted(state.drops.items())},
        }
        if state.habits.budget_s is not None:
            values["latency_budget_ms"] = round(1e3 * state.habits.budget_s, 1)
        if sensor == "rgb" and snapshot.bit_depth:
            values["bit_depth"] = snapshot.bit_depth
        if snapshot.intensities.get(sensor):
            values["intensity"] = snapshot.intensities[sensor]
        for topic in topics:
            if topic in snapshot.refused:
                what = snapshot.refused[topic]
                return WARN, f"{topic}: a publisher's {what} is incompatible, so nothing is received", values
        for topic in topics:
            if complaint := self._complaints.recent(topic):
                return WARN, complaint, values
        info = self._infos.get(sensor, "")
        if complaint := self._complaints.recent(info):
            return WARN, f"{info}: {complaint}", values
        if sensor == "lidar" and snapshot.misaligned is not None:
            return WARN, str(snapshot.misaligned), values
        if state.unpaired:
            gap_ms, trigger = 1e-6 * state.gap_ns, snapshot.summary.trigger
            if abs(gap_ms) > ANOTHER_CLOCK_MS:
                text = (
                    f"its stamps are {1e-3 * gap_ms:+.0f} s off those of {trigger}: it has another clock (since boot?)"
                )
                return WARN, f"{rate_hz:.1f} Hz, but {text}", values
            text = f"{rate_hz:.1f} Hz, but {gap_ms:+.0f} ms off the stamps of {trigger}, beyond tolerance_s"
            text = f"{text}: is its clock right? {sensor}.offset_s corrects a constant one"
            if gap_ms < 0:  # a clock that is behind cannot be distinguished from a message that is late
                text = f"{text}; if its messages come that late, a longer wait_s waits for them"
            return WARN, text, values
        if state.alive:
            return OK, f"{rate_hz:.1f} Hz", values
        if age is None:
            near = next((snapshot.nearest[topic] for topic in topics if topic in snapshot.nearest), None)
            hint = f"; the nearest that is published is {near}" if near else ""
            return OK, f"nothing yet on {' or '.join(topics)}{hint}", values
        if received and received == sum(state.drops[cause] - before.drops[cause] for cause in STANDING):
            return WARN, f"{received / seconds:.1f} Hz, but its stamps have stood still for {age:.1f} s", values
        return WARN, f"silent for {age:.1f} s", values

    def _fusion(self, snapshot: Snapshot, before: Snapshot, seconds: float) -> Report:
        summary, frames = snapshot.summary, snapshot.summary.frames - before.summary.frames
        values: dict[str, object] = {
            "frames": summary.frames,
            "rate_hz": round(frames / seconds, 2),
            "trigger": summary.trigger,
            "modalities": " ".join(summary.modalities),
            **{f"weight_{sensor}": round(weight, 3) for sensor, weight in summary.weights.items()},
            **{f"latency_{name}_ms": round(ms, 1) for name, ms in summary.latency_ms.items()},
            **{f"stamp_latency_{name}_ms": round(ms, 1) for name, ms in summary.stamp_latency_ms.items()},
            **{f"stage_{name}_ms": round(ms, 2) for name, ms in summary.stages_ms.items()},
            **_pairing(snapshot),
            **_ground(summary.ground),
            **snapshot.model,
            "clock_jumps": snapshot.clock_jumps,
            "restarts": snapshot.restarts,
        }
        alive = [name for name, state in snapshot.sensors.items() if state.alive]
        seen = [name for name, state in snapshot.sensors.items() if state.last_arrived is not None]
        lost = [name for name in seen if _left_out(snapshot.sensors[name], before.sensors[name])]
        if not seen:
            return STALE, "waiting for the first sensor", values
        if not frames and before is not snapshot and _overdue(summary, snapshot.now):
            if not alive:
                return ERROR, "every sensor is silent: nothing is published", values
            reason = self._complaints.recent(self._name)
            return ERROR, "nothing is published" + (f": {reason.splitlines()[0]}" if reason else ""), values
        nothing = "no sensor has information" if summary.frames else "nothing yet"
        text = f"{'+'.join(summary.modalities) or nothing}, {frames / seconds:.1f} Hz"
        if not alive:
            return WARN, f"{text}, and now every sensor is silent", values
        if lost:
            text = f"{text}, without {', '.join(lost)}"
        words = [*_slow(snapshot), *self._behind(snapshot), *_seldom(snapshot, lost)]
        return (WARN if lost or words else OK), "; ".join((text, *words)), values

    def _behind(self, snapshot: Snapshot) -> list[str]:
        """Whether too few of the trigger's messages are answered."""
        first, trigger = self._lately[0], snapshot.summary.trigger
        if len(self._lately) < KEEPING_UP_OVER or trigger not in snapshot.sensors:
            return []
        then, now = first.sensors[trigger], snapshot.sensors[trigger]
        came = now.received - then.received - (now.drops["duplicate"] - then.drops["duplicate"])
        answered = came - sum(now.drops[cause] - then.drops[cause] for cause in LEFT_BEHIND)
        if answered >= snapshot.limits.answered * came:
            return []
        seconds = snapshot.now - first.now
        return [falls_behind(answered / seconds, came / seconds, trigger, "model_steps" in snapshot.model)]


def _slow(snapshot: Snapshot) -> list[str]:
    p95, limit = snapshot.summary.latency_ms.get("p95", 0.0), snapshot.limits.latency_ms
    slow = snapshot.summary.frames >= ENOUGH and p95 > limit
    return [f"latency p95 {p95:.0f} ms > {limit:g} ms"] if slow else []


def _late_ms(snapshot: Snapshot) -> dict[str, float]:
    """By sensor that is alive, how much later than the promptest sensor's its messages arrive [ms, 95th percentile].

    Only messages with the same stamp are compared, so no other clock is involved. NaN while unknown.
    """
    trigger = next((name for name, state in snapshot.sensors.items() if state.alive), None)
    alive = {name: state for name, state in snapshot.sensors.items() if state.alive}
    usual = [state.habits.typical_s for state in alive.values() if not state.unpaired]
    promptest = min((each for each in usual if each is not None), default=0.0)
    late_ms = dict.fromkeys(snapshot.sensors, math.nan)
    for name, state in alive.items():
        late_s = 0.0 if name == trigger else state.habits.late_s
        if late_s is not None:
            late_ms[name] = 1e3 * (late_s - min(promptest, 0.0))
    return late_ms


def _pairing(snapshot: Snapshot) -> dict[str, object]:
    """How well each sensor that has sent something is paired."""
    values: dict[str, object] = {}
    late_ms = _late_ms(snapshot)
    for sensor, paired in snapshot.summary.paired.items():
        values[f"{sensor}.offset_ms_p50"] = round(paired.offset_ms_p50, 2)
        values[f"{sensor}.offset_ms_max"] = round(paired.offset_ms_max, 2)
        values[f"{sensor}.share"] = round(paired.share, 3)
        values[f"{sensor}.latency_ms_p95"] = round(late_ms.get(sensor, math.nan), 1)
    return values


def _seldom(snapshot: Snapshot, lost: list[str]) -> list[str]:
    """The sensors that are alive, but in fewer frames than they could be."""
    words = []
    late_ms = _late_ms(snapshot)
    for sensor, paired in snapshot.summary.paired.items():
        if sensor in lost or paired.frames < ENOUGH:
            continue
        limit = snapshot.limits.share * _possible(sensor, snapshot)
        if paired.share >= limit:
            continue
        words.append(
            f"{sensor} in {paired.share:.0%} of the frames < {limit:.0%}{_why(late_ms[sensor], snapshot.timing)}"
        )
    return words


def _possible(sensor: str, snapshot: Snapshot) -> float:
    """The part of the frames that the sensor's rate lets it be in."""
    period, frame = (snapshot.sensors[name].habits.period_ns for name in (sensor, snapshot.summary.trigger))
    both_ways = 2e9 * snapshot.timing.tolerance_s
    if not period or not frame or period <= 1.1 * both_ways:
        return 1.0
    return min(1.0, (math.ceil(both_ways / frame) - 1) * frame / period)


def _why(late_ms: float, timing: Timing) -> str:
    if late_ms > 1e3 * timing.limit_s:
        over = f": its messages come {late_ms:.0f} ms after the fastest sensor's"
        if timing.pairing == "freshness":
            return f"{over}; 'pairing: completeness' waits for them"
        return f"{over}, wait_s is {1e3 * timing.wait_s:.0f} ms"
    return ": messages are lost or broken, or their stamps further away than tolerance_s"


def _ground(ground: Ground | None) -> dict[str, object]:
    """The camera's pose above the ground, from the newest frame."""
    if ground is None:
        return {"ground_source": "none"}
    return {
        "ground_source": ground.source,
        "ground_height_m": round(ground.height, 2),
        "ground_pitch_deg": round(math.degrees(ground.pitch), 1),
        "ground_roll_deg": round(math.degrees(ground.roll), 1),
    }


def _left_out(state: SensorState, before: SensorState) -> bool:
    """Whether frames are made without the sensor."""
    return not state.alive or state.unpaired or any(state.drops[cause] > before.drops[cause] for cause in LEFT_OUT)


def _overdue(summary: Summary, now: float) -> bool:
    """Whether the next answer should have come by now, as long as the one before took."""
    return summary.last_answered is None or now - summary.last_answered > min(max(1.0, 3 * summary.interval_s), 10.0)


def _array(node: str, reports: Mapping[str, Report]) -> DiagnosticArray:
    return DiagnosticArray(
        status=[
            DiagnosticStatus(
                level=level,
                name=f"{node}: {component}",
                message=message,
                hardware_id=node,
                values=[KeyValue(key=key, value=str(value)) for key, value in values.items()],
            )
            for component, (level, message, values) in reports.items()
        ]
    )

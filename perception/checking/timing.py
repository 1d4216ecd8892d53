# SPDX-License-Identifier: Apache-2.0
"""Rates, gaps, stamps, clocks and latencies: of each sensor by itself, and of the sensors against each other."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from perception.assembly.clocks import strangers
from perception.assembly.pairing import Instant, Timing, find_instants, nearest
from perception.checking.findings import Finding, finding
from perception.checking.scan import Heard, Scan

FEW = 5
"""The fewest messages for judging a rate."""

GAP = 1.6
"""The number of periods after which a message counts as missing."""

LOST = 0.02
"""Share of messages that may be missing: one in fifty is acceptable."""

JITTER = 0.4
"""The share of a period by which one interval in ten may differ from the usual."""

AHEAD_S, LATE_S, CLOCK_S = 0.02, 0.15, 1.0
"""Seconds: how far a stamp may be ahead of its arrival; from which delay a message is late; and from which delay it is
not a latency but another clock."""

DRIFT, DRIFT_SPAN_S = 1e-3, 8.0
"""The allowed drift of a clock in seconds per second, judged from so many seconds on."""

SHARE = 0.8
"""The share of the sets allowed by its rate that a sensor must be in."""


def check_sensor(heard: Heard, timing: Timing) -> Iterator[Finding]:
    """Checks of one sensor's topic by itself."""
    count, zeros = len(heard.recorded_ns), heard.stamps_ns.count(0)
    if zeros:
        yield finding("stamp-zero", heard.topic, f"{zeros} of {count} header stamps are zero")
    stamps = np.array([stamp for stamp in heard.stamps_ns if stamp], np.int64)
    repeated = len(stamps) - len(np.unique(stamps))
    if repeated:
        yield finding("stamp-repeated", heard.topic, f"{repeated} of {count} messages have the stamp of another")
    back = np.diff(stamps)
    if (back < 0).any():
        yield finding(
            "stamp-order",
            heard.topic,
            f"{(back < 0).sum()} of {count} stamps go back, at most {-back.min() * 1e-9:.3f} s",
        )
    if count < FEW:
        yield finding("too-short", heard.topic, f"{count} messages")
        return
    yield from _check_rate(heard, timing)


def _check_rate(heard: Heard, timing: Timing) -> Iterator[Finding]:
    sensor, period = heard.sensor or "", heard.period_s
    timeout = timing.timeouts_s.get(sensor, 0.5)
    if period > timeout / 2:
        yield finding(
            "rate-low",
            heard.topic,
            f"{1 / period:.2f} Hz, a message every {period:.2f} s; {sensor}.timeout_s is {timeout:g} s",
        )
    steps: NDArray[np.float64] = np.diff(np.unique(heard.times_ns)).astype(np.float64) * 1e-9
    missing = int(np.maximum(np.rint(steps / period) - 1, 0)[steps > GAP * period].sum())
    if missing > LOST * (missing + len(heard.recorded_ns)):
        yield finding(
            "messages-dropped",
            heard.topic,
            f"{missing} of {missing + len(heard.recorded_ns)} messages are missing; the longest gap is "
            f"{steps.max():.2f} s at a period of {period:.3f} s",
        )
    off = float(np.percentile(np.abs(steps[steps <= GAP * period] - period), 90))
    if off > JITTER * period:
        yield finding(
            "rate-jitter",
            heard.topic,
            f"one interval in ten is {1e3 * off:.0f} ms off its period of {1e3 * period:.0f} ms",
        )


def latencies_s(heard: Heard) -> NDArray[np.float64]:
    """Arrival minus stamp, for the messages that are stamped."""
    pairs = zip(heard.recorded_ns, heard.stamps_ns, strict=True)
    return np.array([recorded - stamp for recorded, stamp in pairs if stamp], np.int64).astype(np.float64) * 1e-9


def check_clocks(found: Scan) -> Iterator[Finding]:
    """Checks of every sensor's stamps against their arrival."""
    usual = {name: float(np.median(late)) for name, heard in found.sensors.items() if len(late := latencies_s(heard))}
    if not usual:
        return
    common = min(usual.values(), key=abs)
    if abs(common) > CLOCK_S:
        yield finding("clock-recorder", "all sensors", f"stamps are {_apart(common)} their arrival")
    else:
        common = 0.0
    for name, median in usual.items():
        heard, behind = found.sensors[name], median - common
        if behind < -AHEAD_S or behind > CLOCK_S:
            yield finding("clock-offset", heard.topic, f"its stamps are {_apart(behind)} their arrival")
        elif behind > LATE_S:
            yield finding(
                "sensor-late", heard.topic, f"messages arrive {1e3 * behind:.0f} ms after their stamps (median)"
            )
        slope, seconds = _drift(heard)
        if abs(slope) > DRIFT:
            yield finding(
                "clock-drift",
                heard.topic,
                f"its clock drifts by {1e3 * slope:.2f} ms per second, over {seconds:.0f} s",
            )


def _drift(heard: Heard) -> tuple[float, float]:
    """(seconds per second, over how many seconds) by which the latency grows; 0 if the time is too short."""
    arrived = np.array([at for at, stamp in zip(heard.recorded_ns, heard.stamps_ns, strict=True) if stamp], np.int64)
    late = latencies_s(heard)
    seconds = (arrived - arrived[0]) * 1e-9 if len(arrived) else arrived
    if len(seconds) < FEW or seconds[-1] < DRIFT_SPAN_S:
        return 0.0, 0.0
    return float(np.polyfit(seconds, late, 1)[0]), float(seconds[-1])


def _apart(late: float) -> str:
    return f"{abs(late):.3f} s {'before' if late > 0 else 'ahead of'}"


@dataclass(frozen=True)
class Pairing:
    """A sensor other than the trigger. sets: the trigger's, while the sensor sent. share: the part of them that it is
    in; allowed: the part that its rate allows. offsets: its stamps minus the trigger's in these sets; None if it is in
    none. nearest_ms: in all sets.
    """

    sets: int
    share: float
    allowed: float
    offset_ms_p50: float | None
    offset_ms_max: float | None
    nearest_ms: float


def check_pairs(found: Scan, timing: Timing) -> Iterator[Finding]:
    """Checks of the sensors' stamps against each other."""
    recorded = {name: (min(heard.recorded_ns), max(heard.recorded_ns)) for name, heard in found.sensors.items()}
    stamps = _stamps(found)
    apart = strangers(stamps, recorded, find_instants(stamps, timing))
    for name, reason in apart.items():
        yield finding("clock-offset", found.sensors[name].topic, reason)
    for name, told in pairings(found, timing).items():
        if name not in apart and told.sets >= FEW and told.share < SHARE * told.allowed:
            yield finding(
                "pairing-low",
                found.sensors[name].topic,
                f"{name} is in {told.share:.0%} of {told.sets} sets, its rate allows {told.allowed:.0%}; its nearest "
                f"stamps are {told.nearest_ms:+.0f} ms from the trigger's (median), tolerance_s is "
                f"{timing.tolerance_s:g} s",
            )


def pairings(found: Scan, timing: Timing) -> dict[str, Pairing]:
    """By sensor other than the trigger of most sets, as the node would pair with unlimited time."""
    stamps = _stamps(found)
    sets = find_instants(stamps, timing)
    if not sets:
        return {}
    trigger = Counter(each.trigger for each in sets).most_common(1)[0][0]
    sets = [each for each in sets if each.trigger == trigger]
    own = np.array([each.stamp_ns for each in sets], np.int64)
    return {name: _pairing(found, sets, own, trigger, name, stamps[name]) for name in stamps if name != trigger}


def _pairing(
    found: Scan, sets: list[Instant], own: NDArray[np.int64], trigger: str, name: str, others: NDArray[np.int64]
) -> Pairing:
    periods = found.sensors[trigger].period_s, found.sensors[name].period_s
    # Sets before a sensor's first message and after its last do not count.
    during = np.flatnonzero((own >= others[0]) & (own <= others[-1]))
    offsets = [each.stamps_ns[name] - each.stamp_ns for each in sets if name in each.stamps_ns]
    return Pairing(
        sets=len(during),
        share=float(np.mean([name in sets[place].stamps_ns for place in during])) if len(during) else 0.0,
        allowed=min(1.0, periods[0] / periods[1]) if periods[1] > 0 else 0.0,
        offset_ms_p50=float(np.median(offsets)) * 1e-6 if offsets else None,
        offset_ms_max=float(np.abs(offsets).max()) * 1e-6 if offsets else None,
        nearest_ms=_nearest_ms(own, others),
    )


def _nearest_ms(own: NDArray[np.int64], others: NDArray[np.int64]) -> float:
    stamps: list[int] = others.tolist()
    places = ((stamp, nearest(stamps, stamp)) for stamp in own.tolist())
    return float(np.median([stamps[place] - stamp for stamp, place in places if place is not None])) * 1e-6


def _stamps(found: Scan) -> Mapping[str, NDArray[np.int64]]:
    """By sensor, sorted, without duplicates [ns]."""
    return {name: np.unique(heard.times_ns) for name, heard in found.sensors.items()}

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import math
from dataclasses import replace

import pytest
from helpers.traffic import Answer, Sensor, drive
from hypothesis import example, given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from perception.assembly.collector import Change, Collector, SensorSet
from perception.assembly.pairing import TRIGGER_ORDER, Timing

TIMING = Timing(tolerance_s=0.05, wait_s=0.05, timeouts_s=dict.fromkeys(TRIGGER_ORDER, 0.5))
MS = 1_000_000


def collector(*sensors: str) -> Collector:
    return Collector(sensors or TRIGGER_ORDER, TIMING)


def content(found: SensorSet | None) -> dict[str, int] | None:
    """Stamps in milliseconds by sensor."""
    return None if found is None else {name: a.stamp_ns // MS for name, a in found.arrivals.items()}


def offer(to: Collector, sensor: str, stamp_ms: int, now_ms: float) -> dict[str, int] | None:
    to.offer(sensor, stamp_ms * MS, f"{sensor}@{stamp_ms}", now_ms / 1000)
    return content(to.poll(now_ms / 1000))


def both(to: Collector, count: int = 1, start: int = 0) -> int:
    """Camera and LiDAR at 10 Hz, LiDAR 10 ms later; returns the time after the last message."""
    for index in range(count):
        stamp = start + 100 * index
        offer(to, "rgb", stamp, stamp)
        offer(to, "lidar", stamp, stamp + 10)
    return start + 100 * count


def test_a_lone_camera_does_not_wait() -> None:
    assert offer(collector(), "rgb", 5, 20) == {"rgb": 5}


def test_the_camera_waits_for_a_living_lidar_and_takes_the_nearest() -> None:
    c = collector()
    now = both(c, 3)
    assert offer(c, "rgb", now, now) is None
    assert offer(c, "lidar", now + 7, now + 15) == {"rgb": now, "lidar": now + 7}


def test_an_offset_moves_a_sensors_stamps() -> None:
    late = Timing(0.05, 0.05, TIMING.timeouts_s, offsets_s={"lidar": -0.1})
    c = Collector(("rgb", "lidar"), late)
    offer(c, "rgb", 0, 0)
    offer(c, "lidar", 105, 5)  # measured at 5
    assert offer(c, "rgb", 100, 100) is None
    assert offer(c, "lidar", 205, 105) == {"rgb": 100, "lidar": 105}


def test_the_wait_ends() -> None:
    c = collector()
    now = both(c, 3)
    assert offer(c, "rgb", now, now) is None
    assert c.deadline == pytest.approx((now + 50) / 1000)
    assert content(c.poll((now + 49) / 1000)) is None
    assert content(c.poll((now + 51) / 1000)) == {"rgb": now}


def test_stamps_further_apart_than_the_tolerance_never_pair() -> None:
    c = collector()
    now = both(c, 3)
    offer(c, "rgb", now, now)
    # The LiDAR is past the tolerance: it can send nothing more for this instant, so nothing is waited for.
    assert offer(c, "lidar", now + 51, now + 5) == {"rgb": now}


def test_a_slow_sensor_is_not_waited_for_when_it_is_not_due() -> None:
    c = collector("rgb", "infrared")
    for stamp in range(0, 1000, 200):
        offer(c, "infrared", stamp, stamp)
        offer(c, "rgb", stamp, stamp)
        found = offer(c, "rgb", stamp + 100, stamp + 100)
        assert found == ({"rgb": stamp + 100} if stamp else None)  # at first its period is not known


def test_a_lost_message_does_not_make_a_sensor_slow() -> None:
    c = collector()
    both(c, 1)
    offer(c, "rgb", 200, 200)
    offer(c, "lidar", 200, 210)  # the one at 100 was lost
    offer(c, "rgb", 300, 300)
    offer(c, "lidar", 300, 310)
    assert offer(c, "rgb", 400, 400) is None
    assert offer(c, "lidar", 400, 410) == {"rgb": 400, "lidar": 400}


def test_newest_wins_and_the_superseded_is_counted() -> None:
    c = collector("rgb")
    for stamp in (0, 100, 200):
        c.offer("rgb", stamp * MS, None, stamp / 1000)
    assert content(c.poll(0.2)) == {"rgb": 200}
    assert c.poll(0.2) is None
    assert c.sensors["rgb"].drops == {"superseded": 2}


def test_a_new_camera_image_does_not_end_the_wait_of_the_one_before() -> None:
    c = collector()
    both(c, 3)
    assert offer(c, "rgb", 300, 300) is None
    assert offer(c, "rgb", 333, 333) is None
    assert offer(c, "lidar", 300, 340) == {"rgb": 300, "lidar": 300}
    assert content(c.poll(0.341)) == {"rgb": 333, "lidar": 300}


def test_the_camera_lost_makes_the_lidar_the_trigger_and_back() -> None:
    c = collector()
    now = both(c, 3)
    assert c.changes() == [Change("rgb", True, True), Change("lidar", True, True)]
    for stamp in range(now, now + 400, 100):
        assert offer(c, "lidar", stamp, stamp + 10) is None
    assert offer(c, "lidar", now + 400, now + 410) == {"lidar": now + 400}
    assert c.changes() == [Change("rgb", False)]
    assert c.trigger == "lidar"
    assert offer(c, "rgb", now + 500, now + 500) is None
    assert c.changes() == [Change("rgb", True)]
    assert offer(c, "lidar", now + 500, now + 510) == {"rgb": now + 500, "lidar": now + 500}


def test_one_lidar_of_several_may_fall_silent() -> None:
    names = ("rgb", "lidar", "lidar2", "lidar3")
    to = Collector(reversed(names), Timing(0.05, 0.05, dict.fromkeys(names, 0.5)))
    assert tuple(to.sensors) == names
    for stamp in range(0, 1000, 100):
        alive = [name for name in names if name != "lidar" or stamp < 200]
        *_, found = [offer(to, name, stamp, stamp) for name in alive[1:]] + [offer(to, "rgb", stamp, stamp)]
        if to.sensors["lidar"].alive and stamp >= 200:
            found = content(to.poll(stamp / 1000 + 0.05))  # it is waited for
        assert found == dict.fromkeys(alive, stamp) or stamp == 0  # then the LiDARs answer, before the camera is known
    assert not to.sensors["lidar"].alive


def test_a_returning_camera_takes_over_the_set_that_the_lidar_opened() -> None:
    c = collector("rgb", "lidar", "infrared")
    offer(c, "infrared", 0, 0)
    assert offer(c, "lidar", 100, 100) is None
    assert offer(c, "infrared", 110, 110) == {"lidar": 100, "infrared": 110}
    assert offer(c, "lidar", 200, 200) is None
    assert offer(c, "rgb", 201, 201) is None
    assert offer(c, "infrared", 202, 202) == {"rgb": 201, "lidar": 200, "infrared": 202}


def test_one_instant_is_not_answered_twice_when_the_trigger_changes() -> None:
    c = collector("rgb", "lidar")
    assert offer(c, "lidar", 100, 100) == {"lidar": 100}
    assert offer(c, "rgb", 101, 103) is None
    assert c.sensors["rgb"].drops == {"already answered": 1}
    offer(c, "rgb", 201, 201)
    assert offer(c, "lidar", 200, 203) == {"rgb": 201, "lidar": 200}


@pytest.mark.parametrize("sensor", TRIGGER_ORDER)
def test_any_sensor_alone_is_answered(sensor: str) -> None:
    c = collector()
    assert offer(c, sensor, 100, 100) == {sensor: 100}
    assert offer(c, sensor, 200, 200) == {sensor: 200}


def test_repeated_and_old_messages_are_dropped_and_counted() -> None:
    c = collector("rgb")
    offer(c, "rgb", 100, 100)
    assert offer(c, "rgb", 100, 110) is None
    assert offer(c, "rgb", 60, 120) is None
    assert c.sensors["rgb"].drops == {"duplicate": 1, "out of order": 1}
    assert c.sensors["rgb"].received == 3


def test_a_bag_that_starts_again_clears_everything() -> None:
    c = collector()
    both(c, 50)
    assert c.clock_jumps == 0
    assert offer(c, "rgb", 0, 5000) is None
    assert offer(c, "lidar", 0, 5010) == {"rgb": 0, "lidar": 0}
    assert c.clock_jumps == 1


def test_what_a_jump_of_the_clock_throws_away_is_counted_once() -> None:
    """A set that was not taken, one that still waits, and a sweep that was in neither."""
    c = collector("rgb", "lidar")
    both(c, 3, start=5000)
    for sensor, stamp in (("rgb", 5300), ("lidar", 5305), ("lidar", 5340), ("rgb", 5400)):
        c.offer(sensor, stamp * MS, sensor, 0.3 + stamp / 1000)
    c.offer("rgb", 0, "rgb", 5.8)
    assert c.clock_jumps == 1
    assert c.sensors["rgb"].drops == {"clock jump": 2}
    first = {"unmatched": 1}  # the LiDAR was not known yet when the first image was answered
    assert c.sensors["lidar"].drops == {**first, "clock jump": 1}
    answered = 3
    assert c.sensors["rgb"].received == answered + 2 + 1, "answered, thrown away, and the one that begins anew"
    assert offer(c, "lidar", 5, 5810) == {"rgb": 0, "lidar": 5}
    assert c.clock_jumps == 1


def test_unused_messages_are_counted() -> None:
    c = collector("rgb", "depth")
    offer(c, "rgb", 0, 0)
    for stamp in range(10, 400, 10):
        offer(c, "depth", stamp, stamp)
    assert c.sensors["depth"].drops["unmatched"] == 7  # 32 may still find an image
    offer(c, "rgb", 300, 400)
    assert c.sensors["depth"].drops["unmatched"] == 29  # all before the one at 300, which is in the set


def test_a_bag_shorter_than_a_jump_is_answered_again_after_a_silence() -> None:
    c = collector("rgb", "lidar")
    both(c, 5)
    for start in (10_000, 20_000):
        answered = []
        for stamp in range(0, 500, 100):
            answered += [offer(c, "rgb", stamp, start + stamp), offer(c, "lidar", stamp, start + stamp + 10)]
        assert {"rgb": 400, "lidar": 400} in answered
        assert sum(found is not None for found in answered) == 5
    assert c.sensors["rgb"].drops["out of order"] == 0


def test_an_old_message_of_a_living_sensor_begins_nothing_anew() -> None:
    c = collector("rgb")
    offer(c, "rgb", 1000, 0)
    assert offer(c, "rgb", 500, 499) is None
    assert c.sensors["rgb"].drops == {"out of order": 1}


def test_a_living_sensor_that_is_in_no_set_is_known() -> None:
    c = collector("rgb", "lidar")
    for stamp in range(0, 5000, 100):
        offer(c, "rgb", stamp, stamp)
        offer(c, "lidar", stamp - 3000, stamp + 10)
        assert c.sensors["lidar"].unpaired == (stamp >= 1000)
    assert c.sensors["lidar"].gap_ns == -3100 * MS
    assert not c.sensors["rgb"].unpaired


def test_it_is_waited_for_no_longer_until_its_stamps_are_right() -> None:
    c = collector("rgb", "lidar")
    for stamp in range(0, 5000, 100):
        offer(c, "rgb", stamp, stamp)
        offer(c, "lidar", stamp - 3000, stamp + 10)
    assert offer(c, "rgb", 5000, 5000) == {"rgb": 5000}
    assert offer(c, "lidar", 5000, 5010) is None
    assert not c.sensors["lidar"].unpaired
    assert offer(c, "rgb", 5100, 5100) is None
    assert offer(c, "lidar", 5100, 5110) == {"rgb": 5100, "lidar": 5100}


@pytest.mark.parametrize(("camera_ms", "lidar_ms"), [(1000, 10), (10, 1000), (33, 100)])
def test_a_sensor_with_another_rate_is_not_unpaired(camera_ms: int, lidar_ms: int) -> None:
    c = Collector(("rgb", "lidar"), Timing(0.05, 0.05, dict.fromkeys(TRIGGER_ORDER, 2.0)))
    for now in range(20_000):
        if now % camera_ms == 0:
            offer(c, "rgb", now, now)
        if now % lidar_ms == 0:
            offer(c, "lidar", now, now)
        assert not c.sensors["lidar"].unpaired or now % camera_ms, now


WAITING = Timing(tolerance_s=0.05, wait_s=0.25, timeouts_s=dict.fromkeys(TRIGGER_ORDER, 0.5))
FRESH = replace(WAITING, pairing="freshness")


def exact(answers: list[Answer], sensor: str) -> float:
    """The share of the answers with the sensor's message of exactly the same stamp."""
    return sum(each.offset_ms(sensor) == 0 for each in answers) / len(answers)


@pytest.mark.parametrize(
    ("camera", "name", "other"),
    [
        (30, "depth", Sensor(30, latency=0.005)),
        (30, "depth", Sensor(30, latency=0.003, jitter=0.005)),
        (30, "depth", Sensor(30, latency=0.003, jitter=0.005, lost=0.05)),
        (20, "lidar", Sensor(20, latency=0.004)),
        (10, "infrared", Sensor(20, latency=0.005)),
    ],
)
def test_equal_stamps_pair_though_the_other_comes_later(camera: float, name: str, other: Sensor) -> None:
    found = drive(Collector(("rgb", name), WAITING), {"rgb": Sensor(camera), name: other}, 20)
    answers = found.of("rgb")
    assert len(answers) == len(found.sent["rgb"])
    came = {arrival.stamp_ns for arrival in found.sent[name]}
    assert exact([each for each in answers if each.matched.stamp_ns in came], name) >= 0.99
    waited = sorted(each.waited for each in found.of("rgb", after=1))
    if other.lost:  # one that does not come is waited for a little longer than the others took
        assert waited[int(0.98 * len(waited))] <= 0.012
    else:
        assert waited[-1] <= 0.008 + 1e-9


@pytest.mark.parametrize("camera", [10, 20, 30])
@pytest.mark.parametrize("lidar", [10, 20, 30])
@pytest.mark.parametrize("latency", [0.08, 0.095, 0.15])
def test_a_late_lidar_is_in_the_sets(camera: float, lidar: float, latency: float) -> None:
    sensors = {"rgb": Sensor(camera), "lidar": Sensor(lidar, latency, jitter=0.01)}
    found = drive(Collector(sensors, WAITING), sensors, 10, busy=0.02)
    assert found.share("lidar", after=1) >= 0.99
    assert len(found.answers) == len(found.sent["rgb"]), "none is lost by waiting"
    if camera == lidar:
        assert exact(found.of("rgb", after=1), "lidar") >= 0.99


def test_where_freshness_counts_an_older_sweep_is_taken_at_once() -> None:
    sensors = {"rgb": Sensor(30), "lidar": Sensor(10, 0.15), "depth": Sensor(30, 0.1)}
    found = drive(Collector(sensors, FRESH), sensors, 10)
    settled = found.of("rgb", after=1)
    assert max(each.waited for each in settled) <= 0.008
    assert found.share("lidar", after=1) == 1
    assert all(each.matched.apart == {"lidar"} for each in settled)
    assert {round(-(each.offset_ms("lidar") or 0)) for each in settled} == {167, 200, 233}
    assert found.share("depth", after=1) == 0, "an image cannot be moved"


def test_freshness_still_waits_for_what_comes_within_milliseconds() -> None:
    sensors = {"rgb": Sensor(30), "depth": Sensor(30, 0.003, jitter=0.004)}
    assert exact(drive(Collector(sensors, FRESH), sensors, 10).of("rgb", after=1), "depth") >= 0.99


def test_a_sensor_too_late_to_be_waited_for_costs_nothing() -> None:
    sensors = {"rgb": Sensor(30), "lidar": Sensor(10, 0.4)}
    found = drive(Collector(sensors, WAITING), sensors, 10)
    assert max(each.waited for each in found.of("rgb", after=1)) == 0
    assert found.share("lidar", after=1) == 0


def test_what_a_slow_spell_taught_is_forgotten() -> None:
    c = Collector(("rgb", "depth"), WAITING)
    for number in range(200):
        late = 100 if number < 50 else 5
        for sensor, at in sorted((("rgb", 200 * number), ("depth", 200 * number + late)), key=lambda each: each[1]):
            offer(c, sensor, 200 * number, at)
        budget = c.sensors["depth"].habits.budget_s
        assert number != 49 or budget == pytest.approx(0.102)
    assert budget == pytest.approx(0.007)


def test_sets_that_one_message_ends_are_handed_out_at_the_pace_of_the_camera() -> None:
    """Sweeps at 10 Hz, 95 ms late: three images become ready with each of them."""
    sensors = {"rgb": Sensor(30), "lidar": Sensor(10, 0.095)}
    for busy, answered in ((0.02, 300), (0.05, 200)):
        found = drive(Collector(sensors, WAITING), sensors, 10, busy=busy)
        assert len(found.answers) == pytest.approx(answered, abs=5)
        assert max(each.waited for each in found.of("rgb", after=1)) <= 0.2
        dropped = found.collector.sensors["rgb"].drops["superseded"]
        assert dropped + len(found.answers) == len(found.sent["rgb"])


def test_a_busy_worker_gets_what_is_newest() -> None:
    sensors = {"rgb": Sensor(30), "depth": Sensor(30, 0.005)}
    found = drive(Collector(sensors, WAITING), sensors, 10, busy=0.1)
    assert max(each.waited for each in found.of("rgb", after=1)) < 0.05
    lost = found.collector.sensors["rgb"].drops["superseded"]
    assert lost + len(found.answers) == len(found.sent["rgb"])
    assert lost > 150


def test_who_is_slower_than_the_trigger_gets_the_newest_of_those_that_one_message_ends() -> None:
    """Three images wait for one sweep: a caller that needs 0.1 s per set of a camera at 30 Hz gets the last of them."""
    for pace_s, first in ((0.02, 2), (0.1, 4)):
        c = Collector(["rgb", "lidar"], Timing(0.05, 0.25, dict.fromkeys(TRIGGER_ORDER, 60.0)))
        for number in range(2):
            c.offer("rgb", 33_000_000 * number, number, 0.033 * number)
        c.offer("lidar", 0, "sweep", 0.04)
        while c.poll(0.04) is not None:
            pass
        for number in range(2, 5):
            c.offer("rgb", 33_000_000 * number, number, 0.033 * number)
        c.offer("lidar", 100_000_000, "sweep", 0.14)
        c.offer("lidar", 200_000_000, "sweep", 0.14)
        before = c.sensors["rgb"].drops["superseded"]
        found = c.poll(0.14, pace_s)
        assert found is not None
        assert found.arrivals["rgb"].message == first
        assert c.sensors["rgb"].drops["superseded"] - before == first - 2


def test_a_clock_step_of_the_lidar_alone_drops_no_image() -> None:
    c = Collector(("rgb", "lidar"), WAITING)
    now = both(c, 20, start=5000)
    assert offer(c, "rgb", now, now) is None
    assert offer(c, "lidar", now - 3600_000, now + 10) is None
    assert c.clock_jumps == 1
    assert content(c.poll((now + 251) / 1000)) == {"rgb": now}
    assert c.sensors["rgb"].drops == {}


def test_a_sensor_is_silent_by_its_own_timeout() -> None:
    c = Collector(("rgb", "lidar"), replace(WAITING, timeouts_s={"rgb": 2.0, "lidar": 0.3}))
    both(c, 3)
    c.changes()
    c.poll(0.55)
    assert c.changes() == [Change("lidar", False)]
    assert offer(c, "lidar", 1500, 1510) is None
    assert c.trigger == "rgb"
    c.poll(2.2)
    assert Change("rgb", False) in c.changes()


def sensor(most_latency: float = 0.2) -> st.SearchStrategy[Sensor]:
    def part(most: float) -> st.SearchStrategy[float]:
        return st.floats(0, most).map(lambda value: round(value, 3))

    pause = st.tuples(st.floats(1.5, 3), st.floats(0.1, 1.5)).map(lambda pause: (pause[0], sum(pause)))
    return st.builds(
        Sensor,
        rate=st.integers(5, 50),
        latency=part(most_latency),
        jitter=part(0.02),
        phase=part(0.1),
        noise=st.just(0.0),
        lost=st.sampled_from([0.0, 0.05]),
        pauses=st.lists(pause, max_size=1),
    )


def rig() -> st.SearchStrategy[dict[str, Sensor]]:
    return st.dictionaries(st.sampled_from(TRIGGER_ORDER), sensor(), min_size=2, max_size=3)


@settings(max_examples=25, deadline=None, derandomize=True)
@given(sensors=rig(), seed=st.integers(0, 99))
@example(sensors={"rgb": Sensor(30), "lidar": Sensor(10, 0.095), "depth": Sensor(30, 0.006)}, seed=0)
def test_no_pair_is_further_apart_than_the_best_that_came_within_the_budget(
    sensors: dict[str, Sensor], seed: int
) -> None:
    found = drive(Collector(sensors, WAITING), sensors, 4, seed)
    for answer in found.answers:
        if answer.at < 2:
            continue
        asking = answer.matched.arrivals[answer.matched.trigger]
        for name in sensors:
            taken = answer.offset_ms(name)
            apart = 50.0 if taken is None else abs(taken)
            spoke = any(answer.at - 0.5 < each.arrived <= answer.at for each in found.sent[name])
            budget, typical = answer.learnt[name]
            if name == answer.matched.trigger or not spoke or budget is None or typical is None:
                continue
            near = [each for each in found.sent[name] if abs(each.stamp_ns - asking.stamp_ns) < apart * MS]
            for each in near:
                offset_s = (each.stamp_ns - asking.stamp_ns) * 1e-9
                if abs(offset_s) * 1e3 < apart - 1.001 and offset_s + typical < 0.25 - 1e-6:
                    assert each.arrived > asking.arrived + min(0.25, offset_s + budget) - 1e-6, (name, answer, each)


@settings(max_examples=25, deadline=None, derandomize=True)
@given(
    sensors=rig(),
    jumps=st.dictionaries(st.sampled_from(TRIGGER_ORDER), st.sampled_from([-3600.0, -2.0, 0.3, 3600.0]), max_size=2),
    busy=st.sampled_from([0.0, 0.03, 0.2]),
    seed=st.integers(0, 99),
)
def test_nothing_queues_nothing_goes_back_and_every_drop_is_counted(
    sensors: dict[str, Sensor], jumps: dict[str, float], busy: float, seed: int
) -> None:
    sensors = {
        name: replace(each, jumps=[(2.5, jumps[name])] if name in jumps else []) for name, each in sensors.items()
    }
    found = drive(Collector(sensors, WAITING), sensors, 4, seed, busy)
    assert found.longest <= 32
    if not jumps:
        stamps = [each.matched.stamp_ns for each in found.answers]
        assert stamps == sorted(set(stamps))
    for name, state in found.collector.sensors.items():
        accepted = state.received - state.drops["duplicate"] - state.drops["out of order"]
        assert accepted == len(found.sent[name])
        unused = [each for each in found.sent[name] if not each.used]
        waiting = sum(not each.used for each in state.kept)
        jumped = state.drops["clock jump"]
        assert state.drops["unmatched"] <= len(unused) - waiting <= state.drops["unmatched"] + jumped
        if name == next(iter(found.collector.sensors)):
            causes = ("superseded", "clock jump", "already answered", "unmatched")
            dropped = sum(state.drops[cause] for cause in causes)
            assert accepted == len(found.of(name)) + dropped + waiting


class Drive(RuleBasedStateMachine):
    """Any traffic in simulated time: messages in any order, silence, jitter, and a worker that polls at any time."""

    def __init__(self) -> None:
        super().__init__()
        self.collector = collector()
        self.now_ms = 0
        self.taken: list[SensorSet] = []
        self.newest_offer: dict[str, int] = {}

    @rule(sensor=st.sampled_from(TRIGGER_ORDER), lag=st.integers(-200, 200), repeats=st.integers(1, 3))
    def message(self, sensor: str, lag: int, repeats: int) -> None:
        for _ in range(repeats):
            stamp = self.now_ms + lag
            self.collector.offer(sensor, stamp * MS, object(), self.now_ms / 1000)
            self.newest_offer[sensor] = max(stamp, self.newest_offer.get(sensor, -(10**9)))

    @rule(duration=st.sampled_from([1, 10, 49, 51, 100, 499, 501, 2000]))
    def time_passes(self, duration: int) -> None:
        self.now_ms += duration

    @rule()
    def worker(self) -> None:
        found = self.collector.poll(self.now_ms / 1000)
        if found is None:
            return
        stamps = [arrival.stamp_ns for arrival in found.arrivals.values()]
        assert all(abs(stamp - found.stamp_ns) <= 50 * MS for stamp in stamps)
        assert all(found.stamp_ns != earlier.stamp_ns for earlier in self.taken if earlier.trigger == found.trigger)
        self.taken.append(found)

    @rule()
    def all_is_quiet(self) -> None:
        self.now_ms += 60
        while self.collector.poll(self.now_ms / 1000) is not None:
            pass
        # Nothing waits longer than its limit.
        self.now_ms += 60
        assert self.collector.poll(self.now_ms / 1000) is None

    @precondition(lambda self: not self.collector.sensors["rgb"].alive)
    @rule()
    def the_camera_returns(self) -> None:
        self.now_ms += 60
        stamp = max(self.newest_offer.values(), default=0) + 1000
        self.collector.offer("rgb", stamp * MS, object(), self.now_ms / 1000)
        self.newest_offer["rgb"] = stamp
        found = self.collector.poll((self.now_ms + 51) / 1000)
        assert found is not None
        assert found.trigger == "rgb"
        self.taken.append(found)

    @invariant()
    def a_deadline_is_never_overdue_after_polling(self) -> None:
        found = self.collector.poll(self.now_ms / 1000)
        if found is not None:
            self.taken.append(found)
        assert (self.collector.deadline or math.inf) > self.now_ms / 1000

    @invariant()
    def memory_is_bounded(self) -> None:
        assert all(len(state.kept) <= 32 for state in self.collector.sensors.values())


TestDrive = Drive.TestCase
TestDrive.settings = settings(max_examples=60, stateful_step_count=30, deadline=None)

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import math

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from perception.ros.collector import TRIGGER_ORDER, Change, Collector, SensorSet, Timing

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
    """Camera and LiDAR at 10 Hz, LiDAR 10 ms later; returns the time after the last."""
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
    # The LiDAR has gone past the tolerance: nothing of it can come for this instant, so nothing is waited for.
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


def test_a_new_camera_image_ends_the_wait_of_the_one_before() -> None:
    c = collector()
    both(c, 3)
    offer(c, "rgb", 300, 300)
    assert offer(c, "rgb", 333, 333) == {"rgb": 300}


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
    """A set that nobody has taken, one that still waits, and a sweep that was in neither."""
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
    assert c.sensors["depth"].drops["unmatched"] == 35


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
        assert c.sensors["lidar"].unpaired == (stamp >= 1300)
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


class Drive(RuleBasedStateMachine):
    """Any traffic in simulated time: messages in any order, silence, jitter, and a worker that comes when it likes."""

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
        self.collector.poll(self.now_ms / 1000)
        # Nothing pends beyond its wait.
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
        assert all(len(state.kept) <= 4 for state in self.collector.sensors.values())


TestDrive = Drive.TestCase
TestDrive.settings = settings(max_examples=60, stateful_step_count=30, deadline=None)

# SPDX-License-Identifier: Apache-2.0
"""Simulated machines: the controller is asked once a second, and its clock is a number."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import pairwise

import pytest

from perception.runtime.controller import MOST_ROOM_S, ROOM_S, Controller, Tick

TIMES = (0.07, 0.05, 0.025)
"""Of three models, alone on the machine."""


@dataclass
class Machine:
    """A camera and a network beside others. load: by second, how many times its own time the network takes."""

    controller: Controller
    load: Callable[[float], float]
    period_s: float | None = 0.1
    now: float = 0.0
    steps: list[tuple[float, int]] = field(default_factory=list)
    lost: int = 0
    times: tuple[float, ...] = TIMES

    def run(self, seconds: int) -> None:
        for _ in range(seconds):
            self.now += 1.0
            period_s = self.period_s or 0.1
            took = self.times[self.controller.place] * self.load(self.now)
            came = round(1 / period_s)
            left_behind = max(0, round(came - 1 / took))
            self.lost += left_behind
            place = self.controller.step(Tick(self.now, self.period_s, came, left_behind, took))
            if place is not None:
                self.controller.moved(place, self.now)
                self.steps.append((self.now, place))


def steady(_: float) -> float:
    return 1.0


def between(begin: float, end: float, load: float) -> Callable[[float], float]:
    return lambda now: load if begin <= now < end else 1.0


def test_frames_that_are_left_out_for_two_seconds_are_a_step_down_and_room_is_one_up() -> None:
    """A neighbour from second 10 to 60: 70 ms become 112, and the 50 ms of the quicker one 80."""
    machine = Machine(Controller(TIMES, 0), between(10, 60, 1.6))
    machine.run(100)
    assert machine.steps == [(11.0, 1), (69.0, 0)]
    assert machine.lost == 2


def test_frames_that_wait_are_a_step_down_before_one_is_left_out() -> None:
    """97 of 100 ms: nothing is left out yet, and every frame waits."""
    machine = Machine(Controller(TIMES, 0), between(10, 60, 0.097 / TIMES[0]))
    machine.run(30)
    assert machine.steps == [(11.0, 1)]
    assert machine.lost == 0


def test_a_single_hitch_is_no_reason() -> None:
    machine = Machine(Controller(TIMES, 0), lambda now: 3.0 if now % 10 == 0 else 1.0)
    machine.run(60)
    assert machine.steps == []


def test_a_rung_that_would_be_too_slow_too_is_passed_over() -> None:
    """70 ms become 210, the 50 of the next would become 150, and the 25 of the last 75."""
    machine = Machine(Controller(TIMES, 0), lambda now: 3.0 if now >= 5 else 1.0)
    machine.run(30)
    assert machine.steps == [(6.0, 2)]


def test_where_none_would_hold_the_rate_it_is_the_quickest() -> None:
    machine = Machine(Controller(TIMES, 0), lambda now: 9.0)
    machine.run(10)
    assert [place for _, place in machine.steps] == [2]


def test_where_the_next_whose_time_was_not_known_is_too_slow_too_it_goes_further() -> None:
    machine = Machine(Controller((0.07, None, None), 0), lambda now: 3.0 if now >= 5 else 1.0)
    machine.run(30)
    assert [place for _, place in machine.steps] == [1, 2]
    assert machine.steps[-1][0] <= 12


def test_a_better_one_that_does_not_hold_the_rate_alone_is_not_tried() -> None:
    """90 ms of 100: no three tenths to spare, however idle the machine is."""
    machine = Machine(Controller((0.09, 0.05), 1), steady, times=(0.09, 0.05))
    machine.run(1000)
    assert machine.steps == []


def test_a_load_in_between_makes_it_swing_less_and_less() -> None:
    """With the quicker model there seems to be room, with the better one frames are left out."""
    controller = Controller((0.075, 0.05), 0)
    machine = Machine(controller, steady, times=(0.11, 0.05))
    machine.run(1800)
    ups = [at for at, place in machine.steps if place == 0]
    waits = [after - before for before, after in pairwise(ups)]
    assert waits == sorted(waits)
    assert len(ups) <= 11
    assert max(waits) >= MOST_ROOM_S / 2
    assert machine.lost <= 40  # of 18,000


def test_after_long_quiet_it_is_as_willing_as_at_first() -> None:
    controller = Controller(TIMES, 0)
    controller.declined(0.0)
    controller.declined(0.0)
    machine = Machine(controller, lambda now: 1.8 if 10 <= now < 20 or 1000 <= now < 1010 else 1.0)
    machine.run(1100)
    assert [place for _, place in machine.steps] == [1, 0, 1, 0]
    ups = [at for at, place in machine.steps if place == 0]
    assert ups == [pytest.approx(20 + 4 * ROOM_S, abs=1), pytest.approx(1010 + ROOM_S, abs=1)]


def test_a_rate_that_is_learnt_is_a_step_before_frames_are_left_out() -> None:
    """45 ms hold 10 Hz, which was assumed, and not 20 Hz with time to spare."""
    machine = Machine(Controller((0.045, 0.03), 0), steady, period_s=None, times=(0.045, 0.03))
    machine.run(3)
    assert machine.steps == []
    machine.period_s = 0.05
    machine.run(3)
    assert machine.steps == [(4.0, 1)]
    assert machine.lost == 0


def test_a_slow_camera_gets_the_best_one_that_holds_its_rate_at_once() -> None:
    """70 ms hold 5 Hz; the one before may be timed later, and the one before that needs 300 ms."""
    times = (0.16, 0.15, 0.07, 0.05)
    controller = Controller((times[0], None, *times[2:]), 3, [2.0, 1.3, 1.3, 1.3])
    machine = Machine(controller, steady, period_s=0.2, times=times)
    machine.run(5)
    assert machine.steps == [(1.0, 2)]


def test_a_second_look_is_come_back_to_when_there_is_room() -> None:
    """2.5 times its time must be there if all that is known is what it takes alone."""
    controller = Controller((0.038, 0.024), 1, [2.5, 1.3])
    machine = Machine(controller, lambda now: 4.5 if 10 <= now < 20 else 1.5, times=(0.038, 0.024))
    machine.run(60)
    assert machine.steps == [(1.0, 0), (11.0, 1), (39.0, 0)]  # more slowly, as the first was taken back


def test_where_frames_are_left_out_nothing_slower_is_begun_with() -> None:
    machine = Machine(Controller((0.038, 0.024), 1, [2.5, 1.3]), lambda now: 4.5 if now < 5 else 1.5)
    machine.times = (0.038, 0.024)
    machine.run(10)
    assert machine.steps == []


def test_what_does_not_hold_frames_up_is_not_changed() -> None:
    """Frames are left out, and yet the network takes a tenth of the period: it is something else."""
    controller = Controller(TIMES, 0)
    assert all(controller.step(Tick(float(now), 1.0, 10, 5, 0.09)) is None for now in range(1, 9))


def test_models_that_are_no_quicker_or_barred_are_passed_over() -> None:
    machine = Machine(Controller((0.2, 0.19, 0.1, 0.05), 0), steady, times=(0.2, 0.19, 0.1, 0.05))
    machine.controller.barred.add(2)
    machine.run(5)
    assert machine.steps == [(1.0, 3)]


def test_one_that_takes_as_long_and_needs_less_is_quicker() -> None:
    """As a network on one thread beside one on two that takes turns with what is around it."""
    controller = Controller((0.03, 0.03), 0, [2.0, 1.3])
    machine = Machine(controller, lambda now: 2.0 if now >= 5 else 1.0, period_s=0.05, times=(0.03, 0.03))
    machine.run(3)
    assert machine.steps == [(1.0, 1)]


def test_an_unknown_time_is_taken_for_twice_that_of_the_next() -> None:
    machine = Machine(Controller((None, 0.03), 1), steady, times=(0.04, 0.03))
    machine.run(15)
    assert machine.steps == [(11.0, 0)]
    machine = Machine(Controller((None, 0.05), 1), steady, times=(0.04, 0.05))
    machine.run(100)
    assert machine.steps == []


def test_a_step_up_that_is_declined_is_asked_for_later_and_later() -> None:
    controller, asked = Controller((None, 0.03), 1), list[int]()
    for now in range(1, 200):
        if controller.step(Tick(float(now), 0.1, 10, 0, 0.03)) is not None:
            asked.append(now)
            controller.declined(float(now))
    assert asked == [11, 31, 71, 151]


def test_a_pause_is_no_time_in_which_frames_were_left_out() -> None:
    controller = Controller(TIMES, 0)
    assert controller.step(Tick(1.0, 0.1, 10, 5, 0.13)) is None
    controller.pause()  # without it, the next would be a step down
    assert controller.step(Tick(100.0, 0.1, 10, 5, 0.13)) is None
    assert controller.step(Tick(101.0, 0.1, 10, 5, 0.13)) is None
    assert controller.step(Tick(102.0, 0.1, 10, 5, 0.13)) == 1

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import random

import pytest

from perception.assembly.habits import Habits


def test_lost_messages_and_a_pause_do_not_change_the_period() -> None:
    habits = Habits()
    for step in (100, 100, 200, 100, 300, 100, 1234, 100):
        habits.stepped(step)
    assert habits.period_ns == 100
    assert habits.jitter_ns == 0


def test_jitter_is_how_far_steps_are_off() -> None:
    habits = Habits()
    for step in (100, 110, 90, 108, 92, 100, 110, 90):
        habits.stepped(step)
    assert (habits.period_ns, habits.jitter_ns) == (100, 10)


def test_a_new_period_is_learnt() -> None:
    habits = Habits()
    for step in [100] * 20 + [50] * 9:
        habits.stepped(step)
    assert habits.period_ns == 50


def test_the_budget_covers_the_usual_and_not_the_rare() -> None:
    habits, dice = Habits(), random.Random(0)
    for _ in range(3):
        habits.came(0.004)
    assert habits.budget_s is None
    for number in range(100):
        habits.came(0.5 if number == 70 else dice.uniform(0.003, 0.008))
    assert habits.typical_s == pytest.approx(0.0055, abs=0.001)
    assert habits.late_s == pytest.approx(0.0078, abs=0.0003)
    assert habits.budget_s is not None
    assert 0.008 <= habits.budget_s <= 0.011


def test_a_sensor_that_comes_first_has_a_latency_below_zero() -> None:
    habits = Habits()
    for _ in range(4):
        habits.came(-0.1)
    assert habits.typical_s == -0.1
    assert habits.budget_s == pytest.approx(-0.098)


def test_what_is_forgotten_is_unknown() -> None:
    habits = Habits()
    for _ in range(5):
        habits.stepped(7)
        habits.came(0.1)
    habits.forget_steps()
    habits.forget_latencies()
    assert (habits.period_ns, habits.jitter_ns, habits.typical_s, habits.late_s, habits.budget_s) == (
        None, 0.0, None, None, None,
    )  # fmt: skip

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import time
from collections import Counter

import pytest

from perception.benchmark.measure import interleave, ratio, summary, turns


def test_everyone_has_one_turn_per_round_and_the_warm_up_goes_first() -> None:
    taken = list(turns(["a", "b", "c"], rounds=4, warm_up=2))
    rounds = [taken[i : i + 3] for i in range(0, len(taken), 3)]
    assert [{name for name, _ in each} for each in rounds] == [{"a", "b", "c"}] * 6
    assert [{counts for _, counts in each} for each in rounds] == [{False}] * 2 + [{True}] * 4
    assert taken == list(turns(["a", "b", "c"], rounds=4, warm_up=2))


def test_the_order_changes_from_round_to_round() -> None:
    first = Counter(name for place, (name, _) in enumerate(turns(["a", "b"], 50, 0)) if place % 2 == 0)
    assert min(first["a"], first["b"]) > 10


def test_calls_are_timed_in_milliseconds_and_the_warm_up_is_left_out() -> None:
    calls: Counter[str] = Counter()
    told: list[None] = []

    def slow() -> None:
        calls["slow"] += 1
        time.sleep(0.02 if calls["slow"] > 3 else 0.2)

    times = interleave(
        {"slow": slow, "fast": lambda: calls.update(["fast"])}, rounds=5, warm_up=3, on_call=lambda: told.append(None)
    )
    assert calls == {"slow": 8, "fast": 8}
    assert len(told) == 10
    assert len(times["slow"]) == len(times["fast"]) == 5
    assert 20 <= min(times["slow"]) < 200
    assert min(times["fast"]) < 20


def test_summary_names_percentiles_and_how_many_there_were() -> None:
    assert summary(list(range(101))) == {"median": 50, "p95": 95, "p99": 99, "n": 101}


def test_a_ratio_is_taken_round_by_round() -> None:
    # The machine was five times slower from the second round on, for both.
    assert ratio([1, 5, 5, 5], [2, 10, 10, 10]) == 0.5
    assert ratio([1, 1, 100], [2, 2, 2]) == 0.5


@pytest.mark.parametrize(("times", "reference"), [([1.0], [1.0, 2.0]), ([], [])])
def test_times_of_different_rounds_have_no_ratio(times: list[float], reference: list[float]) -> None:
    with pytest.raises(ValueError, match="same rounds"):
        ratio(times, reference)

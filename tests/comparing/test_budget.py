# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest

from perception.comparing.budget import Budget, read_budget
from perception.errors import DataError


@pytest.mark.parametrize(
    ("text", "budget", "said"),
    [
        ("25min", Budget(seconds=1500), "25min"),
        ("90s", Budget(seconds=90), "1.5min"),
        ("30 S", Budget(seconds=30), "30s"),
        ("2h", Budget(seconds=7200), "120min"),
        ("0.5min", Budget(seconds=30), "30s"),
        ("200it", Budget(iterations=200), "200it"),
    ],
)
def test_time_or_iterations(text: str, budget: Budget, said: str) -> None:
    assert read_budget(text) == budget
    assert str(budget) == said


@pytest.mark.parametrize("text", ["", "25", "min", "0s", "-3min", "1.5it", "0it", "3 days", "25 minutes", "nans"])
def test_anything_else_is_refused_with_how_to_write_it(text: str) -> None:
    with pytest.raises(DataError, match=r"not a budget; write for example 25min, 90s, 2h, or 200it"):
        read_budget(text)


def test_iterations_follow_from_the_seconds_of_a_step() -> None:
    assert Budget(seconds=90).steps(4.0) == 22
    assert Budget(seconds=90).steps(1000.0) == 1
    assert Budget(iterations=7).steps(4.0) == 7

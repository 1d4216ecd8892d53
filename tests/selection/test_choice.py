# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import numpy as np

from perception.selection.choice import Picker
from perception.selection.signals import COLUMNS, ROWS

CELLS = ROWS * COLUMNS


def layouts(*kinds: int) -> np.ndarray:
    """Scenes that are alike where their kind is, and have nothing in common otherwise."""
    found = np.zeros((len(kinds), 4, CELLS), np.uint8)
    for number, kind in enumerate(kinds):
        found[number, kind] = 255
    return found.reshape(len(kinds), -1)


def picker(scores: list[float], kinds: list[int], drives: list[int], per_drive: int = 9, apart: float = 0) -> Picker:
    stamps = np.arange(len(scores)) * 100_000_000
    return Picker(np.array(scores), layouts(*kinds), np.array(drives), stamps, per_drive, apart)


def order(found: Picker) -> list[int]:
    chosen = []
    while (number := found.next()) is not None:
        found.take(number)
        chosen.append(number)
    return chosen


def test_the_next_is_worth_it_and_unlike_the_chosen() -> None:
    """After the best: the other kind, though less than its twin. Then the twin, before the one of no worth."""
    assert order(picker([5, 4.9, 2, 0], [0, 0, 1, 1], [0, 1, 2, 3])) == [0, 2, 1, 3]


def test_where_nothing_speaks_for_any_they_are_spread_over_the_scenes() -> None:
    assert set(order(picker([0] * 6, [0, 0, 1, 1, 2, 2], [0] * 6))[:3]) == {0, 2, 4}


def test_no_more_of_a_drive_than_allowed_and_not_at_the_same_time() -> None:
    assert order(picker([3, 2, 1], [0, 1, 2], [0, 0, 1], per_drive=1)) == [0, 2]
    assert order(picker([4, 3, 2, 1], [0, 1, 2, 3], [0, 0, 0, 1], apart=0.2)) == [0, 2, 3]


def test_what_cannot_be_read_is_left_out() -> None:
    """It counts neither for its drive nor for its scene."""
    found = picker([4, 3, 2, 1], [0, 0, 2, 3], [0, 0, 1, 1], per_drive=1)
    assert found.next() == 0
    found.leave_out(0)
    assert found.next() == 1
    found.leave_out_drive(0)
    assert order(found) == [2]

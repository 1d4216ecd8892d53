# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest

from perception.datasets.io.lazy import LazySequence


class Squares(LazySequence[int]):
    def __init__(self) -> None:
        self.asked: list[int] = []

    def __len__(self) -> int:
        return 5

    def read(self, index: int) -> int:
        self.asked.append(index)
        return index**2


def test_it_is_a_sequence() -> None:
    squares = Squares()
    assert list(squares) == [0, 1, 4, 9, 16]
    assert (squares[-1], squares[1:4], squares[::-2], squares[9:]) == (16, [1, 4, 9], [16, 4, 0], [])


def test_only_what_is_asked_for_is_read() -> None:
    squares = Squares()
    assert squares[3] == 9
    assert squares.asked == [3]


@pytest.mark.parametrize("index", [5, -6])
def test_outside_is_an_index_error(index: int) -> None:
    with pytest.raises(IndexError, match=f"index {index} outside a sequence of 5"):
        Squares()[index]

# SPDX-License-Identifier: Apache-2.0
"""Train and val for data sets that come without an official split."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

from perception.errors import DataError

T = TypeVar("T")

VAL_SHARE = 0.2


def split_in_time(items: Sequence[T], split: str) -> list[T]:
    """`all` items, their first 80 % (`train`) or last 20 % (`val`).

    A single cut, because neighbours in a drive look alike: a random split would test on frames like the training ones.
    Raises DataError for another split.
    """
    cut = len(items) - round(len(items) * VAL_SHARE)
    parts = {"train": items[:cut], "val": items[cut:], "all": items}
    if split not in parts:
        raise DataError(f"split {split!r}: this data set has {', '.join(parts)}")
    return list(parts[split])


def check_split(split: str, known: Sequence[str], where: str) -> str:
    """`split` itself, if it is known; else DataError that lists the known splits."""
    if split not in known:
        raise DataError(f"{where}: split {split!r}: this data set has {', '.join(known)}")
    return split

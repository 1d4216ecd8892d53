# SPDX-License-Identifier: Apache-2.0
"""Timing side by side: disturbances of the machine affect everything compared, so ratios stay valid."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from time import perf_counter
from typing import Any, TypeVar

import numpy as np

WARM_UP = 3
"""Warm-up rounds."""

Key = TypeVar("Key")


def turns(names: Sequence[Key], rounds: int, warm_up: int = WARM_UP) -> Iterator[tuple[Key, bool]]:
    """The order of calls, and whether each counts: every name once per round, first `warm_up` rounds that do not count.

    The order changes with every round, because the previous call affects the caches; it is the same in every run.
    """
    shuffle = random.Random(0)
    for number in range(warm_up + rounds):
        for name in shuffle.sample(list(names), len(names)):
            yield name, number >= warm_up


def interleave(
    functions: Mapping[str, Callable[[], Any]],
    rounds: int,
    warm_up: int = WARM_UP,
    on_call: Callable[[], None] = lambda: None,
) -> dict[str, list[float]]:
    """Milliseconds of every call that counts (see `turns`), by name, in the order of the rounds.

    on_call is called after each of them.
    """
    times: dict[str, list[float]] = {name: [] for name in functions}
    for name, counts in turns(list(functions), rounds, warm_up):
        began = perf_counter()
        functions[name]()
        elapsed = (perf_counter() - began) * 1e3
        if counts:
            times[name].append(elapsed)
            on_call()
    return times


def summary(times: Sequence[float]) -> dict[str, float | int]:
    """median, p95, p99 and n of some times; they must not be empty."""
    median, p95, p99 = np.percentile(times, (50, 95, 99)).tolist()
    return {"median": median, "p95": p95, "p99": p99, "n": len(times)}


def ratio(times: Sequence[float], reference: Sequence[float]) -> float:
    """The ratio of `times` to `reference`: the median of the ratios per round, which is least affected by noise.

    Raises ValueError where the two do not have a time for each round.
    """
    if len(times) != len(reference) or not times:
        raise ValueError(f"ratio of {len(times)} times to {len(reference)}: both must come from the same rounds")
    return float(np.median(np.asarray(times) / np.asarray(reference)))

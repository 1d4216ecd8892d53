# SPDX-License-Identifier: Apache-2.0
"""The stages of one frame, as times by name, and the overhead among them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from perception.benchmark.measure import WARM_UP, ratio, summary, turns

STAGES: tuple[str, ...] = ("receive", "convert", "project", "normalise", "infer", "decode", "build", "publish")
"""From serialised messages in to messages with ROS. receive makes Python messages of bytes, convert arrays of those;
build makes messages of arrays, publish hands them to ROS, which serialises them."""

OVERHEAD: tuple[str, ...] = ("convert", "project", "normalise", "decode", "build", "publish")
"""The node's work around the network."""

Times = dict[str, list[float]]
"""Milliseconds by stage, one per frame."""


def collect(
    calls: Mapping[str, Callable[[], Mapping[str, float]]],
    rounds: int,
    warm_up: int = WARM_UP,
    on_call: Callable[[], None] = lambda: None,
) -> dict[str, Times]:
    """Run every call once per round, in turns, and gather the stage times that it returns; by the call's name."""
    gathered: dict[str, Times] = {name: {} for name in calls}
    for name, counts in turns(list(calls), rounds, warm_up):
        spent = calls[name]()
        if counts:
            for stage, milliseconds in spent.items():
                gathered[name].setdefault(stage, []).append(milliseconds)
            on_call()
    return gathered


def overhead(times: Times) -> list[float]:
    """Milliseconds outside the network, per frame."""
    return total(times, OVERHEAD)


def overhead_ratio(times: Times) -> float:
    """Time outside the network / time in it: the median over the frames."""
    return ratio(overhead(times), times["infer"])


def total(times: Times, stages: Sequence[str] = STAGES) -> list[float]:
    """The sum of some stages, per frame; stages without times count as nothing."""
    return [sum(spent) for spent in zip(*(times[stage] for stage in stages if stage in times), strict=True)]


def medians(times: Times) -> dict[str, float]:
    """The median of each stage, in the order of STAGES."""
    return {stage: float(summary(times[stage])["median"]) for stage in STAGES if stage in times}

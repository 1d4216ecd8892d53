# SPDX-License-Identifier: Apache-2.0
"""Times all networks of a run beside each other, in turns, on the machine's cores."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timezone
from functools import partial
from pathlib import Path

from perception.benchmark.measure import interleave, ratio, summary
from perception.comparing.report import Timing
from perception.comparing.scoring import engine_of
from perception.engines.choice import noise
from perception.export.cost import HEIGHT, WIDTH
from perception.reporting.provenance import processor
from perception.sensors.encode import STRIDE
from perception.threads import cores

REFERENCE = "pidnet_s"
"""The network of the zoo whose time is 1."""

ROUNDS = 30

SIZE = (HEIGHT, WIDTH)
"""Of the image."""


def size_at(resolution: float) -> tuple[int, int]:
    """Height and width of what a network gets of an image of SIZE at this part of the resolution."""
    height, width = (max(STRIDE, round(side * resolution / STRIDE) * STRIDE) for side in SIZE)
    return height, width


def timed(
    files: Mapping[str, Path], threads: int | None, size: tuple[int, int], done: Callable[[], None] = lambda: None
) -> dict[str, Timing]:
    """By name, for an input of `size`, height and width, and every sensor of the network. files: exported networks,
    REFERENCE among them. threads: None takes every core. done: called ROUNDS times for each."""
    threads = threads or cores()
    given = noise(*size[::-1])
    engines = {name: engine_of(path, threads) for name, path in files.items()}
    calls = {name: partial(engine.infer, given) for name, engine in engines.items()}
    times = interleave(calls, ROUNDS, on_call=done)
    run = datetime.now(timezone.utc).isoformat(timespec="seconds")
    found = {}
    for name, spent in times.items():
        figures = summary(spent)
        found[name] = Timing(
            median_ms=round(figures["median"], 2),
            p95_ms=round(figures["p95"], 2),
            ratio=round(ratio(spent, times[REFERENCE]), 3),
            rounds=ROUNDS,
            threads=threads,
            cpu=processor(),
            run=run,
        )
    return found

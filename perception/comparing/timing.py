# SPDX-License-Identifier: Apache-2.0
"""Times all networks of a run beside each other, in turns, on the machine's cores."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timezone
from functools import partial
from pathlib import Path

import numpy as np

from perception.benchmark.measure import interleave, ratio, summary
from perception.comparing.report import Timing
from perception.comparing.scoring import engine_of
from perception.export.cost import HEIGHT, WIDTH
from perception.frame import MODALITIES
from perception.reporting.provenance import processor
from perception.sensors import NetworkInput
from perception.sensors.channels import AUX_CHANNELS
from perception.sensors.encode import AUX_SCALE
from perception.threads import cores

REFERENCE = "pidnet_s"
"""The network of the zoo whose time is 1."""

ROUNDS = 30

SIZE = (HEIGHT, WIDTH)
"""Of the image."""


def timed(files: Mapping[str, Path], threads: int | None, done: Callable[[], None] = lambda: None) -> dict[str, Timing]:
    """By name, for an image of SIZE and every sensor of the network. files: exported networks, REFERENCE among them.
    threads: None takes every core. done: called ROUNDS times for each."""
    threads = threads or cores()
    given = _noise(*SIZE)
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


def _noise(height: int, width: int) -> NetworkInput:
    """An image and measurements of every sensor; what they show does not matter to the time."""
    rng = np.random.default_rng(0)
    channels = sum(AUX_CHANNELS.values())
    return NetworkInput(
        rng.integers(0, 256, (height, width, 3), np.uint8),
        rng.integers(0, 256, (height // AUX_SCALE, width // AUX_SCALE, channels), np.uint8),
        np.ones(len(MODALITIES), np.float32),
    )

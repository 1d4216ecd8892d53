# SPDX-License-Identifier: Apache-2.0
"""A progress bar with the time left, and the duration of each step."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    SpinnerColumn,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

LOOK_BACK_S = 600.0
"""The time left is told by the speed of this long: inputs of a cluster end minutes apart."""


class Steps:
    """Shows the steps of a command on `console`. seconds: duration of the finished steps, by name."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self.seconds: dict[str, float] = {}

    @contextmanager
    def step(self, name: str, text: str, total: int) -> Iterator[Callable[[], None]]:
        """One step of `total` parts, described by `text`; call the yielded function when a part is done."""
        columns = (
            SpinnerColumn(),
            TextColumn("{task.description:<24}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TextColumn("left:"),
            TimeRemainingColumn(compact=True),
        )
        began = time.monotonic()
        with Progress(*columns, console=self._console, speed_estimate_period=LOOK_BACK_S) as progress:
            yield partial(progress.advance, progress.add_task(text, total=total))
        self.seconds[name] = time.monotonic() - began

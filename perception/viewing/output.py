# SPDX-License-Identifier: Apache-2.0
"""Where `perception view` sends what it logs: a file, a window, or a page for browsers."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console

from perception.errors import DataError
from perception.storage import local
from perception.viewing.viewer import open_window, serve_page

if TYPE_CHECKING:
    import rerun as rr


@dataclass(frozen=True)
class Output:
    """recording: receives the log. running: whether the viewer is open. ends_with_us: whether it ends with this
    process.
    """

    recording: rr.RecordingStream
    running: Callable[[], bool] = lambda: True
    ends_with_us: bool = False

    def finish(self, stop: threading.Event) -> None:
        """Flush the finished log; if the viewer ends with this process, wait until told to stop."""
        self.recording.flush(timeout_sec=60.0)
        while self.ends_with_us and self.running() and not stop.wait(0.2):
            pass


@contextmanager
def open_output(save: Path | None, web: int | None, console: Console) -> Iterator[Output]:
    """The output that the options name; after the context it is closed, and a file is complete.

    Raises PerceptionError where there is no display, or a port is taken.
    """
    import rerun as rr  # here, since MCAP files need none of it

    from perception.viewing.layout import APPLICATION

    recording = rr.RecordingStream(APPLICATION)
    try:
        if save is not None:
            save.parent.mkdir(parents=True, exist_ok=True)
            recording.save(save)
            yield Output(recording)
        elif web is not None:
            with serve_page(web) as viewer:
                recording.connect_grpc(viewer.url)
                console.print(f"{viewer.page}\nCtrl-C ends it", markup=False, soft_wrap=True)
                try:
                    yield Output(recording, lambda: viewer.running, ends_with_us=True)
                finally:
                    recording.disconnect()  # before the viewer ends: it disconnects from it
        else:
            viewer = open_window()
            recording.connect_grpc(viewer.url)
            yield Output(recording, lambda: viewer.running)
    finally:
        recording.disconnect()
    if save is not None:
        size = f"{save}: {save.stat().st_size / 1e6:.1f} MB; perception view {save} shows it"
        console.print(size, soft_wrap=True, markup=False)


def show_file(path: Path) -> None:
    """Open a window with a saved view. Raises DataError if there is none, PerceptionError if there is no display."""
    if not path.is_file():
        raise DataError(f"{path}: no such file")
    open_window(local(path.resolve()))


@contextmanager
def interruptible() -> Iterator[threading.Event]:
    """An event that Ctrl-C and SIGTERM set, as long as the context lasts."""
    stop = threading.Event()
    before = {each: signal.signal(each, lambda *_: stop.set()) for each in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield stop
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)

# SPDX-License-Identifier: Apache-2.0
"""With a real process beside."""

from __future__ import annotations

import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("torch")
pytest.importorskip("mmseg")

from perception.errors import PerceptionError
from perception.explanation.background import BackgroundExplainer
from perception.explanation.figure import WIDTH
from perception.frame import Frame

PATIENCE_S = 120.0


class Heard:
    """What came of frames, in their order."""

    def __init__(self) -> None:
        self.all: list[Any] = []
        self._told = threading.Semaphore(0)

    def __call__(self, what: Any) -> None:
        self.all.append(what)
        self._told.release()

    def next(self) -> Any:
        assert self._told.acquire(timeout=PATIENCE_S)
        return self.all[-1]


def _wait_for(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.05)


def _children() -> list[int]:
    found = subprocess.run(["pgrep", "-P", str(os.getpid()), "-f", "spawn_main"], capture_output=True, text=True)
    return [int(line) for line in found.stdout.split()]


def test_one_frame_at_a_time_and_again_after_a_kill(weights: Path, frame: Frame) -> None:
    heard = Heard()
    explainer = BackgroundExplainer(str(weights), heard)
    try:
        explainer.offer(frame, heard)
        explainer.offer(frame, heard)  # too soon: nothing comes of it
        picture = heard.next()
        assert picture.shape[1:] == (WIDTH, 3)
        assert len(heard.all) == 1
        (worker,) = _children()
        assert os.getpriority(os.PRIO_PROCESS, worker) == 19

        explainer.offer(frame, heard)
        os.kill(worker, signal.SIGKILL)
        assert "its process was killed" in str(heard.next())
        explainer.offer(frame, heard)
        assert (heard.next() == picture).all()
    finally:
        explainer.rest()
    _wait_for(lambda: not _children())


def test_what_cannot_be_explained_says_why(tmp_path: Path, frame: Frame) -> None:
    heard = Heard()
    explainer = BackgroundExplainer(str(tmp_path / "missing.safetensors"), heard)
    try:
        explainer.offer(frame, heard)
        error = heard.next()
    finally:
        explainer.rest()
    assert isinstance(error, PerceptionError)
    assert "missing.safetensors" in str(error)

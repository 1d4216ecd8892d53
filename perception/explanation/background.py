# SPDX-License-Identifier: Apache-2.0
"""Explains frames in the background: one at a time, in a separate process of the lowest priority."""

from __future__ import annotations

import multiprocessing
import os
import signal
from collections.abc import Callable
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from perception.errors import ModelError, PerceptionError
from perception.frame import Frame
from perception.processes import begin_worker

if TYPE_CHECKING:
    from perception.explanation.network import ExplainedNetwork
    from perception.pipeline import Pipeline

RGB = NDArray[np.uint8]


class BackgroundExplainer:
    """Makes pictures of explanations; its process starts with the first frame.

    model: a name or path as of `Pipeline.load`. fail: called in another thread with the reason why a frame has no
    picture.
    """

    def __init__(self, model: str | Path | None, fail: Callable[[PerceptionError], None]) -> None:
        self._model, self._fail = model, fail
        self._pool: ProcessPoolExecutor | None = None
        self._pid: Future[int] | None = None
        self._task: Future[RGB] | None = None

    def offer(self, frame: Frame, done: Callable[[RGB], None]) -> None:
        """Explain `frame`, unless one is being explained.

        done: gets the picture, (H, W, 3) uint8, in another thread.
        """
        if self._task is not None and not self._task.done():
            return
        if self._pool is None:
            self._pool = ProcessPoolExecutor(1, multiprocessing.get_context("spawn"), _start)
            self._pid = self._pool.submit(os.getpid)
        self._task = self._pool.submit(_picture, frame, self._model)
        self._task.add_done_callback(partial(self._finished, self._pool, done))

    def rest(self) -> None:
        """End the process and its current work; the next frame starts another process."""
        pool, pid, self._pool, self._pid, self._task = self._pool, self._pid, None, None, None
        if pool is None or pid is None:
            return
        pool.shutdown(wait=False, cancel_futures=True)
        if pid.done() and not pid.cancelled() and pid.exception() is None:
            with suppress(ProcessLookupError):
                os.kill(pid.result(), signal.SIGTERM)

    def _finished(self, pool: ProcessPoolExecutor, done: Callable[[RGB], None], task: Future[RGB]) -> None:
        if pool is not self._pool:
            return  # no longer awaited
        try:
            picture = task.result()
        except PerceptionError as error:
            self._fail(error)
        except BrokenProcessPool:
            self._pool = None
            self._fail(PerceptionError("explaining: its process was killed, perhaps because memory ran out"))
        except Exception as error:  # of the network or the drawing: the node goes on
            self._fail(PerceptionError(f"explaining: {type(error).__name__}: {error}"))
        else:
            done(picture)


_here: tuple[Pipeline, ExplainedNetwork] | None = None
"""What explains, in the process beside."""


def _start() -> None:
    begin_worker()
    os.nice(19)


def _picture(frame: Frame, model: str | Path | None) -> RGB:
    global _here
    try:
        import torch

        from perception.explanation.explain import explain
        from perception.explanation.figure import draw
        from perception.explanation.network import ExplainedNetwork
    except ImportError as error:
        raise ModelError(f"explaining: pip install 'multimodal_perception[train]' ({error})") from error
    from perception.pipeline import Pipeline

    if _here is None:
        torch.set_num_threads(1)
        _here = Pipeline.load(model, threads=1), ExplainedNetwork.load(model)
    return draw(explain(frame, *_here), f"Explanation at {frame.stamp_ns / 1e9:.3f} s")

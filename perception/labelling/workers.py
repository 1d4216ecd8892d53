# SPDX-License-Identifier: Apache-2.0
"""Frames → their files, in this process or in several."""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_COMPLETED, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, field, replace
from pathlib import Path

from perception.datasets.io.named_frames import NamedFrames
from perception.errors import PerceptionError
from perception.labelling.contradiction import is_asked, overturned
from perception.labelling.files import FrameFiles
from perception.objects import find_objects
from perception.pipeline import Pipeline
from perception.processes import begin_worker

CHUNK = 8
"""Consecutive frames that a worker takes at once."""


@dataclass(frozen=True)
class Network:
    """The network: `Pipeline.load`'s arguments; threads are those of all workers together."""

    model: str | Path | None = None
    engine: str = "auto"
    threads: int | None = None
    without: tuple[str, ...] = ()

    def load(self) -> Pipeline:
        """Load it, here. Raises ModelError."""
        return Pipeline.load(self.model, self.engine, self.threads, without=self.without)


@dataclass
class Outcome:
    """The result of some frames. failed: the reason, by name, for those that could not be read."""

    labelled: int = 0
    failed: dict[str, str] = field(default_factory=dict)

    def add(self, other: Outcome) -> None:
        """Take other frames' outcome in."""
        self.labelled += other.labelled
        self.failed.update(other.failed)


def label_frames(
    pipeline: Pipeline,
    frames: NamedFrames,
    numbers: Sequence[int],
    files: FrameFiles,
    done: Callable[[], None],
    cross_check: int = 0,
) -> Outcome:
    """Label the frames of those numbers, here.

    done: called after each. cross_check: one in so many frames is checked by `contradiction.overturned`; 0: none.
    A frame that cannot be read is left out and reported; a file that cannot be written raises OSError or DataError.
    """
    outcome = Outcome()
    for number in numbers:
        name = frames.names[number]
        try:
            frame = frames[number]
            whole = pipeline(frame)
            asked = is_asked(number, len(frames), cross_check)
            overturns = overturned(pipeline, frame, whole) if asked else None
            objects = find_objects(frame, whole) if "kitti" in files.outputs else ()
            prediction = frames.returned(whole)
            prediction.absent |= frames.absent
        except PerceptionError as error:
            outcome.failed[name] = str(error)
        else:
            files.write(name, frame, prediction, frames.complaints, overturns, objects)
            outcome.labelled += 1
        done()
    return outcome


def label_in_processes(
    workers: int,
    network: Network,
    frames: NamedFrames,
    numbers: Sequence[int],
    files: FrameFiles,
    done: Callable[[], None],
    cross_check: int = 0,
) -> Outcome:
    """The same in several processes, each with a network and its share of the threads.

    Raises PerceptionError where a process is killed; whatever was finished stays.
    """
    total = len(os.sched_getaffinity(0)) if network.threads is None else network.threads
    share = replace(network, threads=max(1, total // workers))
    size = max(1, min(CHUNK, len(numbers) // (2 * workers)))
    chunks = [numbers[start : start + size] for start in range(0, len(numbers), size)]
    outcome = Outcome()
    spawn = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(workers, spawn, _start, (share, frames, files, cross_check)) as pool:
        waiting = {pool.submit(_label_chunk, chunk): len(chunk) for chunk in chunks}
        try:
            while waiting:
                for future in wait(waiting, timeout=1.0, return_when=FIRST_COMPLETED).done:
                    outcome.add(future.result())
                    for _ in range(waiting.pop(future)):
                        done()
        except BrokenProcessPool as error:
            raise PerceptionError(
                "a worker was killed, perhaps because memory ran out; use fewer --workers and run it again: finished "
                "frames are kept"
            ) from error
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise
    return outcome


_here: tuple[Pipeline, NamedFrames, FrameFiles, int] | None = None
"""This worker process's network."""


def _start(network: Network, frames: NamedFrames, files: FrameFiles, cross_check: int) -> None:
    global _here
    begin_worker()  # Ctrl-C is the parent's: a worker finishes its chunk
    _here = network.load(), frames, files, cross_check


def _label_chunk(numbers: Sequence[int]) -> Outcome:
    assert _here is not None
    pipeline, frames, files, cross_check = _here
    return label_frames(pipeline, frames, numbers, files, lambda: None, cross_check)

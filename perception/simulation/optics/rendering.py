# SPDX-License-Identifier: Apache-2.0
"""A drive rendered by several processes at once."""

from __future__ import annotations

import multiprocessing
import signal
from collections.abc import Iterator

import cv2

from perception.sample import Sample
from perception.simulation.drive import SimulatedDrive


def render(drive: SimulatedDrive, workers: int) -> Iterator[Sample]:
    """The samples of `drive` in order, rendered ahead by so many processes; the same for any number of them."""
    if workers <= 1:
        yield from drive
        return
    # spawn: forked children would share Open3D's and OpenCV's threads, which do not survive it.
    context = multiprocessing.get_context("spawn")
    with context.Pool(min(workers, len(drive)), _prepare, (drive,)) as pool:
        yield from pool.imap(_render, range(len(drive)))


_drive: SimulatedDrive


def _prepare(drive: SimulatedDrive) -> None:
    global _drive
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's, which ends its workers
    cv2.setNumThreads(1)
    _drive = drive


def _render(index: int) -> Sample:
    return _drive[index]

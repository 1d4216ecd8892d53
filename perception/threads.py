# SPDX-License-Identifier: Apache-2.0
"""Who may use how many cores: the engine, OpenCV and NumPy live in one process and must not fight for them."""

from __future__ import annotations

import atexit
import ctypes
import os
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from functools import cache
from typing import ParamSpec, TypeVar
from weakref import WeakSet

import cv2
from threadpoolctl import threadpool_limits

P = ParamSpec("P")
T = TypeVar("T")

NICE = 19
"""The least urgent: a sixtieth of what a usual thread gets if both want a core."""

END_S = 5.0
"""How long the process waits at its end for what it began."""

_begun: WeakSet[threading.Thread] = WeakSet()

SPARE_FROM = 4
"""With so many threads or more, one is left to what comes before and after the network, which runs beside it."""


def begin(work: Callable[[], T], name: str) -> Future[T]:
    """Let a thread of that name do `work`: one that the process waits for at its end, but not for ever, should it hang.

    A library's native code that still runs while its process ends crashes it.
    """
    future: Future[T] = Future()

    def run() -> None:
        try:
            future.set_result(work())
        except BaseException as error:  # whoever asks for the result is told
            future.set_exception(error)

    thread = threading.Thread(target=run, name=name, daemon=True)
    _begun.add(thread)
    thread.start()
    return future


@atexit.register
def _wait_for_begun() -> None:
    deadline = time.monotonic() + END_S
    for thread in list(_begun):
        thread.join(max(0.0, deadline - time.monotonic()))


def stand_back() -> None:
    """Let the calling thread, and those that it begins, have a core only where others leave one. On Linux alone, where
    threads have a niceness of their own."""
    if sys.platform.startswith("linux"):
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), NICE)


def cores() -> int:
    """How many cores the process may use."""
    return len(_allowed_cores()) or os.cpu_count() or 1


def share_threads(total: int | None = None) -> int:
    """Give OpenCV and NumPy one thread each, in this process, and return how many are the engine's.

    total: of the process while it works; None takes every core that the process may use. Images are small: OpenCV gains
    nothing from a second thread, and a BLAS that wakes its own beside a busy engine loses ten times what it saves.
    Raises ValueError for a total below one.
    """
    if total is None:
        total = cores()
    if total < 1:
        raise ValueError(f"{total} threads: at least one is needed")
    cv2.setNumThreads(1)
    threadpool_limits(limits=1, user_api="blas")
    return total - 1 if leaves_one(total) else total


def leaves_one(total: int | None = None) -> bool:
    """Whether `share_threads` leaves a thread to what is around the engine."""
    return (cores() if total is None else total) >= SPARE_FROM


class PinnedWorker:
    """One thread that works while its caller does, on another core where there is one.

    A thread that was asleep often wakes on the core of whoever woke it, and the kernel takes longer to move it away
    than such work lasts: of two milliseconds of it, none were saved. So before each piece of work the caller's own core
    is forbidden to it.
    """

    def __init__(self, name: str) -> None:
        self._executor = ThreadPoolExecutor(1, name)
        self._thread = self._executor.submit(threading.get_native_id).result()
        self._cores = _allowed_cores()
        self._forbidden: int | None = None

    def submit(self, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        """Let it do `work`."""
        self._leave(_current_core())
        return self._executor.submit(work, *args, **kwargs)

    def _leave(self, core: int | None) -> None:
        if core is None or core == self._forbidden or not self._cores - {core}:
            return
        try:
            os.sched_setaffinity(self._thread, self._cores - {core})
            self._forbidden = core
        except OSError:  # not allowed here, or these cores are no longer ours: it works where it wakes
            self._cores = set()


def _allowed_cores() -> set[int]:
    """The cores that this process may use; none where the system does not tell."""
    return os.sched_getaffinity(0) if hasattr(os, "sched_getaffinity") else set()


def _current_core() -> int | None:
    """The core that the calling thread runs on, where the C library can tell."""
    ask = _core_teller()
    core = ask() if ask else -1
    return core if core >= 0 else None


@cache
def _core_teller() -> Callable[[], int] | None:
    try:
        teller: Callable[[], int] = ctypes.CDLL(None).sched_getcpu
    except (AttributeError, OSError, TypeError):
        return None
    return teller

# SPDX-License-Identifier: Apache-2.0
"""Who may use how many cores: the engine, OpenCV and NumPy live in one process and must not fight for them."""

from __future__ import annotations

import os

import cv2
from threadpoolctl import threadpool_limits

SPARE_FROM = 4
"""With so many threads or more, one is left to what comes before and after the network, which runs beside it."""


def share_threads(total: int | None = None) -> int:
    """Give OpenCV and NumPy one thread each, in this process, and return how many are the engine's.

    total: of the process while it works; None takes every core that the process may use. Images are small: OpenCV gains
    nothing from a second thread, and a BLAS that wakes its own beside a busy engine loses ten times what it saves.
    Raises ValueError for a total below one.
    """
    if total is None:
        total = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    if total < 1:
        raise ValueError(f"{total} threads: at least one is needed")
    cv2.setNumThreads(1)
    threadpool_limits(limits=1, user_api="blas")
    return total - 1 if total >= SPARE_FROM else total

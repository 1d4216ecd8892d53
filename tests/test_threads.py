# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import os
import subprocess
import sys
import threading
import time

import cv2
import numpy as np
import pytest
from threadpoolctl import threadpool_info

from perception.threads import NICE, PinnedWorker, begin, leaves_one, share_threads, stand_back


@pytest.mark.parametrize(("total", "engine"), [(1, 1), (2, 2), (3, 3), (4, 3), (16, 15)])
def test_the_engine_gets_what_the_other_steps_do_not_need(total: int, engine: int) -> None:
    assert share_threads(total) == engine
    assert leaves_one(total) == (engine < total)


def test_opencv_and_numpy_get_one_each() -> None:
    share_threads(2)
    np.ones((8, 8)) @ np.ones((8, 8))
    assert cv2.getNumThreads() == 1
    assert all(pool["num_threads"] == 1 for pool in threadpool_info() if pool["user_api"] == "blas")


def test_without_a_total_every_core_counts() -> None:
    assert share_threads() >= 1


def test_no_thread_at_all_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one"):
        share_threads(0)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="threads have no niceness of their own")
def test_a_thread_that_stands_back_leaves_the_others_where_they_are() -> None:
    def niceness() -> int:
        return os.getpriority(os.PRIO_PROCESS, threading.get_native_id())

    def behind() -> tuple[int, int]:
        stand_back()
        return niceness(), begin(niceness, "child").result()

    before = niceness()
    assert begin(behind, "behind").result() == (NICE, NICE)
    assert niceness() == before


def test_a_pinned_worker_answers_from_a_thread_of_its_own() -> None:
    pinned = PinnedWorker("beside")
    assert pinned.submit(threading.get_ident).result() != threading.get_ident()
    assert pinned.submit(divmod, 7, 2).result() == (3, 1)


@pytest.mark.skipif(len(os.sched_getaffinity(0)) < 2, reason="one core")
def test_a_pinned_worker_works_on_another_core_than_its_caller() -> None:
    pinned, cores = PinnedWorker("beside"), os.sched_getaffinity(0)
    try:
        for core in sorted(cores)[:2]:
            os.sched_setaffinity(0, {core})  # this thread alone
            assert pinned.submit(lambda: os.sched_getaffinity(0)).result() == cores - {core}
    finally:
        os.sched_setaffinity(0, cores)


def test_a_pinned_worker_of_one_core_works_there() -> None:
    cores = os.sched_getaffinity(0)
    try:
        os.sched_setaffinity(0, {min(cores)})
        assert PinnedWorker("beside").submit(lambda: os.sched_getaffinity(0)).result() == {min(cores)}
    finally:
        os.sched_setaffinity(0, cores)


def test_a_pinned_worker_that_may_not_move_works_where_it_wakes(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_thread: int, _cores: set[int]) -> None:
        raise OSError("not permitted")

    pinned = PinnedWorker("beside")
    with monkeypatch.context() as patched:
        patched.setattr(os, "sched_setaffinity", refuse)
        assert pinned.submit(divmod, 7, 2).result() == (3, 1)
    assert pinned.submit(lambda: os.sched_getaffinity(0)).result() == os.sched_getaffinity(0)


def test_a_pinned_worker_works_where_nobody_tells_the_core(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("perception.threads._core_teller", lambda: None)
    assert PinnedWorker("beside").submit(lambda: os.sched_getaffinity(0)).result() == os.sched_getaffinity(0)


def run_to_its_end(program: str) -> str:
    """What it prints."""
    whole = f"import time\nfrom perception import threads\n{program}"
    done = subprocess.run([sys.executable, "-c", whole], capture_output=True, text=True, timeout=60, check=True)
    return done.stdout


def test_a_process_does_not_end_in_the_middle_of_what_it_began() -> None:
    """A network that is compiled at that moment crashes it: SIGSEGV, or "terminate called without an exception"."""
    assert run_to_its_end("threads.begin(lambda: (time.sleep(0.5), print('done', flush=True)), 'late')") == "done\n"


def test_what_hangs_does_not_hold_the_process_for_ever() -> None:
    began = time.monotonic()
    run_to_its_end("threads.END_S = 0.2\nthreads.begin(lambda: time.sleep(40), 'hangs')")
    assert time.monotonic() - began < 30

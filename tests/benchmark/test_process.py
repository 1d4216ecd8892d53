# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import os
import subprocess
import sys
import time

import pytest

from perception.benchmark.process import Effort, Watch, read_usage


def test_this_process_uses_memory_and_time() -> None:
    before = read_usage(os.getpid())
    block = bytearray(os.urandom(1 << 20) * 64)
    after = read_usage(os.getpid())
    assert after.rss_mb - before.rss_mb > 48
    assert after.cpu_s >= before.cpu_s > 0
    assert len(block) == 64 << 20


def test_a_process_that_is_gone_is_said() -> None:
    child = subprocess.Popen([sys.executable, "-c", ""])
    child.wait()
    with pytest.raises(OSError, match=str(child.pid)):
        read_usage(child.pid)


def test_a_process_is_watched_until_its_end() -> None:
    child = subprocess.Popen([sys.executable, "-c", "x = bytearray(b'x' * (64 << 20)); import time; time.sleep(1.5)"])
    watch = Watch(child.pid)
    watch.start()
    child.wait()
    time.sleep(0.5)  # the thread has seen the end, and ended
    watch.stop()
    summary = watch.summary()
    assert summary.memory_mb.start <= summary.memory_mb.peak
    assert summary.memory_mb.steady > 64
    assert summary.cpu_percent >= 0


def test_without_samples_nothing_is_claimed() -> None:
    assert Watch(os.getpid()).summary() == Effort(None, None)

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import platform
import subprocess
import sys

import pytest

# A child, because what is set cannot be taken back.
KEPT = """
import ctypes, sys
from perception.training.allocator import keep_memory
def resident():
    return int(open("/proc/self/statm").read().split()[1]) * 4096
kept = keep_memory() if sys.argv[1] == "keep" else False
c = ctypes.CDLL(None)
c.malloc.restype, c.free.argtypes = ctypes.c_void_p, [ctypes.c_void_p]
c.memset.argtypes = [ctypes.c_void_p, ctypes.c_int, ctypes.c_size_t]
before = resident()
block = c.malloc(64 << 20)
c.memset(block, 1, 64 << 20)
c.free(block)
print(kept, resident() - before > 60 << 20)
"""


@pytest.mark.parametrize("how", ["keep", "leave"])
def test_freed_memory_stays_with_the_process(how: str) -> None:
    said = subprocess.run([sys.executable, "-c", KEPT, how], check=True, capture_output=True, text=True).stdout
    kept = how == "keep" and platform.libc_ver()[0] == "glibc"
    assert said.split() == [str(kept), str(kept)]


def test_other_systems_are_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    from perception.training.allocator import keep_memory

    monkeypatch.setattr(sys, "platform", "darwin")
    assert not keep_memory()

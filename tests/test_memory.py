# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import platform
import subprocess
import sys

import pytest

from perception.memory import give_back, keep_memory

# A child, because what is set cannot be taken back.
KEPT = """
import ctypes, sys
from perception.memory import keep_memory
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
    monkeypatch.setattr(sys, "platform", "darwin")
    assert not keep_memory()
    give_back()  # does nothing


# Below the size that is mapped by itself, and with one at the end that is still in use.
FREED = """
import ctypes
from perception.memory import give_back
def resident():
    return int(open("/proc/self/statm").read().split()[1]) * 4096
c = ctypes.CDLL(None)
c.malloc.restype, c.free.argtypes = ctypes.c_void_p, [ctypes.c_void_p]
c.memset.argtypes = [ctypes.c_void_p, ctypes.c_int, ctypes.c_size_t]
blocks = [c.malloc(64 << 10) for _ in range(512)]
for block in blocks:
    c.memset(block, 1, 64 << 10)
for block in blocks[:-1]:
    c.free(block)
before = resident()
give_back()
print(before - resident() > 24 << 20)
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="of glibc alone")
def test_what_is_free_is_given_back() -> None:
    said = subprocess.run([sys.executable, "-c", FREED], check=True, capture_output=True, text=True).stdout
    assert said.strip() == "True"

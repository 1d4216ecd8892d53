# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import platform
import subprocess
import sys

import pytest

from perception.memory import give_back, keep_buffers, keep_memory

# A child, because what is set cannot be taken back.
KEPT = """
import ctypes, sys
from perception.memory import keep_buffers, keep_memory
size = int(sys.argv[2]) << 20
def resident():
    return int(open("/proc/self/statm").read().split()[1]) * 4096
kept = {"all": keep_memory, "buffers": keep_buffers, "nothing": lambda: False}[sys.argv[1]]()
c = ctypes.CDLL(None)
c.malloc.restype, c.free.argtypes = ctypes.c_void_p, [ctypes.c_void_p]
c.memset.argtypes = [ctypes.c_void_p, ctypes.c_int, ctypes.c_size_t]
before = resident()
block = c.malloc(size)
c.memset(block, 1, size)
c.free(block)
print(kept, resident() - before > 0.9 * size)
"""


@pytest.mark.parametrize(
    ("how", "megabytes", "stays"),
    [("all", 64, True), ("nothing", 64, False), ("buffers", 4, True), ("nothing", 4, False), ("buffers", 40, False)],
)
def test_freed_memory_stays_with_the_process(how: str, megabytes: int, stays: bool) -> None:
    command = [sys.executable, "-c", KEPT, how, str(megabytes)]
    said = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    glibc = platform.libc_ver()[0] == "glibc"
    assert said.split() == [str(glibc and how != "nothing"), str(glibc and stays)]


def test_other_systems_are_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "darwin")
    assert not keep_memory()
    assert not keep_buffers()
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

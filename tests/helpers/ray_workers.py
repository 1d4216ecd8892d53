# SPDX-License-Identifier: Apache-2.0
"""The processes of a Ray cluster on this machine that label an input right now."""

from __future__ import annotations

import os
import signal
from contextlib import suppress
from pathlib import Path
from typing import Any


def at_work(node: Any) -> list[int]:
    """Process ids of the node's workers that run a task; Ray names them after it."""
    raylet = node.all_processes["raylet"][0].process.pid
    found = []
    for process in Path("/proc").iterdir():
        with suppress(OSError):
            if process.name.isdigit() and (process / "cmdline").read_bytes().startswith(b"ray::attempt"):
                parent = (process / "stat").read_text().rpartition(")")[2].split()[1]
                found += [int(process.name)] if int(parent) == raylet else []
    return found


def kill(pid: int) -> None:
    """As the kernel does where memory is short; one that has just ended is left alone."""
    with suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)

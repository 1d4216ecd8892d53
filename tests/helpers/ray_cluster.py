# SPDX-License-Identifier: Apache-2.0
"""A Ray cluster of two machines, all on this one, and its processes that label an input right now."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

STORE = 80 * 1024 * 1024

CONFIG = {
    "worker_niceness": 0,  # Ray's is 15, which on a busy machine is next to nothing
    "health_check_initial_delay_ms": 500,
    "health_check_period_ms": 1000,  # a silent machine counts as lost after seconds
}


@contextmanager
def two_machines() -> Iterator[Any]:
    """A head without CPUs and two machines with one each, joined from this process."""
    import ray
    from ray.cluster_utils import Cluster

    cluster = Cluster(
        initialize_head=True, head_node_args={"num_cpus": 0, "object_store_memory": STORE, "_system_config": CONFIG}
    )
    for _ in range(2):
        add_machine(cluster)
    ray.init(address=cluster.address, log_to_driver=False)
    try:
        yield cluster
    finally:
        ray.shutdown()
        cluster.shutdown()


def add_machine(cluster: Any) -> None:
    """One more."""
    cluster.add_node(num_cpus=1, object_store_memory=STORE)


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

# SPDX-License-Identifier: Apache-2.0
"""Whole recordings over a Ray cluster: each is a task on one machine, which is given again where its worker is lost."""

from __future__ import annotations

import logging
import os
import socket
import time
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

from perception.engines import ENGINES
from perception.errors import PerceptionError
from perception.extras import needs
from perception.labelling.job import Job, attempt
from perception.labelling.report import FAULT, LOST, STORAGE, Labelled, Refused
from perception.labelling.workers import Network
from perception.registry import IMPORTS

AUTO = "auto"
"""The address of the cluster that RAY_ADDRESS names, else of that which runs here, else of one made for the time."""

AHEAD = 2
"""Tasks that Ray has for each that can run at once: the next one waits at its machine, and all others here."""

LOOK_S = 5.0
"""How often the machines are counted again: they come and go."""

KNOCK_S = 10.0
"""How long a cluster may take to answer."""

GPU_SHARE = 0.5
"""Of a GPU that an input takes: while one reads and writes the other computes, as on one machine."""

GB = 1024**3


@dataclass(frozen=True)
class Cluster:
    """Where to run: AUTO, or an address as `ray.init` takes it. memory_gb: kept for every input, for which its machine
    needs to have room. retries: how often an input is given again whose worker, machine or storage failed."""

    address: str = AUTO
    memory_gb: float = 1.0
    retries: int = 3


def run_on_ray(jobs: Sequence[Job], cluster: Cluster) -> Iterator[tuple[int, Labelled | Refused]]:
    """The number and the report of every job, as they end.

    A job is one task: it takes the cores that its network uses and its memory on one machine, and tasks are spread
    over the machines. Ray has a few more of them than can run at once, however many there are. A job whose worker,
    machine or storage fails is given again, behind all others; one that cannot be labelled or hits a fault in the
    program would fail again, and is not. Every machine needs this package, and the paths of inputs and outputs.
    Raises PerceptionError without Ray, where no cluster answers, and where no machine has room for a job.
    """
    if not jobs:
        return
    task_needs = needs_of(jobs[0].network, cluster.memory_gb)
    with _joined(cluster.address) as ray:
        task = ray.remote(**task_needs, max_retries=0, scheduling_strategy="SPREAD")(attempt)
        places, looked = places_in(ray.nodes(), task_needs), time.monotonic()
        if not places:
            raise PerceptionError(_no_room(ray.nodes(), task_needs))
        waiting = deque((number, 1) for number in range(len(jobs)))
        running: dict[Any, tuple[int, int]] = {}
        while waiting or running:
            while waiting and len(running) < AHEAD * max(1, places):
                number, tried = waiting.popleft()
                running[task.remote(jobs[number])] = number, tried
            ended, _ = ray.wait(list(running), num_returns=1, timeout=LOOK_S)
            if time.monotonic() - looked > LOOK_S:
                places, looked = places_in(ray.nodes(), task_needs), time.monotonic()
            for reference in ended:
                number, tried = running.pop(reference)
                report = replace(_result(ray, reference, jobs[number]), attempts=tried)
                again = isinstance(report, Refused) and report.cause in (LOST, STORAGE)
                if again and tried <= cluster.retries:
                    waiting.append((number, tried + 1))
                else:
                    yield number, report


def needs_of(network: Network, memory_gb: float) -> dict[str, float]:
    """What Ray keeps for an input, in the words of `ray.remote`."""
    on_cpu = network.engine == "auto" or ENGINES.find(network.engine).on_cpu
    return {
        "num_cpus": network.threads or 1,
        "memory": int(memory_gb * GB),
        **({} if on_cpu else {"num_gpus": GPU_SHARE}),
    }


def places_in(nodes: Sequence[Mapping[str, Any]], task_needs: Mapping[str, float]) -> int:
    """How many tasks with these needs can run at once on the nodes, as `ray.nodes` tells them: none is on two."""
    words = {"num_cpus": "CPU", "memory": "memory", "num_gpus": "GPU"}
    alive = [node["Resources"] for node in nodes if node["Alive"]]
    return sum(int(min(has.get(words[name], 0) // need for name, need in task_needs.items())) for has in alive)


def _no_room(nodes: Sequence[Mapping[str, Any]], task_needs: Mapping[str, float]) -> str:
    machines = sorted(
        {
            f"{has.get('CPU', 0):g} cores, {has.get('memory', 0) / GB:.1f} GB, {has.get('GPU', 0):g} GPUs"
            for has in (node["Resources"] for node in nodes if node["Alive"])
        }
    )
    gpu = " and a GPU" if "num_gpus" in task_needs else ""
    return (
        f"Ray: no machine has room for an input, which takes {task_needs['num_cpus']:g} cores and "
        f"{task_needs['memory'] / GB:g} GB{gpu}: there are machines of {'; of '.join(machines)}; take fewer --threads "
        "or less --memory, or let a larger machine join"
    )


def _result(ray: Any, reference: Any, job: Job) -> Labelled | Refused:
    try:
        report: Labelled | Refused = ray.get(reference)
        return report
    except ray.exceptions.RayTaskError as error:
        cause, why = FAULT, f"{type(error.cause).__name__}: {error.cause}"
    except ray.exceptions.RayError as error:
        cause, why = LOST, f"its worker or machine was lost: {str(error).strip().splitlines()[0]}"
    return Refused(input=f"{job.path}", output=f"{job.output}", error=f"{job.path}: {why}", cause=cause)


@contextmanager
def _joined(address: str) -> Iterator[Any]:
    """Ray, connected to the cluster; it stays so where this process was before."""
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # no usage reports
    with needs("--ray needs Ray", "ray"):
        import ray
    if ray.is_initialized():
        yield ray
        return
    given = {"env_vars": {IMPORTS: os.environ[IMPORTS]}} if IMPORTS in os.environ else None
    where = os.environ.get("RAY_ADDRESS") if address == AUTO else address
    try:
        if where:
            _knock(where)
        ray.init(where, logging_level=logging.ERROR, log_to_driver=False, runtime_env=given)
    except (OSError, ValueError, RuntimeError) as error:
        reason = str(error).strip().splitlines()[0]
        raise PerceptionError(f"--ray {where or address}: no cluster of Ray answers there ({reason})") from error
    try:
        yield ray
    finally:
        ray.shutdown()


def _knock(address: str) -> None:
    """Raises OSError where nothing listens at HOST:PORT: Ray itself would try it for minutes."""
    host, _, port = address.rpartition("://")[2].rpartition(":")
    if host and port.isdecimal():
        socket.create_connection((host.strip("[]"), int(port)), KNOCK_S).close()

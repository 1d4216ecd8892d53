# SPDX-License-Identifier: Apache-2.0
"""The processes that train together: how each joins the others, and how they stay of one mind.

torchrun, or `perception.training.launch`, starts them and tells each its number by environment variables.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import torch
from torch import distributed
from torch.distributed import PrefixStore, rendezvous  # type: ignore[attr-defined]

from perception.errors import ModelError, PerceptionError
from perception.models import across

T = TypeVar("T")

UNNAMED = "none"
"""The name that torchrun gives to every run of several machines unless --rdzv-id says another."""


def is_started() -> bool:
    """Whether torchrun, or `launch`, started this process as one of a group."""
    return "TORCHELASTIC_RUN_ID" in os.environ and "RANK" in os.environ


def on_this_machine() -> int:
    """How many processes of the group this machine has; 1 without a group."""
    return int(os.environ.get("LOCAL_WORLD_SIZE", 1)) if across.processes() > 1 else 1


@contextmanager
def joined() -> Iterator[bool]:
    """Be one of the processes that were started together; gives whether this is the first, which speaks for all.

    NCCL connects GPUs, one for each process, and gloo CPUs, whose threads are divided. Without a group it does nothing.
    Raises ModelError if there are fewer GPUs than processes.
    """
    if not is_started():
        yield True
        return
    here, local = int(os.environ["LOCAL_WORLD_SIZE"]), int(os.environ["LOCAL_RANK"])
    gpus = torch.cuda.device_count()
    if 0 < gpus < here:
        raise ModelError(
            f"{here} processes on a machine with {gpus} GPU(s): start one for each, or hide the GPUs with "
            "CUDA_VISIBLE_DEVICES= to train on the CPU"
        )
    if gpus:
        torch.cuda.set_device(local)
    # torchrun gives each process a single thread unless it is told otherwise.
    threads = max(1, len(os.sched_getaffinity(0)) // here)
    os.environ["OMP_NUM_THREADS"] = os.environ["MKL_NUM_THREADS"] = str(threads)
    torch.set_num_threads(threads)
    _connect("nccl" if gpus else "gloo")
    try:
        yield across.rank() == 0
    finally:
        distributed.destroy_process_group()


def _connect(backend: str) -> None:
    """Join the process group.

    torchrun keeps one store for a run and all its restarts, so that a restarted process may read the address of one
    that is dead (https://github.com/pytorch/pytorch/issues/135712). On one machine each start has its own part of the
    store; machines count their restarts each by itself, so that there torchrun must not share the store.
    Raises ModelError if it does.
    """
    restarts = int(os.environ.get("TORCHELASTIC_MAX_RESTARTS", 0))
    if restarts == 0 or os.environ.get("TORCHELASTIC_USE_AGENT_STORE") != "True":
        distributed.init_process_group(backend)
        return
    if int(os.environ.get("GROUP_WORLD_SIZE", 1)) > 1:
        raise ModelError(
            "processes on several machines cannot be started again while torchrun shares its store with them: set "
            "TORCH_DISABLE_SHARE_RDZV_TCP_STORE=1 in the environment of every torchrun, or give it --max-restarts 0"
        )
    store, rank, size = next(rendezvous("env://"))
    own = PrefixStore(f"start_{os.environ['TORCHELASTIC_RESTART_COUNT']}", store)
    distributed.init_process_group(backend, store=own, rank=rank, world_size=size)


@contextmanager
def agreed() -> Iterator[None]:
    """An error of ours inside, in any process, is raised in all of them: else the others would wait for that one.

    Nothing inside may communicate.
    """
    error: PerceptionError | None = None
    try:
        yield
    except PerceptionError as found:
        error = found
    errors: list[str | None] = [None] * across.processes()
    if across.processes() > 1:
        distributed.all_gather_object(errors, str(error) if error else None)
    if error:
        raise error
    for said in filter(None, errors):
        raise ModelError(said)


def from_first(work: Callable[[], T]) -> T:
    """What `work` returns, or raises of ours, in the first process: others may not see its files."""
    if across.processes() == 1:
        return work()
    box: list[Any] = [None, None]
    if across.rank() == 0:
        try:
            box[0] = work()
        except PerceptionError as error:
            box[1] = str(error)
    distributed.broadcast_object_list(box)
    if box[1] is not None:
        raise ModelError(box[1])
    result: T = box[0]
    return result


def run_name() -> str | None:
    """The name of this run, which its restarts keep; None without a group."""
    return os.environ["TORCHELASTIC_RUN_ID"] if is_started() else None


def is_restarted(path: Path) -> bool:
    """Whether the agent started these processes again after one of them was lost.

    Raises ModelError if it is so and the run has no name: the checkpoint `path` may be of another run then.
    """
    again = is_started() and int(os.environ.get("TORCHELASTIC_RESTART_COUNT", 0)) > 0
    if again and run_name() == UNNAMED:
        raise ModelError(
            f"{path}: may be of another run: to let torchrun start this one again, give it --rdzv-id with a name that "
            "no other run has"
        )
    return again

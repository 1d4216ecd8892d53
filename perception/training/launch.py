# SPDX-License-Identifier: Apache-2.0
"""Starts processes of this machine that train together, as `torchrun --standalone` does, with the same agent."""

from __future__ import annotations

import multiprocessing
import signal
import uuid
from collections.abc import Callable
from typing import Any

from torch.distributed.elastic.multiprocessing import SignalException
from torch.distributed.elastic.multiprocessing.errors import ChildFailedError
from torch.distributed.launcher.api import LaunchConfig, elastic_launch

from perception.errors import ModelError
from perception.processes import begin_worker


def launch(work: Callable[..., Any], *arguments: Any, processes: int, restarts: int = 0) -> list[Any]:
    """What `work(*arguments)` returns in each of `processes` processes; `work` is a function of a module.

    If one of them is lost, all are started again, at most `restarts` times. Raises ModelError if that was in vain.
    """
    config = LaunchConfig(
        min_nodes=1,
        max_nodes=1,
        nproc_per_node=processes,
        run_id=str(uuid.uuid4()),
        rdzv_backend="c10d",
        rdzv_endpoint="localhost:0",
        local_addr="localhost",
        max_restarts=restarts,
    )
    before = {
        number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGQUIT)
    }
    try:
        results = elastic_launch(config, _begin)(work, *arguments)
    except SignalException as error:
        raise KeyboardInterrupt from error
    except ChildFailedError as error:
        number, failure = error.get_first_failure()
        how = f"was ended by {failure.signal_name()}" if failure.exitcode < 0 else f"failed with {failure.exitcode}"
        raise ModelError(
            f"process {number} of {processes} {how}, after {restarts} restarts; continue from the last checkpoint with "
            "--resume"
        ) from error
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    return [results[number] for number in range(processes)]


def _begin(work: Callable[..., Any], *arguments: Any) -> Any:
    begin_worker()
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # the agent hands Ctrl-C on and waits for its effect
    multiprocessing.set_start_method(None, force=True)  # this process was spawned; those that make crops need not be
    return work(*arguments)

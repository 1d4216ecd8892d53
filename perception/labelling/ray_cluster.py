# SPDX-License-Identifier: Apache-2.0
"""Whole recordings over a Ray cluster: Ray assigns them to nodes and repeats those of a lost node."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Sequence

from perception.errors import PerceptionError
from perception.extras import needs
from perception.labelling.job import Job, attempt
from perception.labelling.report import Labelled, Refused
from perception.registry import IMPORTS


def run_on_ray(jobs: Sequence[Job], done: Callable[[], None]) -> list[Labelled | Refused]:
    """The jobs' reports, in their order. done: called after each.

    The cluster is the one that RAY_ADDRESS or `ray start` says, else one of this machine for the time being. Each job
    is one task, which takes as many CPUs as it has threads. Every node needs this package, and the paths of inputs and
    outputs. Raises PerceptionError without Ray, and where it loses a task for good.
    """
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # no usage reports
    with needs("--on ray needs Ray", "ray"):
        import ray
    started = not ray.is_initialized()
    if started:
        given = {"env_vars": {IMPORTS: os.environ[IMPORTS]}} if IMPORTS in os.environ else None
        ray.init(logging_level=logging.ERROR, log_to_driver=False, runtime_env=given)
    try:
        waiting = {
            ray.remote(num_cpus=job.network.threads or 1)(attempt).remote(job): number
            for number, job in enumerate(jobs)
        }
        reports: dict[int, Labelled | Refused] = {}
        while waiting:
            ready, _ = ray.wait(list(waiting), num_returns=1)
            reports[waiting.pop(ready[0])] = ray.get(ready[0])
            done()
    except ray.exceptions.RayError as error:
        reason = str(error).strip().splitlines()[0]
        raise PerceptionError(f"Ray: {reason}; run it again: finished frames are kept") from error
    finally:
        if started:
            ray.shutdown()
    return [reports[number] for number in range(len(jobs))]

# SPDX-License-Identifier: Apache-2.0
"""One run of `perception label`: a job for every input, here or on a Ray cluster."""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console

from perception.assembly.settings.naming import rig_beside
from perception.assembly.settings.topics import full_path, read_topics
from perception.engines import ENGINES
from perception.errors import DataError, PerceptionError
from perception.labelling.clouds import require_writer
from perception.labelling.job import Job, attempt
from perception.labelling.ray_cluster import run_on_ray
from perception.labelling.report import Labelled, LabelReport, Refused, total
from perception.labelling.workers import Network
from perception.recordings.opening import AS_FOUND, Reading
from perception.reporting.progress import Steps
from perception.storage import Source

LOCAL, RAY = "local", "ray"


@dataclass(frozen=True, kw_only=True)
class LabelOptions:
    """What is labelled, how, and what is written of it.

    output: a folder, of several inputs one with a folder for each; None is labels/INPUT. write: masks, colours,
    confidence, bag, video, cloud. cloud: the format of clouds. storage: of the bag. topics, calibration, reading: see
    `open_recording`. without: sensors to leave out. model, engine: see `Pipeline.load`; threads: of all workers. on:
    LOCAL or RAY. workers: processes here, each with a network. cross_check: see `label_frames`.
    """

    inputs: Sequence[Path]
    output: Path | None = None
    write: Sequence[str] = ("masks", "video")
    cloud: str = "ply"
    storage: str = "mcap"
    topics: str | None = None
    calibration: Path | None = None
    reading: Reading = AS_FOUND
    without: Sequence[str] = ()
    model: str | Path | None = None
    engine: str = "auto"
    on: str = LOCAL
    workers: int | None = None
    threads: int | None = None
    cross_check: int = 25


def run_label(options: LabelOptions, console: Console) -> LabelReport:
    """Label every input; one that cannot be labelled leaves the others alone. console: shows progress.

    Raises PerceptionError, before anything is labelled, for options that do not go together.
    """
    if "cloud" in options.write:
        require_writer(options.cloud)
    if options.on == RAY and options.workers:
        raise PerceptionError("--workers is for this machine: on Ray each input has one; --threads gives it more CPUs")
    began = time.monotonic()
    return total(_run(jobs(options), options.on, console), time.monotonic() - began)


def _run(work: Sequence[Job], on: str, console: Console) -> list[Labelled | Refused]:
    if on == LOCAL:
        return [attempt(job, console) for job in work]
    with Steps(console).step("ray", "label on Ray", len(work)) as advance:
        return run_on_ray(work, advance)


def jobs(options: LabelOptions) -> list[Job]:
    """One per input; of several, each has a folder of its own. Raises DataError for two of one name."""
    if options.topics:
        read_topics(options.topics)  # whatever the inputs are: a wrong one is told before anything is labelled
    paths = [path.expanduser().resolve() for path in options.inputs]
    names = [path.name for path in paths]
    output = (options.output or Path("labels")).expanduser().resolve()
    twice = {name for name in names if names.count(name) > 1}
    if twice:
        raise DataError(f"two inputs are called {min(twice)}, and so would be their folders in {output}")
    local = options.on == LOCAL
    threads = options.threads or (len(os.sched_getaffinity(0)) if local else 1)
    at_once = threads if options.engine == "auto" or ENGINES.find(options.engine).on_cpu else 2
    return [
        Job(
            path=path,
            output=output if options.output and len(paths) == 1 else output / path.name,
            outputs=tuple(dict.fromkeys(options.write)),
            network=Network(options.model, options.engine, threads, tuple(sorted(set(options.without)))),
            workers=(options.workers or at_once) if local else 1,
            cloud=options.cloud,
            storage=options.storage,
            topics=full_path(options.topics),
            calibration=options.calibration and options.calibration.expanduser().resolve(),
            rig=None if isinstance(path, Source) else rig_beside(path),  # the job looks there
            reading=options.reading,
            cross_check=options.cross_check,
        )
        for path in paths
    ]

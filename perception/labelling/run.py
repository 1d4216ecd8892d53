# SPDX-License-Identifier: Apache-2.0
"""One run of `perception label`: a job for every input, here or on a Ray cluster."""

from __future__ import annotations

import os
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console

from perception.assembly.settings.naming import rig_beside
from perception.assembly.settings.topics import full_path, read_topics
from perception.engines import ENGINES
from perception.errors import DataError, PerceptionError
from perception.labelling.clouds import require_writer
from perception.labelling.failed import FAILED, read_failed, write_failed
from perception.labelling.job import Job, attempt
from perception.labelling.ray_cluster import Cluster, run_on_ray
from perception.labelling.report import Labelled, LabelReport, Refused, total
from perception.labelling.workers import Network
from perception.recordings.opening import AS_FOUND, Reading
from perception.reporting.progress import Steps
from perception.storage import Source, writing


@dataclass(frozen=True, kw_only=True)
class LabelOptions:
    """What is labelled, how, and what is written of it.

    output: a folder, of several inputs one with a folder for each; None is labels/INPUT. listed: the inputs are
    several even where there is one, as of a list. write: masks, or outputs of `files.OUTPUTS`. cloud: the format of
    clouds. storage: of the bag. topics, calibration, reading: see `open_recording`. without: sensors to leave out.
    model, engine: see `Pipeline.load`; threads: of all workers. cluster: None for this machine. workers: processes
    here, each with a network. cross_check: see `label_frames`.
    """

    inputs: Sequence[Path]
    output: Path | None = None
    listed: bool = False
    write: Sequence[str] = ("masks", "video")
    cloud: str = "ply"
    storage: str = "mcap"
    topics: str | None = None
    calibration: Path | None = None
    reading: Reading = AS_FOUND
    without: Sequence[str] = ()
    model: str | Path | None = None
    engine: str = "auto"
    cluster: Cluster | None = None
    workers: int | None = None
    threads: int | None = None
    cross_check: int = 25


def run_label(options: LabelOptions, console: Console) -> LabelReport:
    """Label every input; one that cannot be labelled leaves the others alone. console: shows progress.

    Of several inputs, those that could not be labelled are listed in FAILED beside their folders, also where the run is
    stopped. Raises PerceptionError, before anything is labelled, for options that do not go together.
    """
    if "cloud" in options.write:
        require_writer(options.cloud)
    if options.cluster and options.workers:
        raise PerceptionError("--workers is for this machine: on Ray each input has one; --threads gives it more CPUs")
    began = time.monotonic()
    work = jobs(options)
    listing = _root(options) / FAILED if _several(options) else None
    reports: dict[int, Labelled | Refused] = {}
    with writing(listing, continues=True) if listing else nullcontext():
        before = read_failed(listing) if listing else []
        try:
            reports.update(_run(work, options.cluster, console))  # one by one: they are kept where it ends early
        finally:
            if listing and reports:
                refused = [each for _, each in sorted(reports.items()) if isinstance(each, Refused)]
                write_failed(listing, before, {each.input for each in reports.values()}, refused)
    return total([reports[number] for number in range(len(work))], time.monotonic() - began)


def _run(work: Sequence[Job], cluster: Cluster | None, console: Console) -> Iterator[tuple[int, Labelled | Refused]]:
    if cluster is None:
        yield from ((number, attempt(job, console)) for number, job in enumerate(work))
        return
    with Steps(console).step("ray", "label on Ray", len(work)) as advance:
        for number, report in run_on_ray(work, cluster):
            yield number, report
            advance()


def _several(options: LabelOptions) -> bool:
    return options.listed or len(options.inputs) > 1


def _root(options: LabelOptions) -> Path:
    return (options.output or Path("labels")).expanduser().resolve()


def jobs(options: LabelOptions) -> list[Job]:
    """One per input; of several, each has a folder of its own. Raises DataError for two of one name."""
    if options.topics:
        read_topics(options.topics)  # whatever the inputs are: a wrong one is told before anything is labelled
    paths = [path.expanduser().resolve() for path in options.inputs]
    output = _root(options)
    twice = {name for name, count in Counter(path.name for path in paths).items() if count > 1}
    if twice:
        raise DataError(f"two inputs are called {min(twice)}, and so would be their folders in {output}")
    local = options.cluster is None
    threads = options.threads or (len(os.sched_getaffinity(0)) if local else 1)
    at_once = threads if options.engine == "auto" or ENGINES.find(options.engine).on_cpu else 2
    return [
        Job(
            path=path,
            output=output if options.output and not _several(options) else output / path.name,
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

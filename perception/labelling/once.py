# SPDX-License-Identifier: Apache-2.0
"""What makes a recording be labelled once, however often it is tried: a key, a record of what is complete, a lock."""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, replace
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import perception
from perception.assembly.settings.topics import calibration_beside, split_camera
from perception.disk import write_json
from perception.engines.described import described_by
from perception.engines.family import find_member, weights_of
from perception.engines.manifest import digest_of
from perception.errors import DataError
from perception.labelling.files import FrameFiles
from perception.labelling.report import Labelled, Overturn, Provenance, Summary
from perception.storage import Source, source

if TYPE_CHECKING:
    from perception.labelling.job import Job

MANIFEST = "label.json"
"""Records in an output folder what was labelled, with which weights and settings."""

DONE = "done.json"
"""In an output folder: the key of what is complete in it, and the report of it."""

SAMPLED, SAMPLE = 16, 64 * 1024
"""Of a recording's so many largest files the first and last so many bytes count, of all others name and size."""

WAIT_S = 120.0
"""How long another process may be busy in the folder: one whose machine counts as lost may live on for a while."""


def key_of(job: Job) -> str:
    """A digest of all that the job's outputs depend on: the recording's content, the weights, and every option.

    It opens neither recording nor network, so that what is complete is told at once. Raises ModelError where there is
    no such model, and OSError where a file cannot be read.
    """
    member = find_member(job.network.model, job.network.engine)
    model, weights = member.path, weights_of(member.path)
    topics = None if job.topics is None else source(split_camera(job.topics)[0])
    beside = None if job.topics is None else calibration_beside(job.topics)
    files = (topics, beside, job.calibration, job.rig, described_by(model))
    parts = [
        *(perception.__version__, f"{job.path}", _content(job.path, job.output)),
        *(
            member.engine,
            digest_of(model),
            digest_of(weights) if weights.is_file() else None,
            member.scale,
            member.twice,
        ),
        sorted(job.network.without),
        *(sorted(job.outputs), job.cloud, job.storage, list(job.reading), job.topics),
        *(digest_of(path) if path is not None and path.is_file() else None for path in files),
    ]
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()


def _content(path: Path, output: Path) -> str:
    """Digest of a recording's files; of what lies beside a KITTI drive, its calibration. output: does not count.

    Of a recording in an object store, nothing is fetched: the store tells what has changed.
    """
    if isinstance(path, Source):
        beside = [each for each in path.parent.glob("calib*.txt") if each.is_file()]
        return "/".join(each.version() for each in (path, *sorted(beside)))
    found = [path] if path.is_file() else [*path.parent.glob("calib*.txt")]
    for folder, folders, names in os.walk(path, followlinks=True):
        folders[:] = [name for name in folders if Path(folder, name) != output]
        found += [Path(folder, name) for name in names if not name.startswith(".")]
    sizes = {each: each.stat().st_size for each in sorted(found)}
    digest = hashlib.sha256()
    for each, size in sizes.items():
        digest.update(f"{os.path.relpath(each, path)} {size}\n".encode())
    for each in sorted(sizes, key=lambda each: -sizes[each])[:SAMPLED]:
        with each.open("rb") as file:
            digest.update(file.read(SAMPLE))
            file.seek(max(0, sizes[each] - SAMPLE))
            digest.update(file.read(SAMPLE))
    return digest.hexdigest()


def note_complete(job: Job, key: str, report: Labelled, products: list[Path]) -> None:
    """Record that everything of the job is in its folder. products: its files beside those of the frames."""
    sizes = {str(path.relative_to(job.output)): path.stat().st_size for path in products}
    manifest = digest_of(job.output / MANIFEST)
    write_json(job.output / DONE, {"key": key, "manifest": manifest, "products": sizes, "report": asdict(report)})


def complete(job: Job, key: str) -> Labelled | None:
    """The report of the job, all frames kept, where its folder is complete under this key; else None."""
    try:
        found = json.loads((job.output / DONE).read_text("utf-8"))
        if (found["key"], found["manifest"]) != (key, digest_of(job.output / MANIFEST)):
            return None
        report = _read(found["report"])
        if any((job.output / name).stat().st_size != size for name, size in found["products"].items()):
            return None
    except (OSError, ValueError, KeyError, TypeError, AttributeError):  # not there, or of another version
        return None
    files = FrameFiles(job.output, job.outputs, job.cloud)
    records = job.output / "frames"
    names = [path.relative_to(records).as_posix().removesuffix(".json") for path in records.rglob("*.json")]
    if len(names) != report.summary.frames or not all(map(files.is_done, names)):
        return None
    return replace(report, summary=replace(report.summary, labelled=0, kept=report.summary.frames), fps=None)


def _read(found: dict[str, Any]) -> Labelled:
    overturns = {name: Overturn(**each) for name, each in found["summary"]["overturns"].items()}
    summary = Summary(**{**found["summary"], "overturns": overturns})
    return Labelled(**{**found, "summary": summary, "provenance": Provenance(**found["provenance"])})


@contextmanager
def alone(path: Path, wait_s: float = WAIT_S) -> Iterator[None]:
    """Holds the file locked, which every other process that does so waits for. The lock ends with the process.

    Raises DataError where another process holds it for longer than `wait_s`. A file system without locks has none.
    """
    until = time.monotonic() + wait_s
    with path.open("r+b") as file:
        while not _locked(file):
            if time.monotonic() > until:
                raise DataError(f"{path.parent}: another process labels into it; wait for it, or name a new folder")
            time.sleep(0.2)
        yield


def _locked(file: IO[bytes]) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        return True
    return True

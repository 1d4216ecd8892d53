# SPDX-License-Identifier: Apache-2.0
"""One recording of `perception label`: open it, label what is not labelled yet, then build video and bag."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import socket
import time
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
from rich.console import Console

import perception
from perception.bags.frames import BagFrames
from perception.classes import CLASS_NAMES
from perception.datasets.io.files import read_text
from perception.datasets.io.named_frames import NamedFrames
from perception.disk import on_full_disk, write_json
from perception.errors import DataError, PerceptionError
from perception.frame import MODALITIES
from perception.labelling.files import FrameFiles
from perception.labelling.workers import CHUNK, Network, Outcome, label_frames, label_in_processes
from perception.recordings.opening import AS_FOUND, Reading, open_recording
from perception.reporting.progress import Steps
from perception.reporting.provenance import versions
from perception.reporting.video import has_frames

MANIFEST = "label.json"
"""Says of an output folder what was labelled, by which weights and with which settings."""

VIDEO, BAG = "overlay", "labelled_bag"


@dataclass(frozen=True)
class Job:
    """One input and all that is to be made of it.

    storage: of the bag. topics, calibration, rig, reading: see `open_recording`. cross_check: see `label_frames`.
    """

    path: Path
    output: Path
    outputs: tuple[str, ...]
    network: Network
    workers: int = 1
    cloud: str = "ply"
    storage: str = "mcap"
    topics: str | None = None
    calibration: Path | None = None
    rig: Path | None = None
    reading: Reading = AS_FOUND
    cross_check: int = 0


def attempt(job: Job, console: Console | None = None) -> dict[str, Any]:
    """`run_job`, with what a user can mend as the report's `error`. console: shows progress; None for none."""
    try:
        return run_job(job, Steps(console or Console(quiet=True)))
    except (PerceptionError, OSError) as error:
        reason = (
            str(error) if isinstance(error, PerceptionError) else f"{error.filename or job.output}: {error.strerror}"
        )
        return {"input": str(job.path), "output": str(job.output), "error": reason}


def run_job(job: Job, steps: Steps) -> dict[str, Any]:
    """Do it; the report. Raises PerceptionError and OSError where it cannot go on; what is done stays done."""
    began = time.monotonic()
    frames = open_recording(job.path, job.topics, job.calibration, job.rig, job.reading)
    files = FrameFiles(job.output, job.outputs, job.cloud)
    pipeline = job.network.load()
    pipeline.self_check()
    model = {"model": pipeline.model.name, "weights_sha256": pipeline.weights_sha256}
    engine = pipeline.engine.name
    _claim(job.output, {"input": str(frames.path.resolve()), **model, **_settings(job, frames, engine)})
    numbers = [number for number, name in enumerate(frames.names) if not files.is_done(name)]
    with steps.step("label", f"label {job.path.name}", len(numbers)) as advance:
        workers = min(job.workers, len(numbers) // CHUNK)
        with on_full_disk(job.output, lambda: _to_come(files, [frames.names[number] for number in numbers])):
            if workers < 2:
                outcome = label_frames(pipeline, frames, numbers, files, advance, job.cross_check)
            else:
                del pipeline  # a network less in memory
                outcome = label_in_processes(workers, job.network, frames, numbers, files, advance, job.cross_check)
    done = [number for number, name in enumerate(frames.names) if name not in outcome.failed]
    left_out = _last_pass(job, frames, files, done, steps)
    summary = _summary(files, [frames.names[number] for number in done], outcome)
    labelling = steps.seconds["label"]
    return {
        "input": str(job.path),
        "output": str(job.output),
        **summary,
        "remarks": list(frames.remarks),
        "broken": frames.broken,
        "topics_left_out": left_out,
        "fps": round(outcome.labelled / labelling, 2) if outcome.labelled else None,
        "seconds": {**_rounded(steps.seconds), "total": round(time.monotonic() - began, 2)},
        **model,
        "engine": engine,
        "ran_on": f"{socket.gethostname()}:{os.getpid()}",
        "versions": versions(),
    }


def _settings(job: Job, frames: NamedFrames, engine: str) -> dict[str, Any]:
    """All that the labels depend on beside input and weights, by content: a file may change under its name."""
    kind, _, *how = engine.split()  # without its version, which changes roundings at most
    return {
        "engine": " ".join((kind, *how)),
        "topics": dict(sorted(frames.topics.items())) if isinstance(frames, BagFrames) else None,
        "calibration": _digest(frames),
        "reading": list(job.reading),
        "without": list(job.network.without),
        "version": perception.__version__,
        "classes": list(CLASS_NAMES),
    }


def _digest(frames: NamedFrames) -> str | None:
    """Of the calibration of the first frame, wherever that comes from; None where there is none, or it is broken."""
    try:
        frame = frames[0]
    except PerceptionError:
        return None
    camera, mount = frame.camera, frame.lidar_to_camera
    if camera is None:
        return None
    numbers = [camera.width, camera.height, *camera.intrinsics.ravel(), *(() if mount is None else mount.ravel())]
    return hashlib.sha256(np.round(np.array(numbers, np.float64), 9).tobytes()).hexdigest()[:16]


def _claim(folder: Path, manifest: dict[str, Any]) -> None:
    """Make the folder this job's. Raises DataError if it is something else's, or was labelled in another way."""
    path = folder / MANIFEST
    if not path.is_file():
        if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
            raise DataError(f"{folder}: not empty, and not made by `perception label`; name a new folder")
        folder.mkdir(parents=True, exist_ok=True)
        write_json(path, manifest)
        return
    try:
        before = json.loads(read_text(path))
        differing = [key for key in manifest if key != "model" and before.get(key, "unknown") != manifest[key]]
    except (ValueError, AttributeError) as error:
        raise DataError(f"{path}: broken ({error}); name a new folder") from error
    if differing:
        said = "; ".join(f"{key} was {before.get(key, 'unknown')}, is {manifest[key]}" for key in differing)
        raise DataError(f"{folder}: holds labels of another {' and '.join(differing)} ({said}); name a new folder")


def _to_come(files: FrameFiles, names: Sequence[str]) -> int | None:
    """Bytes that the frames' files will still need, by those that are done; None before the first."""
    done = [files.size(name) for name in names if files.is_done(name)]
    return sum(done) * (len(names) - len(done)) // len(done) if done else None


def _last_pass(job: Job, frames: NamedFrames, files: FrameFiles, done: Sequence[int], steps: Steps) -> list[str]:
    """Build video and bag, unless they are whole and younger than all labels; topics that the bag lacks."""
    from perception.labelling.bag import write_label_bag
    from perception.labelling.video import write_video

    newest = max((files.path("frames", frames.names[number]).stat().st_mtime_ns for number in done), default=0)
    left_out: list[str] = []
    if "video" in job.outputs and done:
        made = [path for path in job.output.glob(f"{VIDEO}.*") if path.stat().st_mtime_ns >= newest]
        if not any(has_frames(path, len(done)) for path in made):
            with steps.step("video", "draw the video", len(done)) as advance:
                write_video(frames, done, files, job.output / VIDEO, advance)
    bag = job.output / BAG
    if "bag" in job.outputs and done:
        index = bag / "metadata.yaml"
        kept = index.is_file() and index.stat().st_mtime_ns >= newest
        if not kept or f"storage_identifier: {job.storage}" not in read_text(index):
            shutil.rmtree(bag, ignore_errors=True)
            with steps.step("bag", "write the bag", len(done)) as advance:
                left_out = write_label_bag(frames, done, files, bag, job.storage, advance)
    return left_out


def _summary(files: FrameFiles, names: Sequence[str], outcome: Outcome) -> dict[str, Any]:
    """What the frames' records say together, those of earlier runs too."""
    pixels, sensors, complaints, absent = Counter[str](), Counter[str](), Counter[str](), Counter[str]()
    weights = Counter[str]()
    overturns: defaultdict[str, list[tuple[float, str]]] = defaultdict(list)
    for name in names:
        record = files.record(name)
        pixels.update(record["pixels"])
        without = record.get("absent", {})
        absent.update(
            reason.partition(":")[0] for reason in without.values()
        )  # the rest may differ from frame to frame
        sensors.update(name for name in record["modalities"] if name not in without)
        complaints.update(record["complaints"])
        weights.update(record.get("modality_weights", {}))
        for sensor, share in record.get("overturns", {}).items():
            overturns[sensor].append((share, name))
    total = max(1, pixels.total())
    return {
        "frames": len(names) + len(outcome.failed),
        "labelled": outcome.labelled,
        "kept": len(names) - outcome.labelled,
        "failed": outcome.failed,
        "sensors": dict(sensors),
        "weights": {sensor: round(weights[sensor] / len(names), 4) for sensor in MODALITIES if sensor in sensors},
        "overturns": {sensor: _typical(found) for sensor, found in overturns.items()},
        "absent": dict(absent),
        "complaints": dict(complaints),
        "share": {name: round(pixels[name] / total, 5) for name in CLASS_NAMES},
    }


def _typical(found: list[tuple[float, str]]) -> dict[str, Any]:
    """Of the shares and names of the frames that were asked of: how many, the median, and where it was most."""
    share, frame = max(found)
    return {"frames": len(found), "share": round(median(each for each, _ in found), 4), "most": share, "frame": frame}


def _rounded(seconds: dict[str, float]) -> dict[str, float]:
    return {name: round(value, 2) for name, value in seconds.items()}

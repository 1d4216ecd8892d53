# SPDX-License-Identifier: Apache-2.0
"""One recording of `perception label`: open it, label the remaining frames, then build video, annotations and bag."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import socket
import time
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
from rich.console import Console

import perception
from perception.assembly.settings.naming import rig_beside
from perception.bags.frames import BagFrames
from perception.classes import Classes
from perception.datasets.io.files import read_text
from perception.datasets.io.named_frames import NamedFrames
from perception.disk import DiskFull, is_partial, on_full_disk, write_json
from perception.errors import DataError, PerceptionError
from perception.labelling.files import FrameFiles
from perception.labelling.once import MANIFEST, alone, complete, key_of, note_complete
from perception.labelling.report import REFUSED, STORAGE, Labelled, Overturn, Provenance, Refused, Summary
from perception.labelling.workers import CHUNK, Network, Outcome, label_frames, label_in_processes
from perception.objects import Tracking
from perception.recordings.opening import AS_FOUND, WITH_STAMPS, Reading, kind_of, open_recording
from perception.reporting.progress import Steps
from perception.reporting.provenance import versions
from perception.reporting.video import has_frames
from perception.sensors.spec import SPECS
from perception.storage import Source, shown, writing
from perception.storage.store import Unreachable

VIDEO, BAG, COCO, PANOPTIC = "overlay", "labelled_bag", "coco.json", "panoptic.json"

FOR_GOOD = (FileNotFoundError, PermissionError, IsADirectoryError, NotADirectoryError)
"""Errors of files that another try does not mend."""


@dataclass(frozen=True)
class Job:
    """One input and the outputs to make from it.

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


def attempt(job: Job, console: Console | None = None) -> Labelled | Refused:
    """`run_job`, with errors of the user as the report's `error`. console: shows progress; None for none."""
    try:
        with writing(job.output, continues=True):
            return run_job(job, Steps(console or Console(quiet=True)))
    except (PerceptionError, OSError) as error:
        reason = str(error)
        if isinstance(error, OSError):
            reason = f"{error.filename or job.output}: {error.strerror or reason}"
        cause = STORAGE if _may_pass(error) else REFUSED
        return Refused(input=f"{job.path}", output=f"{job.output}", error=shown(reason), cause=cause)


def _may_pass(error: BaseException) -> bool:
    """Whether it comes from files that could not be read or written just now."""
    first = error.__cause__ if isinstance(error, PerceptionError) else error
    passing = isinstance(first, OSError) and not isinstance(first, FOR_GOOD) and not isinstance(error, DiskFull)
    return passing or isinstance(error, Unreachable)


def run_job(job: Job, steps: Steps) -> Labelled:
    """Run the job and return its report. Raises PerceptionError and OSError; finished frames are kept."""
    began = time.monotonic()
    ran_on = f"{socket.gethostname()}:{os.getpid()}"
    if isinstance(job.path, Source):
        job = replace(job, rig=rig_beside(job.path))  # whoever asked for the job did not look there
    key = key_of(job) if job.path.exists() else ""  # what there is not is told by `open_recording`
    kept = complete(job, key)
    if kept is not None:
        return replace(kept, seconds={"total": round(time.monotonic() - began, 2)}, ran_on=ran_on)
    frames = open_recording(job.path, job.topics, job.calibration, job.rig, job.reading)
    pipeline = job.network.load()
    files = FrameFiles(job.output, job.outputs, job.cloud, pipeline.classes)
    pipeline.self_check()
    model = {"model": pipeline.name, "weights_sha256": pipeline.weights_sha256}
    engine = pipeline.engine.name
    where = job.path if isinstance(job.path, Source) else frames.path.resolve()
    _claim(job.output, {"input": f"{where}", **model, **_settings(job, frames, engine, pipeline.classes)})
    with alone(job.output / MANIFEST):
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
        report = Labelled(
            input=f"{job.path}",
            output=f"{job.output}",
            summary=summary,
            remarks=list(frames.remarks),
            broken=frames.broken,
            topics_left_out=left_out,
            fps=round(outcome.labelled / labelling, 2) if outcome.labelled else None,
            seconds={**_rounded(steps.seconds), "total": round(time.monotonic() - began, 2)},
            provenance=Provenance(**model, engine=engine, versions=versions()),
            ran_on=ran_on,
            drive_s=_drive_s(job, frames),
        )
        if not outcome.failed and not frames.broken:
            note_complete(
                job,
                key,
                report,
                [
                    *job.output.glob(f"{VIDEO}.*"),
                    *job.output.glob(COCO),
                    *job.output.glob(PANOPTIC),
                    *(job.output / PANOPTIC).with_suffix("").rglob("*.png"),
                    *(job.output / BAG).glob("*"),
                ],
            )
    return report


def _drive_s(job: Job, frames: NamedFrames) -> float | None:
    """From the first frame to the end of the last."""
    if kind_of(job.path) not in WITH_STAMPS:
        return None
    return round((frames.stamps_ns[-1] - frames.stamps_ns[0]) / 1e9 + 1 / frames.rate_hz, 3)


def _settings(job: Job, frames: NamedFrames, engine: str, classes: Classes) -> dict[str, Any]:
    """Everything that the labels depend on beside input and weights, by content: a file may change under its name."""
    kind, _, *how = engine.split()  # without its version, which changes roundings at most
    return {
        "engine": " ".join((kind, *how)),
        "topics": dict(sorted(frames.topics.items())) if isinstance(frames, BagFrames) else None,
        **_first(frames),
        "reading": list(job.reading),
        "without": list(job.network.without),
        "version": perception.__version__,
        "classes": list(classes.names),
    }


def _first(frames: NamedFrames) -> dict[str, str | None]:
    """Digests of the first frame's calibration, wherever it comes from, and of what its sensors saw: another recording
    may have taken the place of this one. None where it is missing or broken."""
    try:
        frame = frames[0]
    except PerceptionError:
        return {"calibration": None, "recording": None}
    seen = [each for each in (frame.rgb, frame.depth, frame.infrared, frame.points) if each is not None]
    recording = hashlib.sha256(b"".join(np.ascontiguousarray(each).tobytes() for each in seen)).hexdigest()[:16]
    camera, mount = frame.camera, frame.lidar_to_camera
    if camera is None:
        return {"calibration": None, "recording": recording}
    numbers = [camera.width, camera.height, *camera.intrinsics.ravel(), *(() if mount is None else mount.ravel())]
    calibration = hashlib.sha256(np.round(np.array(numbers, np.float64), 9).tobytes()).hexdigest()[:16]
    return {"calibration": calibration, "recording": recording}


def _claim(folder: Path, manifest: dict[str, Any]) -> None:
    """Claim the folder for this job. Raises DataError if it belongs to something else or was labelled differently."""
    path = folder / MANIFEST
    if not path.is_file():
        if folder.exists() and (
            not folder.is_dir() or not all(is_partial(each, MANIFEST) for each in folder.iterdir())
        ):
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
    """Estimated bytes of the remaining frames' files; None before the first frame."""
    done = [files.size(name) for name in names if files.is_done(name)]
    return sum(done) * (len(names) - len(done)) // len(done) if done else None


def _last_pass(job: Job, frames: NamedFrames, files: FrameFiles, done: Sequence[int], steps: Steps) -> list[str]:
    """Build video, COCO's annotations of both kinds and bag, unless they are complete and newer than all labels;
    returns topics that the bag lacks."""
    from perception.labelling.bag import write_label_bag
    from perception.labelling.coco import write_coco
    from perception.labelling.panoptic import write_panoptic
    from perception.labelling.video import write_video

    names = [frames.names[number] for number in done]
    newest = max((files.path("frames", name).stat().st_mtime_ns for name in names), default=0)
    left_out: list[str] = []
    if "video" in job.outputs and done:
        made = [path for path in job.output.glob(f"{VIDEO}.*") if path.stat().st_mtime_ns >= newest]
        if not any(has_frames(path, len(done)) for path in made):
            with steps.step("video", "draw the video", len(done)) as advance:
                write_video(frames, done, files, job.output / VIDEO, advance, _tracking(job, files, names))
    coco = job.output / COCO
    if "coco" in job.outputs and done and not (coco.is_file() and coco.stat().st_mtime_ns >= newest):
        with steps.step("coco", "write COCO's annotations", len(done)) as advance:
            write_coco(frames, done, files, coco, advance)
    panoptic = job.output / PANOPTIC
    segments = [panoptic.with_suffix("") / f"{name}.png" for name in names]
    made_panoptic = all(path.is_file() and path.stat().st_mtime_ns >= newest for path in (panoptic, *segments))
    if "panoptic" in job.outputs and done and not made_panoptic:
        with steps.step("panoptic", "write COCO's panoptic annotations", len(done)) as advance:
            write_panoptic(frames, done, files, panoptic, _tracking(job, files, names), advance)
    bag = job.output / BAG
    if "bag" in job.outputs and done:
        index = bag / "metadata.yaml"
        kept = index.is_file() and index.stat().st_mtime_ns >= newest
        if not kept or f"storage_identifier: {job.storage}" not in read_text(index):
            shutil.rmtree(bag, ignore_errors=True)
            with steps.step("bag", "write the bag", len(done)) as advance:
                tracking = _tracking(job, files, names)
                left_out = write_label_bag(frames, done, files, bag, job.storage, advance, tracking)
    return left_out


def _tracking(job: Job, files: FrameFiles, names: Iterable[str]) -> Tracking | None:
    """What numbers the things of a drive whose network tells them apart; images have no times, and nothing to track."""
    of_drive = kind_of(job.path) in WITH_STAMPS
    return Tracking() if of_drive and any("instances" in files.record(name) for name in names) else None


def _summary(files: FrameFiles, names: Sequence[str], outcome: Outcome) -> Summary:
    """Summary of all frames' records, including those of earlier runs."""
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
    return Summary(
        frames=len(names) + len(outcome.failed),
        labelled=outcome.labelled,
        kept=len(names) - outcome.labelled,
        failed=outcome.failed,
        sensors=dict(sensors),
        weights={sensor: round(weights[sensor] / len(names), 4) for sensor in SPECS if sensor in sensors},
        overturns={sensor: _typical(found) for sensor, found in overturns.items()},
        absent=dict(absent),
        complaints=dict(complaints),
        share={name: round(pixels[name] / total, 5) for name in files.classes.names},
    )


def _typical(found: list[tuple[float, str]]) -> Overturn:
    """Of the shares and names of the checked frames: their number, the median, and the frame with the most."""
    share, frame = max(found)
    return Overturn(len(found), round(median(each for each, _ in found), 4), share, frame)


def _rounded(seconds: dict[str, float]) -> dict[str, float]:
    return {name: round(value, 2) for name, value in seconds.items()}

# SPDX-License-Identifier: Apache-2.0
"""One run of `perception select`: measure, rank, choose, and write."""

from __future__ import annotations

import math
import multiprocessing
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from rich.console import Console

from perception.classes import BACKGROUND, Classes
from perception.disk import write_json
from perception.errors import DataError, PerceptionError
from perception.processes import begin_worker
from perception.reporting.page import Figure
from perception.reporting.progress import Steps
from perception.reporting.reports import content
from perception.selection import page
from perception.selection.choice import Picker
from perception.selection.export import Exported, write_format, write_frame
from perception.selection.labelled import Drive, Measured, find, measure
from perception.selection.ranking import Ranking, rank
from perception.selection.report import Chosen, SelectReport
from perception.selection.signals import CONFIDENCE, FLICKER, SIGNALS, flickering, unsure

LIST, PAGE = "select.json", "select.html"


@dataclass(frozen=True, kw_only=True)
class SelectOptions:
    """What is chosen from, and what is written of it.

    labelled: folders of `perception label`, or with such below them. output: an empty or new folder. count: of frames.
    per_drive: at most so many of a recording; None is twice what is its share. apart_s: seconds between two of a
    recording. formats: of `export.FORMATS`. calibration: for what the recordings lack. workers: processes that measure.
    """

    labelled: Sequence[Path]
    output: Path
    count: int = 50
    per_drive: int | None = None
    apart_s: float = 1.0
    formats: Sequence[str] = ("cvat",)
    calibration: Path | None = None
    workers: int = 1


def run_select(options: SelectOptions, console: Console) -> SelectReport:
    """Choose the frames and write the folder. console: shows progress.

    Raises DataError for folders without labels, labels of different networks' classes, and an output that is not empty.
    """
    began = time.monotonic()
    output = options.output.expanduser().resolve()
    if output.exists() and (not output.is_dir() or any(output.iterdir())):
        raise DataError(f"{output}: not empty; name a new folder")
    drives = [Drive(folder, options.calibration) for folder in find(options.labelled)]
    steps = Steps(console)
    with steps.step("measure", "measure", len(drives)) as advance:
        found = list(_measured(drives, options.workers, advance))
    measured = [each for each in found if isinstance(each, Measured) and len(each.names)]
    unread = {str(each.folder): each.reason for each in found if isinstance(each, _Unread)}
    if not measured:
        nothing = "no frame of these folders is labelled yet; run `perception label` on them again"
        raise DataError(next(iter(unread.values()), nothing))
    classes = _common_classes([each.drive for each in measured])
    ranking = rank(measured)
    with steps.step("write", "write the chosen", options.count) as advance:
        choice = _choose(_picker(options, measured, ranking), options.count, measured, ranking, output, advance)
    if not choice.chosen:
        raise DataError(next(iter(choice.left_out.values())))
    left_out = unread | choice.left_out
    model = ", ".join(sorted({str(each.drive.manifest["model"]) for each in measured}))
    files = [path for kind in options.formats for path in write_format(kind, output, choice.exported, classes, model)]
    report = SelectReport(
        frames=len(ranking.scores),
        drives=len(drives),
        model=model,
        measured={signal: int((~np.isnan(ranking.values[signal])).sum()) for signal in SIGNALS},
        holding={
            name: round(float(ranking.holding[number]), 4)
            for number, name in enumerate(classes.names)
            if number != BACKGROUND
        },
        notes=_notes(measured, left_out, options.count, len(choice.chosen)),
        left_out=left_out,
        files=[path.name for path in files],
        seconds=round(time.monotonic() - began, 2),
        chosen=choice.chosen,
    )
    write_json(output / LIST, content("select", report))
    page.page(report, choice.pictures).write(output / PAGE)
    return report


@dataclass
class _Choice:
    """The chosen frames: for the list, for annotation tools, and for the page. left_out: see `SelectReport`."""

    chosen: list[Chosen] = field(default_factory=list)
    exported: list[Exported] = field(default_factory=list)
    pictures: list[Figure] = field(default_factory=list)
    left_out: dict[str, str] = field(default_factory=dict)


def _choose(
    picker: Picker,
    count: int,
    measured: Sequence[Measured],
    ranking: Ranking,
    output: Path,
    advance: Callable[[], None],
) -> _Choice:
    """Pick and write up to `count` frames; a recording or a frame that cannot be read leaves its place to others."""
    choice, thermal = _Choice(), None
    while len(choice.chosen) < count and (number := picker.next()) is not None:
        found = measured[ranking.drives[number]]
        drive = found.drive
        each = _chosen(len(choice.chosen) + 1, number, ranking, found)
        try:
            recording = drive.recording
        except PerceptionError as error:
            picker.leave_out_drive(int(ranking.drives[number]))
            choice.left_out[each.input] = str(error)
            continue
        try:
            labels = drive.files.labels(each.frame)
            image = write_frame(output, each.image, recording, drive.number(each.frame), labels.shape, thermal)
        except PerceptionError as error:
            picker.leave_out(number)
            choice.left_out[f"{each.input}:{each.frame}"] = str(error)
            continue
        picker.take(number)
        thermal = image.ndim == 2
        read = partial(drive.files.labels, each.frame)
        choice.chosen.append(each)
        choice.exported.append(Exported(each.image, "; ".join(each.reasons), read))
        if each.rank <= page.MOST:
            doubt = _doubt(found, int(ranking.frames[number]), labels)
            choice.pictures.append(page.figure(each, page.picture(image, labels, doubt, drive.classes)))
        advance()
    return choice


def _common_classes(drives: Sequence[Drive]) -> Classes:
    """Of all drives. Raises DataError where they differ."""
    first = drives[0]
    for drive in drives[1:]:
        if drive.classes != first.classes:
            raise DataError(
                f"{drive.folder}: classes {', '.join(drive.classes.names)}, but those of {first.folder} are "
                f"{', '.join(first.classes.names)}; choose from them one by one"
            )
    return first.classes


@dataclass(frozen=True)
class _Unread:
    """A folder that cannot be read, and why."""

    folder: Path
    reason: str


def _attempt(drive: Drive) -> Measured | _Unread:
    try:
        return measure(drive)
    except PerceptionError as error:
        return _Unread(drive.folder, str(error))


def _measured(drives: Sequence[Drive], workers: int, advance: Callable[[], None]) -> Iterator[Measured | _Unread]:
    """Each drive measured: one that cannot be read leaves the others alone."""
    if workers < 2 or len(drives) < 2:
        for drive in drives:
            yield _attempt(drive)
            advance()
        return
    spawn = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(min(workers, len(drives)), spawn, begin_worker) as pool:
        for found in pool.map(_attempt, drives):
            yield found
            advance()


def _picker(options: SelectOptions, measured: Sequence[Measured], ranking: Ranking) -> Picker:
    return Picker(
        ranking.scores,
        np.concatenate([each.layouts for each in measured]),
        ranking.drives,
        np.concatenate([each.stamps_ns for each in measured]),
        options.per_drive or math.ceil(2 * options.count / len(measured)),
        options.apart_s,
    )


def _chosen(place: int, number: int, ranking: Ranking, found: Measured) -> Chosen:
    frame = int(ranking.frames[number])
    source, name = Path(str(found.drive.manifest["input"])).name, found.names[frame]
    values = {signal: float(ranking.values[signal][number]) for signal in SIGNALS}
    return Chosen(
        rank=place,
        image=f"{place:04d}_{source}_{name.replace('/', '_')}",
        input=str(found.drive.manifest["input"]),
        labelled=str(found.drive.folder),
        frame=name,
        stamp_ns=int(found.stamps_ns[frame]),
        score=round(float(ranking.scores[number]), 3),
        values={signal: None if math.isnan(value) else round(value, 5) for signal, value in values.items()},
        tails={signal: round(float(ranking.tails[signal][number]), 4) for signal in SIGNALS},
        reasons=ranking.reasons(number, found),
    )


def _doubt(found: Measured, place: int, labels: NDArray[np.uint8]) -> NDArray[np.bool_] | None:
    """The pixels that are unsure or flicker; None where neither is known."""
    files, names, masks = found.drive.files, found.names, []
    if not np.isnan(found.values[CONFIDENCE][place]):
        masks.append(unsure(labels, files.confidence(names[place])))
    if not np.isnan(found.values[FLICKER][place]):
        masks.append(flickering(files.labels(names[place - 1]), labels, files.labels(names[place + 1])))
    return np.any(masks, axis=0) if masks else None


def _notes(measured: Sequence[Measured], left_out: dict[str, str], wanted: int, got: int) -> list[str]:
    """What could not be measured, in how many recordings, and why there are fewer frames than wanted."""
    counts = Counter(line for each in measured for line in each.missing)
    found = [f"{line} ({count} of {len(measured)} recordings)" for line, count in counts.items()]
    if left_out:
        name, reason = next(iter(left_out.items()))
        more = f" (and {len(left_out) - 1} more: {LIST} lists them)" if len(left_out) > 1 else ""
        found.append(f"{name} left out: {reason}{more}")
    if got < wanted:
        found.append(
            f"{got} frames instead of {wanted}: no more that are far enough apart; see --apart and --per-drive"
        )
    return found

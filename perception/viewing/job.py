# SPDX-License-Identifier: Apache-2.0
"""What `perception view` is asked for, and one run of it on a recording."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console

from perception.assembly.settings.naming import rig_beside
from perception.errors import DataError, PerceptionError
from perception.pipeline import Pipeline
from perception.recordings.opening import AS_FOUND, Reading, open_recording
from perception.reporting.progress import Steps
from perception.viewing.output import interruptible, open_output, show_file
from perception.viewing.recordings import FrameLog, choose, show

FOXGLOVE = ".mcap"
"""The suffix of files for Foxglove; all others are for Rerun."""


@dataclass(frozen=True, kw_only=True)
class ViewOptions:
    """What is shown, and where.

    input: a recording or a saved .rrd; None shows live topics, for some seconds, None is until Ctrl-C, at `hz` frames a
    second at most, with ros_arguments. save: a file to write, for Foxglove if it ends in FOXGLOVE; web: a port to serve
    on; neither opens the viewer.
    topics, calibration, reading: see `open_recording`. start, duration: seconds of the recording; every: every
    N-th frame. without, model, engine, threads: see `Pipeline.load`.
    """

    input: Path | None = None
    save: Path | None = None
    web: int | None = None
    topics: str | None = None
    calibration: Path | None = None
    reading: Reading = AS_FOUND
    seconds: float | None = None
    hz: float = 10.0
    ros_arguments: Sequence[str] = ()
    start: float = 0.0
    duration: float | None = None
    every: int = 1
    without: Sequence[str] = ()
    model: str | Path | None = None
    engine: str = "auto"
    threads: int | None = None


def run_recorded(options: ViewOptions, path: Path, console: Console) -> None:
    """Show the recording, or the saved view, at `path` until it ends, the window is closed, or Ctrl-C.

    Raises PerceptionError for what cannot be shown so, and after all DataError for a recording that breaks off.
    """
    if path.suffix == ".rrd":
        if options.save is not None or options.web is not None:
            raise PerceptionError(f"{path}: is a saved view already: `perception view {path}` shows it")
        show_file(path)
        return
    frames = open_recording(path, options.topics, options.calibration, rig_beside(path), options.reading)
    for remark in frames.remarks:
        console.print(remark, soft_wrap=True, markup=False)
    numbers = choose(frames, options.start, options.duration, options.every)
    pipeline = Pipeline.load(options.model, options.engine, options.threads, without=options.without)
    steps = Steps(console)

    def show_all(log: FrameLog, wanted: Callable[[], bool]) -> None:
        with steps.step("view", f"view {frames.path.name}", len(numbers)) as advance:
            left_out = show(frames, numbers, pipeline, log, advance, wanted)
        for line in left_out:
            console.print(line, soft_wrap=True, markup=False)

    with interruptible() as stop:
        if options.save is not None and options.save.suffix == FOXGLOVE:
            from perception.viewing.mcap import open_mcap

            with open_mcap(options.save, pipeline.classes) as mcap:
                show_all(mcap, lambda: not stop.is_set())
            size = options.save.stat().st_size / 1e6
            console.print(f"{options.save}: {size:.1f} MB; Foxglove shows it", soft_wrap=True, markup=False)
        else:
            from perception.viewing.log import Log

            with open_output(options.save, options.web, console) as output:
                show_all(Log(output.recording, pipeline.classes), lambda: output.running() and not stop.is_set())
                output.finish(stop)
    if frames.broken:
        raise DataError(frames.broken)

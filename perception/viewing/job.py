# SPDX-License-Identifier: Apache-2.0
"""What `perception view` is asked for, and one run of it on a recording."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console

from perception.assembly.settings.naming import rig_beside
from perception.errors import DataError, PerceptionError
from perception.pipeline import Pipeline
from perception.recordings.opening import AS_FOUND, Reading, open_recording
from perception.reporting.progress import Steps
from perception.viewing.log import Log
from perception.viewing.output import interruptible, open_output, show_file
from perception.viewing.recordings import choose, show


@dataclass(frozen=True, kw_only=True)
class ViewOptions:
    """What is shown, and where.

    input: a recording or a saved .rrd; None shows live topics, for some seconds, None is until Ctrl-C, at `hz` frames a
    second at most, with ros_arguments. save: a file to write; web: a port to serve on; neither opens the viewer.
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
    with interruptible() as stop, open_output(options.save, options.web, console) as output:

        def wanted() -> bool:
            return output.running() and not stop.is_set()

        with steps.step("view", f"view {frames.path.name}", len(numbers)) as advance:
            left_out = show(frames, numbers, pipeline, Log(output.recording, pipeline.classes), advance, wanted)
        for line in left_out:
            console.print(line, soft_wrap=True, markup=False)
        output.finish(stop)
    if frames.broken:
        raise DataError(frames.broken)

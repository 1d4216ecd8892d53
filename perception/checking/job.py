# SPDX-License-Identifier: Apache-2.0
"""One run of `perception check`: on a recording, or on live topics, which are recorded first."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from perception.assembly.settings.naming import rig_beside
from perception.checking.check import Report, check, check_silence
from perception.pipeline import Pipeline
from perception.recordings.opening import WITH_STAMPS, kind_of
from perception.reporting.progress import Steps

LIVE = "live topics"


@dataclass(frozen=True, kw_only=True)
class CheckOptions:
    """The options. input: a bag or a KITTI drive; None records live topics for some seconds.

    topics, calibration: as --topics and the node's calibration_file take them. frames: how many are checked;
    compare: in how many of them the masks with and without each sensor are compared, 0 runs no network. expect: sensors
    that must be present. ros_arguments: for live topics. model, engine, threads: see `Pipeline.load`.
    """

    input: Path | None = None
    seconds: float = 10.0
    topics: str | None = None
    calibration: Path | None = None
    frames: int = 24
    compare: int = 3
    expect: Sequence[str] = ()
    ros_arguments: Sequence[str] = ()
    model: str | Path | None = None
    engine: str = "auto"
    threads: int | None = None


def run_check(options: CheckOptions, steps: Steps) -> Report:
    """Run the check. Raises PerceptionError if there is nothing to check."""
    topics: str | Mapping[str, str] | None = options.topics
    rig, graph = None, None
    pipeline = Pipeline.load(options.model, options.engine, options.threads) if options.compare else None
    with ExitStack() as stack:
        path = options.input
        if path is None:
            from perception.checking.live import record

            folder = Path(stack.enter_context(TemporaryDirectory()))
            live = record(folder / "live", options.seconds, options.topics, options.ros_arguments, steps)
            if live.path is None:
                return check_silence(live.reason, live.topics, live.graph)
            path, topics, graph = live.path, live.topics, live.graph
        else:
            kind_of(path, WITH_STAMPS)
            rig = rig_beside(path)
        with steps.step("check", f"check {path.name}", options.frames + options.compare) as advance:
            report = check(
                path,
                topics,
                options.calibration,
                pipeline,
                options.frames,
                options.compare,
                options.expect,
                graph,
                rig,
                advance,
            )
    report.source = LIVE if options.input is None else report.source
    return report

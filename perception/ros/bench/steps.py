# SPDX-License-Identifier: Apache-2.0
"""The benchmark's steps: render the input, networks, stages, drives over DDS, growth."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import cycle
from pathlib import Path
from typing import Any

from rich.console import Console

from perception.benchmark.comparison import Networks
from perception.benchmark.frames import POINTS, drive_frames
from perception.benchmark.machine import describe_machine, input_hash
from perception.benchmark.measure import summary
from perception.benchmark.networks import OURS, OURS_RGB
from perception.benchmark.report import bench_page, bench_pictures
from perception.benchmark.results import BenchReport, Drive, Given
from perception.benchmark.stages import Times, collect, medians, overhead, overhead_ratio
from perception.engines import find_model
from perception.engines.choice import USUAL_HZ
from perception.engines.family import input_size, member_name, split_name
from perception.engines.openvino import OpenVinoEngine
from perception.errors import ModelError
from perception.extras import needs
from perception.frame import Frame
from perception.pipeline import Pipeline
from perception.reporting.progress import Steps
from perception.reporting.reports import plain, write_report
from perception.ros.bench.drive import drive
from perception.ros.bench.growth import growth, steps
from perception.ros.bench.stages import DEFAULT_OUTPUTS, frame_stages, serialised
from perception.sensors import encode, network_size
from perception.threads import share_threads

FRAMES = 8
"""The number of different frames; more of them only take longer to render, which is not measured."""

AGAIN_S = 1.0
"""Seconds of the drive that tells how long a second start takes."""

OVERLOAD = 3
"""Times the rate that the model can hold, for the drive that tells how old masks become then."""


@dataclass(frozen=True, kw_only=True)
class BenchOptions:
    """What is measured. model: an OpenVINO model's name or file, with @0.7 behind it for a part of the resolution, or a
    config (.py), whose network gets random weights; None is the shipped default, and leaves the choice to the node in
    the drives.

    threads: of every engine. precision: of floats, f32 or bf16; None compares all and runs in the fastest. rounds:
    measurements of each. seconds: of each drive over DDS, at each of the rates hz. json: another file for the report,
    besides OUTPUT/bench.json.
    """

    output: Path = Path("out/bench")
    model: str | Path | None = None
    threads: int = 2
    precision: str | None = None
    rounds: int = 40
    seconds: float = 10
    hz: Sequence[float] = (10.0, 20.0)
    peers: bool = True
    dds: bool = True
    int8: bool = False
    growth: bool = False
    json: Path | None = None


class Bench:
    """One run; its files are written to `output`. Raises PerceptionError if a step cannot do its work."""

    def __init__(self, options: BenchOptions, console: Console) -> None:
        self._options, self._steps = options, Steps(console)
        self.output = options.output
        model, self._scale, twice = split_name(options.model) if options.model else (None, 1.0, False)
        if twice:
            raise ModelError(f"--model {options.model}: the networks are compared by one look each; leave out the x2")
        config = str(model).endswith(".py")
        self._model = _untrained(Path(str(model)), self.output) if config else find_model(model, "openvino")[1]
        self._networks = Networks(self._model, options.threads, options.precision)

    def run(self) -> BenchReport:
        """Measure everything that was asked for, write bench.json and report.html, and return the content of
        bench.json."""
        options, machine = self._options, describe_machine()
        self.output.mkdir(parents=True, exist_ok=True)
        frames = self._render()
        size = frames[0].size
        inputs = [encode(frame, *network_size(*size)) for frame in frames]
        own_input = encode(frames[0], *input_size(*size, self._scale))
        networks = self._networks.measure(inputs, options.rounds, options.peers, options.int8, self._steps, own_input)
        engine = OpenVinoEngine(
            self._model, share_threads(options.threads), precision=self._networks.float_precisions[-1]
        )
        pipeline = Pipeline(engine, self._model, scale=self._scale)
        times = self._stages(pipeline, frames)
        infer_ms = summary(times["infer"])["median"]
        drives = self._drives(frames, OVERLOAD * 1000 / infer_ms) if options.dds else []
        grown = self._growth(pipeline, frames) if options.growth else None
        report = BenchReport(
            ratio_to_pidnet_s=networks[OURS][self._networks.default]["ratio"],
            overhead_ratio=overhead_ratio(times),
            stages_ms=medians(times),
            stages={stage: summary(spent) for stage, spent in times.items()},
            overhead_ms=summary(overhead(times)),
            network=networks.pop(OURS),
            network_camera_alone=networks.pop(OURS_RGB),
            peers=networks,
            dds=drives[:-1],
            overload=drives[-1] if drives else None,
            growth=grown,
            engine=engine.name,
            precision=self._networks.default,
            threads=options.threads,
            model=member_name(self._model.name, self._scale),
            weights_sha256=pipeline.weights_sha256,
            input=Given(
                source="simulated day, seed 0",
                frames=len(frames),
                image=list(size),
                network=list(network_size(*size)),
                points=POINTS,
                sha256=input_hash(frames),
            ),
            machine=machine,
            seconds=self._steps.seconds,
        )
        for path in filter(None, (self.output / "bench.json", options.json)):
            write_report(path, "bench", report)
        told = plain(report)
        bench_page(told, bench_pictures(told, frames, pipeline)).write(self.output / "report.html")
        return report

    def _render(self) -> list[Frame]:
        frames = []
        with self._steps.step("render", "rendering the input", FRAMES) as done:
            for frame in drive_frames(FRAMES):
                frames.append(frame)
                done()
        return frames

    def _stages(self, pipeline: Pipeline, frames: list[Frame]) -> Times:
        with (
            self._steps.step("stages", "stages of a frame", self._options.rounds) as done,
            frame_stages(pipeline, frames[0], DEFAULT_OUTPUTS) as stages,
        ):
            messages = cycle([serialised(frame) for frame in frames])
            return collect({"frame": lambda: stages(next(messages))}, self._options.rounds, on_call=done)["frame"]

    def _drives(self, frames: list[Frame], overload_hz: float) -> list[Drive]:
        """At every rate, and at last at `overload_hz`, with the model that this rate is of.

        The node starts without compiled networks and rates kept from before, and then with them.
        """
        options, mount = self._options, frames[0].lidar_to_camera
        assert mount is not None
        numbers = ", ".join(repr(float(number)) for number in mount.ravel())
        common: dict[str, Any] = {"threads": options.threads, "lidar_to_camera": f"[{numbers}]"}
        named = common | {"model": member_name(f"{self._model.resolve()}", self._scale)}
        # As whoever has such a camera sets it: 10 Hz is what a node expects that knows nothing of it yet.
        rated = {hz: {} if hz == USUAL_HZ else {"rate_hz": float(hz)} for hz in options.hz}
        planned = [(hz, f"{hz:g}hz", (named if options.model else common) | rated[hz]) for hz in options.hz]
        drives: list[Drive] = []
        with _own_cache():
            for hz, name, settings in [*planned, (overload_hz, "overload", named)]:
                words = [word for key, value in settings.items() for word in ("-p", f"{key}:={value}")]
                log = self.output / f"node_{name}.log"
                arguments = ["--ros-args", *words]
                with self._steps.step(f"dds {name}", f"over DDS at {hz:.3g} Hz", round(hz * options.seconds)) as done:
                    made = drive(frames, hz, options.seconds, arguments, log, done)
                    if not drives:
                        again = drive(frames, hz, AGAIN_S, arguments, log.with_stem(f"{log.stem}_again"), lambda: None)
                        made = replace(made, ready_again_s=again.ready_s)
                drives.append(made)
        return drives

    def _growth(self, pipeline: Pipeline, frames: list[Frame]) -> dict[str, Any]:
        rounds = max(5, self._options.rounds // 4)
        with self._steps.step("growth", "growth", rounds * steps()) as done:
            return growth(pipeline, frames, rounds, done)


@contextmanager
def _own_cache() -> Iterator[None]:
    """An empty cache folder for child processes, instead of the user's."""
    name = "XDG_CACHE_HOME"
    before = os.environ.get(name)
    with tempfile.TemporaryDirectory() as folder:
        os.environ[name] = folder
        try:
            yield
        finally:
            del os.environ[name]
            if before is not None:
                os.environ[name] = before


def _untrained(config: Path, folder: Path) -> Path:
    """The network of a config with random weights, in OpenVINO's form. Raises ModelError."""
    with needs("the network of a config needs torch and mmseg", "train"):
        from perception.benchmark.peers import write_untrained
        from perception.export.graph import export_openvino
        from perception.models.custom import read_config
    folder.mkdir(parents=True, exist_ok=True)
    weights = write_untrained(read_config(config).model.to_dict(), folder / f"{config.stem}.safetensors")
    return export_openvino(weights, weights.with_suffix(".xml"))

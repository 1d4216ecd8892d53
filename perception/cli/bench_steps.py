# SPDX-License-Identifier: Apache-2.0
"""The benchmark's steps: render the input, networks, stages, drives over DDS, growth."""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from itertools import cycle
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from perception.benchmark.frames import POINTS, drive_frames
from perception.benchmark.machine import describe_machine, input_hash, precisions
from perception.benchmark.measure import summary
from perception.benchmark.networks import OURS, OURS_RGB, compare, export_peers
from perception.benchmark.stages import Times, collect, medians, overhead, overhead_ratio
from perception.engines import find_model
from perception.engines.openvino import OpenVinoEngine
from perception.errors import PerceptionError
from perception.frame import Frame
from perception.pipeline import Pipeline
from perception.ros.bench_drive import drive
from perception.ros.bench_growth import growth, steps
from perception.ros.bench_stages import DEFAULT_OUTPUTS, frame_stages, serialised
from perception.sensors import NetworkInput, encode, network_size

FRAMES = 8
"""Different frames; the more there are, the longer the rendering, which is no part of what is measured."""

RATES_HZ = (10.0, 20.0)


class Bench:
    """One run; `output` gets its files. Raises PerceptionError where a step cannot do its work."""

    def __init__(self, args: argparse.Namespace, console: Console) -> None:
        self._args, self._console = args, console
        self.output: Path = args.output
        self._precisions = [args.precision] if args.precision else precisions()
        if not set(self._precisions) <= set(precisions()):
            raise PerceptionError(f"--precision {args.precision}: this processor computes in {', '.join(precisions())}")
        _, self._model = find_model(args.model, "openvino")
        self._seconds: dict[str, float] = {}

    def run(self) -> dict[str, Any]:
        """Measure everything that was asked for, write bench.json and return what it holds."""
        args, machine, precision = self._args, describe_machine(), self._precisions[-1]
        self.output.mkdir(parents=True, exist_ok=True)
        frames = self._render()
        width, height = network_size(*frames[0].size)
        networks = self._networks(encode(frames[0], width, height))
        engine = OpenVinoEngine(self._model, args.threads, precision=precision)
        pipeline = Pipeline(engine, self._model)
        times = self._stages(pipeline, frames)
        drives = [] if args.no_dds else [self._drive(frames, hz) for hz in RATES_HZ]
        grown = self._growth(pipeline, frames) if args.growth else None
        report = {
            "ratio_to_pidnet_s": networks[precision][OURS]["ratio"],
            "overhead_ratio": overhead_ratio(times),
            "stages_ms": medians(times),
            "stages": {stage: summary(spent) for stage, spent in times.items()},
            "overhead_ms": summary(overhead(times)),
            "networks": networks,
            "peers": [name for name in networks[precision] if name not in (OURS, OURS_RGB)],
            "dds": drives,
            "growth": grown,
            "engine": engine.name,
            "precision": precision,
            "threads": args.threads,
            "model": self._model.name,
            "weights_sha256": pipeline.weights_sha256,
            "input": {
                "source": "simulated day, seed 0",
                "frames": len(frames),
                "image": list(frames[0].size),
                "network": [width, height],
                "points": POINTS,
                "sha256": input_hash(frames),
            },
            "machine": machine,
            "seconds": self._seconds,
        }
        for path in filter(None, (self.output / "bench.json", args.json)):
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(json.dumps(report, indent=1) + "\n")
        return report

    def _render(self) -> list[Frame]:
        frames = []
        with self._step("render", "rendering the input", FRAMES) as advance:
            for frame in drive_frames(FRAMES):
                frames.append(frame)
                advance()
        return frames

    def _networks(self, network_input: NetworkInput) -> dict[str, dict[str, Any]]:
        """By precision, then by network."""
        args, peers, found = self._args, {}, {}
        with tempfile.TemporaryDirectory() as folder:
            if not args.no_peers:
                with self._step("export", "exporting the peers", None) as advance:
                    peers = _export(Path(folder), advance)
            calls = args.rounds * (2 + len(peers))
            for precision in self._precisions:
                with self._step(f"networks {precision}", f"networks in {precision}", calls) as advance:
                    found[precision] = compare(
                        self._model, peers, network_input, args.threads, precision, args.rounds, advance
                    )
        return found

    def _stages(self, pipeline: Pipeline, frames: list[Frame]) -> Times:
        with (
            self._step("stages", "stages of a frame", self._args.rounds) as advance,
            frame_stages(pipeline, frames[0], DEFAULT_OUTPUTS) as stages,
        ):
            messages = cycle([serialised(frame) for frame in frames])
            return collect({"frame": lambda: stages(next(messages))}, self._args.rounds, on_call=advance)["frame"]

    def _drive(self, frames: list[Frame], hz: float) -> dict[str, Any]:
        mount = frames[0].lidar_to_camera
        assert mount is not None
        numbers = ", ".join(repr(float(number)) for number in mount.ravel())
        settings = {"threads": self._args.threads, "model": self._model.resolve(), "lidar_to_camera": f"[{numbers}]"}
        arguments = ["--ros-args", *(word for name, value in settings.items() for word in ("-p", f"{name}:={value}"))]
        count = round(hz * self._args.seconds)
        with self._step(f"dds {hz:g} Hz", f"over DDS at {hz:g} Hz", count) as advance:
            return drive(frames, hz, self._args.seconds, arguments, self.output / f"node_{hz:g}hz.log", advance)

    def _growth(self, pipeline: Pipeline, frames: list[Frame]) -> dict[str, Any]:
        rounds = max(5, self._args.rounds // 4)
        with self._step("growth", "growth", rounds * steps()) as advance:
            return growth(pipeline, frames, rounds, advance)

    @contextmanager
    def _step(self, name: str, text: str, total: int | None) -> Iterator[Callable[..., None]]:
        """A progress bar; what is yielded advances it. The step's seconds are kept under its name."""
        columns = (
            SpinnerColumn(),
            TextColumn("{task.description:<24}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
        )
        began = time.monotonic()
        with Progress(*columns, console=self._console) as progress:
            task = progress.add_task(text, total=total)
            yield partial(progress.advance, task)
        self._seconds[name] = time.monotonic() - began


def _export(folder: Path, advance: Callable[[], None]) -> dict[str, Path]:
    try:
        return export_peers(folder, lambda name: advance())
    except ImportError as error:
        raise PerceptionError(
            f"the peers need torch and mmseg: pip install 'multimodal_perception[train]', or give --no-peers ({error})"
        ) from error

# SPDX-License-Identifier: Apache-2.0
"""How the cost of a frame grows: with the image, the sweep, what is published, and the number of cameras."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np

from perception.assembly.settings.parameters import make_settings
from perception.benchmark.frames import resized, with_points
from perception.benchmark.measure import interleave, summary
from perception.benchmark.stages import Times, collect, medians, total
from perception.frame import Frame
from perception.pipeline import Pipeline
from perception.ros.bench.stages import ALL_OUTPUTS, DEFAULT_OUTPUTS, FrameStages, frame_stages, serialised

SCALES: tuple[float, ...] = (0.25, 0.5, 1.0, 2.0)
"""Scales of the image's width and height."""

POINT_COUNTS: tuple[int, ...] = (10_000, 30_000, 120_000, 250_000, 500_000)

MAX_CAMERAS = 4

_SWITCHES = ("publish_labels", "publish_masks", "publish_confidence", "publish_overlay", "publish_points")

OUTPUTS: dict[str, int] = {
    "nothing": 0,
    "labels": 1,
    "labels and masks": 2,
    "labels, masks, confidence": 3,
    "also overlay, raw and JPEG": 4,
    "also the labelled sweep": 5,
}
"""The number of enabled outputs, in the order of _SWITCHES; each has a subscriber."""


def growth(
    pipeline: Pipeline, frames: Sequence[Frame], rounds: int, on_call: Callable[[], None]
) -> dict[str, list[dict[str, Any]]]:
    """The tables image_scale, points, outputs and cameras, each a list of rows. on_call: see `measure.interleave`."""
    frame = frames[0]
    assert frame.camera is not None
    with frame_stages(pipeline, frame, DEFAULT_OUTPUTS) as stages:
        by_scale = {scale: resized(frame, scale) for scale in SCALES}
        scale_rows = _rows(_calls(stages, by_scale), "scale", rounds, on_call)
        by_points = {count: with_points(frame, count) for count in POINT_COUNTS}
        point_rows = _rows(_calls(stages, by_points), "points", rounds, on_call)
    for row, seen in zip(scale_rows, by_scale.values(), strict=True):
        assert seen.camera is not None
        row |= {"width": seen.camera.width, "height": seen.camera.height}
    with frame_stages(pipeline, frame, ALL_OUTPUTS) as stages:
        messages = serialised(frame)
        settings = {
            name: make_settings({switch: place < count for place, switch in enumerate(_SWITCHES)})
            for name, count in OUTPUTS.items()
        }
        calls = {name: partial(stages, messages, chosen) for name, chosen in settings.items()}
        output_rows = _rows(calls, "outputs", rounds, on_call)
    camera_rows = _camera_rows(pipeline, frames, rounds, on_call)
    return {"image_scale": scale_rows, "points": point_rows, "outputs": output_rows, "cameras": camera_rows}


def steps() -> int:
    """How often `growth` calls on_call per round."""
    return len(SCALES) + len(POINT_COUNTS) + len(OUTPUTS) + MAX_CAMERAS


def _calls(stages: FrameStages, frames: Mapping[Any, Frame]) -> dict[Any, Callable[[], Mapping[str, float]]]:
    return {key: partial(stages, serialised(frame)) for key, frame in frames.items()}


def _rows(
    calls: Mapping[Any, Callable[[], Mapping[str, float]]], key: str, rounds: int, on_call: Callable[[], None]
) -> list[dict[str, Any]]:
    gathered: dict[Any, Times] = collect(calls, rounds, on_call=on_call)
    return [
        {key: name, "stages_ms": medians(times), "total_ms": float(np.median(total(times)))}
        for name, times in gathered.items()
    ]


def _camera_rows(
    pipeline: Pipeline, frames: Sequence[Frame], rounds: int, on_call: Callable[[], None]
) -> list[dict[str, Any]]:
    """Cameras that take turns at one engine, each with its own sensors: all of them once, from arrays to labels."""
    cameras = [Pipeline(pipeline.engine, pipeline.model) for _ in range(MAX_CAMERAS)]

    def look(count: int) -> None:
        for number, camera in enumerate(cameras[:count]):
            camera(frames[number % len(frames)])

    times = interleave({str(n + 1): partial(look, n + 1) for n in range(MAX_CAMERAS)}, rounds, on_call=on_call)
    return [
        {"cameras": int(name), "all_ms": summary(spent), "rate_hz": 1000 / float(np.median(spent))}
        for name, spent in times.items()
    ]

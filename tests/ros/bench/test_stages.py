# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from helpers.bench_frame import empty_sweep, frame

pytest.importorskip("rclpy")

from perception.benchmark.stages import STAGES, collect, overhead_ratio
from perception.errors import PerceptionError
from perception.frame import Frame
from perception.ground import Ground
from perception.pipeline import Pipeline, Task
from perception.ros.bench.stages import DEFAULT_OUTPUTS, frame_stages, serialised


def test_every_stage_of_a_frame_is_timed(tiny_model: Path) -> None:
    pipeline, messages = Pipeline.load(tiny_model, threads=1), serialised(frame())
    with frame_stages(pipeline, frame(), DEFAULT_OUTPUTS) as stages:
        times = collect({"frame": lambda: stages(messages)}, rounds=2)["frame"]
        with pytest.raises(PerceptionError, match="/points"):
            stages({**messages, "/points": serialised(empty_sweep())["/points"]})
    assert tuple(times) == STAGES
    assert overhead_ratio(times) > 0


def test_a_frame_starts_from_the_ground_of_the_one_before_as_in_the_node(tiny_model: Path) -> None:
    expected: list[Ground | None] = []

    class Watched(Pipeline):
        def prepare(self, frame: Frame) -> Task:
            expected.append(frame.ground)
            return super().prepare(frame)

    street = np.random.default_rng(0).uniform((2, -5, -1.6, 0), (25, 5, -1.6, 1), (2000, 4)).astype(np.float32)
    level = replace(frame(), points=street)
    pipeline, messages = Watched.load(tiny_model, threads=1), serialised(level)
    with frame_stages(pipeline, level, DEFAULT_OUTPUTS) as stages:
        stages(messages)
        stages(messages)
    first, second = expected
    assert first is None
    assert second is not None
    assert second.height == pytest.approx(1.6, abs=0.02)

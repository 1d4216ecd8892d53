# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from pathlib import Path

import pytest
from helpers.bench_frame import empty_sweep, frame

pytest.importorskip("rclpy")

from perception.benchmark.stages import STAGES, collect, overhead_ratio
from perception.errors import PerceptionError
from perception.pipeline import Pipeline
from perception.ros.bench.stages import DEFAULT_OUTPUTS, frame_stages, serialised


def test_every_stage_of_a_frame_is_timed(tiny_model: Path) -> None:
    pipeline, messages = Pipeline.load(tiny_model, threads=1), serialised(frame())
    with frame_stages(pipeline, frame(), DEFAULT_OUTPUTS) as stages:
        times = collect({"frame": lambda: stages(messages)}, rounds=2)["frame"]
        with pytest.raises(PerceptionError, match="/points"):
            stages({**messages, "/points": serialised(empty_sweep())["/points"]})
    assert tuple(times) == STAGES
    assert overhead_ratio(times) > 0

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from pathlib import Path

import pytest
from helpers.bench_frame import frame

pytest.importorskip("rclpy")

from perception.pipeline import Pipeline
from perception.ros.bench import growth as bench_growth


def test_growth_has_a_row_for_everything_that_grows(tiny_model: Path) -> None:
    told: list[None] = []
    grown = bench_growth.growth(Pipeline.load(tiny_model, threads=1), [frame()], 1, lambda: told.append(None))
    assert len(told) == bench_growth.steps()
    assert [row["scale"] for row in grown["image_scale"]] == list(bench_growth.SCALES)
    assert (grown["image_scale"][-1]["width"], grown["image_scale"][-1]["height"]) == (192, 128)
    assert [row["points"] for row in grown["points"]] == list(bench_growth.POINT_COUNTS)
    assert [row["outputs"] for row in grown["outputs"]] == list(bench_growth.OUTPUTS)
    assert [row["cameras"] for row in grown["cameras"]] == [1, 2, 3, 4]
    assert all(row["rate_hz"] > 0 for row in grown["cameras"])

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import math

import numpy as np

from perception.assembly.statistics import Paired, Statistics
from perception.frame import Prediction

IMAGE = np.zeros((1, 1), np.uint8)


def answer(statistics: Statistics, **offsets_ms: float) -> None:
    statistics.answered("rgb", tuple(offsets_ms), Prediction(0, IMAGE, IMAGE, {}), {}, 0.1, 0.1, None, offsets_ms)


def test_shares_and_offsets_are_of_the_frames_since_a_sensor_came() -> None:
    statistics = Statistics()
    statistics.expect("rgb")
    answer(statistics, rgb=0)
    statistics.expect("lidar")
    assert statistics.summary().paired["lidar"].frames == 0
    for offset in (-50, -50, 3):
        answer(statistics, rgb=0, lidar=offset)
    answer(statistics, rgb=0)
    assert statistics.summary().paired == {"rgb": Paired(1.0, 5, 0.0, 0.0), "lidar": Paired(0.75, 4, -50.0, 50.0)}
    statistics.expect("lidar")
    answer(statistics, rgb=0)
    back = statistics.summary().paired["lidar"]
    assert (back.share, back.frames) == (0.0, 1)
    assert math.isnan(back.offset_ms_p50)

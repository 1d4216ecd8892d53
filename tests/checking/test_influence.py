# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import numpy as np
import pytest

from perception.checking.influence import Influence
from perception.frame import MODALITIES, Frame, Prediction


def predict(frame: Frame) -> Prediction:
    """Road where the camera is red, vehicle where depth is below 10 m."""
    labels = np.zeros((40, 60), np.uint8)
    if frame.rgb is not None:
        labels[frame.rgb[..., 0] > 128] = 1
    if frame.depth is not None:
        labels[frame.depth < 10] = 2
    weights = dict.fromkeys(MODALITIES, 0.0) | {name: 1 / len(frame.modalities) for name in frame.modalities}
    return Prediction(frame.stamp_ns, labels, np.full_like(labels, 200), weights)


def test_what_each_sensor_changes() -> None:
    rgb, depth = np.zeros((40, 60, 3), np.uint8), np.full((40, 60), 20, np.float32)
    rgb[20:, :, 0], depth[30:, 40:] = 200, 5
    heat = np.arange(2400, dtype=np.uint16).reshape(40, 60)
    influence = Influence(predict)
    influence.add(Frame(0, rgb, depth, heat))
    table = influence.table()
    assert table["rgb"].pixels == pytest.approx(1000 / 2400)
    assert table["depth"].pixels == pytest.approx(200 / 2400)
    assert table["depth"].classes["vehicle"] == table["depth"].classes["road"] == table["depth"].pixels
    assert table["depth"].classes["pedestrian"] == 0
    assert table["depth"].weight == pytest.approx(1 / 3)
    assert [(each.code, each.where) for each in influence.findings()] == [("sensor-idle", "infrared")]
    pictures = influence.pictures()
    assert set(pictures) == {"rgb", "depth", "infrared"}
    assert pictures["depth"].shape == (3 * 552, 828, 3)

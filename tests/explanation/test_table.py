# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from perception.explanation.ablation import Ablation
from perception.explanation.explain import Explanation
from perception.explanation.methods import DEFAULT_STRIDE, GRAD_CAM
from perception.explanation.table import tables
from perception.frame import Frame, Prediction

ROAD_ABOVE = np.repeat(np.array([1, 0], np.uint8), 32)[:, None].repeat(96, 1)


def explanation(**changes: Any) -> Explanation:
    """Of camera and depth; without depth a quarter of the image is a vehicle instead of background."""
    rng = np.random.default_rng(0)
    frame = Frame(0, rng.integers(0, 256, (64, 96, 3)).astype(np.uint8), np.full((64, 96), 9, np.float32))
    prediction = Prediction(0, ROAD_ABOVE, np.full((64, 96), 204, np.uint8), {"rgb": 0.7, "depth": 0.3})
    other = ROAD_ABOVE.copy()
    other[48:] = 2
    area = {"background": -0.25, "road": 0.0, "vehicle": 0.25, "pedestrian": 0.0}
    ablations = {"depth": Ablation(other, 0.25, area, None)}
    found = Explanation(frame, prediction, None, None, DEFAULT_STRIDE, GRAD_CAM, {}, None, ablations, None)
    return replace(found, **changes)


def test_the_tables_have_a_row_per_class_and_per_removed_sensor() -> None:
    classes, weights, without = tables(explanation())
    rows = [[str(cell) for cell in column.cells] for column in classes.columns]
    assert rows[0] == ["road", "vehicle", "pedestrian"]
    assert rows[1] == ["50.0%", "0.0%", "0.0%"]
    assert rows[2] == ["80.0%", "–", "–"]
    assert [list(column.cells)[-1] for column in weights.columns] == ["all", "70%", "30%"]
    first = [next(iter(column.cells)) for column in without.columns]
    assert first == ["depth", "25.00%", "+0.00 %", "+25.00 %", "+0.00 %"]
    assert len(list(tables(explanation(ablations={})))) == 2

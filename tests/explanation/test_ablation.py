# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("torch")
pytest.importorskip("mmseg")

from perception.explanation.ablation import ablate
from perception.frame import Frame, Prediction


def test_ablation_counts_pixels_and_scores_against_truth(frame: Frame) -> None:
    def left_half_by_lidar(seen: Frame) -> Prediction:
        labels = np.zeros((64, 96), np.uint8)
        labels[:, :48] = 2 if "lidar" in seen.modalities else 1
        return Prediction(0, labels, labels, {})

    truth = np.zeros((64, 96), np.uint8)
    truth[:, :48] = 2
    found = ablate(left_half_by_lidar, frame, left_half_by_lidar(frame).labels, truth)
    assert found["lidar"].changed == 0.5
    assert found["lidar"].area_change == {"background": 0, "road": 0.5, "vehicle": -0.5, "pedestrian": 0}
    assert found["lidar"].iou is not None
    assert found["lidar"].iou["vehicle"] == 0
    assert found["rgb"].iou is not None
    assert found["rgb"].iou["vehicle"] == 1

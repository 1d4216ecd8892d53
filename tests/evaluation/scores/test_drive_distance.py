# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import numpy as np

from perception.evaluation.scores.distance import DistanceBands
from perception.evaluation.scores.drive_distance import counted
from perception.frame import Frame


def test_frames_pass_by_and_those_with_answer_and_truth_count() -> None:
    frames = [Frame(stamp, depth=np.full((2, 3), 20.0, np.float32)) for stamp in range(4)]
    frames.append(Frame(4, rgb=np.zeros((2, 3, 3), np.uint8)))  # at no distance
    labels = np.ones((2, 3), np.uint8)
    bands = DistanceBands()
    answers = [labels, None, labels, labels, labels]
    passed = list(counted(frames, answers, {0: labels, 1: labels, 3: labels, 4: labels}, bands))
    assert all(each is frame for each, frame in zip(passed, frames, strict=True))
    assert {band: each.pixels for band, each in bands.scores().items()} == {"15–30 m": 12}

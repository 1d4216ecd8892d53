# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from perception.frame import Frame, Prediction
from perception.labelling.contradiction import SURE, TOO_MUCH, is_asked, overturned
from perception.pipeline import Pipeline


class Stub:
    """Says road above the row, by the sensors that are there: all of it with rgb, a quarter less without."""

    def __init__(self, confidence: int) -> None:
        self._confidence = confidence

    def __call__(self, frame: Frame) -> Prediction:
        labels = np.ones((8, 8), np.uint8)
        if frame.rgb is None:
            labels[:2] = 2
        return Prediction(0, labels, np.full((8, 8), self._confidence, np.uint8), {})


@pytest.mark.parametrize(("confidence", "share"), [(250, 0.25), (int(255 * SURE) - 1, 0.0)])
def test_only_what_the_others_are_sure_of_counts(confidence: int, share: float) -> None:
    rng = np.random.default_rng(0)
    frame = Frame(0, rgb=rng.integers(0, 255, (8, 8, 3), np.uint8), infrared=rng.integers(0, 255, (8, 8), np.uint8))
    pipeline = Stub(confidence)
    assert overturned(pipeline, frame, pipeline(frame)) == {"rgb": share, "infrared": 0.0}
    alone = replace(frame, infrared=None)
    assert overturned(pipeline, alone, pipeline(alone)) == {}
    blind = replace(pipeline(frame), absent={"infrared": "constant"})
    assert overturned(pipeline, frame, blind) == {}


@pytest.mark.parametrize(
    ("count", "every", "asked"), [(1000, 25, 40), (100, 25, 10), (5, 25, 5), (100, 3, 34), (9, 0, 0)]
)
def test_one_in_so_many_frames_is_asked_and_of_few_more(count: int, every: int, asked: int) -> None:
    assert sum(is_asked(number, count, every) for number in range(count)) == asked


def test_depth_in_the_wrong_unit_is_found_and_the_right_one_is_not(real_data: Path) -> None:
    from perception.datasets.registry import open_dataset

    samples = open_dataset("cityscapes-stereo", real_data / "cityscapes_stereo", "val")
    frames = [sample.frame for sample in samples]
    pipeline = Pipeline.load()

    def most(factor: float) -> float:
        shares = []
        for frame in frames:
            assert frame.depth is not None
            frame = replace(frame, depth=frame.depth * np.float32(factor))
            shares.append(max(overturned(pipeline, frame, pipeline(frame)).values()))
        return float(np.median(shares))

    assert most(1.0) < TOO_MUCH / 2
    assert most(1000 / 256) > TOO_MUCH

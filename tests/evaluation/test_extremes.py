# SPDX-License-Identifier: Apache-2.0
"""What is remembered of the frames that pass by."""

from __future__ import annotations

import numpy as np

from perception.classes import BACKGROUND, ROAD
from perception.evaluation.extremes import Extremes
from perception.frame import Frame, Prediction
from perception.reporting.dropout import Dropout
from perception.sample import Sample

SHAPE = (6, 8)


def sample(name: str, depth: bool = True, infrared: bool = True, truth: bool = True) -> Sample:
    frame = Frame(
        stamp_ns=0,
        rgb=np.zeros((*SHAPE, 3), np.uint8),
        depth=np.ones(SHAPE, np.float32) if depth else None,
        infrared=np.zeros(SHAPE, np.uint8) if infrared else None,
    )
    return Sample(name, frame, np.full(SHAPE, ROAD, np.uint8) if truth else None)


def said(right: int = SHAPE[1], sure: int = 200) -> Prediction:
    """Road in the first so many columns."""
    labels = np.full(SHAPE, BACKGROUND, np.uint8)
    labels[:, :right] = ROAD
    return Prediction(0, labels, np.full(SHAPE, sure, np.uint8), {"rgb": 0.75, "depth": 0.25})


def test_runs_without_a_sensor_are_drop_outs() -> None:
    """In numbers of frames, each of which lasts from half before to half after."""
    extremes = Extremes()
    for depth, infrared in ((True, False), (False, True), (False, True), (True, True), (False, True)):
        extremes.observe(sample("frame", depth, infrared), said())
    assert extremes.dropouts() == [
        Dropout("depth", 1.5, 3.5),
        Dropout("depth", 4.5, 5.5),
        Dropout("infrared", 0.5, 1.5),
    ]
    assert extremes.weights[4] == {"time_s": 5.0, "rgb": 0.75, "depth": 0.25}


def test_a_sensor_that_nobody_asked_for_does_not_drop_out() -> None:
    extremes = Extremes(["rgb", "infrared"])
    for depth, infrared in ((True, True), (False, True)):
        extremes.observe(sample("frame", depth, infrared), said())
    assert extremes.dropouts() == []
    assert Extremes().dropouts() == []


def test_best_and_worst_are_kept_with_their_truth() -> None:
    extremes = Extremes()
    for name, right in (("half", 4), ("whole", 8), ("quarter", 2)):
        extremes.observe(sample(name), said(right))
    assert [picture.caption for picture in extremes.pictures] == [
        "The best frame, whole: mean IoU 1.000.",
        "The truth of whole.",
        "The worst frame, quarter: mean IoU 0.250.",
        "The truth of quarter.",
    ]
    best, truth, worst, _ = (picture.image for picture in extremes.pictures)
    assert (best == truth).all()
    assert (worst != best).any()


def test_without_truth_it_goes_by_confidence() -> None:
    extremes = Extremes()
    for name, sure in (("so-so", 153), ("sure", 255), ("unsure", 51)):
        extremes.observe(sample(name, truth=False), said(sure=sure))
    assert [picture.caption for picture in extremes.pictures] == [
        "The surest frame, sure: mean confidence 1.000.",
        "The least sure frame, unsure: mean confidence 0.200.",
    ]


def test_a_single_frame_is_shown_once() -> None:
    extremes = Extremes()
    extremes.observe(sample("only", truth=False), said())
    assert len(extremes.pictures) == 1

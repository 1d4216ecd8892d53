# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import math

import numpy as np
import pytest

from perception.evaluation.scores.panoptic import Overlaps, PanopticQuality, mean_score

from .conftest import IDS, random_things


def _quality(frames: list[tuple[np.ndarray, np.ndarray, np.ndarray]]) -> PanopticQuality:
    quality = PanopticQuality(IDS, 1000)
    for predicted, true, unknown in frames:
        quality.update(Overlaps.of(predicted, true, unknown))
    return quality


def test_it_is_torchmetrics_on_the_same_frames() -> None:
    torch = pytest.importorskip("torch")
    detection = pytest.importorskip("torchmetrics.detection")
    frames = [random_things(seed) for seed in range(12)]
    scores = _quality(frames).scores()
    theirs = detection.PanopticQuality(things={2, 3}, stuffs={0}, return_sq_and_rq=True, return_per_class=True)
    for predicted, true, unknown in frames:
        target = np.where(unknown, 255, true // 1000)
        pairs = [np.stack([each, codes % 1000], -1) for each, codes in ((predicted // 1000, predicted), (target, true))]
        theirs.update(*(torch.from_numpy(pair.astype(np.int64))[None] for pair in pairs))
    expected = theirs.compute().numpy()
    for row, name in zip(expected, ("vehicle", "pedestrian"), strict=False):  # theirs are sorted, things first
        score = scores[name]
        assert 0 < score.pq < 1
        np.testing.assert_allclose((score.pq, score.sq, score.rq), row, atol=1e-6)
    mean = mean_score(scores)
    assert mean.pq == pytest.approx(expected[:2, 0].mean())
    assert mean.tp == scores["vehicle"].tp + scores["pedestrian"].tp


def test_by_hand() -> None:
    true, predicted = np.zeros((2, 10, 20), np.uint16)
    unknown = np.zeros((10, 20), bool)
    true[:, :8], true[:, 10:14] = 2001, 2002
    predicted[:, :6], predicted[:, 14:18] = 2007, 2003
    score = _quality([(predicted, true, unknown)]).scores()["vehicle"]
    assert (score.tp, score.fp, score.fn) == (1, 1, 1)
    assert (score.sq, score.rq, score.pq) == pytest.approx((0.75, 0.5, 0.375))
    unknown[:, 14:20] = True
    assert _quality([(predicted, true, unknown)]).scores()["vehicle"].fp == 0
    assert math.isnan(_quality([(predicted, true, unknown)]).scores()["pedestrian"].pq)


def test_nothing_anywhere_has_no_score() -> None:
    nothing = np.zeros((4, 4), np.uint16)
    assert math.isnan(mean_score(_quality([(nothing, nothing, nothing > 0)]).scores()).pq)

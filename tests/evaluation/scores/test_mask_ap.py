# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import math

import numpy as np
import pytest

from perception.evaluation.scores.mask_ap import AveragePrecision
from perception.evaluation.scores.panoptic import Overlaps

from .conftest import IDS, random_things


def _scored(seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray, Overlaps, np.ndarray]:
    predicted, true, unknown = random_things(seed)
    overlaps = Overlaps.of(predicted, true, unknown)
    return predicted, true, unknown, overlaps, np.random.default_rng([seed, 1]).random(len(overlaps.predicted))


def test_it_is_pycocotools_on_the_same_frames(capsys: pytest.CaptureFixture[str]) -> None:
    coco = pytest.importorskip("pycocotools.coco")
    cocoeval = pytest.importorskip("pycocotools.cocoeval")
    from pycocotools import mask as masks

    def coded(mask: np.ndarray) -> dict[str, object]:
        return masks.encode(np.asfortranarray(mask.astype(np.uint8)))

    ours, truth, found = AveragePrecision(IDS, 1000), [], []
    for image in range(1, 21):
        predicted, true, unknown, overlaps, scores = _scored(image)
        ours.update(overlaps, scores)
        for code in overlaps.true.tolist():
            truth.append(dict(category_id=code // 1000, segmentation=coded(true == code), iscrowd=0))
            truth[-1] |= dict(image_id=image, area=int((true == code).sum()))
        for class_id in IDS.values():
            crowd = dict(category_id=class_id, segmentation=coded(unknown), iscrowd=1, area=int(unknown.sum()))
            truth.append(crowd | dict(image_id=image))
        for code, score in zip(overlaps.predicted.tolist(), scores.tolist(), strict=True):
            mask = coded(predicted == code)
            found.append(dict(image_id=image, category_id=code // 1000, segmentation=mask, score=score))
    reference = coco.COCO()
    reference.dataset = dict(
        images=[dict(id=image, height=60, width=80) for image in range(1, 21)],
        categories=[dict(id=class_id, name=name) for name, class_id in IDS.items()],
        annotations=[each | dict(id=number) for number, each in enumerate(truth, start=1)],
        info={},
    )
    reference.createIndex()
    evaluation = cocoeval.COCOeval(reference, reference.loadRes(found), "segm")
    evaluation.evaluate()
    evaluation.accumulate()
    precision = evaluation.eval["precision"][..., 0, -1]  # thresholds, recalls, classes: of every size, of 100
    for column, name in enumerate(("vehicle", "pedestrian")):
        assert 0 < precision[..., column].mean() < 1
        assert ours.scores()[name] == pytest.approx(precision[..., column].mean(), abs=1e-9)
        assert ours.scores_at_half()[name] == pytest.approx(precision[0, :, column].mean(), abs=1e-9)


def test_without_truth_there_is_no_figure() -> None:
    nothing = np.zeros((4, 4), np.uint16)
    ours = AveragePrecision(IDS, 1000)
    ours.update(Overlaps.of(np.full((4, 4), 2001, np.uint16), nothing, nothing > 0), np.ones(1))
    assert all(math.isnan(value) for value in (*ours.scores().values(), *ours.scores_at_half().values()))

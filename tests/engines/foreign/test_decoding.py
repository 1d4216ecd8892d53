# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from helpers.models.foreign import CITY

from perception.classes import BACKGROUND, PEDESTRIAN, ROAD, UNLABELLED, VEHICLE
from perception.engines.foreign.decoding import Decoded, decode
from perception.engines.foreign.description import made
from perception.engines.foreign.fitting import Fit, fit_of
from perception.errors import ModelError

SAME = Fit(64, 96, (64, 96), (64, 96), (0, 0))


def _scores(*planes: float) -> Any:
    return np.array(planes, np.float32).reshape(1, -1, 1, 1) * np.ones((1, 1, 64, 96), np.float32)


def _decoded(given: dict[str, Any], fit: Fit = SAME, **changed: Any) -> Decoded:
    return decode(made({**CITY, **changed}), given, fit)


def test_logits_are_a_softmax() -> None:
    found = _decoded({"scores": _scores(0, 2, 1)})
    assert (found.labels == VEHICLE).all()
    expected = np.exp(2) / (1 + np.exp(2) + np.exp(1))
    assert (found.confidence == round(255 * expected)).all()
    assert found.things is None


def test_kinds_of_one_class_count_together() -> None:
    names = {"names": ["road", "car", "truck", "sky"], "others": "background"}
    kind = {"outputs": {"kind": "probabilities", "scores": "x"}}
    found = _decoded({"scores": _scores(0.4, 0.3, 0.25, 0.05)}, **names, **kind)
    assert (found.labels == VEHICLE).all()
    assert (found.confidence == round(255 * 0.55)).all()


def test_one_class_alone_is_a_sigmoid() -> None:
    scores = _scores(1.0)
    scores[..., :48] = -3.0
    found = _decoded({"scores": scores}, names=["road"])
    assert (found.labels[:, 48:] == ROAD).all()
    assert (found.labels[:, :48] == UNLABELLED).all()
    assert (found.confidence[:, :48] == 0).all()
    found = _decoded({"scores": scores}, names=["road"], elsewhere="background")
    assert (found.labels[:, :48] == BACKGROUND).all()
    assert found.confidence[0, 0] == round(255 / (1 + np.exp(-3)))


def test_a_class_that_says_nothing_claims_nothing() -> None:
    found = _decoded({"scores": _scores(3, 0, 0)}, classes={"road": "unlabelled"})
    assert (found.labels == UNLABELLED).all()
    assert not found.confidence.any()


def test_coarse_scores_and_a_letterbox_come_back_to_the_image() -> None:
    description = made({**CITY, "fit": "letterbox"})
    fit = fit_of(description, (96, 96), 64, 96)
    scores = np.zeros((1, 3, 24, 24), np.float32)
    scores[:, 2] = 5.0  # of the letterbox's bars too
    scores[:, 0, 4:20, :12] = 20.0
    labels = decode(description, {"scores": scores}, fit).labels
    assert labels.shape == (64, 96)
    assert (labels[:, :46] == ROAD).all()
    assert (labels[:, 50:] == PEDESTRIAN).all()


@pytest.mark.parametrize("shape", [(1, 64, 96), (1, 1, 64, 96)])
def test_a_map_of_labels(shape: tuple[int, ...]) -> None:
    ids = np.zeros(shape, np.int64)
    ids[..., 48:] = 2
    found = _decoded({"labels": ids}, outputs={"kind": "labels", "labels": "x"}, classes={"person": "unlabelled"})
    assert (found.labels[:, :48] == ROAD).all()
    assert (found.labels[:, 48:] == UNLABELLED).all()
    assert (found.confidence[0, 0], found.confidence[0, 95]) == (255, 0)


MASKS = {"outputs": {"kind": "masks", "labels": "l", "scores": "s", "masks": "m"}, "names": "coco-91"}


def _masks(*boxes: tuple[int, int]) -> Any:
    """Masks of all rows between two columns."""
    masks = np.zeros((len(boxes), 1, 64, 96), np.float32)
    for mask, (left, right) in zip(masks, boxes, strict=True):
        mask[..., left:right] = 0.9
    return masks


def test_masks_of_things() -> None:
    outputs = {
        "labels": np.array([3, 3, 1, 18, 1], np.int64),
        "scores": np.array([0.9, 0.6, 0.8, 0.7, 0.2], np.float32),
        "masks": _masks((0, 30), (20, 50), (40, 60), (60, 70), (80, 90)),
    }
    found = _decoded(outputs, **MASKS, others="background")
    assert found.things is not None
    row = list(zip(found.labels[9].tolist(), found.things[9].tolist(), found.confidence[9].tolist(), strict=True))
    assert row[0] == row[29] == (VEHICLE, 2001, 229)
    assert row[30] == row[39] == (VEHICLE, 2002, round(255 * 0.6))
    assert row[40] == row[59] == (PEDESTRIAN, 3001, round(255 * 0.8))
    assert row[60] == (BACKGROUND, 0, round(255 * 0.7))  # a dog
    assert row[85] == (UNLABELLED, 0, 0)  # below the threshold
    found = _decoded(outputs, **MASKS, others="background", elsewhere="background")
    assert (found.labels[9, 85], found.confidence[9, 85]) == (BACKGROUND, 128)


def test_no_things() -> None:
    outputs = {"labels": np.zeros(0, np.int64), "scores": np.zeros(0, np.float32), "masks": _masks()}
    found = _decoded(outputs, **MASKS, others="background")
    assert (found.labels == UNLABELLED).all()
    assert found.things is not None
    assert not found.things.any()


YOLO = {"outputs": {"kind": "yolo", "predictions": "p", "prototypes": "q"}, "names": ["person", "car"]}


def _yolo(rows: list[tuple[float, ...]]) -> dict[str, Any]:
    """x, y, width, height, two scores, and coefficients of two prototypes: everywhere, and the upper half."""
    prototypes = np.ones((1, 2, 16, 24), np.float32)
    prototypes[0, 1, 8:] = -1
    return {"predictions": np.array(rows, np.float32).T[None], "prototypes": prototypes}


def test_yolo_masks_are_cut_by_their_boxes_and_the_weaker_of_two_goes() -> None:
    outputs = _yolo(
        [
            (24, 32, 20, 40, 0.1, 0.9, 1, 0),
            (25, 32, 20, 40, 0.1, 0.7, 1, 0),  # the same car
            (72, 32, 20, 64, 0.8, 0.1, 0, 5),
            (24, 32, 20, 40, 0.3, 0.2, 1, 0),  # below the threshold
        ]
    )
    found = _decoded(outputs, **YOLO)
    assert found.things is not None
    assert sorted(np.unique(found.things)) == [0, 2001, 3001]
    vehicle, person = found.things == 2001, found.things == 3001
    assert vehicle[12:52, 14:34].all()
    assert vehicle.sum() == 40 * 20
    assert person[:30, 62:82].all()
    assert not person[34:].any()
    assert (found.labels[vehicle] == VEHICLE).all()
    assert (found.confidence[person] == round(255 * 0.8)).all()


def test_two_classes_at_one_place_are_two_things_of_which_the_surer_is_seen() -> None:
    found = _decoded(
        _yolo([(24, 32, 20, 40, 0.9, 0.1, 1, 0), (24, 32, 30, 40, 0.1, 0.6, 1, 0)]),
        **YOLO,
    )
    assert found.things is not None
    counts = dict(zip(*np.unique(found.things, return_counts=True), strict=True))
    assert counts[3001] == 20 * 40
    assert counts[2001] == 10 * 40


def test_yolo_boxes_in_a_letterbox() -> None:
    description = made({**CITY, **YOLO, "fit": "letterbox"})
    fit = fit_of(description, (96, 96), 64, 96)  # 16 rows above and below
    outputs = {
        "predictions": np.array([[(48, 48, 20, 20, 0.1, 0.9, 1)]], np.float32).transpose(0, 2, 1),
        "prototypes": np.ones((1, 1, 24, 24), np.float32),
    }
    things = decode(description, outputs, fit).things
    assert things is not None
    rows, columns = np.nonzero(things)
    assert (rows.min(), rows.max() + 1, columns.min(), columns.max() + 1) == (22, 42, 38, 58)


@pytest.mark.parametrize(
    ("changed", "outputs", "word"),
    [
        ({}, {"scores": _scores(1, 2)}, r"scores: the output is 1×2×64×96, expected \(1, 3, h, w\), as there are 3"),
        ({}, {"scores": _scores(1, 2, float("nan"))}, "scores: values that are no numbers"),
        (
            {"outputs": {"kind": "labels", "labels": "x"}},
            {"labels": np.full((1, 4, 4), 3)},
            "labels: class 3, names has 3",
        ),
        (
            {"outputs": {"kind": "labels", "labels": "x"}},
            {"labels": np.zeros((1, 4, 4), np.float32)},
            "labels: float32, expected whole numbers",
        ),
        (
            {**MASKS, "others": "background"},
            {"labels": np.array([95]), "scores": np.array([0.9]), "masks": _masks((0, 9))},
            "labels: class 95, names has 91",
        ),
        (
            {**MASKS, "others": "background"},
            {"labels": np.array([1]), "scores": np.array([0.9]), "masks": np.zeros((1, 1, 28, 28))},
            "masks: the output is 1×1×28×28, expected .* as large as the input",
        ),
        (
            {**YOLO, "names": ["person"]},
            _yolo([(24, 32, 20, 40, 0.1, 0.9, 1, 0)]),
            r"predictions: the output is 1×8×1, expected \(1, 7, A\): 4 \+ 1 names \+ 2 of masks",
        ),
        (YOLO, _yolo([(24, 32, 20, 40, 0.1, float("inf"), 1, 0)]), "scores: values that are no numbers"),
    ],
)
def test_what_an_output_must_not_be_is_said(changed: Any, outputs: Any, word: str) -> None:
    with pytest.raises(ModelError, match=word):
        _decoded(outputs, **changed)

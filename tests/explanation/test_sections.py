# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest
from helpers.explained import ROAD_ABOVE, explanation

from perception.explanation.ablation import Ablation
from perception.explanation.explain import Explanation
from perception.explanation.sections import Section, sections


def by_heading(found: Explanation) -> dict[str, Section]:
    return {section.heading: section for section in sections(found)}


def test_without_a_network_to_look_into_there_are_answer_and_ablation() -> None:
    answer, ablations = sections(explanation())
    assert answer.note.endswith("camera 70%, depth 30%")
    assert [title for title, _ in answer.panels] == ["masks", "confidence, mean 80.0%"]
    ((title, picture),) = ablations.panels
    assert title.startswith("without depth: 25.0% of the image")
    assert "vehicle +25.0" in title
    assert picture.shape == (64, 96, 3)


def test_the_truth_stands_beside_the_masks_with_iou() -> None:
    iou = {"road": 0.5, "vehicle": float("nan"), "pedestrian": 1.0}
    area = {"background": 0.0, "road": 0.0, "vehicle": 0.0, "pedestrian": 0.0}
    without = {"depth": Ablation(ROAD_ABOVE, 0.0, area, {**iou, "road": 0.25})}
    answer, ablations = sections(explanation(truth=ROAD_ABOVE, iou=iou, ablations=without))
    assert [title for title, _ in answer.panels][:2] == ["masks, IoU road 0.50, pedestrian 1.00", "truth"]
    assert answer.columns == len(answer.panels) == 3
    assert ablations.panels[0][0].endswith("IoU road 0.25, pedestrian 1.00")


def test_a_sensor_alone_has_nothing_to_be_without() -> None:
    assert list(by_heading(explanation(ablations={}))) == ["What it said"]


def test_no_change_is_never_minus_nothing() -> None:
    area = {"background": -1e-9, "road": -1e-9, "vehicle": 1e-9, "pedestrian": 0.0}
    (_, found) = sections(explanation(ablations={"depth": Ablation(ROAD_ABOVE, 0.0, area, None)}))
    assert "-0.0" not in found.panels[0][0]


@pytest.mark.parametrize("name", ["depth", "rgb"])
def test_pictures_are_of_the_frame_s_size(name: str) -> None:
    area = dict.fromkeys(("background", "road", "vehicle", "pedestrian"), 0.0)
    found = explanation(ablations={name: Ablation(ROAD_ABOVE, 0.0, area, None)})
    assert {picture.shape for section in sections(found) for _, picture in section.panels} == {(64, 96, 3)}

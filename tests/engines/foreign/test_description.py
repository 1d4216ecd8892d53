# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from helpers.models.foreign import CITY, PLAIN

from perception.classes import BACKGROUND, PEDESTRIAN, ROAD, UNLABELLED, VEHICLE
from perception.engines.foreign.description import CHANNELS, made, read
from perception.errors import ModelError


def test_names_that_everybody_knows_need_no_word() -> None:
    assert made(CITY).table.tolist() == [ROAD, VEHICLE, PEDESTRIAN]


def test_what_a_class_is_may_be_said_by_name_or_id() -> None:
    content = {**CITY, "names": ["ego", "lane", "lorry", "dog"], "classes": {"lane": "road", 2: "vehicle"}}
    assert made({**content, "others": "background"}).table.tolist() == [BACKGROUND, ROAD, VEHICLE, BACKGROUND]
    assert made({**content, "others": "unlabelled"}).table.tolist() == [UNLABELLED, ROAD, VEHICLE, UNLABELLED]
    with pytest.raises(ModelError, match=r"nothing says what class 0, 'ego', is: one of background, road, vehicle"):
        made(content)


def test_known_lists() -> None:
    coco = made({**CITY, "names": "coco", "others": "background"})
    assert len(coco.table) == 80
    assert [coco.class_names[number] for number in range(80) if coco.table[number] == VEHICLE] == [
        *("bicycle", "car", "motorcycle", "bus", "train", "truck")
    ]
    gaps = made({**CITY, "names": "coco-91", "others": "background"})
    assert (gaps.class_names[1], gaps.class_names[3], gaps.class_names[90]) == ("person", "car", "toothbrush")
    assert (len(gaps.table), gaps.table[1], gaps.table[8]) == (91, PEDESTRIAN, VEHICLE)
    city = made({**CITY, "names": "cityscapes", "others": "background"})
    assert city.table.tolist() == [ROAD, *[0] * 10, PEDESTRIAN, PEDESTRIAN, *[VEHICLE] * 6]


def test_names_by_id_as_ultralytics_writes_them() -> None:
    assert made({**CITY, "names": {0: "person", 1: "car"}}).table.tolist() == [PEDESTRIAN, VEHICLE]
    with pytest.raises(ModelError, match="names: expected every id from 0 on"):
        made({**CITY, "names": {1: "person"}})


def test_a_scale_may_be_a_fraction() -> None:
    assert made(CITY).inputs["image"].scale == 1 / 255


def test_channels_of_every_sensor() -> None:
    content = {**PLAIN, "channels": ["blue", "infrared intensity"], "mean": [0, 0], "std": [1, 1]}
    assert made({**CITY, "inputs": {"image": content}}).sensors == ("rgb", "infrared")
    assert CHANNELS["infrared intensity"] == ("infrared", 0)


def _with(**changed: Any) -> dict[str, Any]:
    return {key: value for key, value in {**CITY, **changed}.items() if value is not ...}


@pytest.mark.parametrize(
    ("content", "word"),
    [
        ([], "expected keys with values"),
        (_with(names=...), "Description: 'names' is missing"),
        (_with(layuot="NCHW"), "no setting is called 'layuot'; did you mean 'layout'"),
        (_with(format=2), "format: 2, this version reads 1"),
        (_with(inputs=...), "inputs: expected the file's inputs by name"),
        (_with(inputs={"image": {**PLAIN, "mean": None}}), r"inputs\.image: Input\.mean: expected several of a number"),
        (_with(inputs={"image": {"channels": ["red"]}}), r"inputs\.image: Input: 'scale' is missing"),
        (_with(inputs={"image": {**PLAIN, "mean": [0.5]}}), "mean: 1 values for 3 channels"),
        (_with(inputs={"image": {**PLAIN, "std": [1, 1, 0]}}), "neither scale nor std be 0"),
        (_with(inputs={"image": {**PLAIN, "channels": ["red", "gren", "blue"]}}), "'gren'; did you mean 'green'"),
        (_with(layout="NCWH"), "layout: 'NCWH'; did you mean 'NCHW'"),
        (_with(outputs={"kind": "boxes"}), "outputs.kind: 'boxes'"),
        (_with(outputs={"kind": "logits"}), "outputs: 'scores' is missing"),
        (_with(outputs={"kind": "logits", "scores": "a", "masks": "b"}), "no setting is called 'masks'"),
        (_with(names="coco80"), "names: 'coco80'; did you mean 'coco'"),
        (_with(names=[]), "names: expected the classes by id"),
        (_with(classes={"lorry": "vehicle"}), "classes: none of names is 'lorry'"),
        (_with(classes={7: "vehicle"}), "there is no class 7, the ids are 0 to 2"),
        (_with(classes={"car": "vehicel"}), "'vehicel'; did you mean 'vehicle'"),
        (_with(threshold=1.5), "threshold, overlap: 1.5"),
        (_with(size=[0, 64]), "expected at least 1"),
    ],
)
def test_what_is_wrong_is_said(content: Any, word: str, tmp_path: Path) -> None:
    path = tmp_path / "model.yaml"
    path.write_text(yaml.safe_dump(content), "utf-8")
    with pytest.raises(ModelError, match=rf"^{path}: .*{word}"):
        read(path)


def test_what_is_no_yaml_is_said(tmp_path: Path) -> None:
    path = tmp_path / "model.yaml"
    path.write_text("inputs: [", "utf-8")
    with pytest.raises(ModelError, match=r"model\.yaml: not YAML"):
        read(path)

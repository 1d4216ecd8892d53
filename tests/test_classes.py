# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import json

import numpy as np
import pytest

from perception.classes import (
    BACKGROUND,
    CLASSES,
    PEDESTRIAN,
    ROAD,
    UNLABELLED,
    VEHICLE,
    colourise,
    evaluated_table,
)
from perception.errors import ModelError

BICYCLE = dict(name="bicycle", colour=(255, 200, 0), within="vehicle", takes=dict(camvid=(10,), cityscapes=(33,)))
FIVE = CLASSES.extended([BICYCLE])


@pytest.mark.parametrize("scheme", ["camvid", "idd-lite", "cityscapes", "cityscapes-train-ids"])
def test_every_map_has_all_classes_and_nothing_else(scheme: str) -> None:
    assert set(CLASSES.table(scheme).tolist()) == {BACKGROUND, ROAD, VEHICLE, PEDESTRIAN, UNLABELLED}


def test_the_shipped_maps_are_as_they_were() -> None:
    assert CLASSES.mapping("camvid") == {3: ROAD, 8: VEHICLE, 9: PEDESTRIAN, 10: UNLABELLED, 11: UNLABELLED}
    assert CLASSES.mapping("idd-lite") == {0: ROAD, 2: PEDESTRIAN, 3: VEHICLE, 255: UNLABELLED}
    assert CLASSES.table("cityscapes")[[0, 6, 7, 8, 23, 24, 25, 26, 33, 34]].tolist() == [
        255, 255, ROAD, BACKGROUND, BACKGROUND, PEDESTRIAN, PEDESTRIAN, VEHICLE, VEHICLE, BACKGROUND,
    ]  # fmt: skip
    assert CLASSES.table("simulated")[:5].tolist() == [0, 1, 2, 3, 255]
    kinds = CLASSES.mapping("kitti-boxes")
    assert [kinds[each] for each in ("Van", "Person_sitting", "Cyclist", "Misc")] == [VEHICLE, PEDESTRIAN, 255, 255]
    assert evaluated_table()[[7, 9, 24, 26, 29, 30]].tolist() == [ROAD, 255, PEDESTRIAN, VEHICLE, 255, 255]
    assert CLASSES.palette.tolist() == [[70, 70, 70], [128, 64, 128], [30, 110, 255], [255, 40, 60]]
    assert CLASSES.foreground == {"road": 1, "vehicle": 2, "pedestrian": 3}
    assert CLASSES.beyond == []


def test_train_ids_and_label_ids_of_cityscapes_agree() -> None:
    # labelId by trainId, from cityscapesscripts/helpers/labels.py
    label_ids = [7, 8, 11, 12, 13, 17, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 31, 32, 33]
    by_train_id = CLASSES.table("cityscapes-train-ids")[:19]
    np.testing.assert_array_equal(by_train_id, CLASSES.table("cityscapes")[label_ids])


def test_colours_differ_and_unlabelled_is_black() -> None:
    colours = colourise(np.array([[0, 1, 2, 3, 255]], np.uint8))[0]
    assert len({tuple(c) for c in colours}) == 5
    assert not colours[4].any()


def test_a_class_more_takes_its_labels_and_leaves_unlearnt_what_may_hold_it() -> None:
    assert FIVE.names[4:] == ("bicycle",)
    assert FIVE.mapping("camvid") == {3: ROAD, 8: VEHICLE, 9: PEDESTRIAN, 10: 4, 11: UNLABELLED}
    assert FIVE.table("cityscapes")[[26, 33]].tolist() == [VEHICLE, 4]
    # IDD-Lite calls a bicycle a vehicle, and the simulator too: neither says which vehicle is one.
    assert FIVE.mapping("idd-lite") == {0: ROAD, 2: PEDESTRIAN, 3: UNLABELLED, 255: UNLABELLED}
    assert FIVE.table("simulated")[:5].tolist() == [0, 1, 255, 3, 255]
    none = CLASSES.extended([{**BICYCLE, "takes": {"simulated": ()}}])
    assert none.table("simulated")[:5].tolist() == [0, 1, VEHICLE, 3, 255]
    tree = CLASSES.extended([dict(name="tree", colour=(0, 200, 0))])
    assert tree.table("camvid")[[0, 3, 8]].tolist() == [UNLABELLED, ROAD, VEHICLE]


def test_what_is_one_per_class_goes_on_with_what_a_class_is_within() -> None:
    assert FIVE.per_class((1.0, 2.0, 3.0, 4.0), "x") == (1.0, 2.0, 3.0, 4.0, 3.0)
    assert FIVE.per_class([1, 2, 3, 4, 5], "x") == (1, 2, 3, 4, 5)
    with pytest.raises(ModelError, match=r"x: 3 values, expected 4 or 5: background, .* bicycle"):
        FIVE.per_class((1, 2, 3), "x")
    assert FIVE.first[[0, 3, 4, 255]].tolist() == [0, 3, VEHICLE, 255]


def test_a_table_survives_json_and_may_change_a_class() -> None:
    assert CLASSES.extended(json.loads(json.dumps(FIVE.beyond))) == FIVE
    red = CLASSES.extended([dict(name="vehicle", colour=(255, 0, 0))])
    assert (red.names, red.palette[VEHICLE].tolist()) == (CLASSES.names, [255, 0, 0])
    assert red.mapping("camvid") == CLASSES.mapping("camvid")


@pytest.mark.parametrize(
    ("row", "said"),
    [
        (dict(nam="tree"), "no setting is called 'nam'; did you mean 'name'?"),
        (dict(name="tree"), "'colour' is missing"),
        (dict(name="A tree", colour=(0, 0, 0)), "class 'A tree': expected small letters, digits and _"),
        (dict(name="labels", colour=(0, 0, 0)), "class 'labels': expected .* none of labels"),
        (dict(name="tree", colour=(0, 0, 300)), r"class 'tree': expected a colour of 0–255, got \(0, 0, 300\)"),
        (dict(name="tree", colour=(0, 0)), "colour: expected .a whole number, a whole number, a whole number"),
        (dict(name="tree", colour=(0, 0, 0), within="bakground"), "within: .*'bakground'; did you mean 'background'?"),
        (dict(name="tree", colour=(0, 0, 0), takes=dict(kamvid=(1,))), "takes: .*'kamvid'; did you mean 'camvid'?"),
        (dict(name="vehicle", within="road"), "class 'vehicle': it is within vehicle"),
        ("tree", "expected a dict of each class, got 'tree'"),
    ],
)
def test_rows_that_cannot_be_are_refused(row: dict[str, object], said: str) -> None:
    with pytest.raises(ModelError, match=said):
        CLASSES.extended([row])

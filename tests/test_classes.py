# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import numpy as np
import pytest

from perception import classes

MAPS = [classes.CAMVID, classes.IDD_LITE, classes.CITYSCAPES_TRAIN_IDS, classes.CITYSCAPES_LABEL_IDS]


@pytest.mark.parametrize("mapping", MAPS)
def test_every_map_has_all_classes_and_nothing_else(mapping: dict[int, int]) -> None:
    targets = set(classes.lookup_table(mapping).tolist())
    assert targets == {classes.BACKGROUND, classes.ROAD, classes.VEHICLE, classes.PEDESTRIAN, classes.UNLABELLED}


def test_train_ids_and_label_ids_of_cityscapes_agree() -> None:
    # labelId by trainId, from cityscapesscripts/helpers/labels.py
    label_ids = [7, 8, 11, 12, 13, 17, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 31, 32, 33]
    by_train_id = classes.lookup_table(classes.CITYSCAPES_TRAIN_IDS)[:19]
    np.testing.assert_array_equal(by_train_id, classes.lookup_table(classes.CITYSCAPES_LABEL_IDS)[label_ids])


def test_colours_differ_and_unlabelled_is_black() -> None:
    colours = classes.colourise(np.array([[0, 1, 2, 3, 255]], np.uint8))[0]
    assert len({tuple(c) for c in colours}) == 5
    assert not colours[4].any()

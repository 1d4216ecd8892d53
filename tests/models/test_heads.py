# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from typing import Any

import pytest

pytest.importorskip("torch")
pytest.importorskip("mmseg")

from perception.classes import CLASSES
from perception.errors import ModelError
from perception.models.heads import widen

FIVE = CLASSES.extended([dict(name="bicycle", colour=(255, 200, 0), within="vehicle")])


def test_every_head_and_loss_is_as_wide_as_the_table() -> None:
    loss = dict(type="X", class_weight=(1.0, 2.0, 3.0, 4.0))
    model: dict[str, Any] = dict(
        decode_head=dict(num_classes=4, loss_decode=[loss]), auxiliary_head=[dict(num_classes=5)]
    )
    widen(model, FIVE)
    assert (model["decode_head"]["num_classes"], model["auxiliary_head"][0]["num_classes"]) == (5, 5)
    assert loss["class_weight"] == (1.0, 2.0, 3.0, 4.0, 3.0)
    widen(model, FIVE)  # again changes nothing
    assert loss["class_weight"] == (1.0, 2.0, 3.0, 4.0, 3.0)


def test_another_number_is_refused() -> None:
    with pytest.raises(ModelError, match=r"model.decode_head.num_classes: 7, but the config's `classes` are 5: "):
        widen(dict(decode_head=dict(num_classes=7)), FIVE)
    with pytest.raises(ModelError, match=r"model.loss.class_weight: 3 values, expected 4 or 5"):
        widen(dict(loss=dict(class_weight=(1, 1, 1))), FIVE)

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("torch")

from perception.frame import Frame
from perception.sensors.thermal import infrared_channels
from perception.training.data.thermal_fault import ThermalFaults

KINDS = ("control", "local", "pattern", "blur", "inverted", "rim", "narrow")


def frame(dtype: type = np.uint8) -> Frame:
    rng = np.random.default_rng(0)
    image = rng.normal(60, 4, (96, 128))
    image[30:70, 50:64] = 200
    if dtype is np.uint16:
        image = image * 20 + 7000
    return Frame(0, infrared=np.clip(image, 7, 65535).astype(dtype))


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_changes_the_image_and_leaves_the_person_in_it(kind: str, dtype: type) -> None:
    whole = frame(dtype)
    disturbed = ThermalFaults(**{kind: 1.0}).apply(whole, np.random.default_rng(3)).infrared
    assert disturbed is not None
    assert disturbed.dtype == np.uint8
    assert disturbed.shape == (96, 128)
    assert not np.array_equal(disturbed, ThermalFaults(blur=1e-12).apply(whole, np.random.default_rng(3)).infrared)
    rank = infrared_channels(disturbed, 128, 96)[1].astype(int)
    person, road = rank[40:60, 54:60].mean(), rank[75:85, 80:100].mean()
    assert (person < road - 60) if kind == "inverted" else (person > road + 60)


def test_a_rim_is_not_measured() -> None:
    disturbed = ThermalFaults(rim=1.0).apply(frame(), np.random.default_rng(1)).infrared
    valid = infrared_channels(disturbed, 128, 96)[2]
    assert 0.3 < (valid > 0).mean() < 0.98


def test_without_faults_nothing_is_drawn() -> None:
    rng = np.random.default_rng(0)
    whole = frame(np.uint16)
    assert ThermalFaults().apply(whole, rng) is whole
    assert rng.random() == np.random.default_rng(0).random()
    camera = Frame(0, np.zeros((4, 4, 3), np.uint8))
    assert ThermalFaults(blur=1.0).apply(camera, rng) is camera

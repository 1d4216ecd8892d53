# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("torch")

from perception.sensors import NetworkInput
from perception.training.data.patches import Patches


def crop(present: tuple[int, ...] = (1, 1, 0, 0)) -> NetworkInput:
    rgb = np.full((320, 768, 3), 200, np.uint8)
    return NetworkInput(rgb, np.full((160, 384, 10), 9, np.uint8), np.array(present, np.float32))


def test_hides_half_of_one_side_of_the_other_or_of_both_in_turns() -> None:
    kinds = set()
    for seed in range(30):
        made = crop()
        Patches(1.0).apply(made, np.random.default_rng(seed))
        hidden_rgb = (made.rgb != 200).all(2)[::2, ::2]
        hidden_aux = (made.aux == 0).all(2)
        kinds.add((hidden_rgb.any(), hidden_aux.any()))
        for hidden in (hidden_rgb, hidden_aux):
            assert not hidden.any() or 0.35 < hidden.mean() < 0.65
        if hidden_rgb.any() and hidden_aux.any():
            assert (hidden_rgb ^ hidden_aux).all()  # what the one cannot see the other does
    assert kinds == {(True, False), (False, True), (True, True)}


def test_a_sensor_that_is_alone_is_left_whole() -> None:
    for present in ((1, 0, 0, 0), (0, 1, 0, 1)):
        made = crop(present)
        Patches(1.0).apply(made, np.random.default_rng(0))
        assert (made.rgb == 200).all()
        assert (made.aux == 9).all()

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from itertools import pairwise

from perception.explanation.methods import DEFAULT_STRIDE, GRAD_CAM, METHODS, STRIDES


def test_strides_and_methods_are_those_that_can_be_asked_for() -> None:
    assert DEFAULT_STRIDE in STRIDES
    assert GRAD_CAM in METHODS
    assert all(b == 2 * a for a, b in pairwise(STRIDES))

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import numpy as np
import pytest

from perception.messages.bit_depth import BitDepth


@pytest.mark.parametrize(("largest", "bits"), [(0, 10), (1023, 10), (1024, 12), (4095, 12), (16383, 14), (65535, 16)])
def test_the_least_depth_that_holds_the_values(largest: int, bits: int) -> None:
    depth = BitDepth()
    assert depth.eight(np.array([[0, largest]], np.uint16)).tolist() == [[0, largest >> (bits - 8)]]
    assert depth.bits == bits


def test_it_never_shrinks() -> None:
    depth = BitDepth()
    depth.learn(np.array([[4000]], np.uint16))
    assert depth.eight(np.array([[1000]], np.uint16)).tolist() == [[1000 >> 4]]


def test_eight_bits_stay_as_they_are() -> None:
    depth, image = BitDepth(), np.array([[7, 255]], np.uint8)
    assert depth.eight(image) is image
    assert depth.bits == 0

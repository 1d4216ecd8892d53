# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import numpy as np
import pytest
from helpers.fleet import every_class
from hypothesis import given
from hypothesis import strategies as st

from perception.datasets.annotated.brush import packed, unpacked

BEGIN = [2, 1, 233, 240, 57, 27, 255, 255, 255, 0, 255, 255, 224, 31, 255, 252, 3, 255, 255, 128]
"""How Label Studio's own brush of an image of 3332 × 2527 pixels begins, whose upper part is empty."""


def test_it_is_what_label_studio_writes() -> None:
    assert packed(np.zeros((2527, 3332), bool))[: len(BEGIN)] == BEGIN


@pytest.mark.parametrize("value", [1, 2, 3])
def test_masks_come_back(value: int) -> None:
    mask = every_class() == value
    np.testing.assert_array_equal(unpacked(packed(mask), *mask.shape), mask)


@given(st.lists(st.booleans(), min_size=6, max_size=6))
def test_every_small_mask_comes_back(values: list[bool]) -> None:
    mask = np.array(values).reshape(2, 3)
    np.testing.assert_array_equal(unpacked(packed(mask), 2, 3), mask)


def test_values_that_are_no_run_are_read_too() -> None:
    """One pixel: red, green, blue, alpha, each in a block that is no run."""
    bits = f"{4:032b}{7:05b}{2:04b}{3:04b}{7:04b}{15:04b}" + "0" + "00" + f"{3:03b}" + f"{0:08b}" * 3 + f"{200:08b}"
    bits = bits.ljust(-(-len(bits) // 8) * 8, "0")
    data = [int(bits[at : at + 8], 2) for at in range(0, len(bits), 8)]
    assert unpacked(data, 1, 1).tolist() == [[True]]


def test_another_s_bytes_are_refused() -> None:
    mask = every_class() == 1
    data = packed(mask)
    with pytest.raises(ValueError, match="a brush of 24576 values of 8 bits, expected 24580 of 8"):
        unpacked(data, 1, 6145)
    with pytest.raises(ValueError, match="truncated"):
        unpacked(data[: len(data) // 2], *mask.shape)
    with pytest.raises(ValueError, match="a brush of 0 values"):
        unpacked([], 2, 2)

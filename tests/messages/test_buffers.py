# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import array

import numpy as np
import pytest

from perception.messages.buffers import as_bytes, byte_array

VALUES = np.array([[1, 2], [256, 65535]], "<u2")
BYTES = [1, 0, 2, 0, 0, 1, 255, 255]


@pytest.mark.parametrize("values", [VALUES, np.repeat(VALUES, 2, axis=1)[:, ::2]])
def test_an_array_becomes_the_bytes_of_its_rows(values: np.ndarray) -> None:
    data = byte_array(values)
    assert data.typecode == "B"
    assert data.tolist() == BYTES


def test_an_empty_array_is_no_bytes() -> None:
    assert byte_array(np.zeros((0, 4), np.float32)) == array.array("B")


@pytest.mark.parametrize("data", [bytes(BYTES), array.array("B", BYTES), np.array(BYTES, np.uint8)])
def test_data_of_any_kind_is_read_without_a_copy(data: bytes | array.array | np.ndarray) -> None:
    read = as_bytes(data)
    assert (read.dtype, read.tolist()) == (np.uint8, BYTES)
    assert read.base is not None

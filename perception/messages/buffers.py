# SPDX-License-Identifier: Apache-2.0
"""The bytes of a message's `data` ↔ NumPy."""

from __future__ import annotations

import array
from typing import Any

import numpy as np
from numpy.typing import NDArray

MAX_PIXELS = 1 << 27
"""The most pixels of an image; a message that claims more is broken."""


def as_bytes(data: Any) -> NDArray[np.uint8]:
    """A message's data (array.array, bytes or array) as (N,) uint8, without a copy."""
    return np.frombuffer(data, np.uint8)


def byte_array(values: NDArray[Any]) -> array.array[int]:
    """The array's bytes as array.array('B'), the only type that rclpy accepts without a slow copy."""
    data = array.array("B")
    data.frombytes(np.ascontiguousarray(values).reshape(-1).view(np.uint8).data)
    return data

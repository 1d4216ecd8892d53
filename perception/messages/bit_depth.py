# SPDX-License-Identifier: Apache-2.0
"""How many of 16 bits a camera uses: an encoding such as mono16 says 16, but often only 10, 12 or 14 are used."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

DEPTHS = (10, 12, 14, 16)


class BitDepth:
    """Found from the images of one camera: the smallest of DEPTHS that fits every value so far, so it never shrinks."""

    def __init__(self) -> None:
        self.bits = 0
        """Bits per value; 0 before the first image of 16 bits."""

    def learn(self, image: NDArray[np.uint16]) -> None:
        """Update with an image's values."""
        largest = int(image.max())
        self.bits = max(self.bits, next(bits for bits in DEPTHS if largest < 1 << bits))

    def eight(self, image: NDArray[Any]) -> NDArray[np.uint8]:
        """The image in 8 bits: of 16, the upper ones of those that the camera uses."""
        if image.dtype != np.uint16:
            return image
        self.learn(image)
        return np.asarray(image >> (self.bits - 8), np.uint8)

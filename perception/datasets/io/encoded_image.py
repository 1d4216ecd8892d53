# SPDX-License-Identifier: Apache-2.0
"""Image files without decoding: their bytes, format and size."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np

from perception.datasets.io.files import check_complete, read_bytes
from perception.errors import DataError

_PNG = b"\x89PNG\r\n\x1a\n"


class EncodedImage(NamedTuple):
    """A PNG or JPEG file. kind: "png" or "jpeg". size: (width, height). channels: 1 for grey, 3 for colour."""

    data: bytes
    kind: str
    size: tuple[int, int]
    channels: int


def read_encoded(path: Path) -> EncodedImage:
    """The image file. Raises DataError if it is missing, truncated, or neither PNG nor JPEG."""
    data = read_bytes(path)
    check_complete(path, data)
    if data.startswith(_PNG) and len(data) > 25:
        size = int.from_bytes(data[16:20], "big"), int.from_bytes(data[20:24], "big")
        return EncodedImage(data, "png", size, 1 if data[25] in (0, 4) else 3)
    image = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
    if image is None or not data.startswith(b"\xff\xd8"):
        raise DataError(f"{path}: neither PNG nor JPEG")
    return EncodedImage(data, "jpeg", (image.shape[1], image.shape[0]), 1 if image.ndim == 2 else 3)

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from perception.datasets.io.encoded_image import read_encoded
from perception.errors import DataError


@pytest.mark.parametrize("shape", [(20, 32), (20, 32, 3)])
@pytest.mark.parametrize("suffix", ["png", "jpg"])
def test_size_and_channels_are_the_files(tmp_path: Path, shape: tuple[int, ...], suffix: str) -> None:
    path = tmp_path / f"a.{suffix}"
    cv2.imwrite(str(path), np.zeros(shape, np.uint8))
    image = read_encoded(path)
    assert image.data == path.read_bytes()
    assert image[1:] == ({"png": "png", "jpg": "jpeg"}[suffix], (32, 20), 3 if len(shape) == 3 else 1)


def test_broken_files_are_named(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    with pytest.raises(DataError, match="no such file"):
        read_encoded(path)
    for data, reason in ((b"", "empty file"), (b"BM" + bytes(100), "neither PNG nor JPEG")):
        path.write_bytes(data)
        with pytest.raises(DataError, match=rf"a\.png: {reason}"):
            read_encoded(path)

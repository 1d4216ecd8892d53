# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from perception.datasets.io.depth_images import find_unit, read_depth, read_unit
from perception.errors import DataError


def write(path: Path, *numbers: int) -> Path:
    cv2.imwrite(str(path), np.array([numbers], np.uint16))
    return path


@pytest.mark.parametrize(
    ("text", "metres"), [("m", 1), ("cm", 0.01), ("mm", 0.001), ("m/256", 1 / 256), ("0.0001", 0.0001), ("2", 2)]
)
def test_units_and_numbers_of_metres(text: str, metres: float) -> None:
    assert read_unit(text) == metres


@pytest.mark.parametrize("text", ["", "inch", "0", "-1", "nan", "inf"])
def test_what_is_no_unit_is_refused(text: str) -> None:
    with pytest.raises(DataError, match="not a unit of depth"):
        read_unit(text)


def test_0_is_no_depth(tmp_path: Path) -> None:
    depth = read_depth(write(tmp_path / "a.png", 0, 1000, 65535), 0.001)
    assert depth.dtype == np.float32
    np.testing.assert_allclose(depth, [[np.nan, 1, 65.535]])


def test_8_bits_are_refused(tmp_path: Path) -> None:
    cv2.imwrite(str(tmp_path / "a.png"), np.zeros((2, 2), np.uint8))
    with pytest.raises(DataError, match=r"a\.png: uint8, expected a 16-bit PNG"):
        read_depth(tmp_path / "a.png", 0.001)


def test_a_unit_file_decides(tmp_path: Path) -> None:
    (tmp_path / "depth_unit.txt").write_text("cm\n")
    images = [write(tmp_path / "a.png", 60000)]
    assert find_unit(images, tmp_path / "depth_unit.txt") == (0.01, "")
    (tmp_path / "depth_unit.txt").write_text("yard\n")
    with pytest.raises(DataError, match=r"depth_unit\.txt: 'yard': not a unit"):
        find_unit(images, tmp_path / "depth_unit.txt")


def test_values_tell_only_where_one_unit_is_impossible(tmp_path: Path) -> None:
    nowhere = tmp_path / "depth_unit.txt"
    far = [write(tmp_path / "far.png", 0, 40000)]  # 156 m as m/256, 40 m as mm
    assert find_unit(far, nowhere) == (0.001, "in mm: as m/256 they would reach 156 m")
    near = [write(tmp_path / "near.png", 0, 5120)]
    with pytest.raises(DataError, match=r"millimetres \(5\.1 m\) or metres × 256 \(20\.0 m\)"):
        find_unit(near, nowhere)

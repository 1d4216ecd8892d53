# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pytest
from helpers.kitti import sweep, write_image, write_sweep

from perception.datasets.kitti.cameras import CameraCalibration
from perception.datasets.kitti.streams import camera_stream, numbered, sweep_stream, without_stamp
from perception.errors import DataError


def calibration(index: int, size: tuple[int, int]) -> CameraCalibration:
    return CameraCalibration(size, np.eye(3), np.zeros(5), np.eye(3), np.eye(3, 4), np.eye(4))


def backwards(numbers: Sequence[int]) -> Mapping[int, int]:
    """A clock that steps back after 2; nothing for 1."""
    stamps = {0: 50, 2: 60, 3: 40}
    return {number: stamps[number] for number in numbers if number in stamps}


def test_files_are_in_the_order_of_their_numbers(tmp_path: Path) -> None:
    for name in ("10.png", "0000000009.png", "9.jpg", "notes.png", "thumb_1.png", "2.txt"):
        (tmp_path / name).touch()
    found = numbered(tmp_path, (".png", ".jpg"))
    assert {number: path.name for number, path in found.items()} == {9: "0000000009.png", 10: "10.png"}
    assert list(found) == [9, 10]
    assert numbered(tmp_path, (".jpg", ".png"))[9].name == "9.jpg"
    assert numbered(tmp_path / "nowhere") == {}


def test_images_follow_their_stamps_and_keep_their_numbers(tmp_path: Path) -> None:
    for number in range(4):
        write_image(tmp_path / f"{number:010d}.png", number, (48, 20), True)
    found = camera_stream(tmp_path, 2, backwards, calibration)
    assert found is not None
    assert (found.name, found.calibration.size, found.colour) == ("camera_color_left", (48, 20), True)
    assert [tuple(each) for each in found.images.instants] == [(40, 3), (50, 0), (60, 2)]
    assert found.images.read(3).name == "0000000003.png"
    assert found.unstamped == ["image_02: 1 without a stamp in timestamps.txt are left out"]


def test_the_size_is_that_of_the_first_image_that_can_be_read(tmp_path: Path) -> None:
    (tmp_path / "0.png").write_bytes(b"broken")
    write_image(tmp_path / "2.png", 2, (40, 30), False)
    found = camera_stream(tmp_path, 0, lambda numbers: {number: number for number in numbers}, calibration)
    assert found is not None
    assert found.calibration.size == (40, 30)
    (tmp_path / "2.png").write_bytes(b"broken too")
    with pytest.raises(DataError, match=r"2\.png"):
        camera_stream(tmp_path, 0, lambda numbers: {number: number for number in numbers}, calibration)


def test_a_camera_without_images_or_stamps_is_none(tmp_path: Path) -> None:
    assert camera_stream(tmp_path, 0, backwards, calibration) is None
    write_image(tmp_path / "0.png", 0, (48, 20), False)
    assert camera_stream(tmp_path, 0, lambda numbers: {}, calibration) is None


def test_sweeps_are_read_by_number_binary_and_text(tmp_path: Path) -> None:
    for name, number in (("0000000000.bin", 0), ("0000000001.bin", 1), ("0000000003.txt", 3)):
        write_sweep(tmp_path / name, number)
    stream, unstamped = sweep_stream(tmp_path, backwards)
    assert unstamped == 1
    assert [each.number for each in stream.instants] == [3, 0]
    for number in (0, 3):
        np.testing.assert_allclose(stream.read(number), sweep(number), atol=1e-6)
    assert len(sweep_stream(tmp_path / "nowhere", backwards)[0]) == 0


def test_nothing_is_said_of_nothing() -> None:
    assert without_stamp(0, "oxts") == []

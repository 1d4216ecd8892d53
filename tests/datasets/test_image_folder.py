# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
from helpers.images import write_images

from perception.datasets.image_folder import ImageFolder
from perception.errors import DataError
from perception.frame import CameraModel

CAMERA = CameraModel(np.array([[60.0, 0, 48], [0, 60, 32], [0, 0, 1]]), 96, 64)


def test_images_alone(tmp_path: Path) -> None:
    folder = ImageFolder(write_images(tmp_path / "images", 3))
    assert folder.names == ["000", "001", "002"]
    assert [frame.modalities for frame in folder] == [("rgb",)] * 3
    assert folder[2].stamp_ns == 200_000_000


def test_what_other_sensors_saw_lies_beside(tmp_path: Path) -> None:
    write_images(tmp_path / "image", 2)
    for name in ("depth", "infrared", "velodyne"):
        (tmp_path / name).mkdir()
    cv2.imwrite(str(tmp_path / "depth/000.png"), np.array([[0, 512]], np.uint16))
    cv2.imwrite(str(tmp_path / "infrared/000.png"), np.array([[7, 9000]], np.uint16))
    np.ones((5, 4), "<f4").tofile(tmp_path / "velodyne/001.bin")
    first, second = ImageFolder(tmp_path, CAMERA, np.eye(4))
    assert first.modalities == ("rgb", "depth", "infrared")
    np.testing.assert_array_equal(first.depth, np.float32([[np.nan, 2]]))
    np.testing.assert_array_equal(first.infrared, [[7, 9000]])
    assert second.modalities == ("rgb", "lidar")
    assert second.points.shape == (5, 4)


def test_kitti_s_object_set_is_such_a_folder(real_data: Path) -> None:
    root = real_data / "kitti_object"
    root = next(path.parent for path in root.rglob("image_2"))
    frame = ImageFolder(root)[0]
    assert frame.modalities == ("rgb", "lidar")
    assert frame.lidar_to_camera is not None


@pytest.mark.parametrize("fault", ["none", "twice", "sweep", "depth"])
def test_mistakes_are_said(tmp_path: Path, fault: str) -> None:
    if fault == "none":
        with pytest.raises(DataError, match="no PNG or JPEG"):
            ImageFolder(tmp_path)
        return
    write_images(tmp_path / "image", 1)
    if fault == "twice":
        (tmp_path / "image/000.jpg").touch()
        with pytest.raises(DataError, match="two images are called 000"):
            ImageFolder(tmp_path)
        return
    (tmp_path / "velodyne").mkdir()
    (tmp_path / "depth").mkdir()
    if fault == "sweep":
        np.ones((5, 4), "<f4").tofile(tmp_path / "velodyne/000.bin")
    else:
        cv2.imwrite(str(tmp_path / "depth/000.png"), np.array([[0, 51]], np.uint8))
    with pytest.raises(DataError, match="without calibration" if fault == "sweep" else "16-bit"):
        ImageFolder(tmp_path)[0]


def test_a_calibration_of_another_shape_is_not_that_of_these_images(tmp_path: Path) -> None:
    images = write_images(tmp_path / "images", 1)
    height, width = ImageFolder(images)[0].rgb.shape[:2]
    binned = ImageFolder(images, CameraModel(CAMERA.intrinsics, 2 * width, 2 * height), np.eye(4))[0].camera
    assert binned is not None
    assert (binned.width, binned.intrinsics[0, 0]) == (width, 30)
    other = ImageFolder(images, CameraModel(CAMERA.intrinsics, width + 40, height), np.eye(4))
    with pytest.raises(DataError, match=rf"000 has {width}×{height} pixels, but the calibration is of {width + 40}×"):
        other[0]

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
from helpers.images import write_images

from perception.datasets.image_folder import ImageFolder
from perception.datasets.rgb_thermal import LAYOUTS
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
    first, second = ImageFolder(tmp_path, CAMERA, np.eye(4), depth_unit=1 / 256)
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
        with pytest.raises(DataError, match="two images have the name 000"):
            ImageFolder(tmp_path)
        return
    (tmp_path / "velodyne").mkdir()
    (tmp_path / "depth").mkdir()
    if fault == "sweep":
        np.ones((5, 4), "<f4").tofile(tmp_path / "velodyne/000.bin")
    else:
        cv2.imwrite(str(tmp_path / "depth/000.png"), np.array([[0, 51]], np.uint8))
    with pytest.raises(DataError, match="without calibration" if fault == "sweep" else "16-bit"):
        ImageFolder(tmp_path, depth_unit=0.001)[0]


def test_images_of_one_channel_are_infrared_and_that_is_said(tmp_path: Path) -> None:
    thermal = np.arange(96, dtype=np.uint16).reshape(8, 12) + 9000
    (tmp_path / "thermal").mkdir()
    cv2.imwrite(str(tmp_path / "thermal/a.png"), thermal)
    guessed = ImageFolder(tmp_path / "thermal")
    assert guessed[0].modalities == ("infrared",)
    np.testing.assert_array_equal(guessed[0].infrared, thermal)
    assert len(guessed.remarks) == 1
    assert "--as rgb" in guessed.remarks[0]
    told = ImageFolder(tmp_path / "thermal", kind="rgb")
    assert (told[0].modalities, told.remarks) == (("rgb",), [])
    colour = write_images(tmp_path / "colour", 1)
    assert ImageFolder(colour, kind="infrared")[0].modalities == ("infrared",)
    assert ImageFolder(colour)[0].modalities == ("rgb",)


@pytest.mark.parametrize(("visible", "infrared"), LAYOUTS)
def test_every_layout_of_visible_and_infrared_pairs_is_read(tmp_path: Path, visible: str, infrared: str) -> None:
    write_images(tmp_path / visible, 2)
    (tmp_path / infrared).mkdir()
    cv2.imwrite(str(tmp_path / infrared / "000.png"), np.full((64, 96), 7, np.uint8))
    first, second = ImageFolder(tmp_path)
    assert first.modalities == ("rgb", "infrared")
    assert (first.infrared == 7).all()
    assert second.modalities == ("rgb",)
    with pytest.raises(DataError, match=f"has {infrared}/ beside its images"):
        ImageFolder(tmp_path, kind="infrared")


def test_millimetres_are_never_taken_for_metres_by_256(tmp_path: Path) -> None:
    write_images(tmp_path / "image", 1)
    (tmp_path / "depth").mkdir()

    def depth_of(far: int, **options: float) -> tuple[float, list[str]]:
        cv2.imwrite(str(tmp_path / "depth/000.png"), np.full((64, 96), far, np.uint16))
        folder = ImageFolder(tmp_path, CAMERA, **options)
        assert folder[0].depth is not None
        return float(folder[0].depth[0, 0]), folder.remarks

    assert depth_of(40_000) == (pytest.approx(40.0), ["depth is read in mm: as m/256 they would reach 156 m"])
    with pytest.raises(
        DataError, match=r"up to 5120 may be millimetres \(5.1 m\) or metres × 256 \(20.0 m\): use --depth"
    ):
        depth_of(5120)
    assert depth_of(5120, depth_unit=0.001) == (pytest.approx(5.12), [])
    (tmp_path / "depth_unit.txt").write_text("m/256\n")
    assert depth_of(5120) == (20.0, [])
    assert "no calib.txt and no calibration file" in ImageFolder(tmp_path).remarks[0]
    (tmp_path / "depth_unit.txt").write_text("inches\n")
    with pytest.raises(DataError, match=r"depth_unit\.txt: 'inches': not a unit of depth; use m, cm, mm, m/256"):
        depth_of(5120)


def test_a_calibration_of_another_shape_is_not_that_of_these_images(tmp_path: Path) -> None:
    images = write_images(tmp_path / "images", 1)
    height, width = ImageFolder(images)[0].rgb.shape[:2]
    binned = ImageFolder(images, CameraModel(CAMERA.intrinsics, 2 * width, 2 * height), np.eye(4))[0].camera
    assert binned is not None
    assert (binned.width, binned.intrinsics[0, 0]) == (width, 30)
    other = ImageFolder(images, CameraModel(CAMERA.intrinsics, width + 40, height), np.eye(4))
    with pytest.raises(DataError, match=rf"000 has {width}×{height} pixels, but the calibration is for {width + 40}×"):
        other[0]

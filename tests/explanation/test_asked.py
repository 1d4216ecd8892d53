# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
from helpers.images import write_images

from perception.bags.writer import write_bag
from perception.cli.explain import asked
from perception.cli.main import make_parser
from perception.errors import DataError
from perception.explanation.asked import open_frame
from perception.recordings.kitti import kitti_frames
from perception.sample import Sample


def opened(*arguments: str | Path) -> Sample:
    return open_frame(asked(make_parser("explain").parse_args([str(argument) for argument in arguments])))[0]


@pytest.fixture
def image(tmp_path: Path) -> Path:
    path = tmp_path / "street.png"
    cv2.imwrite(str(path), np.random.default_rng(0).integers(0, 256, (38, 124, 3), np.uint8))
    return path


def test_frames_of_drives(kitti_drive: Path) -> None:
    assert opened(f"{kitti_drive}:3").frame.modalities == ("lidar",)  # which has no image
    with pytest.raises(DataError, match="no frame 9; it has 0 to 3"):
        opened(f"{kitti_drive}:9")
    with pytest.raises(DataError, match=r"expected simulated:SEED"):
        opened("simulated:one")
    with pytest.raises(
        DataError, match="say which frame; a frame is IMAGE, BAG:NUMBER, FOLDER:NUMBER, DRIVE:NUMBER or simulated"
    ):
        opened(kitti_drive)


def test_an_image_with_files_beside_it(image: Path, kitti_drive: Path, tmp_path: Path) -> None:
    assert opened(image).frame.modalities == ("rgb",)
    cv2.imwrite(str(tmp_path / "depth.png"), np.full((38, 124), 2560, np.uint16))
    sweep = kitti_drive / "velodyne_points/data/0000000000.bin"
    files = ("--depth", tmp_path / "depth.png", "--depth-unit", "m/256", "--infrared", image, "--points", sweep)
    frame = opened(image, *files, "--calibration", kitti_drive.parent).frame
    assert frame.modalities == ("rgb", "depth", "infrared", "lidar")
    assert frame.depth is not None
    assert (frame.depth == 10).all()
    with pytest.raises(DataError, match="--calibration"):
        opened(image, "--points", sweep)
    with pytest.raises(DataError, match="16-bit"):
        opened(image, "--depth", image, "--depth-unit", "mm")
    with pytest.raises(DataError, match=r"may be millimetres \(2.6 m\) or metres × 256 \(10.0 m\)"):
        opened(image, "--depth", tmp_path / "depth.png")
    with pytest.raises(DataError, match="--infrared: is only for an image file"):
        opened("simulated:1", "--infrared", image)


def test_object_calibration_is_read_too(image: Path, tmp_path: Path) -> None:
    numbers = "70 0 60 0 0 70 18 0 0 0 1 0", "1 0 0 0 1 0 0 0 1", "0 -1 0 0 0 0 -1 0 1 0 0 0"
    lines = (f"{name}: {row}" for name, row in zip(("P2", "R0_rect", "Tr_velo_to_cam"), numbers, strict=True))
    (tmp_path / "calib.txt").write_text("\n".join(lines))
    camera = opened(image, "--calibration", tmp_path / "calib.txt").frame.camera
    assert camera is not None
    assert (camera.width, camera.height) == (124, 38)


def test_frames_of_bags_and_folders(kitti_drive: Path, tmp_path: Path) -> None:
    bag = tmp_path / "bag"
    write_bag(kitti_frames(kitti_drive), bag)
    sample = opened(f"{bag}:1")
    assert sample.frame.modalities == ("rgb", "lidar")
    assert sample.name.startswith("bag/13170")
    images = write_images(tmp_path / "images", 3)
    assert opened(f"{images}:2").name == "images/002"
    assert opened(f"{images}:001").name == "images/001"
    assert opened(f"{images}:0", "--as", "infrared").frame.modalities == ("infrared",)
    with pytest.raises(DataError, match="no frame 3; it has 0 to 2"):
        opened(f"{images}:3")
    with pytest.raises(DataError, match="--as and --depth-unit are only for a folder of images"):
        opened(f"{bag}:0", "--depth-unit", "mm")

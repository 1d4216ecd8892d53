# SPDX-License-Identifier: Apache-2.0
"""Tiny data sets in their official layouts."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest


def write(path: Path, array: np.ndarray) -> None:
    """Writes an image in OpenCV's channel order, with the folders above it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    assert cv2.imwrite(str(path), array)


def picture(shape: tuple[int, ...] = (20, 32, 3)) -> np.ndarray:
    """A smooth picture, blue on the left, red on the right in OpenCV's order."""
    ramp = np.linspace(0, 255, shape[1], dtype=np.uint8)
    image = np.zeros(shape, np.uint8)
    if len(shape) == 2:
        image[:] = ramp
    else:
        image[..., 0], image[..., 2] = ramp[::-1], ramp
    return image


def soft_label(shape: tuple[int, int] = (10, 16)) -> np.ndarray:
    """Background above, road below, one pixel of pedestrian, one unknown pixel."""
    label = np.zeros((*shape, 4), np.uint8)
    label[:5, :, 0] = 255
    label[5:, :, 1] = 240
    label[0, 0] = 15, 0, 0, 240
    label[0, 1] = 0
    return label


@pytest.fixture
def camvid_root(tmp_path: Path) -> Path:
    """CamVid with two training images and one for validation; ids 0–11 from left to right."""
    ids = np.repeat(np.arange(16), 2).clip(max=11).astype(np.uint8)[None].repeat(20, 0)
    for split, names in (("train", ("0001TP_006690", "0001TP_006720")), ("val", ("0016E5_07959",))):
        for name in names:
            write(tmp_path / "camvid" / split / f"{name}.png", picture())
            write(tmp_path / "camvid" / f"{split}annot" / f"{name}.png", ids)
    return tmp_path / "camvid"


@pytest.fixture
def idd_root(tmp_path: Path) -> Path:
    """IDD-Lite with two drives in train and one in val; ids 0–6 and void from left to right."""
    ids = np.repeat([0, 1, 2, 3, 4, 5, 6, 255], 4).astype(np.uint8)[None].repeat(20, 0)
    for split, drive, name in (("train", "0", "024541"), ("train", "10", "frame0992"), ("val", "119", "903127")):
        write(tmp_path / "idd" / "leftImg8bit" / split / drive / f"{name}_image.jpg", picture())
        write(tmp_path / "idd" / "gtFine" / split / drive / f"{name}_label.png", ids)
    return tmp_path / "idd"


@pytest.fixture
def thermal_root(tmp_path: Path) -> Path:
    """Five aligned pairs, the last one without a soft label."""
    for i in range(5):
        write(tmp_path / "thermal" / "visible" / f"FLIR_{i:05d}.jpg", picture())
        write(tmp_path / "thermal" / "infrared" / f"FLIR_{i:05d}.png", picture((20, 32)))
        if i < 4:
            write(tmp_path / "thermal" / "soft_label" / f"FLIR_{i:05d}.png", soft_label())
    return tmp_path / "thermal"


@pytest.fixture
def frames_root(tmp_path: Path) -> Path:
    """Two KITTI drives of ten and five frames; the second one has neither sweeps nor soft labels nor calibration."""
    root = tmp_path / "frames"
    for i in range(10):
        write(root / "drive_a" / "image_2" / f"{i:06d}.jpg", picture())
        write(root / "drive_a" / "soft_label" / f"{i:06d}.png", soft_label())
        sweep = root / "drive_a" / "velodyne" / f"{i:06d}.bin"
        sweep.parent.mkdir(exist_ok=True)
        np.array([[i, i, i, 0.5]] * 3, "<f4").tofile(sweep)
    for i in range(5):
        write(root / "drive_b" / "image_2" / f"{i:06d}.png", picture())
    (root / "drive_a" / "calib.txt").write_text(
        "P2: 20 0 16 0.6 0 20 10 0 0 0 1 0\nR0_rect: 1 0 0 0 1 0 0 0 1\nTr_velo_to_cam: 0 -1 0 0 0 0 -1 0 1 0 0 0\n"
    )
    return root

# SPDX-License-Identifier: Apache-2.0
"""Tiny copies of KITTI's road and semantics benchmarks in their official layouts, 32×20 pixels."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

CALIBRATION = (
    "P0: 100 0 16 0 0 100 5 0 0 0 1 0\nP2: 100 0 16 0 0 100 5 0 0 0 1 0\nR0_rect: 1 0 0 0 1 0 0 0 1\n"
    "Tr_velo_to_cam: 0 -1 0 0 0 0 -1 0 1 0 0 0\nTr_cam_to_road: 1 0 0 0 0 1 0 -1.65 0 0 1 0\n"
)
"""A camera 1.65 m above its road, which looks level."""

IDS = (7, 8, 24, 25, 26, 33, 29, 0)
"""Cityscapes' labelIds of each semantic truth, from left to right, four columns each."""


def write_road(root: Path) -> Path:
    """Five images per category for training, one for testing. Valid is the lower half, road its left half, and the
    ego lane the last four columns of that."""
    truth = np.zeros((20, 32, 3), np.uint8)  # OpenCV's order: blue is road, red is valid
    truth[10:, :, 2] = 255
    road, lane = truth.copy(), truth.copy()
    road[10:, :16, 0] = lane[10:, 12:16, 0] = 255
    for part, count in (("training", 5), ("testing", 1)):
        for category in ("um", "umm", "uu"):
            for i in range(count):
                name = f"{category}_{i:06d}"
                _write(root / part / "image_2" / f"{name}.png", np.full((20, 32, 3), 90, np.uint8))
                _write_beside(root / part, name)
                if part == "training":
                    _write(root / part / "gt_image_2" / f"{category}_road_{i:06d}.png", road)
                if part == "training" and category == "um":
                    _write(root / part / "gt_image_2" / f"um_lane_{i:06d}.png", lane)
    return root


def write_semantics(root: Path) -> Path:
    """Five images for training, two for testing."""
    ids = np.repeat(np.array(IDS, np.uint8), 4)[None].repeat(20, 0)
    for part, count in (("training", 5), ("testing", 2)):
        for i in range(count):
            _write(root / part / "image_2" / f"{i:06d}_10.png", np.full((20, 32, 3), 90, np.uint8))
            if part == "training":
                _write(root / part / "semantic" / f"{i:06d}_10.png", ids)
    return root


def _write_beside(folder: Path, name: str) -> None:
    for kind in ("calib", "velodyne"):
        (folder / kind).mkdir(exist_ok=True)
    (folder / "calib" / f"{name}.txt").write_text(CALIBRATION)
    np.array([[10, 0, -1, 0.5], [12, 1, -1, 0.5]], "<f4").tofile(folder / "velodyne" / f"{name}.bin")


def _write(path: Path, image: np.ndarray) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    assert cv2.imwrite(str(path), image)

# SPDX-License-Identifier: Apache-2.0
"""Depth from KITTI's pair of colour cameras: image_2 and image_3, image_02 and image_03 of raw drives."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from perception.datasets.io.files import find_image, read_rgb
from perception.datasets.kitti.calibration import calibration_matrix, read_calibration_lines
from perception.errors import DataError
from perception.sensors.stereo import stereo_depth

RECTIFIED = ("P_rect_02", "P_rect_03")
"""The projections of the left and the right camera in calib_cam_to_cam.txt."""


def right_images(left: Sequence[Path]) -> dict[Path, Path]:
    """The image of the same name in image_3 for each of the images `left` in image_2. Raises DataError."""
    found = {path: find_image(path.parent.parent / "image_3", path.stem) for path in left}
    missing = [path for path, right in found.items() if right is None]
    if missing:
        raise DataError(
            f"{missing[0].parent.parent / 'image_3'}: no right image for {len(missing)} of {len(left)} left ones, "
            f"the first is {missing[0].name}"
        )
    return {path: right for path, right in found.items() if right is not None}


def pair_depth(
    left: NDArray[np.uint8], right: Path, calibration: Path, names: tuple[str, str] = ("P2", "P3")
) -> NDArray[np.float32]:
    """(H, W) float32 metres along the left camera's axis, NaN invalid, from its (H, W, 3) RGB image.

    right: the file of the right image. calibration, names: the file and its lines with the (3, 4) rectified projections
    of the left and the right camera; the baseline is (left[0, 3] - right[0, 3]) / fx. Raises DataError for files that
    are missing or malformed, images of two sizes, and cameras that are not side by side, left and right.
    """
    image = read_rgb(right)
    if image.shape != left.shape:
        sizes = " and ".join(f"{each.shape[1]}×{each.shape[0]}" for each in (image, left))
        raise DataError(f"{right}: {sizes} pixels in the right and the left image, expected the same size")
    lines = read_calibration_lines(calibration)
    own, other = (calibration_matrix(lines, name, (3, 4), calibration) for name in names)
    shift = own[0, 3] - other[0, 3]
    if not (shift > 0 and own[0, 0] > 0 and np.allclose(own[:, :3], other[:, :3])):
        raise DataError(f"{calibration}: {names[0]} and {names[1]} are not a rectified pair, left and right")
    return stereo_depth(left, image, own[0, 0], shift / own[0, 0])

# SPDX-License-Identifier: Apache-2.0
"""Broken image files say what is wrong with them."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from perception.datasets.files import read_mono, read_rgb, read_soft_labels, read_velodyne
from perception.errors import DataError


@pytest.fixture(params=[".png", ".jpg"])
def image(request, tmp_path):
    """A picture of noise as PNG and as JPEG."""
    path = tmp_path / f"image{request.param}"
    cv2.imwrite(str(path), np.random.default_rng(0).integers(0, 256, (40, 60, 3), np.uint8))
    return path


def test_whole_images_are_read(image):
    assert read_rgb(image).shape == (40, 60, 3)
    assert read_mono(image).shape == (40, 60)


@pytest.mark.parametrize("share", [0.1, 0.5, 0.99])
def test_truncated_images_are_refused(image, share):
    data = image.read_bytes()
    image.write_bytes(data[: int(share * len(data))])
    with pytest.raises(DataError, match=r"image\.(png|jpg): truncated (PNG|JPEG)"):
        read_rgb(image)


@pytest.mark.parametrize(("content", "reason"), [(b"", "empty file"), (b"GIF or so", "cannot decode")])
def test_what_is_no_image_is_refused(image, content, reason):
    image.write_bytes(content)
    with pytest.raises(DataError, match=reason):
        read_rgb(image)


def test_soft_labels_need_four_channels(image):
    with pytest.raises(DataError, match="expected an 8-bit PNG with 4 channels"):
        read_soft_labels(image)


def test_soft_labels_that_are_nearly_equal_know_nothing(tmp_path):
    """Sixteen steps of 8 bits cannot say a quarter: all within a step of 64 mean it, one beyond means something."""
    pixels = [[(63, 64, 64, 64), (80, 48, 64, 64), (0, 0, 0, 0), (81, 58, 58, 58), (96, 96, 32, 32)]]
    cv2.imwrite(str(tmp_path / "soft.png"), np.array(pixels, np.uint8))
    probabilities = read_soft_labels(tmp_path / "soft.png")[0]
    np.testing.assert_array_equal(probabilities[:3], np.full((3, 4), 0.25))
    np.testing.assert_allclose(probabilities[3:, 0], [81 / 255, 96 / 256])


def test_points_without_an_echo_are_left_out(tmp_path):
    points = np.random.default_rng(0).uniform(1, 30, (90, 4)).astype("<f4")
    points[::3, :3], points[1::3, :3] = 0.0, np.nan
    points.tofile(tmp_path / "a.bin")
    np.testing.assert_array_equal(read_velodyne(tmp_path / "a.bin"), points[2::3])


def test_an_empty_sweep_is_no_error(tmp_path):
    (tmp_path / "a.bin").touch()
    assert read_velodyne(tmp_path / "a.bin").shape == (0, 4)
    with pytest.raises(DataError, match=r"b\.bin: no such file"):
        read_velodyne(tmp_path / "b.bin")
    with pytest.raises(DataError, match="cannot be read"):
        read_velodyne(tmp_path)

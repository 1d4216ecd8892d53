# SPDX-License-Identifier: Apache-2.0
"""Errors of broken image files say what is wrong with them."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from perception.classes import CLASSES
from perception.datasets.io.files import read_mono, read_rgb, read_soft_labels, read_velodyne
from perception.datasets.pseudo_labelled import write_label
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
    """Sixteen steps of 8 bits cannot express a quarter: all within one step of 64 mean a quarter, others do not."""
    pixels = [[(63, 64, 64, 64), (80, 48, 64, 64), (0, 0, 0, 0), (81, 58, 58, 58), (96, 96, 32, 32)]]
    cv2.imwrite(str(tmp_path / "soft.png"), np.array(pixels, np.uint8))
    probabilities = read_soft_labels(tmp_path / "soft.png")[0]
    np.testing.assert_array_equal(probabilities[:3], np.full((3, 4), 0.25))
    np.testing.assert_allclose(probabilities[3:, 0], [81 / 255, 96 / 256])


def test_points_without_an_echo_are_left_out(tmp_path):
    points = np.random.default_rng(0).uniform((1, 1, 1, 0), (30, 30, 30, 1), (90, 4)).astype("<f4")
    points[::3, :3], points[1::3, :3] = 0.0, np.nan
    points.tofile(tmp_path / "a.bin")
    np.testing.assert_array_equal(read_velodyne(tmp_path / "a.bin"), points[2::3])


def test_a_damaged_png_is_refused_not_decoded_to_noise(tmp_path):
    path = tmp_path / "a.png"
    cv2.imwrite(str(path), np.random.default_rng(0).integers(0, 256, (400, 600, 3), np.uint8))
    data = bytearray(path.read_bytes())
    data[300_000:304_096] = np.random.default_rng(1).bytes(4096)
    path.write_bytes(data)
    with pytest.raises(DataError, match=r"a\.png: damaged PNG: its checksum is wrong at byte \d+ of"):
        read_rgb(path)


def sweep(count=200):
    """(N, 5) x, y, z, intensity 0–1, ring."""
    points = np.random.default_rng(0).uniform((-80, -80, -3, 0, 0), (80, 80, 3, 1, 0), (count, 5)).round(3)
    points[:, 4] = np.arange(count) % 32
    return points


@pytest.mark.parametrize(
    ("columns", "kind", "scale", "said"),
    [
        (4, "<f4", 1, ""),
        (4, "<f4", 255, "float32 x y z intensity, 0–255"),
        (5, "<f4", 1, "float32 x y z intensity ring, 0–1"),
        (5, "<f4", 255, "float32 x y z intensity ring, 0–255"),
        (4, "<f8", 1, "float64 x y z intensity, 0–1"),
        (4, "<f8", 255, "float64 x y z intensity, 0–255"),
    ],
)
@pytest.mark.parametrize("count", [200, 203])
def test_other_layouts_give_the_same_points(tmp_path, caplog, columns, kind, scale, said, count):
    points = sweep(count)
    stored = points.copy()
    if scale > 1:
        stored[:, 3] = (points[:, 3] * scale).round()
        points[:, 3] = stored[:, 3] / scale
    for name in "ab":
        stored[:, :columns].astype(kind).tofile(tmp_path / f"{name}.bin")
        np.testing.assert_allclose(read_velodyne(tmp_path / f"{name}.bin"), points[:, :4], atol=1e-5)
    assert [record.getMessage() for record in caplog.records] == (
        [f"{tmp_path}: sweeps are read as {said}"] if said else []
    )


def test_what_is_no_sweep_is_refused_in_numbers(tmp_path):
    path, points = tmp_path / "a.bin", sweep()[:, :4].astype("<f4")

    def said(content):
        path.write_bytes(content)
        with pytest.raises(DataError) as raised:
            read_velodyne(path)
        return str(raised.value)

    assert "3199 bytes, truncated" in said(points.tobytes()[:-1])
    far = points.copy()
    far[7, 0] = 4e9
    assert "1 of 200 points are beyond 300 m or not finite; none of: float32 x y z intensity, 0–1;" in said(
        far.tobytes()
    )
    garbage = bytearray(points.tobytes())
    garbage[800:1200] = np.random.default_rng(3).bytes(400)
    assert "of 200 points are beyond 300 m or not finite" in said(bytes(garbage))
    percent = points * np.float32((1, 1, 1, 87.3))
    assert f"intensities of {percent[:, 3].min():.6g} to {percent[:, 3].max():.6g}; none of" in said(percent.tobytes())
    assert "; none of" in said(np.full((50, 4), np.nan, "<f4").tobytes())


def test_an_empty_sweep_is_no_error(tmp_path):
    (tmp_path / "a.bin").touch()
    assert read_velodyne(tmp_path / "a.bin").shape == (0, 4)
    with pytest.raises(DataError, match=r"b\.bin: no such file"):
        read_velodyne(tmp_path / "b.bin")
    with pytest.raises(DataError, match="cannot be read"):
        read_velodyne(tmp_path)


FIVE = CLASSES.extended([dict(name="bicycle", colour=(255, 200, 0), within="vehicle")])


def test_soft_labels_of_five_classes_come_back(tmp_path):
    soft = np.random.default_rng(0).integers(1, 200, (3, 4, 5), np.uint8)
    write_label(tmp_path / "soft.png", soft)
    np.testing.assert_allclose(read_soft_labels(tmp_path / "soft.png", FIVE), soft / soft.sum(2, keepdims=True), 1e-6)
    with pytest.raises(DataError, match="expected an 8-bit PNG with 4 channels"):
        read_soft_labels(tmp_path / "soft.png")


def test_soft_labels_of_four_say_nothing_where_a_fifth_may_be(tmp_path):
    cv2.imwrite(str(tmp_path / "soft.png"), np.array([[(0, 255, 0, 0), (0, 55, 200, 0)]], np.uint8))
    probabilities = read_soft_labels(tmp_path / "soft.png", FIVE)[0]
    np.testing.assert_allclose(probabilities, [[0, 1, 0, 0, 0], [0.2] * 5])
    none = CLASSES.extended([dict(name="bicycle", colour=(255, 200, 0), within="vehicle", takes=dict(soft=()))])
    np.testing.assert_allclose(read_soft_labels(tmp_path / "soft.png", none)[0, 1], [0, 55 / 255, 200 / 255, 0, 0])

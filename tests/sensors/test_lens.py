# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import cv2
import numpy as np
import pytest

from perception.sensors.lens import Lens

UNTURNED = (1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0)
KITTI = Lens(
    (95.97, 0, 69.6, 0, 95.69, 22.4, 0, 0, 1),
    (-0.3691, 0.1969, 0.00135, 0.00057, -0.0677),
    UNTURNED,
    (72.15, 0, 60.96, 0, 72.15, 17.29, 0, 0, 1),
    139,
    51,
)
RATIONAL = Lens(
    (90.0, 0, 79.5, 0, 90.0, 59.5, 0, 0, 1),
    (0.78, -2.82, 7e-4, 6e-5, 1.66, 0.66, -2.61, 1.63),
    UNTURNED,
    (90.0, 0, 79.5, 0, 90.0, 59.5, 0, 0, 1),
    160,
    120,
)
FISHEYE = Lens(
    (60.0, 0, 79.5, 0, 60.0, 59.5, 0, 0, 1),
    (0.05, -0.01, 0.002, -0.0005),
    UNTURNED,
    (45.0, 0, 79.5, 0, 45.0, 59.5, 0, 0, 1),
    160,
    120,
    fisheye=True,
)


def where_a_ray_falls(lens: Lens, ray: tuple[float, float, float]) -> tuple[np.ndarray, np.ndarray]:
    """(raw pixel, rectified pixel) of a ray, the first by OpenCV's camera models."""
    k, p, d = np.reshape(lens.k, (3, 3)), np.reshape(lens.p, (3, 3)), np.array(lens.d)
    project = cv2.fisheye.projectPoints if lens.fisheye else cv2.projectPoints
    own = project(np.array([[ray]], np.float64), np.zeros(3), np.zeros(3), k, d)[0].ravel()
    rectified = p @ ray
    return own, rectified[:2] / rectified[2]


@pytest.mark.parametrize("lens", [KITTI, RATIONAL, FISHEYE])
@pytest.mark.parametrize("ray", [(0.0, 0.0, 1.0), (0.3, 0.1, 1.0), (-0.35, -0.1, 1.0)])
def test_what_the_camera_sees_is_moved_to_where_p_has_it_and_back(lens: Lens, ray: tuple[float, float, float]) -> None:
    own, rectified = where_a_ray_falls(lens, ray)
    image = np.zeros((lens.height, lens.width), np.uint8)
    cv2.circle(image, tuple(np.rint(own).astype(int).tolist()), 2, 200, -1)
    found = np.argwhere(lens.rectify(image) > 100).mean(axis=0)[::-1]
    np.testing.assert_allclose(found, rectified, atol=0.8)
    labels = np.zeros((lens.height, lens.width), np.uint8)
    cv2.circle(labels, tuple(np.rint(rectified).astype(int).tolist()), 2, 3, -1)
    back = np.argwhere(lens.unrectify(labels, 255) == 3).mean(axis=0)[::-1]
    np.testing.assert_allclose(back, own, atol=0.8)


def test_labels_are_unlabelled_where_the_rectified_image_does_not_reach() -> None:
    back = FISHEYE.unrectify(np.ones((120, 160), np.uint8), 255)
    # The border is 76° off the axis, P shows 61°.
    assert back[60, 0] == 255
    assert back[60, 20] == 1
    assert set(np.unique(back)) == {1, 255}


def test_a_model_that_folds_over_shows_nothing_twice() -> None:
    """Strong barrel distortion by only its first number: beyond the fold, the rim would appear again, mirrored."""
    lens = Lens((80.0, 0, 79.5, 0, 80.0, 59.5, 0, 0, 1), (-0.4, 0, 0, 0, 0), UNTURNED,
                (40.0, 0, 79.5, 0, 40.0, 59.5, 0, 0, 1), 160, 120)  # fmt: skip
    found = lens.rectify(np.full((120, 160), 255, np.uint8))
    # r (1 - 0.4 r²) is greatest at r = 0.913: 36.5 pixels from the middle at this focal length.
    assert found[60, 79 + 32] == 255
    assert found[60, 79 + 39] == 0
    assert (found[0] == 0).all()


def test_depth_is_measured_along_the_rectified_axis() -> None:
    """A camera that is rotated by 10° about y looks at a wall that is perpendicular to the rectified axis."""
    turn = cv2.Rodrigues(np.array([0, np.radians(10), 0]))[0]
    lens = Lens(FISHEYE.k, (0.0,) * 5, tuple(turn.ravel().tolist()), FISHEYE.p, 160, 120)
    v, u = np.mgrid[:120, :160].astype(np.float64)
    rays = np.stack([(u - 79.5) / 60, (v - 59.5) / 60, np.ones_like(u)], -1)
    depth = (8.0 / (rays @ turn.T)[..., 2]).astype(np.float32)  # of a wall at 8 m
    found = lens.rectify_depth(depth)
    assert np.isfinite(found).mean() > 0.5
    np.testing.assert_allclose(found[np.isfinite(found)], 8.0, rtol=0.01)


def test_sixteen_bits_are_not_mixed_with_what_is_invalid() -> None:
    raw = np.full((51, 139), 7600, np.uint16)
    raw[20:30, 60:70] = 0
    assert set(np.unique(KITTI.rectify(raw))) == {0, 7600}


def test_a_binned_image_has_the_same_lens() -> None:
    own, rectified = where_a_ray_falls(KITTI, (0.3, 0.1, 1.0))
    half_own, half_rectified = where_a_ray_falls(KITTI.resized(70, 26), (0.3, 0.1, 1.0))
    scale = np.array([70 / 139, 26 / 51])
    np.testing.assert_allclose(half_own, (own + 0.5) * scale - 0.5, atol=1e-6)
    np.testing.assert_allclose(half_rectified, (rectified + 0.5) * scale - 0.5, atol=1e-6)

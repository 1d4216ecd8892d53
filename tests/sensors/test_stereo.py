# SPDX-License-Identifier: Apache-2.0
"""Depth from a pair of images whose depth is known."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from helpers.stereo import moved_left, texture

from perception.errors import FrameError
from perception.sensors.stereo import Matcher, stereo_depth

FOCAL, BASELINE = 100.0, 0.5


@pytest.mark.parametrize("matcher", [Matcher(disparities=48), Matcher("bm", 15, 48), Matcher(disparities=48, median=0)])
@pytest.mark.parametrize("disparity", [4.0, 12.5, 30.25])
def test_depth_is_focal_length_times_baseline_by_disparity(matcher, disparity):
    left = texture()
    depth = stereo_depth(left, moved_left(left, disparity), FOCAL, BASELINE, matcher)
    assert (depth.dtype, depth.shape) == (np.float32, (80, 240))
    assert np.isnan(depth[:, :48]).all()
    inside = depth[10:-10, 60:-60]
    assert np.isfinite(inside).mean() > 0.95
    np.testing.assert_allclose(FOCAL * BASELINE / np.nanmedian(inside), disparity, atol=0.2)


def test_what_stands_before_a_wall_is_nearer():
    wall, box = texture(), texture()[::-1, ::-1]
    left, right = wall.copy(), moved_left(wall, 8)
    left[20:60, 120:160], right[20:60, 96:136] = box[20:60, 120:160], box[20:60, 120:160]
    depth = stereo_depth(left, right, FOCAL, BASELINE, Matcher(disparities=48))
    assert np.nanmedian(depth[30:50, 130:150]) == pytest.approx(50 / 24, rel=0.02)
    assert np.nanmedian(depth[30:50, 180:200]) == pytest.approx(50 / 8, rel=0.02)


@pytest.mark.parametrize("matcher", [Matcher(disparities=64), Matcher("bm", 15, 64)])
def test_a_slope_is_one_surface_and_no_speckles(matcher):
    """Neighbouring pixels differ by more than a sixteenth of a pixel, but by less than one."""
    left = texture(160)
    rows, columns = np.mgrid[:160, :240].astype(np.float32)
    seen_from_the_right = 4 + 0.15 * rows + 0.1 * columns
    right = cv2.remap(left, columns + seen_from_the_right, rows, cv2.INTER_LINEAR, borderMode=cv2.BORDER_WRAP)
    depth = stereo_depth(left, right, FOCAL, BASELINE, matcher)[10:-10, 70:-70]
    assert np.isfinite(depth).mean() > 0.95
    expected = (4 + 0.15 * rows + 0.1 * columns)[10:-10, 70:-70] / 1.1
    assert np.nanpercentile(np.abs(FOCAL * BASELINE / depth - expected), 95) < 0.5


def test_grey_images_do_too_and_a_plain_pair_has_no_depth():
    left = texture()[..., 0]
    assert np.isfinite(stereo_depth(left, moved_left(left, 8), FOCAL, BASELINE, Matcher(disparities=48))).mean() > 0.5
    plain = np.full((80, 240), 90, np.uint8)
    assert np.isnan(stereo_depth(plain, plain, FOCAL, BASELINE, Matcher(disparities=48))).all()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"kind": "elas"}, "kind 'elas', expected sgbm or bm"),
        ({"block": 6}, "block 6, expected an odd number"),
        ({"kind": "bm", "block": 3}, "block 3, expected an odd number, 5 or more for bm"),
        ({"disparities": 100}, "100 disparities, expected a multiple of 16"),
        ({"median": 4}, r"median 4, expected one of \(0, 3, 5\)"),
    ],
)
def test_matchers_that_cannot_be(changes, message):
    with pytest.raises(FrameError, match=message):
        Matcher(**changes)


def test_pairs_that_are_none():
    left = texture()
    with pytest.raises(FrameError, match="expected uint8 alike"):
        stereo_depth(left, left[:-1], FOCAL, BASELINE)
    with pytest.raises(FrameError, match="120 pixels wide, too narrow for 128 disparities"):
        stereo_depth(left[:, :120], left[:, :120], FOCAL, BASELINE)
    with pytest.raises(FrameError, match=r"baseline -0\.5 m: both must be positive"):
        stereo_depth(left, left, FOCAL, -BASELINE)

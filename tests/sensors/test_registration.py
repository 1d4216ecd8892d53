# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import time

import numpy as np
import pytest

from perception.frame import CameraModel
from perception.sensors.registration import register_depth, register_infrared, same_view

TARGET = CameraModel(np.array([[200.0, 0, 159.5], [0, 200.0, 59.5], [0, 0, 1]]), 320, 120)
SOURCE = CameraModel(np.array([[110.0, 0, 79.5], [0, 110.0, 59.5], [0, 0, 1]]), 160, 120)
BESIDE = np.eye(4)
BESIDE[0, 3] = -0.2  # what the source sees straight ahead lies to the left for the target


def test_the_same_camera_changes_nothing() -> None:
    depth = np.random.default_rng(0).uniform(2, 30, (120, 320)).astype(np.float32)
    depth[5:9, 7:11] = np.nan
    found = register_depth(depth, TARGET, TARGET, np.eye(4))
    measured = np.isfinite(depth)
    np.testing.assert_allclose(found[measured], depth[measured], rtol=1e-5)
    assert np.isnan(found[6:8, 8:10]).all()
    infrared = np.random.default_rng(1).integers(0, 65535, (120, 320), np.uint16)
    np.testing.assert_array_equal(register_infrared(infrared, TARGET, TARGET, np.eye(4), 20.0), infrared)


@pytest.mark.parametrize("distance", [4.0, 20.0])
def test_a_wall_lands_where_the_target_sees_it(distance: float) -> None:
    """A wall with a warm square, both seen from 0.2 m aside."""
    depth = np.full((120, 160), distance, np.float32)
    infrared = np.zeros((120, 160), np.uint8)
    infrared[50:70, 70:90] = 200
    found = register_depth(depth, SOURCE, TARGET, BESIDE)
    assert found.shape == (66, 176)
    middle = found[20:46, 60:110]
    np.testing.assert_allclose(middle, distance, rtol=1e-5)
    warm = register_infrared(infrared, SOURCE, TARGET, BESIDE, distance)
    assert warm.shape == (66, 176)
    columns = np.flatnonzero(warm[33] > 100)
    wanted = 87.5 - 0.2 * 110.0 / distance
    assert columns.mean() == pytest.approx(wanted, abs=0.6)
    assert len(columns) == pytest.approx(20, abs=1)


def test_what_is_in_front_hides_what_is_behind() -> None:
    depth = np.full((120, 160), 20.0, np.float32)
    depth[:, 80:] = 2.0
    found = register_depth(depth, SOURCE, TARGET, BESIDE)
    # The near wall's border moves by 11 pixels at 2 m, the far one's by one: between them the near one is seen.
    assert found[33, 80] == pytest.approx(2.0, rel=1e-4)
    assert found[33, 70] == pytest.approx(20.0, rel=1e-4)


@pytest.mark.timed
def test_a_large_image_is_registered_in_ten_milliseconds_of_processor_time() -> None:
    """1280×720 in the best of five; the result is the same at fewer pixels."""
    source = CameraModel(np.array([[640.0, 0, 639.5], [0, 640, 359.5], [0, 0, 1]]), 1280, 720)
    target = CameraModel(np.array([[900.0, 0, 639.5], [0, 900, 359.5], [0, 0, 1]]), 1280, 720)
    depth = np.full((720, 1280), 6.0, np.float32)
    depth[:, 640:] = 3.0
    spent = []
    for _ in range(5):
        began = time.process_time()
        found = register_depth(depth, source, target, BESIDE)
        spent.append(time.process_time() - began)
    assert min(spent) < 0.010
    assert found.shape == (256, 455)
    # The near half's border, straight ahead of the source, lies 0.2 m to the left at 3 m: 60 pixels of 1280.
    columns = np.flatnonzero(found[128] < 4)
    assert columns[0] / 455 == pytest.approx((640 - 60) / 1280, abs=1 / 455)
    assert np.isfinite(found).all()


def test_nothing_of_what_is_behind_is_registered() -> None:
    behind = np.diag([-1.0, 1, -1, 1])
    depth = np.full((120, 160), 5.0, np.float32)
    assert np.isnan(register_depth(depth, SOURCE, TARGET, behind)).all()
    assert not register_infrared(np.full((120, 160), 9, np.uint8), SOURCE, TARGET, behind, 20.0).any()


def test_cameras_of_one_view_are_told_from_others_at_any_resolution() -> None:
    half = TARGET.resized(160, 60)
    assert same_view(TARGET, half)
    assert same_view(half, TARGET)
    moved = CameraModel(half.intrinsics + np.array([[0, 0, 1.5], [0, 0, 0], [0, 0, 0]]), 160, 60)
    assert not same_view(TARGET, moved)
    assert not same_view(TARGET, CameraModel(half.intrinsics * [[1.03], [1.03], [1]], 160, 60))
    assert not same_view(TARGET, CameraModel(half.intrinsics, 160, 66))


def test_nothing_measured_stays_nothing() -> None:
    assert np.isnan(register_depth(np.full((120, 160), np.nan, np.float32), SOURCE, TARGET, BESIDE)).all()

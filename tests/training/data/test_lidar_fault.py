# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from perception.frame import CameraModel, Frame
from perception.training.data.lidar_fault import FASTEST, LidarFault, LidarFaults, beam_numbers

CAMERA = CameraModel(np.array([[100.0, 0, 80], [0, 100, 40], [0, 0, 1]]), 160, 80)
TO_CAMERA = np.array([[0, -1, 0, 0.0], [0, 0, -1, 0], [1, 0, 0, 0], [0, 0, 0, 1]])


def _sweep(beams: int = 64, columns: int = 50) -> np.ndarray:
    elevation = np.radians(np.linspace(-24, 2, beams))[:, None]
    azimuth = np.linspace(-0.5, 0.5, columns)
    xyz = [np.cos(elevation) * np.cos(azimuth), np.cos(elevation) * np.sin(azimuth), np.sin(elevation) + 0 * azimuth]
    points = np.stack([*(10 * axis for axis in xyz), np.ones((beams, columns))], -1)
    return points.reshape(-1, 4).astype(np.float32)


def _frame() -> Frame:
    return Frame(0, points=_sweep(), camera=CAMERA, lidar_to_camera=TO_CAMERA)


@given(st.integers(0, 2**32 - 1))
def test_moves_points_no_farther_than_asked(seed: int) -> None:
    faults = LidarFaults(share=1, rotation=1, translation=0.05, delay=0.1)
    fault = faults.draw(np.random.default_rng(seed))
    assert fault is not None
    out = fault.apply(_frame())
    points = np.c_[_sweep()[:, :3], np.ones(64 * 50)]
    offset = points @ (np.linalg.inv(TO_CAMERA) @ out.lidar_to_camera).T - points
    assert np.abs(offset[:, :3]).max() < 10 * np.radians(1) * 3**0.5 + 0.1 * FASTEST + 0.1
    assert offset[:, 0].mean() > -0.2  # late sweeps are farther away, never nearer
    np.testing.assert_array_equal(out.points, fault.apply(_frame()).points)


def test_intensities_have_another_gain() -> None:
    frame = _frame()
    fault = LidarFaults(share=1, intensity=0.4, beams=0, dropout=0).draw(np.random.default_rng(1))
    assert fault is not None
    points = fault.apply(frame).points
    np.testing.assert_array_equal(points[:, :3], frame.points[:, :3])
    np.testing.assert_allclose(points[:, 3], np.float32(fault.gain))
    assert fault.gain != 1
    assert (frame.points[:, 3] == 1).all()
    np.testing.assert_array_equal(LidarFault(np.eye(4), gain=1.5).apply(frame).points[:, 3], 1.0)


def test_keeps_every_second_or_fourth_beam() -> None:
    beams = np.repeat(np.arange(64), 50)
    assert np.mean(np.abs(beam_numbers(_sweep()) - beams) <= 1) == 1
    for step in (2, 4):
        kept = LidarFault(np.eye(4), step=step, first=1).apply(_frame()).points
        assert 0.8 < len(kept) * step / len(_sweep()) < 1.25


def test_loses_points_and_nothing_else() -> None:
    kept = LidarFault(np.eye(4), lost=0.25, seed=3).apply(_frame())
    assert 0.7 < len(kept.points) / len(_sweep()) < 0.8
    np.testing.assert_array_equal(kept.lidar_to_camera, TO_CAMERA)


def test_no_fault_where_none_is_wanted_or_possible() -> None:
    rng = np.random.default_rng(0)
    assert LidarFaults().draw(rng) is None
    assert rng.random() == np.random.default_rng(0).random()
    camera_only = Frame(0, np.zeros((4, 4, 3), np.uint8))
    assert LidarFault(np.eye(4), step=2).apply(camera_only) is camera_only
    empty = Frame(0, points=np.zeros((0, 4), np.float32), camera=CAMERA, lidar_to_camera=TO_CAMERA)
    assert len(LidarFault(np.eye(4), step=2, lost=0.5).apply(empty).points) == 0

# SPDX-License-Identifier: Apache-2.0
from typing import Any

import numpy as np
import pytest

from perception.classes import ROAD
from perception.sensors.stereo import Matcher
from perception.simulation import SimulatedDrive
from perception.simulation.optics.film import develop
from perception.simulation.sensors.rig import rig_for
from perception.simulation.sensors.stereo import FARTHEST, StereoCamera, draw_stereo

KITTI = StereoCamera(Matcher(disparities=64), baseline=0.54)


def _depth(studio: Any, stereo: StereoCamera) -> Any:
    """What the pair measures in the studio, and the left image."""
    picture = studio.camera.expose(studio.view, studio.tracer, studio.lighting, studio.pose)
    lit = np.isfinite(studio.view.depth)
    left = develop(picture.copy(), lit, studio.weather, np.random.default_rng(1))
    right = stereo.photograph(
        studio.view, picture, studio.camera, studio.tracer, studio.lighting, studio.pose, np.random.default_rng(2)
    )
    assert right.shape == left.shape
    assert (right != left).any()
    return stereo.measure(left, right, float(studio.camera.model.intrinsics[0, 0]))


def _error(depth: Any, studio: Any) -> float:
    road = (studio.view.labels == ROAD) & (studio.view.depth < 25)
    return float(np.nanmedian(np.abs(depth / studio.view.depth - 1)[road]))


def test_the_road_is_matched_where_it_is(day: Any) -> None:
    depth = _depth(day, KITTI)
    assert depth.shape == day.view.depth.shape
    assert depth.dtype == np.float32
    assert _error(depth, day) < 0.03
    wall = np.abs(day.view.depth - 40.0) < 0.1
    assert np.nanmedian(depth[wall]) == pytest.approx(40.0, rel=0.1)


def test_the_left_edge_and_what_is_too_near_are_not_measured(day: Any) -> None:
    depth = _depth(day, KITTI)
    assert np.isnan(depth[:, :60]).all()
    focal = day.camera.model.intrinsics[0, 0]
    assert np.nanmin(depth) > focal * 0.54 / 64
    assert np.nanmax(depth) < FARTHEST


def test_half_the_resolution_and_whole_pixels_cost_precision(day: Any) -> None:
    whole = _depth(day, StereoCamera(KITTI.matcher, 0.54, whole=True))
    disparity = day.camera.model.intrinsics[0, 0] * 0.54 / whole[np.isfinite(whole)]
    np.testing.assert_allclose(disparity, np.round(disparity), atol=1e-3)
    half = _depth(day, StereoCamera(Matcher(disparities=32), 0.54, half=True))
    assert half.shape == day.view.depth.shape
    assert _error(half, day) < 0.06


def test_a_pair_that_squints_measures_too_near_or_too_far(day: Any) -> None:
    focal, road = day.camera.model.intrinsics[0, 0], (day.view.labels == ROAD) & (day.view.depth < 12)
    half = np.rad2deg(0.5 / focal)  # a degree that is worth half a pixel
    outward, inward = (
        focal * 0.54 / _depth(day, StereoCamera(KITTI.matcher, 0.54, aside=angle)) for angle in (half, -half)
    )
    assert np.nanmedian((outward - inward)[road]) == pytest.approx(1.0, abs=0.15)
    assert np.nanmedian((outward - focal * 0.54 / day.view.depth)[road]) == pytest.approx(0.5, abs=0.15)


def test_smoothing_keeps_edges_and_holes(day: Any) -> None:
    plain, smooth = (_depth(day, StereoCamera(KITTI.matcher, 0.54, smooth=smooth)) for smooth in (False, True))
    np.testing.assert_array_equal(np.isnan(plain), np.isnan(smooth))
    assert _error(smooth, day) < 0.03


def test_by_night_less_is_matched_rightly(day: Any, night: Any) -> None:
    def wrong(studio: Any) -> float:
        true = studio.view.depth
        known = np.isfinite(true)
        known[:, :64] = False
        right = np.abs(_depth(studio, KITTI) / np.where(known, true, 1.0) - 1) < 0.1  # not so where there is none
        return float(1 - right[known].mean())

    assert wrong(night) > wrong(day) + 0.05


@pytest.mark.parametrize(("rig", "seed"), [("kitti", 3), ("robot", 7)])
def test_a_drawn_pair_sees_the_road_of_a_street(rig: str, seed: int) -> None:
    measured, true = (
        SimulatedDrive(seed, "day", 4, rate_hz=0.8, scale=0.4, rig=rig, depth=depth)[1] for depth in ("stereo", "ideal")
    )
    depth: Any = measured.frame.depth
    assert 0.4 < np.isfinite(depth).mean() < 0.98
    road = measured.labels == ROAD
    assert np.nanmedian(np.abs(depth / true.frame.depth - 1)[road]) < 0.05
    np.testing.assert_array_equal(measured.frame.rgb, true.frame.rgb)


def test_pairs_are_drawn_so_that_the_road_near_the_vehicle_is_found() -> None:
    kinds = set()
    for seed in range(100):
        rig = rig_for("random", seed)
        for scale in (0.1, 0.6, 1.0):
            camera = rig.camera_model(scale)
            stereo = draw_stereo(camera, rig, np.random.default_rng(seed))
            assert stereo.baseline == rig.baseline
            assert stereo.matcher.disparities <= max(16, camera.width // 4)
            kinds.add((stereo.matcher.kind, stereo.half, stereo.whole, stereo.smooth))
    assert len(kinds) >= 10

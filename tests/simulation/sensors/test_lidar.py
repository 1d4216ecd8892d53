# SPDX-License-Identifier: Apache-2.0
from typing import Any

import numpy as np
import pytest

from perception.classes import BACKGROUND, PEDESTRIAN, ROAD, VEHICLE
from perception.simulation.sensors.lidar import Lidar, Sweep
from perception.simulation.sensors.rig import Rig, rig_for

KITTI = rig_for("kitti")


def _sweep(studio: Any, speed: float = 0.0, rig: Rig = KITTI) -> Sweep:
    def pose(time: float) -> Any:
        ego = np.eye(4)
        ego[0, 3] = speed * time
        return ego @ rig.lidar_to_ego()

    return Lidar(studio.table, rig.lidar, 0.5).sweep(studio.tracer, studio.weather, pose, 0.0, np.random.default_rng(0))


def _in_ego(sweep: Sweep, rig: Rig = KITTI) -> Any:
    pose = rig.lidar_to_ego()
    return sweep.points[:, :3] @ pose[:3, :3].T + pose[:3, 3]


def test_points_lie_on_what_they_are_labelled(day: Any) -> None:
    sweep = _sweep(day)
    points = _in_ego(sweep)
    road = points[sweep.labels == ROAD]
    assert len(road) > 5000
    assert np.abs(road[:, 2]).max() < 0.15
    person = points[sweep.labels == PEDESTRIAN]
    assert len(person) > 20
    np.testing.assert_allclose(person[:, :2].mean(0), [7.85, 2.0], atol=0.15)
    car = points[sweep.labels == VEHICLE]
    assert np.abs(car[:, 0] - 15.0).max() < 0.2
    wall = points[(sweep.labels == BACKGROUND) & (np.abs(points[:, 1]) < 20)]
    assert np.abs(wall[:, 0] - 40.0).std() < 0.04


def test_the_beams_are_those_of_the_hdl_64e(day: Any) -> None:
    points = _sweep(day).points
    elevation = np.rad2deg(np.arctan2(points[:, 2], np.hypot(points[:, 0], points[:, 1])))
    assert elevation.max() == pytest.approx(2.0, abs=0.3)
    assert elevation.min() == pytest.approx(-24.4, abs=0.7)
    assert points.dtype == np.float32
    assert points[:, 3].min() >= 0.0
    assert points[:, 3].max() <= 1.0


def test_points_are_compensated_for_the_vehicles_motion(day: Any) -> None:
    sweep = _sweep(day, speed=20.0)
    points = _in_ego(sweep)
    wall = points[(sweep.labels == BACKGROUND) & (np.abs(points[:, 1]) < 20)]
    assert np.abs(wall[:, 0] - 40.0).max() < 0.2


def test_fog_shortens_the_reach_and_scatters_back(day: Any, fog: Any) -> None:
    clear, foggy = _sweep(day), _sweep(fog)
    distance = np.linalg.norm(foggy.points[:, :3], axis=1)
    in_the_air = (distance < 3.0) & (foggy.points[:, 2] > -1.2)
    assert in_the_air.sum() > 50
    assert (foggy.labels[in_the_air] == BACKGROUND).all()
    assert len(foggy.points) < len(clear.points)
    assert foggy.points[:, 3].mean() < clear.points[:, 3].mean()


@pytest.mark.parametrize("name", ["car", "van", "truck", "robot", "cityscapes"])
def test_every_rigs_points_lie_where_things_are_however_fast_it_drives(name: str, day: Any) -> None:
    rig = rig_for(name)
    sweep = _sweep(day, speed=20.0, rig=rig)
    points = _in_ego(sweep, rig)
    road = points[sweep.labels == ROAD]
    assert len(road) > 1000
    assert abs(np.median(road[:, 2])) < 0.03
    wall = points[(sweep.labels == BACKGROUND) & (np.abs(points[:, 1]) < 20)]
    np.testing.assert_allclose(wall[:, 0], 40.0, atol=0.2)

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import numpy as np
import pytest

from perception.assembly.transforms import StaticTransforms
from perception.checking.findings import Finding
from perception.checking.geometry import GroundPlanes
from perception.frame import CameraModel, Frame
from perception.ground import Ground

CAMERA = CameraModel(np.array([[300.0, 0, 320], [0, 300.0, 120], [0, 0, 1]]), 640, 240, "camera")


def frame(number: int, lidar: Ground, depth: Ground | None = None) -> Frame:
    """The sensors' data of a plain: the LiDAR's frame is the camera's here."""
    rng = np.random.default_rng(number)
    x, z = rng.uniform(-10, 10, 4000), rng.uniform(3, 28, 4000)
    y = -(lidar.height + lidar.up[0] * x + lidar.up[2] * z) / lidar.up[1]
    points = np.stack([x, y + rng.normal(0, 0.01, 4000), z, np.full(4000, 0.5)], 1).astype(np.float32)
    image = None
    if depth is not None:
        v, u = np.mgrid[:240, :640].astype(np.float64)
        rays = np.stack([(u - 320) / 300, (v - 120) / 300, np.ones_like(u)], -1)
        with np.errstate(divide="ignore"):
            z = -depth.height / (rays @ depth.up)
        image = np.where((z > 0) & (z < 40), z, np.nan).astype(np.float32)
    return Frame(number, points=points, depth=image, camera=CAMERA, lidar_to_camera=np.eye(4))


def found(lidar: Ground, depth: Ground | None = None) -> list[Finding]:
    planes = GroundPlanes(StaticTransforms(), set())
    for number in range(4):
        planes.add(frame(number, lidar, depth))
    return list(planes.findings(True, True))


LEVEL = Ground.mounted(1.6)


def test_planes_that_agree_say_nothing() -> None:
    assert found(LEVEL, Ground.mounted(1.7, np.radians(1.0))) == []


@pytest.mark.parametrize("depth", [Ground.mounted(1.6, np.radians(6.0)), Ground.mounted(2.3)])
def test_planes_that_do_not_agree_are_told(depth: Ground) -> None:
    (told,) = found(LEVEL, depth)
    assert (told.code, told.where) == ("ground-sensors", "lidar, depth")
    assert "lidar shows a camera 1.60 m high that looks down by 0.0°" in told.what


@pytest.mark.parametrize(
    ("ground", "tilted"),
    [
        (Ground.mounted(1.6, 0.0, np.radians(5.0)), False),
        (Ground.mounted(1.6, 0.0, np.radians(11.0)), True),
        (Ground.mounted(1.6, np.radians(15.0)), True),
    ],
)
def test_a_camera_that_hangs_askew(ground: Ground, tilted: bool) -> None:
    assert [each.code for each in found(ground)] == (["camera-tilted"] if tilted else [])


def test_without_ground_there_is_no_verdict() -> None:
    planes = GroundPlanes(StaticTransforms(), set())
    points = np.random.default_rng(0).uniform(-5, 5, (3000, 4)).astype(np.float32)
    points[:, 3] = 0.5
    for number in range(4):
        planes.add(Frame(number, points=points, camera=CAMERA, lidar_to_camera=np.eye(4)))
    assert [each.code for each in planes.findings(True, False)] == ["ground-unseen"]

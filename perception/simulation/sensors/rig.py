# SPDX-License-Identifier: Apache-2.0
"""The sensors of vehicles and their mountings: KITTI's recording platform, others, and random ones."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from perception.errors import PerceptionError
from perception.frame import CameraModel
from perception.simulation.sensors.scanners import HDL_64E, SCANNERS, Scanner

FRAME_ID = "camera"

PIXELS = 1242 * 375
"""Approximate number of pixels of every rig's image."""


@dataclass(frozen=True, eq=False)
class Rig:
    """A vehicle's sensors.

    The ego frame is x forward, y left, z up, its origin on the ground below the camera.
    camera: at full size. camera_height: metres above the ground. pitch: degrees by which the camera looks down; roll:
    degrees by which it is turned clockwise, seen from behind. baseline: metres from the camera to the one on its right,
    for stereo. lidar: its kind. lidar_to_camera: (4, 4), LiDAR frame → optical frame.
    """

    name: str
    camera: CameraModel
    camera_height: float
    pitch: float
    roll: float
    baseline: float
    lidar: Scanner
    lidar_to_camera: NDArray[np.float64]

    def camera_model(self, scale: float = 1.0) -> CameraModel:
        """The camera with its image scaled by `scale`."""
        if scale == 1.0:
            return self.camera
        width, height = (max(1, round(size * scale)) for size in (self.camera.width, self.camera.height))
        return self.camera.resized(width, height)

    def camera_to_ego(self) -> NDArray[np.float64]:
        """(4, 4) optical frame (x right, y down, z forward) → ego frame."""
        return _camera_to_ego(self.camera_height, self.pitch, self.roll)

    def lidar_to_ego(self) -> NDArray[np.float64]:
        """(4, 4) LiDAR frame → ego frame."""
        return self.camera_to_ego() @ self.lidar_to_camera


RIGS: tuple[str, ...] = ("kitti", "car", "van", "truck", "robot", "cityscapes", "random")
"""The rigs by name; random is drawn anew for every seed."""


def rig_for(name: str, seed: int = 0) -> Rig:
    """The rig of that name; `seed` determines a random one.

    Raises PerceptionError for a name that is not in RIGS.
    """
    if name == "random":
        return _random(np.random.default_rng([seed, 1000]))
    if name not in _NAMED:
        raise PerceptionError(f"rig {name!r}: expected {' or '.join(RIGS)}")
    return _NAMED[name]


def _camera_to_ego(height: float, pitch: float, roll: float) -> NDArray[np.float64]:
    pose = np.eye(4)
    axes = np.array([[0, 0, 1], [-1, 0, 0], [0, -1, 0]])
    pose[:3, :3] = _turned(0.0, pitch, roll) @ axes
    pose[:3, 3] = [0.0, 0.0, height]
    return pose


def _turned(yaw: float, pitch: float, roll: float) -> NDArray[np.float64]:
    """(3, 3) x forward, y left, z up: turned left by `yaw`, nose down by `pitch`, clockwise by `roll`, in degrees."""
    y, p, r = np.deg2rad([yaw, pitch, roll])
    left = np.array([[np.cos(y), -np.sin(y), 0], [np.sin(y), np.cos(y), 0], [0, 0, 1]])
    down = np.array([[np.cos(p), 0, np.sin(p)], [0, 1, 0], [-np.sin(p), 0, np.cos(p)]])
    over = np.array([[1, 0, 0], [0, np.cos(r), -np.sin(r)], [0, np.sin(r), np.cos(r)]])
    turned: NDArray[np.float64] = left @ down @ over
    return turned


def _intrinsics(focal_x: float, focal_y: float, centre_x: float, centre_y: float) -> NDArray[np.float64]:
    return np.array([[focal_x, 0, centre_x], [0, focal_y, centre_y], [0, 0, 1]], np.float64)


def _kitti() -> Rig:
    """KITTI's rectified left colour camera and its Velodyne, by the calibration of the drives of 2011-09-26.

    The camera looks level from 1.65 m above the road; the LiDAR, fixed to it by the calibration, turns at 1.73 m.
    """
    camera = CameraModel(_intrinsics(721.5377, 721.5377, 609.5593, 172.854), 1242, 375, FRAME_ID)
    velodyne = np.eye(4)
    velodyne[:3, :3] = [
        [7.533745e-03, -9.999714e-01, -6.166020e-04],
        [1.480249e-02, 7.280733e-04, -9.998902e-01],
        [9.998621e-01, 7.523790e-03, 1.480755e-02],
    ]
    velodyne[:3, 3] = [-4.069766e-03, -7.631618e-02, -2.717806e-01]
    rectify = np.eye(4)
    rectify[:3, :3] = [
        [9.999239e-01, 9.837760e-03, -7.445048e-03],
        [-9.869795e-03, 9.999421e-01, -4.278459e-03],
        [7.402527e-03, 4.351614e-03, 9.999631e-01],
    ]
    # The colour camera's place beside the grey one, to which the rest is calibrated.
    beside = np.eye(4)
    beside[:3, 3] = np.linalg.solve(camera.intrinsics, [44.85728, 0.2163791, 0.002745884])
    return Rig("kitti", camera, 1.65, 0.0, 0.0, 0.54, HDL_64E, beside @ rectify @ velodyne)


def _rig(
    name: str,
    camera: CameraModel,
    height: float,
    pitch: float,
    roll: float,
    baseline: float,
    lidar: str,
    place: tuple[float, float, float],
    turn: tuple[float, float, float] = (0.0, 0.0, 0.0),
) -> Rig:
    """place: of the LiDAR, metres forward, left and up from the camera. turn: its yaw, pitch and roll in degrees."""
    lidar_to_ego = np.eye(4)
    lidar_to_ego[:3, :3] = _turned(*turn)
    lidar_to_ego[:3, 3] = [place[0], place[1], place[2] + height]
    lidar_to_camera = np.linalg.inv(_camera_to_ego(height, pitch, roll)) @ lidar_to_ego
    return Rig(name, camera, height, pitch, roll, baseline, SCANNERS[lidar], lidar_to_camera)


def _camera(width: int, height: int, field_of_view: float, off_centre: tuple[float, float] = (0.0, 0.0)) -> CameraModel:
    """field_of_view: horizontal, degrees. off_centre: of the principal point, in pixels."""
    focal = width / 2 / np.tan(np.deg2rad(field_of_view) / 2)
    centre_x, centre_y = (width - 1) / 2 + off_centre[0], (height - 1) / 2 + off_centre[1]
    return CameraModel(_intrinsics(focal, focal, centre_x, centre_y), width, height, FRAME_ID)


def _random(rng: np.random.Generator) -> Rig:
    aspect = np.exp(rng.uniform(np.log(16 / 9), np.log(1242 / 375)))
    width = 4 * round(np.sqrt(PIXELS * aspect) / 4)
    height = 4 * round(width / aspect / 4)
    off_centre = rng.uniform(-0.02, 0.02, 2) * (width, height)
    forward, left, up = rng.uniform((-1.5, -0.6, 0.2), (0.5, 0.6, 1.2))
    yaw, tilt, lean = rng.uniform((-4.0, -1.0, -1.0), (4.0, 1.0, 1.0))
    return _rig(
        "random",
        _camera(width, height, rng.uniform(45.0, 110.0), (off_centre[0], off_centre[1])),
        height=float(rng.uniform(0.5, 2.6)),
        pitch=float(rng.uniform(-6.0, 6.0)),
        roll=float(rng.uniform(-3.0, 3.0)),
        baseline=float(np.exp(rng.uniform(np.log(0.1), np.log(0.6)))),
        lidar=str(rng.choice(list(SCANNERS))),
        place=(forward, left, up),
        turn=(yaw, tilt, lean),
    )


_CITYSCAPES = CameraModel(_intrinsics(1131.26, 1132.6509, 548.49, 256.5685), 1024, 512, FRAME_ID)

_NAMED: dict[str, Rig] = {
    rig.name: rig
    for rig in (
        _kitti(),
        _rig("car", _camera(960, 480, 70.0), 1.35, 1.0, 0.0, 0.3, "32 beams", (-0.6, 0.0, 0.45)),
        _rig("van", _camera(1088, 428, 60.0), 1.9, 3.0, 0.5, 0.4, "raster", (0.1, 0.0, 0.3)),
        _rig("truck", _camera(960, 480, 85.0), 2.5, 5.0, 0.0, 0.6, "128 beams", (-0.4, 0.5, 1.0), (2.0, 0.0, 0.0)),
        _rig("robot", _camera(912, 512, 90.0), 0.6, -2.0, 0.0, 0.12, "16 beams", (-0.2, 0.0, 0.3)),
        _rig("cityscapes", _CITYSCAPES, 1.22, 2.18, 0.0, 0.209313, "64 beams", (-0.8, 0.0, 0.5)),
    )
}

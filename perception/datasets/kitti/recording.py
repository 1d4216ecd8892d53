# SPDX-License-Identifier: Apache-2.0
"""A KITTI drive as it was recorded: a stream per sensor, each with its own stamps, whatever the layout on disk."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any, Generic, NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from perception.datasets.kitti.cameras import CameraCalibration
from perception.datasets.kitti.oxts import OxtsPacket, oxts_pose

T = TypeVar("T")

WORLD, BASE, IMU, VELODYNE = "world", "base_link", "imu_link", "velo_link"
"""The frames by kitti2bag's names. base_link lies on the ground midway between the axles; in all frames x is forward, y
left, z up, except world, where x is east if the drive has a GPS, else as in base_link at the start."""

OPTICAL = np.array([[0, 0, 1, 0], [-1, 0, 0, 0], [0, -1, 0, 0], [0, 0, 0, 1]], np.float64)
"""Points in an optical frame (x right, y down, z forward) → the camera's body frame (x forward, y left, z up)."""

IMU_IN_BASE = np.eye(4)
IMU_IN_BASE[:3, 3] = -2.71 / 2 - 0.05, 0.32, 0.93
"""The inertial unit's position in the drawing of the car, metres: 5 cm behind the rear axle, of a wheelbase of 2.71
m."""

VELODYNE_IN_BASE = np.eye(4)
VELODYNE_IN_BASE[:3, 3] = -2.71 / 2 + 0.76, 0.0, 1.73
"""The Velodyne's position in the drawing of the car, metres; for layouts without the pose of the inertial unit."""


class Instant(NamedTuple):
    """One record of a sensor. number: its number in the drive."""

    stamp_ns: int
    number: int


@dataclass(frozen=True)
class Stream(Generic[T]):
    """One sensor's records, read on demand. instants: in the order of their stamps."""

    instants: Sequence[Instant]
    read: Callable[[int], T]

    def __len__(self) -> int:
        return len(self.instants)


@dataclass(frozen=True)
class Camera:
    """A camera's image files. name: as in kitti2bag, such as camera_color_left. first: the name of the camera whose
    frame its messages name, if that is another's: see `paired`. unstamped: a message if images have no stamp."""

    name: str
    calibration: CameraCalibration
    images: Stream[Path]
    first: str = ""
    unstamped: Sequence[str] = ()

    @property
    def frame_id(self) -> str:
        """The optical frame (REP 103)."""
        return f"{self.first or self.name}_optical"

    @property
    def colour(self) -> bool:
        """Whether it is a colour camera."""
        return "color" in self.name


def paired(camera: Camera, cameras: Sequence[Camera]) -> Camera:
    """The camera as ROS has it among `cameras` (REP 104): P projects from the frame that the messages name.

    The messages of the right camera of a pair are in the left one's frame, and the fourth column of P leads to it; if
    there is no left camera, they are in its own frame, and the column is 0. In both cases TF has its own frame.
    """
    left = camera.name.replace("right", "left")
    if left == camera.name:
        return camera
    if any(other.name == left for other in cameras):
        return replace(camera, first=left)
    p = camera.calibration.p.copy()
    p[:, 3] = 0
    return replace(camera, calibration=replace(camera.calibration, p=p))


class Box(NamedTuple):
    """A labelled object. size: length, width, height, metres. pose: (4, 4) of its centre in the velodyne frame."""

    object_type: str
    number: int
    size: tuple[float, float, float]
    pose: NDArray[np.float64]


Mount = tuple[str, str, NDArray[np.float64]]
"""(parent, child, matrix): the (4, 4) takes points of the child into the parent, metres."""


def nothing() -> Stream[Any]:
    """An empty stream, for a sensor that the drive does not have."""
    return Stream((), lambda number: None)


@dataclass(frozen=True)
class Vehicle:
    """The drive's data other than images and sweeps. poses: (4, 4) base_link → world. boxes: the objects at the sweeps'
    stamps. left_out: a message per sensor of which something was left out."""

    mounts: Sequence[Mount]
    oxts: Stream[OxtsPacket] = field(default_factory=nothing)
    poses: Stream[NDArray[np.float64]] = field(default_factory=nothing)
    boxes: Stream[list[Box]] = field(default_factory=nothing)
    left_out: Sequence[str] = ()


@dataclass(frozen=True)
class Recording:
    """A drive. path: its folder, or that of the split that it is a part of. sweeps: (N, 4) as in read_velodyne.
    unstamped: a message if some of them have no stamp. layout: raw, odometry or tracking.

    read_camera (0–3, None without images) and read_vehicle, which takes the cameras, are called on demand:
    frames need only one camera, and neither an inertial unit nor boxes.
    """

    path: Path
    read_camera: Callable[[int], Camera | None]
    sweeps: Stream[NDArray[np.float32]]
    read_vehicle: Callable[[Sequence[Camera]], Vehicle]
    layout: str
    unstamped: Sequence[str] = ()

    def name(self, number: int) -> str:
        """The name of a frame with that number."""
        return f"{number:0{10 if self.layout == 'raw' else 6}d}"

    @cached_property
    def cameras(self) -> list[Camera]:
        """The cameras that have images. Raises DataError if their stamps or calibration are broken."""
        return [camera for camera in map(self.read_camera, range(4)) if camera is not None]

    @cached_property
    def vehicle(self) -> Vehicle:
        """The data other than images and sweeps. Raises DataError if it is broken."""
        return self.read_vehicle(self.cameras)

    @property
    def mounts(self) -> Sequence[Mount]:
        """See `vehicle`."""
        return self.vehicle.mounts

    @property
    def oxts(self) -> Stream[OxtsPacket]:
        """See `vehicle`."""
        return self.vehicle.oxts

    @property
    def poses(self) -> Stream[NDArray[np.float64]]:
        """See `vehicle`."""
        return self.vehicle.poses

    @property
    def boxes(self) -> Stream[list[Box]]:
        """See `vehicle`."""
        return self.vehicle.boxes

    @property
    def left_out(self) -> list[str]:
        """A message per sensor of which something was left out."""
        unstamped = [line for camera in self.cameras for line in camera.unstamped]
        return [*unstamped, *self.unstamped, *self.vehicle.left_out]

    @property
    def start_ns(self) -> int:
        """The time of the first record; 0 for an empty drive."""
        every = [camera.images.instants for camera in self.cameras]
        every += [self.sweeps.instants, self.oxts.instants, self.poses.instants]
        return min((instants[0].stamp_ns for instants in every if instants), default=0)


def instants(numbers: Iterable[int], stamps: Mapping[int, int]) -> list[Instant]:
    """The numbers that have a stamp, in the order of the stamps: in some drives the clock steps back."""
    return sorted(Instant(stamps[number], number) for number in numbers if number in stamps)


def vehicle_poses(oxts: Stream[OxtsPacket]) -> Stream[NDArray[np.float64]]:
    """The vehicle's poses by its inertial unit: the world's origin is the unit's first position."""
    if not oxts:
        return nothing()
    origin, base_in_imu = oxts.read(oxts.instants[0].number), np.linalg.inv(IMU_IN_BASE)
    return Stream(oxts.instants, lambda number: oxts_pose(oxts.read(number), origin) @ base_in_imu)


def mounts(cameras: Sequence[Camera], imu_to_velodyne: NDArray[np.float64] | None = None) -> list[Mount]:
    """The tree from base_link to every camera's optical frame, through the inertial unit if it is calibrated."""
    if imu_to_velodyne is None:
        tree: list[Mount] = [(BASE, VELODYNE, VELODYNE_IN_BASE)]
    else:
        tree = [(BASE, IMU, IMU_IN_BASE), (IMU, VELODYNE, _inverse(imu_to_velodyne))]
    for camera in cameras:
        body = _inverse(OPTICAL @ camera.calibration.velodyne_to_camera)
        tree += [(VELODYNE, camera.name, body), (camera.name, camera.frame_id, OPTICAL)]
    return tree


def _inverse(matrix: NDArray[np.float64]) -> NDArray[np.float64]:
    """The inverse of a (4, 4) rigid transform; its rotation, printed with seven digits in KITTI's files, is made
    orthogonal."""
    u, _, v = np.linalg.svd(matrix[:3, :3])
    inverse = np.eye(4)
    inverse[:3, :3] = (u @ v).T
    inverse[:3, 3] = -inverse[:3, :3] @ matrix[:3, 3]
    return inverse

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from functools import cache
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

pytest.importorskip("rclpy")

from nav_msgs.msg import Odometry
from numpy.typing import NDArray
from sensor_msgs.msg import CameraInfo, Image, Imu, PointCloud2, PointField

from perception.assembly.assembler import Assembler, Input, Observation
from perception.assembly.calibration import Calibration, FileCalibration
from perception.assembly.collector import Arrival, SensorSet
from perception.assembly.motion import EgoMotion
from perception.assembly.throttled_log import ThrottledLog
from perception.assembly.transforms import StaticTransforms
from perception.bags.geometry import serialise_links
from perception.bags.writer import TYPES
from perception.datasets.kitti.calibration import read_imu_to_velodyne
from perception.datasets.kitti.layouts import open_drive
from perception.datasets.kitti.one_camera import one_camera
from perception.datasets.kitti.timestamps import read_stamps
from perception.frame import CameraModel
from perception.messages.clouds import Reading
from perception.messages.convert import camera_info_fields, image_fields, stamp_ns
from perception.sensors.motion import displacement
from perception.sensors.presence import FrozenWatch
from perception.sensors.projection import project_sweep
from perception.sensors.visibility import hidden_from_camera

Matrix = NDArray[np.float64]

MS = 1_000_000
T0 = 1_795_946_400_000_000_000
SPEED, TURN = np.array([20.0, 0.0, 0.0]), np.array([0.0, 0.0, 0.3])
"""The speeds of base_link [m/s, rad/s]."""

INFOS = {"rgb": "/camera_info", "depth": "/depth/camera_info", "infrared": "/infrared/camera_info"}
TOPICS = {"rgb": "/image", "lidar": "/points", "lidar2": "/left/points", "lidar3": "/right/points"}


def placed(x: float, y: float, z: float, yaw: float = 0.0) -> Matrix:
    """The speeds of a frame whose z points up."""
    pose = displacement(np.zeros(3), np.array([0, 0, yaw]), 1.0)
    pose[:3, 3] = x, y, z
    return pose


MOUNTS = {
    "velo": placed(1.0, 0.0, 1.8, np.pi),
    "left": placed(2.0, 0.9, 1.0, 0.5),
    "right": placed(2.0, -0.9, 1.0, -0.5),
    "camera": placed(1.5, 0.1, 1.5) @ np.array([[0, 0, 1.0, 0], [-1, 0, 0, 0], [0, -1, 0, 0], [0, 0, 0, 1]]),
}
"""The poses of the sensors in base_link."""

CAMERA = CameraModel(np.array([[300.0, 0, 320], [0, 300, 120], [0, 0, 1]]), 640, 240, "camera")


def vehicle(milliseconds: float | NDArray[np.float64]) -> Matrix:
    """(…, 4, 4) of base_link in the world, that long after T0."""
    return displacement(SPEED, TURN, 1e-3 * np.asarray(milliseconds))


def tree(*frames: str) -> StaticTransforms:
    """/tf_static of these sensors, or of all."""
    links = [("base_link", frame, MOUNTS[frame]) for frame in frames or MOUNTS]
    raw = serialise_links("/tf_static", T0, links)
    found = StaticTransforms()
    found.add(TYPES.deserialize_cdr(raw.data, raw.type).transforms)  # type: ignore[attr-defined]
    return found


def at(message: Any, milliseconds: float, frame: str) -> Any:
    """The message with its header."""
    stamp = T0 + round(milliseconds * MS)
    message.header.stamp.sec, message.header.stamp.nanosec = divmod(stamp, 1_000_000_000)
    message.header.frame_id = frame
    return message


def image(milliseconds: float, camera: CameraModel = CAMERA) -> Any:
    grey = np.full((camera.height, camera.width, 3), 90, np.uint8)
    return at(Image(**image_fields(grey, "rgb8")), milliseconds, "camera")


def odometry(milliseconds: float) -> Any:
    message = at(Odometry(child_frame_id="base_link"), milliseconds, "odom")
    message.twist.twist.linear.x, message.twist.twist.angular.z = float(SPEED[0]), float(TURN[2])
    return message


def cloud(
    points: NDArray[Any], milliseconds: float, frame: str, times: NDArray[Any] | None = None, name: str = "t"
) -> Any:
    """A PointCloud2 of x, y, z in the type of `points`, with intensities of noise and the times under that name."""
    kinds = {"f4": 7, "f8": 8, "u4": 6}
    columns: dict[str, NDArray[Any]] = {axis: points[:, number] for number, axis in enumerate("xyz")}
    columns["intensity"] = np.random.default_rng(len(points)).random(len(points)).astype(np.float32)
    if times is not None:
        columns[name] = times
    content = np.zeros(len(points), [(key, column.dtype) for key, column in columns.items()])
    fields = []
    for key, column in columns.items():
        content[key] = column
        kind, offset = content.dtype.fields[key][:2]
        fields.append(PointField(name=key, offset=offset, datatype=kinds[kind.str[1:]], count=1))
    size = content.dtype.itemsize
    message = PointCloud2(height=1, width=len(points), fields=fields, point_step=size, row_step=size * len(points))
    message.data = content.tobytes()
    return at(message, milliseconds, frame)


class Bench:
    """An assembler that knows the vehicle, and keeps all its messages."""

    def __init__(
        self,
        motion: EgoMotion | None = None,
        transforms: Any = None,
        file: Matrix | None = None,
        camera: CameraModel = CAMERA,
    ) -> None:
        self.said: list[str] = []
        self.drops: list[tuple[str, str]] = []
        known = FileCalibration(None, file)
        self.transforms = tree() if transforms is None else transforms
        calibration = Calibration(known, transforms=self.transforms)
        calibration.put_camera_info(at(CameraInfo(**camera_info_fields(camera)), 0, "camera"))
        complaints = ThrottledLog(self.said.append, self.said.append)
        see = FrozenWatch().see
        self._assemble = Assembler(
            calibration, INFOS, complaints, lambda *what: self.drops.append(what), motion, frozen=see
        )

    def __call__(self, reading: Reading = Reading(), **messages: Any) -> Observation:  # noqa: B008
        arrivals = {
            name: Arrival(stamp_ns(message), 0.0, Input(TOPICS[name], message)) for name, message in messages.items()
        }
        seen = self._assemble(SensorSet(next(iter(messages)), arrivals), reading)
        assert seen is not None
        return seen


def moving(transforms: Any = None) -> EgoMotion:
    """Odometry at 50 Hz around T0."""
    motion = EgoMotion(tree() if transforms is None else transforms)
    for milliseconds in range(-300, 301, 20):
        motion.put_odometry(odometry(milliseconds))
    return motion


def in_camera(seen: Observation) -> NDArray[np.float64]:
    """(N, 3) the frame's points as the camera sees them at the frame's instant."""
    assert seen.frame.points is not None
    assert seen.frame.lidar_to_camera is not None
    mount = seen.frame.lidar_to_camera
    return seen.frame.points[:, :3] @ mount[:3, :3].T + mount[:3, 3]


def seen_by(frame: str, world: NDArray[np.float64], milliseconds: Any) -> NDArray[np.float64]:
    """(N, 3) points of the world as a sensor sees them, all at one time or each at its own."""
    back = np.linalg.inv(vehicle(milliseconds) @ MOUNTS[frame])
    return np.einsum("...ij,...j->...i", back[..., :3, :3], world) + back[..., :3, 3]


class Sweep:
    """What a rotating LiDAR measures of the street's vehicles: `world` (N, 3), each point at `when` (N,) [ms]."""

    def __init__(self, frame: str, start_ms: float) -> None:
        firings = scanner().fire(0.25, 0.0)
        when = 1e3 * firings.when.astype(np.float64) + 50.0 + start_ms
        poses = vehicle(when) @ MOUNTS[frame]
        rays = np.concatenate(
            [poses[:, :3, 3], np.einsum("nij,nj->ni", poses[:, :3, :3], firings.direction)], axis=1
        ).astype(np.float32)
        hits = tracer().cast(rays)
        self.frame, self.start_ms = frame, start_ms
        self.world, self.when = hits.position.astype(np.float64), when[hits.ray]
        self.points = seen_by(frame, self.world, self.when).astype(np.float32)

    def message(self, stamp_ms: float, times: bool = True) -> Any:
        """Stamped at that time, with the times of its points in float32 seconds from there."""
        offsets = (1e-3 * (self.when - stamp_ms)).astype(np.float32)
        return cloud(self.points, stamp_ms, self.frame, offsets if times else None, "time")


@cache
def scanner() -> Any:
    from perception.simulation.sensors.scanners import Spinning

    return Spinning(tuple(np.linspace(-12, 4, 32).tolist()), 1800)


@cache
def tracer() -> Any:
    pytest.importorskip("open3d")
    from perception.simulation.optics.raycast import Tracer
    from perception.simulation.scene import Scene, merge, transformed
    from perception.simulation.things.materials import MATERIALS
    from perception.simulation.traffic.vehicles import vehicle

    places = [(12, 3, 0.1), (9, -4, -0.3), (25, 4, 0), (-9, 3, 0), (4, 5, 1.5), (18, -4, 3.1), (-15, -4, 0), (3, -5, 0)]
    cars = [transformed(vehicle("hatchback", "silver", False), placed(x, y, 0, yaw)) for x, y, yaw in places]
    found = Tracer(Scene(MATERIALS, merge(cars)))
    found.move_to(0.0)
    return found


def test_a_rolling_sweep_at_20_metres_a_second_is_deskewed() -> None:
    """Without times the points on a vehicle's edge are off by up to a metre and more, with them by 5 cm at most."""
    sweep = Sweep("velo", 0.0)
    truth = seen_by("camera", sweep.world, 30.0)
    assert len(truth) > 2000
    for stamp_ms, reading in ((0.0, Reading(stamp="start")), (100.0, Reading(stamp="end")), (50.0, Reading())):
        seen = Bench(moving())(rgb=image(30.0), lidar=sweep.message(stamp_ms))
        assert np.linalg.norm(in_camera(seen) - truth, axis=1).max() < 0.05
        assert seen.cloud_header.stamp.nanosec == stamp_ms * MS, "the cloud that is published is of its own stamp"
        whole = Bench(moving())(reading, rgb=image(30.0), lidar=sweep.message(stamp_ms, times=False))
        off = np.linalg.norm(in_camera(whole) - truth, axis=1)
        assert 0.8 < off.max() < 1.2, "moved as a whole from its middle: half a sweep at 20 m/s"
    bench = Bench()
    assert np.linalg.norm(in_camera(bench(rgb=image(30.0), lidar=sweep.message(0.0))) - truth, axis=1).max() > 1.4
    assert not bench.said


@pytest.mark.parametrize(
    ("name", "times"),
    [
        ("t", lambda ms: np.rint(ms * 1e6).astype(np.uint32)),
        ("offset_time", lambda ms: np.rint(ms * 1e6).astype(np.uint32)),
        ("timestamp", lambda ms: T0 * 1e-9 + 1e-3 * ms),
        ("timestamp", lambda ms: T0 + 1e6 * ms),
        ("time", lambda ms: 1e3 * ms),
    ],
)
def test_every_way_to_say_the_time(name: str, times: Any) -> None:
    sweep = Sweep("velo", 0.0)
    bench = Bench(moving())
    seen = bench(rgb=image(30.0), lidar=cloud(sweep.points, 0.0, "velo", times(sweep.when), name))
    assert np.linalg.norm(in_camera(seen) - seen_by("camera", sweep.world, 30.0), axis=1).max() < 0.05
    assert not bench.said


def test_the_turns_of_kittis_velodyne_close(real_data: Path) -> None:
    """It turns from behind to behind, counter-clockwise, in 0.1033 s, and sees a wall there twice, 0.35 m apart.

    The sweeps of raw drives are not deskewed; the time of a point follows from its azimuth.
    """
    recording = open_drive(real_data / "kitti_raw")
    drive = one_camera(recording)
    links = [("imu", "velo", np.linalg.inv(read_imu_to_velodyne(drive.path.parent)))]
    links += [("velo", "camera", np.linalg.inv(drive.lidar_to_camera))]
    raw = serialise_links("/tf_static", T0, links)
    transforms = StaticTransforms()
    transforms.add(TYPES.deserialize_cdr(raw.data, raw.type).transforms)  # type: ignore[attr-defined]
    motion = EgoMotion(transforms)
    for each in recording.oxts.instants:
        packet = recording.oxts.read(each.number)
        message = at(Odometry(child_frame_id="imu"), (each.stamp_ns - T0) / MS, "odom")
        linear, angular = message.twist.twist.linear, message.twist.twist.angular
        linear.x, linear.y, linear.z, angular.z = packet.vf, packet.vl, packet.vu, packet.wu
        motion.put_odometry(message)
    gaps: dict[bool, list[float]] = {False: [], True: []}
    turns = (read_stamps(drive.path / f"velodyne_points/timestamps_{end}.txt", range(8)) for end in ("start", "end"))
    started, ended = turns
    for forward_ns, number in drive.sweeps.instants:
        points = drive.sweeps.read(number)
        azimuth = np.arctan2(points[:, 1], points[:, 0])
        times = (0.5 + azimuth / (2 * np.pi)) * 1e-9 * (ended[number] - started[number])
        times += 1e-9 * (started[number] - forward_ns)
        message = cloud(points[:, :3], (forward_ns - T0) / MS, "velo", times.astype(np.float32), "time")
        for moving in gaps:
            bench = Bench(motion if moving else None, transforms, camera=drive.model)
            swept = bench(rgb=image((forward_ns - T0) / MS, drive.model), lidar=message).frame.points
            assert swept is not None
            assert not bench.said
            upright = (points[:, 2] > -1.2) & (points[:, 0] > -40)
            first, last = (swept[upright & (side * azimuth > np.pi - 0.02), :3] for side in (-1, 1))
            between = np.linalg.norm(first[:, None] - last, axis=2).min(axis=1)
            gaps[moving] += between.tolist()
    assert np.median(gaps[False]) > 0.3
    assert np.median(gaps[True]) < 0.15


def test_tf_alone_and_an_imu_alone_deskew_too() -> None:
    class Moving:
        """tf2, with only the methods that are used."""

        def __init__(self, static: StaticTransforms) -> None:
            self.static = static

        def lookup(self, target: str, source: str, at_ns: int | None = None) -> Matrix | None:
            return self.static.lookup(target, source)

        def motion(self, frame: str, from_ns: int, to_ns: int, fixed: str) -> Matrix | None:
            before, after = (vehicle((ns - T0) / MS) @ MOUNTS[frame] for ns in (from_ns, to_ns))
            return np.asarray(np.linalg.inv(after) @ before)

    sweep = Sweep("velo", 0.0)
    truth = seen_by("camera", sweep.world, 30.0)
    by_tf = Bench(EgoMotion(Moving(tree()), "odom"))(rgb=image(30.0), lidar=sweep.message(0.0))
    assert np.linalg.norm(in_camera(by_tf) - truth, axis=1).max() < 0.05
    motion = EgoMotion(tree())
    for milliseconds in range(-300, 301, 5):
        message = at(Imu(), milliseconds, "base_link")
        message.angular_velocity.z = float(TURN[2])
        motion.put_imu(message)
    # A vehicle that only rotates, about the LiDAR: an IMU can measure this.
    still, turned = (
        in_camera(Bench()(rgb=image(30.0), lidar=sweep.message(0.0))),
        in_camera(Bench(motion)(rgb=image(30.0), lidar=sweep.message(0.0))),
    )
    far = np.linalg.norm(sweep.points, axis=1)
    np.testing.assert_allclose(
        np.linalg.norm(turned - still, axis=1), far * 0.3 * np.abs(sweep.when - 30) * 1e-3, atol=0.02
    )


def test_odometry_of_an_unknown_frame_moves_nothing_and_is_told() -> None:
    message = odometry(0)
    message.child_frame_id = ""
    motion = EgoMotion(tree())
    motion.put_odometry(message)
    sweep = Sweep("velo", 0.0)
    bench = Bench(motion)
    np.testing.assert_array_equal(
        in_camera(bench(rgb=image(30.0), lidar=sweep.message(0.0))),
        in_camera(Bench()(rgb=image(30.0), lidar=sweep.message(0.0))),
    )
    assert bench.said == [
        "/points: odometry: its child_frame_id is empty, so the motion of 'velo' is unknown; its sweeps are not moved "
        "to the image's instant"
    ]


class World:
    """TF that knows the camera's pose in `odom`, far from the origin, at each instant."""

    ORIGIN = placed(458_000.0, 5_429_000.0, 110.0)

    def lookup(self, target: str, source: str, at_ns: int | None = None) -> Matrix | None:
        if (target, source) != ("camera", "odom"):
            return tree().lookup(target, source)
        at_ns = T0 + 130 * MS if at_ns is None else at_ns  # the newest is always too new
        return np.asarray(np.linalg.inv(self.ORIGIN @ vehicle((at_ns - T0) / MS) @ MOUNTS["camera"]))

    def motion(self, frame: str, from_ns: int, to_ns: int, fixed: str) -> None:
        return None


def test_a_cloud_in_odom_is_not_moved_again_and_keeps_its_millimetres() -> None:
    """The cloud's publisher moved it; in UTM float32 would lose a quarter of a metre."""
    sweep = Sweep("velo", 0.0)
    standing = sweep.world + World.ORIGIN[:3, 3]
    seen = Bench(moving(World()), World())(rgb=image(30.0), lidar=cloud(standing, 0.0, "odom"))
    truth = seen_by("camera", sweep.world, 30.0)
    assert np.linalg.norm(in_camera(seen) - truth, axis=1).max() < 1e-3
    assert (seen.cloud_header.frame_id, stamp_ns(SimpleNamespace(header=seen.cloud_header))) == ("camera", T0 + 30 * MS)
    assert seen.frame.points is not None
    np.testing.assert_allclose(seen.frame.points[:, :3], truth, atol=1e-3)
    unasked = Bench(transforms=World())(rgb=image(30.0), lidar=cloud(standing, 0.0, "odom"))
    np.testing.assert_array_equal(in_camera(unasked), in_camera(seen))


def test_a_cloud_in_odom_without_tf_is_left_out_whatever_the_file_says() -> None:
    bench = Bench(moving(), file=np.eye(4))
    seen = bench(rgb=image(30.0), lidar=cloud(Sweep("velo", 0.0).world, 0.0, "odom"))
    assert seen.frame.modalities == ("rgb",)
    assert bench.drops == [("lidar", "no calibration")]
    assert bench.said == [
        "/points: extrinsics: no TF from 'odom' to 'camera', and 'odom' stands still and is not a mount; the LiDAR is "
        "left out"
    ]


def three() -> dict[str, Sweep]:
    """Three LiDARs that began at different times."""
    return {"lidar": Sweep("velo", 0.0), "lidar2": Sweep("left", -33.0), "lidar3": Sweep("right", 21.0)}


def test_several_lidars_become_one_cloud() -> None:
    sweeps = three()
    bench = Bench(moving())
    seen = bench(rgb=image(30.0), **{name: sweep.message(sweep.start_ms) for name, sweep in sweeps.items()})
    truth = np.concatenate([seen_by("camera", sweep.world, 30.0) for sweep in sweeps.values()])
    assert np.linalg.norm(in_camera(seen) - truth, axis=1).max() < 0.05
    assert seen.cloud_header.frame_id == "velo"
    assert not bench.said + bench.drops


def test_a_silent_or_broken_lidar_leaves_the_others() -> None:
    messages = {name: sweep.message(sweep.start_ms) for name, sweep in three().items()}
    del messages["lidar"]
    bench = Bench(moving())
    seen = bench(rgb=image(30.0), **messages)
    assert seen.frame.modalities == ("rgb", "lidar")
    assert seen.cloud_header.frame_id == "left"
    messages["lidar2"].row_step = 1
    seen = bench(rgb=image(30.0), **messages)
    assert seen.cloud_header.frame_id == "right"
    assert bench.drops == [("lidar2", "broken")]
    assert [line.partition(":")[0] for line in bench.said] == ["/left/points"]
    alone = bench(lidar3=messages["lidar3"])
    assert (alone.frame.modalities, alone.frame_id) == (("lidar",), "camera")


def test_a_frozen_lidar_is_left_out_while_another_lives() -> None:
    bench, frozen = Bench(), three()["lidar"]
    counts = []
    for number in range(5):
        living = Sweep("left", -33.0 + 80 * number).message(80.0 * number)
        again = frozen.message(0.0)
        at(again, 80.0 * number, "velo")
        seen = bench(rgb=image(80.0 * number), lidar=again, lidar2=living)
        assert seen.frame.points is not None
        counts.append(len(seen.frame.points) - living.width)
    assert counts == [len(frozen.points)] * 3 + [0, 0]
    assert bench.drops == [("lidar", "frozen")] * 2
    assert bench.said[0].startswith("/points: lidar is frozen")


def test_a_further_lidar_is_placed_beside_the_first_where_the_camera_is_known_by_file_alone() -> None:
    sweeps = three()
    mount = np.linalg.inv(MOUNTS["camera"]) @ MOUNTS["velo"]
    bench = Bench(transforms=tree("velo", "left"), file=mount)
    messages = {name: cloud(seen_by(each.frame, each.world, 0.0), 0.0, each.frame) for name, each in sweeps.items()}
    seen = bench(rgb=image(0.0), **messages)
    truth = np.concatenate([seen_by("camera", sweeps[name].world, 0.0) for name in ("lidar", "lidar2")])
    np.testing.assert_allclose(in_camera(seen), truth, atol=1e-3)
    assert bench.drops == [("lidar3", "no calibration")]
    assert bench.said[0].startswith(
        "/right/points: extrinsics: no TF from 'right' to 'camera', nor to the first LiDAR's"
    )


def test_each_lidar_has_its_own_scale_of_intensity() -> None:
    bench, messages = Bench(), {name: sweep.message(sweep.start_ms) for name, sweep in three().items()}
    loud = messages["lidar2"]
    content = np.frombuffer(loud.data, np.float32).reshape(-1, 5).copy()
    content[:, 3] = np.floor(4095 * content[:, 3])
    loud.data = content.tobytes()
    seen = bench(rgb=image(30.0), **messages)
    assert seen.frame.points is not None
    first, second = np.cumsum([messages["lidar"].width, loud.width])
    for part in np.split(seen.frame.points[:, 3], [first, second]):
        assert 0.45 < part.mean() < 0.55


def test_what_one_lidar_sees_hides_what_another_sees_behind_it() -> None:
    """A wall that only the high LiDAR sees, over a car that only the low one sees: the camera sees the car."""
    across, up = np.meshgrid(np.linspace(-6, 6, 400), np.linspace(0.2, 2.0, 60))
    wall = np.stack([np.full(across.size, 20.0), across.ravel(), up.ravel()], axis=1)
    car = np.stack([np.full(across.size, 10.0), across.ravel() / 6, up.ravel()], axis=1)
    messages = {
        "lidar": cloud(seen_by("velo", wall, 0.0), 0.0, "velo"),
        "lidar2": cloud(seen_by("left", car, 0.0), 0.0, "left"),
    }

    def hidden(**given: Any) -> NDArray[np.bool_]:
        frame = Bench()(rgb=image(0.0), **given).frame
        projection = project_sweep(frame)
        assert projection is not None
        found = np.zeros(len(frame.points if frame.points is not None else ()), np.bool_)
        found[projection.rows] = hidden_from_camera(frame, projection)
        return found

    assert not hidden(lidar=messages["lidar"]).any(), "the wall alone hides nothing"
    both = hidden(**messages)
    behind = np.abs(wall[:, 1] - 0.1) < 1.4
    behind &= wall[:, 2] < 1.8
    assert both[: len(wall)][behind].mean() > 0.95
    assert not both[len(wall) :].any()

# SPDX-License-Identifier: Apache-2.0
import pickle
import subprocess
import sys
from typing import Any

import numpy as np
import pytest

from perception.classes import PEDESTRIAN, ROAD, VEHICLE
from perception.errors import PerceptionError
from perception.frame import MODALITIES
from perception.sample import Sample
from perception.simulation import CONDITIONS, SimulatedDrive


def _assert_same(a: Sample, b: Sample) -> None:
    assert a.name == b.name
    for one, other in (
        (a.frame.rgb, b.frame.rgb), (a.frame.depth, b.frame.depth), (a.frame.infrared, b.frame.infrared),
        (a.frame.points, b.frame.points), (a.labels, b.labels), (a.point_labels, b.point_labels),
    ):  # fmt: skip
        np.testing.assert_array_equal(one, other)


@pytest.fixture(scope="module")
def drive() -> SimulatedDrive:
    return SimulatedDrive(seed=5, condition="day", frames=20, scale=0.25)


def test_a_sample_is_whole(drive: SimulatedDrive) -> None:
    sample = drive[2]
    frame = sample.frame
    assert frame.modalities == MODALITIES
    shapes = [np.shape(image) for image in (frame.rgb, frame.depth, frame.infrared, sample.labels)]
    assert shapes == [(94, 310, 3), (94, 310), (94, 310), (94, 310)]
    assert frame.points is not None
    assert sample.point_labels is not None
    assert sample.labels is not None
    assert len(frame.points) == len(sample.point_labels) > 15_000
    assert {ROAD, VEHICLE} <= set(np.unique(sample.labels)) <= {0, ROAD, VEHICLE, PEDESTRIAN}
    assert frame.stamp_ns == drive.stamp_ns(0) + 200_000_000


@pytest.mark.parametrize("condition", CONDITIONS)
def test_frames_repeat_bit_for_bit_in_any_order(condition: str) -> None:
    first = SimulatedDrive(1, condition, frames=8, scale=0.1)
    second = pickle.loads(pickle.dumps(SimulatedDrive(1, condition, frames=30, scale=0.1)))
    early, late = first[1], first[6]
    _assert_same(second[6], late)
    _assert_same(second[1], early)


def test_frames_repeat_in_another_process(drive: SimulatedDrive) -> None:
    script = (
        "from perception.simulation import SimulatedDrive; import hashlib;"
        "s = SimulatedDrive(5, 'day', 20, scale=0.25)[3]; f = s.frame;"
        "print(hashlib.sha256(f.rgb.tobytes() + f.points.tobytes() + f.infrared.tobytes()).hexdigest())"
    )
    there = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout.strip()
    import hashlib

    frame: Any = drive[3].frame
    here = hashlib.sha256(frame.rgb.tobytes() + frame.points.tobytes() + frame.infrared.tobytes()).hexdigest()
    assert there == here


def test_seeds_give_different_streets(drive: SimulatedDrive) -> None:
    other = SimulatedDrive(seed=6, condition="day", frames=20, scale=0.25)[2]
    assert (drive[2].labels != other.labels).mean() > 0.05


def test_a_lane_is_another_street(drive: SimulatedDrive) -> None:
    lane = SimulatedDrive(seed=5, condition="day", frames=20, scale=0.25, street="lane")[2]
    assert (drive[2].labels != lane.labels).mean() > 0.05


def test_a_drive_is_a_sequence(drive: SimulatedDrive) -> None:
    assert len(drive) == 20
    _assert_same(drive[-1], drive[19])
    assert [s.name for s in drive[3:5]] == ["day-0005/000003", "day-0005/000004"]
    with pytest.raises(IndexError):
        drive[20]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"seed": -1}, "seed -1"),
        ({"condition": "snow"}, "snow"),
        ({"frames": 0}, "frames 0"),
        ({"rate_hz": 0.0}, "rate_hz 0"),
        ({"scale": 0.0}, "scale 0"),
        ({"street": "motorway"}, "motorway"),
        ({"rig": "tank"}, "tank"),
        ({"depth": "sonar"}, "sonar"),
    ],
)
def test_wrong_parameters_are_refused(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(PerceptionError, match=message):
        SimulatedDrive(**arguments)


def test_importing_the_simulator_does_not_load_open3d() -> None:
    script = "import perception.simulation, sys; assert 'open3d' not in sys.modules"
    subprocess.run([sys.executable, "-c", script], check=True)


@pytest.mark.parametrize("rig", ["kitti", "car", "van", "truck", "robot", "cityscapes", "random"])
def test_the_lidar_falls_on_the_image_where_the_depth_camera_sees_the_same(rig: str) -> None:
    sample = SimulatedDrive(seed=5, frames=4, rate_hz=0.8, scale=0.25, rig=rig)[1]
    frame: Any = sample.frame
    optical = frame.points[:, :3] @ frame.lidar_to_camera[:3, :3].T + frame.lidar_to_camera[:3, 3]
    near = (optical[:, 2] > 1) & (optical[:, 2] < 12)
    uvw = optical[near] @ frame.camera.intrinsics.T
    u, v = np.rint(uvw[:, :2] / uvw[:, 2:]).astype(int).T
    inside = (u >= 0) & (u < frame.camera.width) & (v >= 0) & (v < frame.camera.height)
    assert inside.sum() > 200
    u, v = u[inside], v[inside]
    same = sample.point_labels[near][inside] == sample.labels[v, u]
    assert same.mean() > 0.9
    assert abs(np.nanmedian((frame.depth[v, u] - uvw[inside, 2])[same])) < 0.05


@pytest.mark.parametrize("depth", ["stereo", "tof"])
def test_the_depth_camera_changes_nothing_else(depth: str, drive: SimulatedDrive) -> None:
    other, sample = SimulatedDrive(seed=5, frames=20, scale=0.25, depth=depth)[2], drive[2]
    np.testing.assert_array_equal(other.frame.rgb, sample.frame.rgb)
    np.testing.assert_array_equal(other.frame.points, sample.frame.points)
    assert (np.isnan(other.frame.depth) != np.isnan(sample.frame.depth)).any()


def test_parked_and_moving_things_are_told_apart(drive: SimulatedDrive) -> None:
    sample = drive[2]
    labels, instances = sample.labels, sample.instances
    assert labels is not None
    assert instances is not None
    assert instances.dtype == np.uint16
    told = instances > 0
    np.testing.assert_array_equal(instances[told] // 1000, labels[told])
    assert np.isin(labels[told], (VEHICLE, PEDESTRIAN)).all()
    assert told[labels == PEDESTRIAN].all()
    assert 0.5 < told[labels == VEHICLE].mean() < 1  # this street has bicycles in a row
    stage = drive._stage
    placed = len(np.unique(stage._scene.things[stage._scene.things > 0]))
    assert placed > 20
    codes, counts = np.unique(instances[instances > 0], return_counts=True)
    assert len(codes) > 4
    # No instance is most of its class: parked cars do not melt into one.
    assert counts.max() < 0.9 * counts.sum()

# SPDX-License-Identifier: Apache-2.0
import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from perception.classes import CLASSES, VEHICLE
from perception.datasets.simulated import Relabelled, SimulatedFolder
from perception.errors import DataError
from perception.simulation.drive import SimulatedDrive
from perception.simulation.storage import write_drive


@pytest.fixture(scope="module")
def source() -> SimulatedDrive:
    return SimulatedDrive(3, "dusk", frames=2, scale=0.1)


@pytest.fixture
def folder(source: SimulatedDrive, tmp_path: Path) -> Path:
    return write_drive(source, tmp_path / "drive")


def test_what_was_written_comes_back(source: SimulatedDrive, folder: Path) -> None:
    read, made = SimulatedFolder(folder)[1], source[1]
    assert read.name == made.name
    assert read.frame.stamp_ns == made.frame.stamp_ns
    np.testing.assert_array_equal(read.frame.rgb, made.frame.rgb)
    np.testing.assert_array_equal(read.frame.infrared, made.frame.infrared)
    np.testing.assert_array_equal(read.frame.points, made.frame.points)
    np.testing.assert_array_equal(read.labels, made.labels)
    np.testing.assert_array_equal(read.point_labels, made.point_labels)
    np.testing.assert_array_equal(read.instances, made.instances)
    np.testing.assert_allclose(read.frame.depth, made.frame.depth, atol=1 / 511, rtol=0)  # NaN equals NaN here
    np.testing.assert_allclose(read.frame.lidar_to_camera, made.frame.lidar_to_camera)
    assert read.frame.camera is not None
    assert made.frame.camera is not None
    np.testing.assert_allclose(read.frame.camera.intrinsics, made.frame.camera.intrinsics)


def test_a_folder_of_drives_is_one_sequence(tmp_path: Path) -> None:
    for seed in (1, 2):
        write_drive(SimulatedDrive(seed, "day", frames=2, scale=0.05), tmp_path / f"day-{seed:04d}")
    names = [sample.name for sample in SimulatedFolder(tmp_path)]
    assert names == ["day-0001/000000", "day-0001/000001", "day-0002/000000", "day-0002/000001"]


def test_missing_and_unfinished_drives_are_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no such folder"):
        SimulatedFolder(tmp_path / "nowhere")
    with pytest.raises(DataError, match=r"no drive\.json.*perception simulate"):
        SimulatedFolder(tmp_path)


@pytest.mark.parametrize("name", ["image", "depth", "infrared", "labels"])
def test_a_truncated_image_is_named(folder: Path, name: str) -> None:
    path = folder / name / "000001.png"
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(DataError, match=f"{name}/000001.png"):
        SimulatedFolder(folder)[1]


@pytest.mark.parametrize("name", ["velodyne", "point_labels"])
def test_a_truncated_sweep_is_named(folder: Path, name: str) -> None:
    path = folder / name / "000000.bin"
    path.write_bytes(path.read_bytes()[:-3])
    with pytest.raises(DataError, match=f"{name}/000000.bin"):
        SimulatedFolder(folder)[0]


def test_a_missing_file_is_named(folder: Path) -> None:
    (folder / "depth" / "000000.png").unlink()
    with pytest.raises(DataError, match=r"depth/000000\.png: no such file"):
        SimulatedFolder(folder)[0]


@pytest.mark.parametrize(
    "damage", [lambda d: d.pop("camera"), lambda d: d.update(format=99), lambda d: d.update(lidar_to_camera=[1, 2])]
)
def test_a_damaged_description_is_refused(folder: Path, damage) -> None:
    path = folder / "drive.json"
    description = json.loads(path.read_text())
    damage(description)
    path.write_text(json.dumps(description))
    with pytest.raises(DataError, match=r"drive\.json"):
        SimulatedFolder(folder)


def test_an_image_of_another_size_is_refused(folder: Path) -> None:
    path = folder / "drive.json"
    description = json.loads(path.read_text())
    description["camera"]["width"] += 2
    path.write_text(json.dumps(description))
    with pytest.raises(DataError, match=r"as in drive\.json"):
        SimulatedFolder(folder)[0]


@pytest.mark.parametrize("depth", ["stereo", "tof"])
def test_other_rigs_and_depth_cameras_come_back_too(depth: str, tmp_path: Path) -> None:
    made = SimulatedDrive(4, "night", frames=1, scale=0.2, rig="random", depth=depth)
    read, sample = SimulatedFolder(write_drive(made, tmp_path))[0], made[0]
    np.testing.assert_array_equal(read.frame.points, sample.frame.points)
    np.testing.assert_array_equal(read.labels, sample.labels)
    np.testing.assert_allclose(read.frame.depth, sample.frame.depth, atol=1 / 511, rtol=0)
    np.testing.assert_allclose(read.frame.lidar_to_camera, made.rig.lidar_to_camera)
    assert read.frame.camera is not None
    np.testing.assert_allclose(read.frame.camera.intrinsics, made.camera.intrinsics)
    assert np.isfinite(sample.frame.depth).any()


def test_drives_of_before_there_were_rigs_are_read(folder: Path) -> None:
    path = folder / "drive.json"
    description = json.loads(path.read_text())
    del description["rig"], description["depth"]
    path.write_text(json.dumps(description))
    assert len(SimulatedFolder(folder)) == 2


def test_drives_of_before_have_no_instances(folder: Path) -> None:
    shutil.rmtree(folder / "instances")
    assert SimulatedFolder(folder)[0].instances is None


def test_instances_have_the_ids_of_the_classes(source: SimulatedDrive) -> None:
    five = CLASSES.extended([dict(name="bicycle", colour=(255, 200, 0), within="vehicle")])
    made = source[1].instances
    assert made is not None
    assert (made // 1000 == VEHICLE).any()
    relabelled = Relabelled([source[1]], five)[0].instances  # what is a vehicle may be a bicycle: it is neither
    assert relabelled is not None
    np.testing.assert_array_equal(relabelled, np.where(made // 1000 == VEHICLE, 0, made))

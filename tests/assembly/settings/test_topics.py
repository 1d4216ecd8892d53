# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from perception.assembly.settings.topics import (
    INPUT_TOPICS,
    calibration_beside,
    cameras,
    full_path,
    read_topics,
    remappings,
)
from perception.engines import ENGINES
from perception.errors import DataError, ModelError
from perception.paths import config_path


@pytest.mark.parametrize(
    ("preset", "points"), [("kitti2bag", "/kitti/velo/pointcloud"), ("kitti_to_ros2bag", "/kitti/velo")]
)
def test_presets(preset: str, points: str) -> None:
    assert read_topics(preset)["points"] == points


def test_a_file_becomes_ros_arguments(tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text("image: /front/image\npoints: /top/points\n")
    assert remappings(str(path)) == ["--ros-args", "-r", "image:=/front/image", "-r", "points:=/top/points", "--"]


def test_several_lidars_and_an_imu_are_parameters_of_the_node(tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text("points: [/top/points, /left/points, /right/points]\nimu: /imu/data\n")
    assert read_topics(str(path)) == {
        "points": "/top/points",
        "points2": "/left/points",
        "points3": "/right/points",
        "imu": "/imu/data",
    }
    extra = 'lidar.extra_topics:=["/left/points", "/right/points"]'
    words = ["-r", "points:=/top/points", "-p", extra, "-p", "imu_topic:=/imu/data"]
    assert remappings(str(path)) == ["--ros-args", *words, "--"]


def test_every_subscription_can_be_named() -> None:
    subscriptions = pytest.importorskip("perception.ros.subscriptions", exc_type=ImportError)
    heard = {topic for inputs in subscriptions.INPUTS.values() for topic, _ in inputs} | set(subscriptions.OTHERS)
    assert heard == set(INPUT_TOPICS)


def assigned_in_launch(name: str) -> list[str]:
    """The string constants in the launch file, which imports modules that are not installed everywhere."""
    launch = Path(__file__).resolve().parents[3] / "launch/perception.launch.py"
    assigned = {
        target.id: statement.value
        for statement in ast.parse(launch.read_text("utf-8")).body
        if isinstance(statement, ast.Assign)
        for target in statement.targets
        if isinstance(target, ast.Name)
    }
    return [str(node.value) for node in ast.walk(assigned[name]) if isinstance(node, ast.Constant)]


def test_launch_knows_the_same_inputs() -> None:
    assert sorted(assigned_in_launch("INPUTS")) == sorted(INPUT_TOPICS)


def test_launch_knows_the_same_engines() -> None:
    (said,) = (text for text in assigned_in_launch("ARGUMENTS") if text.startswith("What runs the network: "))
    assert re.split(r", | or ", said.removesuffix(".").partition(": ")[2]) == ["auto", *ENGINES]


@pytest.mark.parametrize(
    ("text", "reason"), [("picture: /a", "no input picture"), ("- a", "expected lines"), ("a: [", "not valid YAML")]
)
def test_broken_files(tmp_path: Path, text: str, reason: str) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text(text)
    with pytest.raises(DataError, match=reason):
        read_topics(str(path))


def test_unknown_presets_and_files_are_named(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="kitti2bag"):
        read_topics("kitti2bagg")
    with pytest.raises(DataError, match="No such file"):
        read_topics(str(tmp_path / "no.yaml"))


SEVERAL = """
points: [/top, /side]
odometry: /odom
cameras:
  front: {image: /front/image_rect}
  rear: {image/compressed: /rear/jpeg, points: /rear/points, calibration_file: rear.yaml}
"""


@pytest.fixture
def several(tmp_path: Path) -> str:
    path = tmp_path / "rig.yaml"
    path.write_text(SEVERAL)
    return str(path)


def test_a_camera_of_several_has_its_own_inputs_and_the_shared_ones(several: str) -> None:
    assert cameras(several) == cameras(f"{several}:rear") == ("front", "rear")
    front = {"points": "/top", "points2": "/side", "odometry": "/odom", "image": "/front/image_rect"}
    assert read_topics(f"{several}:front") == front
    rear = read_topics(f"{several}:rear")
    assert (rear["points"], rear["odometry"]) == ("/rear/points", "/odom")
    assert rear["image/compressed"] == "/rear/jpeg"
    assert calibration_beside(f"{several}:front") is None
    assert calibration_beside(f"{several}:rear") == Path(several).with_name("rear.yaml")
    assert full_path(f"{several}:rear") == f"{several}:rear"
    assert "image:=/front/image_rect" in remappings(f"{several}:front")


def test_of_several_cameras_one_must_be_named(several: str) -> None:
    with pytest.raises(DataError, match=r"rig.yaml: several cameras; name one: .*rig.yaml:front, .*rig.yaml:rear"):
        read_topics(several)
    with pytest.raises(DataError, match=r"rig.yaml: no camera left; name one: "):
        read_topics(f"{several}:left")
    with pytest.raises(DataError, match="no camera front; it has no cameras"):
        read_topics("kitti2bag:front")
    assert cameras("kitti2bag") == ()


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("cameras: [front]", "expected a section for each camera"),
        ("cameras: {rig: {}}", "camera rig: expected letters, digits and _, and not rig"),
        ("cameras: {a-b: {}}", "camera a-b: expected letters"),
        ("cameras: {front: /front}", "camera front: expected lines such as"),
        ("cameras: {front: {camera_name: a}}", "camera_name: of several cameras, each has its calibration"),
        ("cameras: {front: {picture: /a}}", "no input picture"),
    ],
)
def test_broken_sections_are_told(tmp_path: Path, text: str, reason: str) -> None:
    path = tmp_path / "rig.yaml"
    path.write_text(text)
    with pytest.raises(DataError, match=reason):
        read_topics(f"{path}:front")


def test_the_example_of_several_cameras_is_whole() -> None:
    example = str(config_path("rigs/nuscenes.yaml"))
    assert len(cameras(example)) == 6
    for camera in cameras(example):
        topics = read_topics(f"{example}:{camera}")
        assert sorted(topics) == ["camera_info", "image/compressed", "odometry", "points"]
        assert topics["image/compressed"].startswith(f"/CAM_{camera.upper()}/")

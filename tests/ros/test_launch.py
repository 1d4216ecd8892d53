# SPDX-License-Identifier: Apache-2.0
"""What the launch files start: with ROS's own launch if it is installed, else with `helpers/launch_file.py`."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from perception.assembly.settings.topics import RIG_NODE

pytest.importorskip("ament_index_python")

FOLDER = Path(__file__).resolve().parents[2] / "launch"
RUN = Path(__file__).resolve().parents[1] / "helpers" / "launch_file.py"
EXECUTABLES = ("multimodal_perception/perception_node", "multimodal_perception/perception_replay", "rviz2/rviz2")

ECHO = """#!/bin/sh
line="$(basename "$0") $*"
while [ $# -gt 0 ]; do [ "$1" = --params-file ] && line="$line [$(cat "$2")]"; shift; done
echo "$line" | tr '\\n' ' ' >> "$STARTED/$(basename "$0")"
"""


class Launched:
    """Runs a launch file where every executable only notes how it was started."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        (folder / "share/ament_index/resource_index/packages").mkdir(parents=True)
        for name in EXECUTABLES:
            package = name.split("/")[0]
            (folder / "share/ament_index/resource_index/packages" / package).touch()
            (folder / "lib" / package).mkdir(parents=True, exist_ok=True)
            (folder / "lib" / name).write_text(ECHO)
            (folder / "lib" / name).chmod(0o755)

    def __call__(self, file: str, *arguments: str) -> dict[str, str]:
        """Command line by executable, with the content of its parameter files."""
        environment = {
            **os.environ,
            "AMENT_PREFIX_PATH": str(self._folder),
            "STARTED": str(self._folder),
            "ROS_LOG_DIR": str(self._folder / "log"),
            "TMPDIR": str(self._folder),
        }
        command = [sys.executable, str(RUN), str(FOLDER / file), *arguments]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, done.stdout + done.stderr
        names = [name.split("/")[1] for name in EXECUTABLES]
        return {name: (self._folder / name).read_text() for name in names if (self._folder / name).is_file()}


@pytest.fixture
def launched(tmp_path: Path) -> Launched:
    return Launched(tmp_path)


def test_alone_it_is_the_node_with_its_parameter_file(launched: Launched, tmp_path: Path) -> None:
    (tmp_path / "mine.yaml").write_text("/**: {ros__parameters: {autostart: false, use_sim_time: true}}\n")
    started = launched("perception.launch.py", f"params_file:={tmp_path}/mine.yaml")
    assert list(started) == ["perception_node"]
    assert "autostart: false, use_sim_time: true" in started["perception_node"]
    # An argument that was not given overrides nothing.
    assert started["perception_node"].count("--params-file") == 1
    assert "__node:=perception" in started["perception_node"]


def test_arguments_override_the_parameter_file(launched: Launched) -> None:
    started = launched(
        "perception.launch.py", "autostart:=false", "use_sim_time:=true", "engine:=torch", "topics:=kitti2bag"
    )
    for given in ("autostart: false", "use_sim_time: true", "engine: torch", "--topics kitti2bag"):
        assert given in started["perception_node"]


def test_a_namespace_takes_replay_and_rviz_with_it(launched: Launched) -> None:
    started = launched("perception.launch.py", "namespace:=front", "replay:=drive", "rviz:=true")
    assert "__ns:=/front" in started["perception_node"]
    assert "drive --loop --remap /image:=/front/image" in started["perception_replay"]
    for topic in ("/perception/overlay", "/perception/points", "/perception/road_grid", "/image", "/points"):
        assert f"-r {topic}:=/front{topic} " in started["rviz2"] + " "


def test_without_a_namespace_nothing_moves(launched: Launched) -> None:
    started = launched("perception.launch.py", "replay:=drive", "rviz:=true", "use_sim_time:=true")
    assert started["perception_replay"].split()[1:] == ["drive", "--loop", "--clock"]
    assert ":=/" not in started["rviz2"]
    assert "use_sim_time: true" in started["rviz2"]


def test_one_file_of_topics_serves_node_and_replay(launched: Launched) -> None:
    started = launched("perception.launch.py", "replay:=bag", "topics:=rig.yaml")
    assert "--topics rig.yaml" in started["perception_node"]
    assert started["perception_replay"].split()[1:] == ["bag", "--loop", "--topics", "rig.yaml"]


def test_a_rig_is_one_process_with_its_file(launched: Launched) -> None:
    started = launched("rig.launch.py")["perception_node"]
    assert "configs/rigs/nuscenes.yaml --ros-args --params-file" in started
    assert "use_sim_time:=" not in started
    assert "use_sim_time:=true" in launched("rig.launch.py", "use_sim_time:=true")["perception_node"]


def test_a_rig_may_be_a_process_for_each_camera_and_one_that_merges(launched: Launched, tmp_path: Path) -> None:
    rig = tmp_path / "rig.yaml"
    rig.write_text("points: /top\ncameras: {front: {image: /a}, rear: {image: /b}}\n")
    started = launched("rig.launch.py", f"rig:={rig}", "processes:=several")["perception_node"]
    for name in ("front", "rear", "rig"):
        assert started.count(f"--topics {rig}:{name} --ros-args") == 1
    assert started.count("perception_node --topics") == 3


@pytest.mark.parametrize("file", ["rig.launch.py", "multi_camera.launch.py"])
def test_cameras_need_no_file(launched: Launched, file: str) -> None:
    started = launched(file, "rigs:=front, rear", "points:=/velodyne_points")
    assert "perception_node --rigs front rear --ros-args" in started["perception_node"]
    assert "-r points:=/velodyne_points" in started["perception_node"]


def test_launch_knows_the_merging_node_by_its_name() -> None:
    assert f'MERGING = "{RIG_NODE}"' in (FOLDER / "rig.launch.py").read_text()

# SPDX-License-Identifier: Apache-2.0
"""Starts a node for each camera of a rig and the node that merges their points, in one process or one for each.

`ros2 launch multimodal_perception rig.launch.py rig:=FILE` takes a file such as configs/rigs/nuscenes.yaml: cameras by
name, with their topics. `--show-args` lists the arguments.
"""

from pathlib import Path

import yaml
from launch import LaunchContext, LaunchDescription
from launch.actions import DeclareLaunchArgument, ExecuteProcess, OpaqueFunction
from launch.substitutions import LaunchConfiguration
from launch_ros.substitutions import ExecutableInPackage

CONFIGS = Path(__file__).resolve().parent.parent / "configs"

MERGING = "rig"
"""`perception.assembly.settings.topics.RIG_NODE`, which the Python that launch runs in may not find."""

ARGUMENTS = {
    "rig": (str(CONFIGS / "rigs" / "nuscenes.yaml"), "The cameras and LiDARs, by their topics."),
    "rigs": ("", "Instead of `rig`: namespaces, one for each camera with its sensors, separated by commas."),
    "processes": (
        "one",
        "one: the cameras take turns at one network, which has all cores. several: each camera has a process of its "
        "own with its part of the cores, and the merging node another.",
    ),
    "params_file": (
        str(CONFIGS / "node" / "default.yaml"),
        "ROS parameter file; sections such as /front/perception hold for one camera alone.",
    ),
    "points": ("", "The topic of a LiDAR that all cameras of `rigs` share; empty: each has its own."),
    "use_sim_time": ("", "true: take the time from /clock; empty leaves it to the parameter file."),
    "respawn": ("false", "Start a process again when it ends."),
    "log_level": ("info", "debug, info, warn, error or fatal."),
}
"""Default and description by argument."""


def generate_launch_description() -> LaunchDescription:
    """The processes, with every argument documented."""
    declared = [
        DeclareLaunchArgument(name, default_value=default, description=description)
        for name, (default, description) in ARGUMENTS.items()
    ]
    return LaunchDescription([*declared, OpaqueFunction(function=_processes)])


def _processes(context: LaunchContext) -> list[ExecuteProcess]:
    value = {name: LaunchConfiguration(name).perform(context) for name in ARGUMENTS}
    ros = ["--params-file", value["params_file"], "--log-level", value["log_level"]]
    if value["use_sim_time"]:
        ros += ["-p", f"use_sim_time:={value['use_sim_time']}"]
    if value["points"]:
        ros += ["-r", f"points:={value['points']}"]
    respawn = value["respawn"].strip().lower() in ("true", "1", "yes", "on")
    # The executable itself: `ros2 run` in between would not pass every signal on, and leave it behind.
    node = ExecutableInPackage(executable="perception_node", package="multimodal_perception")
    return [
        ExecuteProcess(cmd=[node, *words, "--ros-args", *ros], output="screen", respawn=respawn, respawn_delay=1.0)
        for words in _commands(value)
    ]


def _commands(value: dict[str, str]) -> list[list[str]]:
    """The node's own arguments, by process."""
    rigs = [rig.strip() for rig in value["rigs"].split(",") if rig.strip()]
    if rigs:
        return [["--rigs", *rigs]]
    if value["processes"] not in ("one", "several"):
        raise ValueError(f"processes: '{value['processes']}', expected one or several")
    if value["processes"] == "one":
        return [["--topics", value["rig"]]]
    cameras = yaml.safe_load(Path(value["rig"]).read_text("utf-8"))["cameras"]
    return [["--topics", f"{value['rig']}:{name}"] for name in (*cameras, MERGING)]

# SPDX-License-Identifier: Apache-2.0
"""Starts a node for each of several cameras, in one process with one network.

`ros2 launch multimodal_perception multi_camera.launch.py rigs:=front,rear` listens to /front/image, /front/points,
/rear/image and so on. `--show-args` lists the arguments.
"""

from pathlib import Path

from launch import LaunchContext, LaunchDescription
from launch.actions import DeclareLaunchArgument, ExecuteProcess, OpaqueFunction
from launch.substitutions import LaunchConfiguration
from launch_ros.substitutions import ExecutableInPackage

ARGUMENTS = {
    "rigs": ("front,rear", "Namespaces, one for each camera with its sensors, separated by commas."),
    "params_file": (
        str(Path(__file__).resolve().parent.parent / "configs" / "node" / "default.yaml"),
        "ROS parameter file; sections such as /front/perception hold for one camera alone.",
    ),
    "points": ("", "The topic of a LiDAR that all cameras share, such as /velodyne_points; empty: each has its own."),
    "use_sim_time": ("", "true: take the time from /clock; empty leaves it to the parameter file."),
    "respawn": ("false", "Start the process again when it ends."),
    "log_level": ("info", "debug, info, warn, error or fatal."),
}
"""Default and description by argument."""


def generate_launch_description() -> LaunchDescription:
    """The process, with every argument documented."""
    declared = [
        DeclareLaunchArgument(name, default_value=default, description=description)
        for name, (default, description) in ARGUMENTS.items()
    ]
    return LaunchDescription([*declared, OpaqueFunction(function=_process)])


def _process(context: LaunchContext) -> list[ExecuteProcess]:
    value = {name: LaunchConfiguration(name).perform(context) for name in ARGUMENTS}
    rigs = [rig.strip() for rig in value["rigs"].split(",") if rig.strip()]
    ros = ["--params-file", value["params_file"], "--log-level", value["log_level"]]
    if value["use_sim_time"]:
        ros += ["-p", f"use_sim_time:={value['use_sim_time']}"]
    if value["points"]:
        ros += ["-r", f"points:={value['points']}"]
    # The executable itself: `ros2 run` in between would not pass every signal on, and leave it behind.
    node = ExecutableInPackage(executable="perception_node", package="multimodal_perception")
    command = [node, "--rigs", *rigs, "--ros-args", *ros]
    respawn = value["respawn"].strip().lower() in ("true", "1", "yes", "on")
    return [ExecuteProcess(cmd=command, output="screen", respawn=respawn, respawn_delay=1.0)]

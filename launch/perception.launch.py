# SPDX-License-Identifier: Apache-2.0
"""Starts the perception node. `ros2 launch multimodal_perception perception.launch.py --show-args` lists the arguments.

An argument that is left empty leaves the parameter to the parameter file.
"""

from pathlib import Path

from launch import Action, LaunchContext, LaunchDescription
from launch.actions import DeclareLaunchArgument, ExecuteProcess, OpaqueFunction
from launch.substitutions import LaunchConfiguration
from launch_ros.actions import Node
from launch_ros.substitutions import ExecutableInPackage

ARGUMENTS = {
    "namespace": ("", "Namespace of the node; its inputs and outputs move with it."),
    "params_file": (
        str(Path(__file__).resolve().parent.parent / "configs" / "node" / "default.yaml"),
        "ROS parameter file; configs/node/default.yaml lists every parameter.",
    ),
    "topics": ("", "Input topic names: kitti2bag, kitti_to_ros2bag, or a YAML file like configs/topics/*.yaml."),
    "model": ("", "Weights: the name of a shipped model, or a path."),
    "engine": ("", "What runs the network: auto, openvino or torch."),
    "calibration_file": ("", "Camera and LiDAR extrinsics: a KITTI calibration folder, or YAML."),
    "autostart": ("true", "Configure and activate at once; false leaves it to a lifecycle manager."),
    "use_sim_time": ("false", "Take the time from /clock, as with `ros2 bag play --clock`."),
    "respawn": ("false", "Start the node again when it ends."),
    "replay": ("", "A KITTI drive or a bag to play to the node, over and over."),
    "rviz": ("false", "Open RViz with configs/rviz/perception.rviz."),
    "rviz_frame": ("base_link", "RViz's fixed frame; the simulated drives have none but lidar."),
    "log_level": ("info", "debug, info, warn, error or fatal."),
}
"""Default and description by argument."""


def generate_launch_description() -> LaunchDescription:
    """The node, with every argument documented."""
    declared = [
        DeclareLaunchArgument(name, default_value=default, description=description)
        for name, (default, description) in ARGUMENTS.items()
    ]
    return LaunchDescription([*declared, OpaqueFunction(function=_node)])


def _node(context: LaunchContext) -> list[Action]:
    value = {name: LaunchConfiguration(name).perform(context) for name in ARGUMENTS}
    overrides = {name: value[name] for name in ("model", "engine", "calibration_file") if value[name]}
    switches = {name: _is_true(value[name]) for name in ("autostart", "use_sim_time")}
    sim_time = {"use_sim_time": switches["use_sim_time"]}
    others: list[Action] = []
    if value["replay"]:
        player = ExecutableInPackage(executable="perception_replay", package="multimodal_perception")
        clock = ["--clock"] if switches["use_sim_time"] else []
        others.append(ExecuteProcess(cmd=[player, value["replay"], "--loop", *clock], output="screen"))
    if _is_true(value["rviz"]):
        layout = str(Path(__file__).resolve().parent.parent / "configs" / "rviz" / "perception.rviz")
        arguments = ["-d", layout, "-f", value["rviz_frame"]]
        others.append(
            Node(package="rviz2", executable="rviz2", arguments=arguments, parameters=[sim_time], output="screen")
        )
    return [
        Node(
            package="multimodal_perception",
            executable="perception_node",
            name="perception",
            namespace=value["namespace"],
            parameters=[value["params_file"], {**overrides, **switches}],
            arguments=["--topics", value["topics"]] if value["topics"] else [],
            ros_arguments=["--log-level", value["log_level"]],
            output="screen",
            respawn=_is_true(value["respawn"]),
            respawn_delay=1.0,
        ),
        *others,
    ]


def _is_true(text: str) -> bool:
    return text.strip().lower() in ("true", "1", "yes", "on")

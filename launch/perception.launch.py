# SPDX-License-Identifier: Apache-2.0
"""Starts the perception node. `ros2 launch multimodal_perception perception.launch.py --show-args` lists the arguments.

An argument that is left empty leaves the parameter to the parameter file.
"""

import re
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
    "topics": ("", "Topic names: rig.yaml as `perception init` writes it, or kitti2bag, kitti_to_ros2bag."),
    "model": ("", "Weights: the name of a shipped model, or a path."),
    "engine": (
        "",
        "What runs the network: auto, openvino, openvino-gpu, openvino-auto, onnxruntime, tensorrt, torch or "
        "torch-compiled.",
    ),
    "calibration_file": ("", "Camera and LiDAR extrinsics: a KITTI calibration folder, or YAML."),
    "autostart": ("", "true: configure and activate at once; false leaves it to a lifecycle manager."),
    "use_sim_time": ("", "true: take the time from /clock, as with `ros2 bag play --clock`."),
    "respawn": ("false", "Start the node again when it ends."),
    "replay": ("", "A KITTI drive or a bag to play to the node, over and over."),
    "rviz": ("false", "Open RViz with configs/rviz/perception.rviz."),
    "rviz_frame": ("base_link", "RViz's fixed frame; the simulated drives have none but lidar."),
    "log_level": ("info", "debug, info, warn, error or fatal."),
}
"""Default and description by argument."""

INPUTS = (
    *("image", "image/compressed", "camera_info"),
    *("depth", "depth/compressedDepth", "depth/camera_info"),
    *("infrared", "infrared/compressed", "infrared/camera_info"),
    *("points", "radar", "odometry"),
)
"""What the node listens to, unless `topics` says other names: `perception.assembly.settings.topics.INPUT_TOPICS`, which
the Python that launch runs in may not find."""

LAYOUT = Path(__file__).resolve().parent.parent / "configs" / "rviz" / "perception.rviz"


def generate_launch_description() -> LaunchDescription:
    """The node, with every argument documented."""
    declared = [
        DeclareLaunchArgument(name, default_value=default, description=description)
        for name, (default, description) in ARGUMENTS.items()
    ]
    return LaunchDescription([*declared, OpaqueFunction(function=_node)])


def _node(context: LaunchContext) -> list[Action]:
    value = {name: LaunchConfiguration(name).perform(context) for name in ARGUMENTS}
    overrides: dict[str, str | bool] = {
        name: value[name] for name in ("model", "engine", "calibration_file") if value[name]
    }
    overrides.update({name: _is_true(value[name]) for name in ("autostart", "use_sim_time") if value[name]})
    sim_time = {"use_sim_time": overrides["use_sim_time"]} if "use_sim_time" in overrides else {}
    moved = {} if value["topics"] else _moved(value["namespace"], [f"/{name}" for name in INPUTS])
    others: list[Action] = []
    if value["replay"]:
        player = ExecutableInPackage(executable="perception_replay", package="multimodal_perception")
        options = ["--clock"] if sim_time.get("use_sim_time") else []
        options += ["--topics", value["topics"]] if value["topics"] else []
        options += ["--remap", *(f"{name}:={other}" for name, other in moved.items())] if moved else []
        others.append(ExecuteProcess(cmd=[player, value["replay"], "--loop", *options], output="screen"))
    if _is_true(value["rviz"]):
        shown = re.findall(r"Value: (/perception/\S+)", LAYOUT.read_text("utf-8"))
        others.append(
            Node(
                package="rviz2",
                executable="rviz2",
                arguments=["-d", str(LAYOUT), "-f", value["rviz_frame"]],
                parameters=[sim_time] if sim_time else [],
                remappings=list({**moved, **_moved(value["namespace"], shown)}.items()),
                output="screen",
            )
        )
    return [
        Node(
            package="multimodal_perception",
            executable="perception_node",
            name="perception",
            namespace=value["namespace"],
            parameters=[value["params_file"], *([overrides] if overrides else [])],
            arguments=["--topics", value["topics"]] if value["topics"] else [],
            ros_arguments=["--log-level", value["log_level"]],
            output="screen",
            respawn=_is_true(value["respawn"]),
            respawn_delay=1.0,
        ),
        *others,
    ]


def _moved(namespace: str, topics: list[str]) -> dict[str, str]:
    """The topics' names in the namespace; nothing where there is none."""
    namespace = namespace.strip("/")
    return {topic: f"/{namespace}{topic}" for topic in topics} if namespace else {}


def _is_true(text: str) -> bool:
    return text.strip().lower() in ("true", "1", "yes", "on")

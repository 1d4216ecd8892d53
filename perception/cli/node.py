# SPDX-License-Identifier: Apache-2.0
"""`perception node`: the ROS 2 node."""

from __future__ import annotations

import argparse

from perception.cli.shared import add

SUMMARY = "run the ROS 2 node: camera, depth, infrared and LiDAR topics in, masks out"
PASS_THROUGH = True

EXAMPLES = """\
  perception node
      listens to /image, /camera_info, /points, /depth and /infrared, and publishes /perception/labels and more
  perception node --ros-args -r image:=/camera/image_rect_color -r points:=/velodyne_points
      with other input topics
  perception node --topics rig.yaml
      with the topic names and the mount that `perception init --live` or `perception init BAG` found
  perception node --ros-args -p engine:=openvino -p threads:=2 -p lidar.enabled:=false
      with parameters; `--ros-args --params-file FILE` reads them from a file
  perception node --topics configs/rigs/nuscenes.yaml
      the six cameras and the LiDAR of that file: a node for each camera in the namespace of its name, which share one
      network, and the node rig, which merges their labelled points into /rig/points
  perception node --topics configs/rigs/nuscenes.yaml:front
      one of these cameras, in a process of its own with its part of the cores; `:rig` is the node that merges
  perception node --rigs front rear
      two cameras, each with its own node (/front/perception subscribes to /front/image, …); they share one network
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's own options; everything after --ros-args is for ROS."""
    add(parser, "--topics")
    parser.add_argument(
        "--rigs",
        nargs="+",
        default=[],
        metavar="NAMESPACE",
        help="one node in each namespace, for several cameras; they share one network and use it in turn",
    )
    parser.epilog = (
        parser.epilog or ""
    ) + "\n\neverything after --ros-args goes to ROS: -r remaps, -p sets a parameter"


def run(args: argparse.Namespace) -> int:
    """Run the node until it is stopped."""
    from perception.assembly.settings.topics import RIG_NODE, calibration_beside, cameras, remappings, split_camera
    from perception.errors import PerceptionError
    from perception.ros.main import Member
    from perception.ros.main import run as run_node

    topics: str | None = args.topics
    names = cameras(topics) if topics else ()
    if topics is None or not names:
        words = remappings(topics) if topics else []
        calibration = calibration_beside(topics) if topics else None
        members = [Member(rig, calibration=calibration) for rig in args.rigs or [""]]
        return run_node([*args.rest, *words], members)
    if args.rigs:
        raise PerceptionError(f"--rigs: {topics} names its cameras already: {', '.join(names)}")
    file, only = split_camera(topics)
    if only == RIG_NODE:
        return run_node(args.rest, (), names)
    members = [
        Member(name, [*args.rest, *remappings(f"{file}:{name}")], calibration_beside(f"{file}:{name}"))
        for name in ([only] if only else names)
    ]
    return run_node(args.rest, members, () if only else names, len(names) if only else 1)

# SPDX-License-Identifier: Apache-2.0
"""perception/ros holds what needs ROS 2, and nothing else: all other modules are for those who have none, too."""

from __future__ import annotations

import grimp

ROS = ("rclpy", "_msgs", "_srvs", "_interfaces")
"""How names of ROS's Python packages end."""

WITHOUT_PYTHON = {
    "perception.ros.dds": "settings of Fast DDS, which are made before rclpy is imported",
    "perception.ros.imports": "looks whether rclpy is there",
    "perception.ros.tf.support": "ROS's C libraries, by ctypes",
}


def test_every_module_of_ros_needs_ros() -> None:
    graph = grimp.build_graph("perception", include_external_packages=True)
    packages = [name for name in graph.modules if name.endswith(ROS)]
    modules = {name for name in graph.modules if name.startswith("perception.ros.") and not graph.find_children(name)}
    empty = {name for name in modules if not graph.find_modules_directly_imported_by(name)}
    without = {each for each in modules - empty if not any(graph.chain_exists(each, package) for package in packages)}
    assert without == WITHOUT_PYTHON.keys()

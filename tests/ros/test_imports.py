# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import subprocess
import sys

import pytest

from perception.errors import PerceptionError
from perception.ros.imports import optional, require_rclpy


def test_what_is_not_there_is_none() -> None:
    assert optional("no_such_ros_package") is None
    assert optional("json") is sys.modules["json"]


def test_without_rclpy_it_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "rclpy", None)
    with pytest.raises(PerceptionError, match=r"source a ROS 2 installation .* pip install"):
        require_rclpy()


def test_the_node_reads_no_formats_of_bags_and_no_network_library_when_it_starts() -> None:
    """Each would be a part of a second."""
    pytest.importorskip("rclpy")
    script = "import sys, perception.ros.node; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=60)
    loaded = set(done.stdout.split())
    assert "perception.pipeline" in loaded
    assert not loaded & {"rosbags.rosbag2", "torch", "mmseg", "open3d", "matplotlib", "scipy"}

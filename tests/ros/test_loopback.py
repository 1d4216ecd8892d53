# SPDX-License-Identifier: Apache-2.0
"""What goes wrong with the node's process must be said; what goes right is tested by the demo."""

from __future__ import annotations

import os
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("rclpy")

from perception.bags.sources import open_bag
from perception.bags.writer import write_bag
from perception.errors import PerceptionError
from perception.frame import Frame
from perception.ros.loopback import rehearse
from perception.ros.node_process import private_network


def test_a_node_that_cannot_start_is_explained_by_its_log(tmp_path: Path) -> None:
    write_bag([Frame(stamp_ns=1_000_000_000, rgb=np.zeros((24, 64, 3), np.uint8))], tmp_path / "bag")
    called: list[str] = []
    arguments = ["--ros-args", "-p", "engine:=steam"]
    with closing(open_bag(tmp_path / "bag")) as source, pytest.raises(PerceptionError) as raised:
        rehearse(source, arguments, tmp_path / "node.log", lambda: called.append("ready"), called.clear)
    assert "the node ended with code 2" in str(raised.value)
    assert "steam" in str(raised.value)
    assert called == []


def test_a_private_network_is_given_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ROS_DOMAIN_ID", "77")
    monkeypatch.delenv("ROS_AUTOMATIC_DISCOVERY_RANGE", raising=False)
    with private_network() as domain:
        assert os.environ["ROS_DOMAIN_ID"] == str(domain)
        assert os.environ["ROS_AUTOMATIC_DISCOVERY_RANGE"] == "LOCALHOST"
    assert os.environ["ROS_DOMAIN_ID"] == "77"
    assert "ROS_AUTOMATIC_DISCOVERY_RANGE" not in os.environ

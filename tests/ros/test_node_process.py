# SPDX-License-Identifier: Apache-2.0
"""A private network is not shared with other processes, nor with one that was killed."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

pytest.importorskip("rclpy")

from perception.errors import PerceptionError
from perception.ros import node_process
from perception.ros.node_process import private_network


def test_a_private_network_is_given_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ROS_DOMAIN_ID", "77")
    monkeypatch.delenv("ROS_AUTOMATIC_DISCOVERY_RANGE", raising=False)
    with private_network() as domain:
        assert os.environ["ROS_DOMAIN_ID"] == str(domain)
        assert os.environ["ROS_AUTOMATIC_DISCOVERY_RANGE"] == "LOCALHOST"
    assert os.environ["ROS_DOMAIN_ID"] == "77"
    assert "ROS_AUTOMATIC_DISCOVERY_RANGE" not in os.environ


def test_networks_at_one_time_differ(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(node_process, "DOMAINS", range(95, 97))
    with private_network() as first, private_network() as second:
        assert {first, second} == {95, 96}
        with pytest.raises(PerceptionError, match="every ROS domain from 95 to 96 is in use"), private_network():
            pass
    with private_network() as again:
        assert again in (95, 96)


def test_what_killed_participants_left_is_removed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Only of this domain: ports 7400 + 250 · 95 = 31150 to 31399."""
    left = ["fastrtps_port31161", "fastrtps_port31163_el", "sem.fastrtps_port31161_mutex", "fastrtps_port31399"]
    others = ["fastrtps_port31149", "fastrtps_port31400", "fastrtps_012c446edce42c23", "sem.fastrtps_port7411_mutex"]
    for name in left + others:
        (tmp_path / name).touch()
    monkeypatch.setattr(node_process, "SHARED_MEMORY", tmp_path)
    monkeypatch.setattr(node_process, "DOMAINS", range(95, 96))
    with private_network():
        assert sorted(path.name for path in tmp_path.iterdir()) == sorted(others)

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

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

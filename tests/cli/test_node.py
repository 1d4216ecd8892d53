# SPDX-License-Identifier: Apache-2.0
"""What `perception node` refuses before ROS starts; tests/ros/test_main.py starts it."""

from __future__ import annotations

import pytest

from perception.cli.main import main
from perception.paths import config_path


@pytest.mark.parametrize(
    ("topics", "more", "reason"),
    [
        (":left", (), "no camera left; name one: "),
        (
            "",
            ("--rigs", "front"),
            "names its cameras already: front, front_right, back_right, back, back_left, front_left",
        ),
    ],
)
def test_what_a_file_of_several_cameras_does_not_allow(
    topics: str, more: tuple[str, ...], reason: str, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("rclpy")
    assert main(["node", "--topics", f"{config_path('rigs/nuscenes.yaml')}{topics}", *more]) == 2
    assert reason in capsys.readouterr().err

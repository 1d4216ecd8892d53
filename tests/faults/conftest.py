# SPDX-License-Identifier: Apache-2.0
"""A node under test in its own process, and sensors at 10 Hz that can be made to fail."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("rclpy")

from helpers.drive import Drive, arguments
from helpers.vehicle import wait_for
from rclpy.node import Node

from perception.ros.node_process import NodeProcess
from perception.ros.spinning import spinning


@pytest.fixture(scope="module")
def drive(ros: Any) -> Iterator[Drive]:
    """Sensors and ears; nothing is sent yet."""
    node = Node("vehicle", context=ros)
    drive = Drive(node)
    with spinning(node):
        yield drive
        drive.stop()
    node.destroy_node()


@pytest.fixture(scope="module")
def node(drive: Drive, tiny_model: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[NodeProcess]:
    """The node, active and heard."""
    with NodeProcess(arguments(tiny_model), tmp_path_factory.mktemp("node") / "node.log") as process:
        process.wait_until_active(drive.node)
        wait_for(lambda: all(p.get_subscription_count() for p in (drive.image, drive.points, drive.info)))
        yield process


@pytest.fixture
def well(drive: Drive, node: NodeProcess) -> Iterator[Drive]:
    """The drive while all is well; afterwards the node must live, and all be well again."""
    drive.reset()
    drive.start()
    drive.wait_until_whole()
    yield drive
    drive.reset()
    drive.wait_until_whole()
    drive.stop()
    node.check()

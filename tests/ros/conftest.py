# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest


@pytest.fixture(scope="module")
def vehicle(ros: Any) -> Iterator[Any]:
    """Sensors and listeners on a node in this process, which is spun meanwhile."""
    from helpers.vehicle import Vehicle
    from rclpy.node import Node

    from perception.ros.spinning import spinning

    node = Node("vehicle", context=ros)
    vehicle = Vehicle(node)
    with spinning(node):
        yield vehicle
    node.destroy_node()

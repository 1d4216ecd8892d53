# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import pytest


@pytest.fixture(scope="module")
def vehicle(ros: Any) -> Iterator[Any]:
    """Sensors and listeners on a node of this process's, which is spun meanwhile."""
    from helpers.vehicle import Vehicle
    from rclpy.executors import SingleThreadedExecutor
    from rclpy.node import Node

    node = Node("vehicle", context=ros)
    vehicle = Vehicle(node)
    executor = SingleThreadedExecutor(context=ros)
    executor.add_node(node)
    thread = threading.Thread(target=executor.spin)
    thread.start()
    yield vehicle
    executor.shutdown()
    thread.join()
    node.destroy_node()

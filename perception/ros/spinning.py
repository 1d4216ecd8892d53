# SPDX-License-Identifier: Apache-2.0
"""Runs a node's callbacks in a thread beside the caller's own work."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from rclpy.executors import SingleThreadedExecutor
from rclpy.node import Node

END_S = 2.0
"""How long to wait at the end for a running callback; one that hangs is abandoned."""


@contextmanager
def spinning(node: Node, name: str = "spinning") -> Iterator[None]:
    """Spin `node` in a thread of that name while the context lasts; the node is not destroyed."""
    executor = SingleThreadedExecutor(context=node.context)
    executor.add_node(node)
    thread = threading.Thread(target=executor.spin, name=name, daemon=True)
    thread.start()
    try:
        yield
    finally:
        executor.shutdown(END_S)
        thread.join(END_S)

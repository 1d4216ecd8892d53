# SPDX-License-Identifier: Apache-2.0
"""A node's callbacks in a thread beside one's own work."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from rclpy.executors import SingleThreadedExecutor
from rclpy.node import Node

END_S = 2.0
"""How long a callback in hand may keep us at the end; one that hangs is left behind."""


@contextmanager
def spinning(node: Node, name: str = "spinning") -> Iterator[None]:
    """Spin `node` in a thread of that name while the context lasts; the node stays."""
    executor = SingleThreadedExecutor(context=node.context)
    executor.add_node(node)
    thread = threading.Thread(target=executor.spin, name=name, daemon=True)
    thread.start()
    try:
        yield
    finally:
        executor.shutdown(END_S)
        thread.join(END_S)

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import threading
import time
from typing import Any

import pytest

pytest.importorskip("rclpy")

from rclpy.node import Node

from perception.ros.spinning import END_S, spinning


def test_a_callback_that_hangs_does_not_keep_us(ros: Any) -> None:
    node, begun, never = Node("hangs", context=ros), threading.Event(), threading.Event()

    def hang() -> None:
        begun.set()
        never.wait(30)

    node.create_timer(0.01, hang)
    with spinning(node):
        assert begun.wait(5)
        began = time.monotonic()
    assert time.monotonic() - began < 2 * END_S + 1
    never.set()

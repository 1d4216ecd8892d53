# SPDX-License-Identifier: Apache-2.0
"""The bond's messages. `bond/msg/Status` has no wheel: a class with its fields replaces it; nothing is sent."""

from __future__ import annotations

import sys
import time
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

pytest.importorskip("rclpy")

from rclpy.executors import SingleThreadedExecutor
from rclpy.node import Node

from perception.ros.bond import MISSING, PERIOD_S, TIMEOUT_S, Bond


class Status(SimpleNamespace):
    """bond/msg/Status."""

    def __init__(self, **fields: Any) -> None:
        super().__init__(header=SimpleNamespace(stamp=None), **fields)


class Silent(Node):
    """A node that keeps the messages for `bond`."""

    def __init__(self, context: Any) -> None:
        super().__init__("silent", context=context)
        self.said: list[Status] = []

    def create_publisher(self, kind: Any, topic: str, *rest: Any, **more: Any) -> Any:  # type: ignore[override]
        return (
            SimpleNamespace(publish=self.said.append)
            if topic == "bond"
            else super().create_publisher(kind, topic, *rest, **more)
        )

    def destroy_publisher(self, publisher: Any) -> bool:
        return isinstance(publisher, SimpleNamespace) or super().destroy_publisher(publisher)


def test_it_beats_until_the_end(ros: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    messages = ModuleType("bond.msg")
    messages.Status = Status  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "bond", ModuleType("bond"))
    monkeypatch.setitem(sys.modules, "bond.msg", messages)
    node, executor = Silent(ros), SingleThreadedExecutor(context=ros)
    executor.add_node(node)
    bond, end = Bond(node), time.monotonic() + 10
    while len(node.said) < 5:
        assert time.monotonic() < end
        executor.spin_once(timeout_sec=PERIOD_S)
    bond.end()
    *beats, last = node.said
    assert {(each.id, each.active, each.heartbeat_period, each.heartbeat_timeout) for each in beats} == {
        ("silent", True, PERIOD_S, TIMEOUT_S)
    }
    assert len({each.instance_id for each in node.said}) == 1
    assert not last.active
    executor.shutdown()
    node.destroy_node()


def test_without_its_package_it_is_one_word(ros: Any, capfd: pytest.CaptureFixture[str]) -> None:
    node = Node("alone", context=ros)
    bond = Bond(node)
    bond.end()
    assert capfd.readouterr().err.count(MISSING) == 1
    assert "/bond" not in [publisher.topic_name for publisher in node.publishers]
    node.destroy_node()

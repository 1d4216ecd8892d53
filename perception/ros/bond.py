# SPDX-License-Identifier: Apache-2.0
"""The heartbeat that tells Nav2's lifecycle manager that a node which it activated is still alive."""

from __future__ import annotations

import uuid
from typing import Any

from rclpy.clock import Clock, ClockType  # type: ignore[attr-defined]  # Humble has no rclpy.clock_type

from perception.ros.imports import optional

PERIOD_S, TIMEOUT_S = 0.1, 4.0
"""The same value as in Nav2's own nodes."""

MISSING = (
    "no bond: the package bond is not installed; a lifecycle manager of Nav2 that waits for one needs bond_timeout: 0.0"
)


class Bond:
    """Publishes "alive" on the topic `bond` from the beginning to `end`, as bondcpp does; whether anybody listens is
    not checked.

    The heartbeat comes from the node's executor: it stops if callbacks hang. A worker that hangs is only reported in
    /diagnostics, and replaced. Without the package `bond` there is no heartbeat; the log says so once.
    """

    def __init__(self, node: Any) -> None:
        self._node, self._messages, self._instance = node, optional("bond.msg"), str(uuid.uuid4())
        if self._messages is None:
            node.get_logger().info(MISSING)
            return
        self._publisher = node.create_publisher(self._messages.Status, "bond", 5)
        self._timer = node.create_timer(PERIOD_S, self._beat, clock=Clock(clock_type=ClockType.STEADY_TIME))

    def end(self) -> None:
        """Publish that the node ends, if ROS is still running."""
        if self._messages is None:
            return
        self._node.destroy_timer(self._timer)
        if self._node.context.ok():
            self._beat(active=False)
        self._node.destroy_publisher(self._publisher)

    def _beat(self, active: bool = True) -> None:
        assert self._messages is not None
        status = self._messages.Status(id=self._node.get_name(), instance_id=self._instance, active=active)
        status.header.stamp = self._node.get_clock().now().to_msg()
        status.heartbeat_timeout, status.heartbeat_period = TIMEOUT_S, PERIOD_S
        self._publisher.publish(status)

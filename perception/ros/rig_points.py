# SPDX-License-Identifier: Apache-2.0
"""The node `rig`: the labelled points of several cameras' nodes, merged into ~/points.

It listens to them only while somebody listens to it: the nodes make labelled points only with a subscriber.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus, KeyValue
from rcl_interfaces.msg import FloatingPointRange, ParameterDescriptor
from rclpy.clock import Clock, ClockType  # type: ignore[attr-defined]  # Humble has no rclpy.clock_type
from rclpy.node import Node
from rclpy.qos import QoSProfile, ReliabilityPolicy
from sensor_msgs.msg import PointCloud2

from perception.assembly.gathering import Gathering
from perception.assembly.settings.topics import RIG_NODE
from perception.assembly.throttled_log import ThrottledLog
from perception.errors import MessageError
from perception.messages.convert import stamp_ns
from perception.messages.merged_clouds import merge_clouds

WAIT_S = 0.5
"""Nodes that share one network answer one after the other: of six, each has its turn within this time."""

_LOOK_S = 0.05
"""How often sweeps whose time is over are looked for."""

_CLOUDS = QoSProfile(depth=5, reliability=ReliabilityPolicy.BEST_EFFORT)
"""As the nodes publish them."""


class RigPoints(Node):
    """See the module. cameras: the nodes' namespaces, the one first whose label counts where none says how sure it is.
    options: those of rclpy's Node."""

    def __init__(self, cameras: Sequence[str], **options: Any) -> None:
        super().__init__(RIG_NODE, **options)
        wait = ParameterDescriptor(
            description="How long a sweep is held for the cameras that have not sent their points of it [s].",
            floating_point_range=[FloatingPointRange(from_value=0.01, to_value=5.0, step=0.0)],
        )
        self._cameras = tuple(cameras)
        self._wait = self.declare_parameter("points_wait_s", WAIT_S, wait)
        self._complaints = ThrottledLog(self.get_logger().error, self.get_logger().warning)
        self._points = self.create_publisher(PointCloud2, "~/points", _CLOUDS)
        self._diagnostics = self.create_publisher(DiagnosticArray, "/diagnostics", 10)
        # Cameras that see another LiDAR send clouds in its frame: each LiDAR's sweeps are merged by themselves.
        self._lidars: dict[str, Gathering[PointCloud2]] = {}
        self._left_out: Counter[str] = Counter()
        self._before: tuple[Counter[str], Counter[str]] = (Counter(), Counter())
        self._labelled_share = 0.0
        self._heard: dict[str, Any] = {}
        self._name = self.get_fully_qualified_name().lstrip("/")
        steady = Clock(clock_type=ClockType.STEADY_TIME)
        self.create_timer(_LOOK_S, self._give, clock=steady)
        self.create_timer(1.0, self._report, clock=steady)
        self.get_logger().info(f"merges the points of {', '.join(self._cameras)} into {self._points.topic_name}")

    def survive(self, error: Exception) -> None:
        """Log an error in a callback, and go on."""
        self._complaints.error(self._name, f"{type(error).__name__}: {error}; please report it")

    def _settle(self) -> None:
        """Listen to the cameras while somebody listens to this node."""
        wanted = bool(self._points.get_subscription_count())
        if wanted and not self._heard:
            self._lidars, self._left_out, self._before = {}, Counter(), (Counter(), Counter())
            for camera in self._cameras:
                topic = f"/{camera}/perception/points"
                self._heard[camera] = self.create_subscription(PointCloud2, topic, partial(self._put, camera), _CLOUDS)
        elif not wanted:
            for subscription in self._heard.values():
                self.destroy_subscription(subscription)
            self._heard = {}

    def _put(self, camera: str, cloud: PointCloud2) -> None:
        frame = cloud.header.frame_id
        if frame not in self._lidars:
            self._lidars[frame] = Gathering[PointCloud2](self._cameras, self._wait.value)
        self._lidars[frame].put(camera, stamp_ns(cloud), cloud, time.monotonic())
        self._give()

    def _give(self) -> None:
        for lidar in self._lidars.values():
            for _, clouds in lidar.due(time.monotonic()):
                self._publish(clouds)

    def _publish(self, clouds: Mapping[str, PointCloud2]) -> None:
        try:
            merged = merge_clouds(clouds)
        except MessageError as error:
            self._complaints.error(self._name, error)
            self._left_out.update(list(clouds))
            return
        for camera, reason in merged.refused.items():
            self._complaints.warn(f"/{camera}/perception/points", f"{reason}: left out of the rig's points")
        self._left_out.update(list(merged.refused))
        self._labelled_share = merged.labelled / max(1, merged.fields["width"] * merged.fields["height"])
        self._points.publish(PointCloud2(**merged.fields))

    def _report(self) -> None:
        self._settle()
        counts = [lidar.counts for lidar in self._lidars.values()]
        missing, late = (
            sum((each.missing for each in counts), Counter()),
            sum((each.late for each in counts), Counter()),
        )
        level, message = self._state(late) if self._heard else (DiagnosticStatus.OK, "nobody listens")
        values: dict[str, object] = {
            "cameras": ", ".join(self._cameras),
            "lidars": ", ".join(sorted(self._lidars)),
            "sweeps": sum(each.sweeps for each in counts),
            "whole": sum(each.whole for each in counts),
            "labelled_share": round(self._labelled_share, 3),
        }
        for camera in self._cameras:
            values[f"{camera}.missing"] = missing[camera]
            values[f"{camera}.late"] = late[camera]
            values[f"{camera}.left_out"] = self._left_out[camera]
        status = DiagnosticStatus(
            level=level,
            name=f"{self._name}: points",
            message=message,
            hardware_id=self._name,
            values=[KeyValue(key=key, value=str(value)) for key, value in values.items()],
        )
        array = DiagnosticArray(status=[status])
        array.header.stamp = self.get_clock().now().to_msg()
        self._diagnostics.publish(array)

    def _state(self, late: Counter[str]) -> tuple[bytes, str]:
        """Level and one line: what is wrong now, since the report before. late: how many were, by camera."""
        now, left_out = time.monotonic(), self._left_out
        silent = [
            camera for camera in self._cameras if all(camera in each.silent(now) for each in self._lidars.values())
        ]
        before_late, before_left_out = self._before
        self._before = Counter(late), Counter(left_out)
        wrong = {
            "nothing comes from": silent,
            "comes too late": sorted(late - before_late),
            "cannot be merged": sorted(left_out - before_left_out),
        }
        words = [f"{what}: {', '.join(cameras)}" for what, cameras in wrong.items() if cameras]
        if not words:
            return DiagnosticStatus.OK, f"{len(self._cameras)} cameras"
        return DiagnosticStatus.ERROR if len(silent) == len(self._cameras) else DiagnosticStatus.WARN, "; ".join(words)

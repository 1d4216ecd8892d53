# SPDX-License-Identifier: Apache-2.0
"""The node's subscriptions. They only store messages; their quality of service may be overridden by topic."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from copy import copy
from functools import partial
from typing import Any

from nav_msgs.msg import Odometry
from rclpy.lifecycle import LifecycleNode
from rclpy.qos import DurabilityPolicy, HistoryPolicy, QoSPolicyKind, QoSProfile, ReliabilityPolicy
from rclpy.qos_overriding_options import QoSOverridingOptions
from sensor_msgs.msg import CameraInfo, CompressedImage, Image, Imu, PointCloud2

from perception.assembly.assembler import Input
from perception.assembly.lidar_names import modality_of
from perception.assembly.settings.naming import nearest
from perception.assembly.settings.topic import Topic
from perception.assembly.settings.topics import CAMERA_INFOS, INPUT_TYPES
from perception.assembly.throttled_log import ThrottledLog
from perception.errors import MessageError
from perception.messages.convert import stamp_ns
from perception.ros.watch.matching import mismatch, type_name
from perception.sensors.spec import SPECS

try:
    from rclpy.event_handler import SubscriptionEventCallbacks
except ImportError:  # Humble
    from rclpy.qos_event import SubscriptionEventCallbacks

NEWEST = QoSProfile(depth=1, history=HistoryPolicy.KEEP_LAST, reliability=ReliabilityPolicy.BEST_EFFORT)
"""Sensor data: receive from every publisher, keep only the newest message."""

LATCHED = QoSProfile(depth=1, durability=DurabilityPolicy.TRANSIENT_LOCAL)
"""Messages published once, before the node started. This profile receives from latched publishers only; `NEWEST`
receives nothing that was sent earlier."""

PLAIN_SILENCE_S = 2.0
"""After so long without a plain image, the node listens to compressed ones again."""

OVERRIDABLE = (QoSPolicyKind.RELIABILITY, QoSPolicyKind.DURABILITY, QoSPolicyKind.HISTORY, QoSPolicyKind.DEPTH)
"""What `qos_overrides.<topic>.subscription.<policy>` may change."""

_KINDS: dict[str, Any] = {f"sensor_msgs/msg/{kind.__name__}": kind for kind in (Image, CompressedImage, PointCloud2)}

INPUTS: dict[str, tuple[tuple[str, Any], ...]] = {
    sensor: tuple((topic, _KINDS[kind]) for topic, kind in spec.topics.items()) for sensor, spec in SPECS.items()
}
"""Topics and types by sensor: first as they are, then compressed."""

OTHERS: dict[str, Any] = {**dict.fromkeys(CAMERA_INFOS.values(), CameraInfo), "odometry": Odometry}
"""The types of topics other than sensor data."""


class Subscriptions:
    """The subscriptions of `sensors`, until `destroy`; call `settle` now and then.

    put(sensor, stamp [ns], input) takes each of their messages; others: what takes those of other topics, and may raise
    MessageError. A stamp of zero is replaced by the time of arrival. lidars: topics of further LiDARs,
    by sensor. imu: which of the other topics is an IMU's.
    """

    def __init__(
        self,
        node: LifecycleNode,
        sensors: Iterable[str],
        put: Callable[[str, int, Input], None],
        others: Mapping[str, Callable[[Any], None]],
        complaints: ThrottledLog,
        lidars: Mapping[str, str] | None = None,
        imu: str | None = None,
    ) -> None:
        self._node, self._put, self._complaints = node, put, complaints
        self._refused: dict[str, str] = {}
        self._heard: dict[str, float] = {}
        self._sensors = tuple(sensors)
        self._all = {
            topic: self._subscribe(
                Imu if topic == imu else OTHERS[topic], topic, partial(self._store_other, self._resolve(topic), store)
            )
            for topic, store in others.items()
        }
        self._latched = [
            LatchedInfo(node, topic, partial(self._store_other, self._resolve(topic), store))
            for topic, store in others.items()
            if topic in CAMERA_INFOS.values()
        ]
        self._inputs = {**INPUTS, **{sensor: ((topic, PointCloud2),) for sensor, topic in (lidars or {}).items()}}
        for sensor in self._sensors:
            self._listen(sensor, *self._inputs[sensor][0])
        self.settle()

    @property
    def topics(self) -> list[str]:
        """What is listened to."""
        return [subscription.topic_name for subscription in self._all.values()]

    def settle(self) -> None:
        """Listen to latched messages, and to a compressed topic only while nothing comes on the plain one.

        Drivers offer both, and compress every image once there is a subscriber: unnecessary work for them and for us.
        """
        for latched in self._latched:
            latched.settle()
        now = time.monotonic()
        for sensor in self._sensors:
            (name, _), *compressed = self._inputs[sensor]
            enough = now - self._heard.get(self._resolve(name), float("-inf")) < PLAIN_SILENCE_S
            for topic, kind in compressed:
                if enough and topic in self._all:
                    self._node.destroy_subscription(self._all.pop(topic))
                elif not enough and topic not in self._all:
                    self._listen(sensor, topic, kind)

    def refused(self) -> dict[str, str]:
        """By topic, what of an existing publisher does not fit, so that nothing of it is received.

        It is logged when it is seen first. Call it now and then.
        """
        before, self._refused = self._refused, {}
        for subscription in self._all.values():
            topic, kind = subscription.topic_name, type_name(subscription.msg_type)
            for publisher in self._node.get_publishers_info_by_topic(topic):
                policy = mismatch(publisher.qos_profile, subscription.qos_profile)
                if publisher.topic_type != kind:
                    self._refused[topic] = f"type ({publisher.topic_type})"
                    way = f"type: a publisher sends {publisher.topic_type} in place of {kind}, so nothing is received"
                elif policy is not None:
                    self._refused[topic] = f"QoS ({policy})"
                    way = (
                        f"QoS: a publisher's {policy} is incompatible, so nothing is received; "
                        f"set qos_overrides.{topic}.subscription.{policy} or change the publisher"
                    )
                else:
                    continue
                if topic not in before:
                    self._complaints.error(topic, way)
        return dict(self._refused)

    def nearest(self) -> dict[str, str]:
        """By topic without a publisher, the published one of its type with the most similar name, if any."""
        own = self._node.get_fully_qualified_name() + "/"
        published = {
            name: Topic(types[0], 0)
            for name, types in self._node.get_topic_names_and_types()
            if types[0] in INPUT_TYPES.values() and not name.startswith(own) and self._node.count_publishers(name)
        }
        cloud = INPUT_TYPES["points"]  # the type of further LiDARs, whose topics are not named after an input
        names = [name for sensor in self._sensors for name, _ in self._inputs[sensor]]
        inputs = {self._resolve(name): INPUT_TYPES.get(name, cloud) for name in names}
        found = {
            topic: nearest(topic, kind, published, but=inputs)
            for topic, kind in inputs.items()
            if topic not in published
        }
        return {topic: near for topic, near in found.items() if near is not None}

    def destroy(self) -> None:
        """Stop listening."""
        for subscription in self._all.values():
            self._node.destroy_subscription(subscription)
        for latched in self._latched:
            latched.destroy()
        self._all, self._latched, self._sensors = {}, [], ()

    def _listen(self, sensor: str, topic: str, kind: Any) -> None:
        store = partial(self._store, sensor, self._resolve(topic))
        self._all[topic] = self._subscribe(kind, topic, store, _quality(sensor))

    def _subscribe(self, kind: Any, topic: str, store: Callable[[Any], None], quality: QoSProfile = NEWEST) -> Any:
        return self._node.create_subscription(
            kind,
            topic,
            store,
            copy(quality),  # overriding changes it in place
            event_callbacks=SubscriptionEventCallbacks(use_default_callbacks=False),  # see `refused`
            qos_overriding_options=QoSOverridingOptions(policy_kinds=OVERRIDABLE),
        )

    def _store(self, sensor: str, topic: str, message: Any) -> None:
        self._heard[topic] = time.monotonic()
        stamp = stamp_ns(message)
        if not stamp:
            self._complaints.warn(topic, "header.stamp: zero; the time of arrival is taken instead")
            # Without a publisher of /clock, simulated time stays at zero, and all messages would be one instant.
            stamp = self._node.get_clock().now().nanoseconds or time.time_ns()
        self._put(sensor, stamp, Input(topic, message))

    def _store_other(self, topic: str, store: Callable[[Any], None], message: Any) -> None:
        try:
            store(message)
        except MessageError as error:
            self._complaints.error(topic, error)

    def _resolve(self, topic: str) -> str:
        return str(self._node.resolve_topic_name(topic))


def _quality(sensor: str) -> QoSProfile:
    """The quality of service that is requested for sensor data, unless it is overridden."""
    spec = SPECS[modality_of(sensor)]
    reliability = ReliabilityPolicy.RELIABLE if spec.reliable else ReliabilityPolicy.BEST_EFFORT
    return QoSProfile(depth=spec.depth, history=HistoryPolicy.KEEP_LAST, reliability=reliability)


class LatchedInfo:
    """The camera_info that a latched publisher sent before the node started, in addition to what `NEWEST` receives.

    Call `settle` now and then: it subscribes only if there is such a publisher, since all others would cause a warning.
    """

    def __init__(self, node: Any, topic: str, store: Callable[[Any], None]) -> None:
        self._node, self._topic, self._store = node, node.resolve_topic_name(topic), store
        self._subscription: Any = None

    def settle(self) -> None:
        """Subscribe if there is a latched publisher."""
        if self._subscription is None and any(
            info.qos_profile.durability == DurabilityPolicy.TRANSIENT_LOCAL
            and info.qos_profile.reliability == ReliabilityPolicy.RELIABLE
            for info in self._node.get_publishers_info_by_topic(self._topic)
        ):
            # Another publisher on the topic may not fit, which is not an error, but rclpy would warn about it.
            silent = SubscriptionEventCallbacks(use_default_callbacks=False)
            self._subscription = self._node.create_subscription(
                CameraInfo, self._topic, self._store, LATCHED, event_callbacks=silent
            )

    def destroy(self) -> None:
        """Stop listening."""
        if self._subscription is not None:
            self._node.destroy_subscription(self._subscription)
            self._subscription = None

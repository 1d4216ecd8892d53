# SPDX-License-Identifier: Apache-2.0
"""The node's source of TF: tf2 if it is installed, else TF's messages, composed here."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rclpy.qos import DurabilityPolicy, QoSProfile
from rclpy.time import Time

from perception.assembly.transforms import TransformSource, TransformTree, frame_name, transform_matrix
from perception.ros.imports import optional
from perception.ros.tf.message import subscribe


class Tf2Transforms:
    """tf2's own buffer and listener, which also follow moving mounts."""

    def __init__(self, node: Any, tf2_ros: Any) -> None:
        self._errors = tf2_ros.TransformException
        self._buffer = tf2_ros.Buffer()
        self._listener = tf2_ros.TransformListener(self._buffer, node)

    def lookup(self, target: str, source: str, at_ns: int | None = None) -> NDArray[np.float64] | None:
        """(4, 4) that takes points of `source` into `target`, at that time, else by the newest transforms; None if
        unknown."""
        for time in [Time()] if at_ns is None or at_ns <= 0 else [Time(nanoseconds=at_ns), Time()]:
            with suppress(self._errors):
                return transform_matrix(
                    self._buffer.lookup_transform(frame_name(target), frame_name(source), time).transform
                )
        return None

    def motion(self, frame: str, from_ns: int, to_ns: int, fixed: str) -> NDArray[np.float64] | None:
        """(4, 4) that takes points of `frame` at one time to `frame` at another, for things that are still in
        `fixed`."""
        if from_ns < 0 or to_ns < 0:  # rclpy has no negative times
            return None
        at, before, frame = Time(nanoseconds=to_ns), Time(nanoseconds=from_ns), frame_name(frame)
        try:
            stamped = self._buffer.lookup_transform_full(frame, at, frame, before, frame_name(fixed))
        except self._errors:
            return None
        return transform_matrix(stamped.transform)

    def forget(self) -> None:
        """Empty the buffer, which refuses transforms more than ten seconds older than its newest; mounts stay."""
        self._buffer.clear()


def listen(node: Any) -> TransformSource | None:
    """A source fed by the node's subscriptions; None if rclpy cannot receive TF's messages."""
    tf2_ros = optional("tf2_ros")
    if tf2_ros is not None:
        return Tf2Transforms(node, tf2_ros)
    transforms = TransformTree()
    latched = QoSProfile(depth=100, durability=DurabilityPolicy.TRANSIENT_LOCAL)
    subscribe(node, "/tf", transforms.move, 100)
    return transforms if subscribe(node, "/tf_static", transforms.add, latched) else None

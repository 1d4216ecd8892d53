# SPDX-License-Identifier: Apache-2.0
"""Where sensors are mounted, from TF: tf2 where it is installed, else /tf_static alone, composed here."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from perception.ros.imports import optional


class TransformSource(Protocol):
    """Anything that knows rigid transforms between named frames."""

    def lookup(self, target: str, source: str) -> NDArray[np.float64] | None:
        """(4, 4) that takes points of `source` into `target`; None where it is not known."""

    def motion(self, frame: str, from_ns: int, to_ns: int, fixed: str) -> NDArray[np.float64] | None:
        """(4, 4) that takes points of `frame` at one time to `frame` at another, things being still in `fixed`."""

    def forget(self) -> None:
        """Forget what moves: the clock went back, and what was said of later times would hide what comes."""


class StaticTransforms:
    """The tree of /tf_static, as far as it has come."""

    def __init__(self) -> None:
        self._edges: dict[str, dict[str, NDArray[np.float64]]] = {}

    def add(self, transforms: Iterable[Any]) -> None:
        """Take the TransformStamped messages of one TFMessage. Those that are no rigid transform are left out."""
        for stamped in transforms:
            parent, child = _frame(stamped.header.frame_id), _frame(stamped.child_frame_id)
            matrix = transform_matrix(stamped.transform)
            if matrix is not None:
                self._edges.setdefault(parent, {})[child] = matrix
                self._edges.setdefault(child, {})[parent] = np.asarray(np.linalg.inv(matrix), np.float64)

    def lookup(self, target: str, source: str) -> NDArray[np.float64] | None:
        """(4, 4) that takes points of `source` into `target`, composed along the tree; None where none leads there."""
        target, source = _frame(target), _frame(source)
        found: dict[str, NDArray[np.float64]] = {target: np.eye(4)}
        waiting = deque([target])
        while waiting and source not in found:
            frame = waiting.popleft()
            # A copy: messages come in another thread.
            for child, matrix in list(self._edges.get(frame, {}).items()):
                if child not in found:
                    found[child] = found[frame] @ matrix
                    waiting.append(child)
        return found.get(source)

    def motion(self, frame: str, from_ns: int, to_ns: int, fixed: str) -> NDArray[np.float64] | None:
        """None: mounts alone do not say how the vehicle moves."""
        return None

    def forget(self) -> None:
        """Nothing here moves."""


class Tf2Transforms:
    """tf2's own buffer and listener: also mounts that move."""

    def __init__(self, node: Any, tf2_ros: Any) -> None:
        self._errors = tf2_ros.TransformException
        self._buffer = tf2_ros.Buffer()
        self._listener = tf2_ros.TransformListener(self._buffer, node)

    def lookup(self, target: str, source: str) -> NDArray[np.float64] | None:
        """(4, 4) that takes points of `source` into `target`, by the newest transforms; None if unknown."""
        from rclpy.time import Time

        try:
            stamped = self._buffer.lookup_transform(_frame(target), _frame(source), Time())
        except self._errors:
            return None
        return transform_matrix(stamped.transform)

    def motion(self, frame: str, from_ns: int, to_ns: int, fixed: str) -> NDArray[np.float64] | None:
        """(4, 4) that takes points of `frame` at one time to `frame` at another, things being still in `fixed`."""
        from rclpy.time import Time

        if from_ns < 0 or to_ns < 0:  # rclpy has no such times
            return None
        at, before, frame = Time(nanoseconds=to_ns), Time(nanoseconds=from_ns), _frame(frame)
        try:
            stamped = self._buffer.lookup_transform_full(frame, at, frame, before, _frame(fixed))
        except self._errors:
            return None
        return transform_matrix(stamped.transform)

    def forget(self) -> None:
        """Empty the buffer, which refuses what is older than its newest by more than ten seconds; mounts stay."""
        self._buffer.clear()


def listen(node: Any) -> TransformSource | None:
    """A source fed by the node's subscriptions; None where rclpy cannot have TF's messages."""
    tf2_ros = optional("tf2_ros")
    if tf2_ros is not None:
        return Tf2Transforms(node, tf2_ros)
    from rclpy.qos import DurabilityPolicy, QoSProfile

    from perception.ros.tf_message import subscribe

    transforms = StaticTransforms()
    latched = QoSProfile(depth=100, durability=DurabilityPolicy.TRANSIENT_LOCAL)
    return transforms if subscribe(node, "/tf_static", transforms.add, latched) else None


def transform_matrix(transform: Any) -> NDArray[np.float64] | None:
    """geometry_msgs/Transform → (4, 4); None where its numbers are no rigid transform."""
    q, t = transform.rotation, transform.translation
    numbers = np.array([q.x, q.y, q.z, q.w, t.x, t.y, t.z], np.float64)
    norm = np.linalg.norm(numbers[:4])
    if not np.isfinite(numbers).all() or norm < 1e-6:
        return None
    x, y, z, w = numbers[:4] / norm
    matrix = np.eye(4)
    matrix[:3, :3] = [
        [1 - 2 * (y * y + z * z), 2 * (x * y - z * w), 2 * (x * z + y * w)],
        [2 * (x * y + z * w), 1 - 2 * (x * x + z * z), 2 * (y * z - x * w)],
        [2 * (x * z - y * w), 2 * (y * z + x * w), 1 - 2 * (x * x + y * y)],
    ]
    matrix[:3, 3] = numbers[4:]
    return matrix


def _frame(name: str) -> str:
    return name.lstrip("/")

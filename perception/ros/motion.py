# SPDX-License-Identifier: Apache-2.0
"""How the vehicle moved between a sweep and an image: from nav_msgs/Odometry, else from TF."""

from __future__ import annotations

from collections import deque
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from perception.errors import MessageError
from perception.ros.convert import stamp_ns
from perception.ros.transforms import TransformSource
from perception.sensors.motion import displacement

FRESH_NS = 500_000_000
"""Speeds older than this say nothing about now."""

FASTEST = np.array([[150.0], [20.0]])
"""Speeds [m/s] and rates of turn [rad/s] beyond which no vehicle goes."""

LONGEST_NS = 1_000_000_000
"""Stamps further apart do not belong together, whatever the speed."""


class _Twist(NamedTuple):
    """Speeds [m/s, rad/s] of the frame `frame_id`, in itself."""

    stamp_ns: int
    frame_id: str
    linear: NDArray[np.float64]
    angular: NDArray[np.float64]


class EgoMotion:
    """The newest speeds of the vehicle. A callback puts odometry in, the worker asks.

    transforms: tell where a sensor sits in the frame whose speeds odometry gives; where they do not know, the sensor
    moves as that frame does. fixed_frame: the frame in which TF says where the vehicle is, used where there is no
    odometry; "" for never.
    """

    def __init__(self, transforms: TransformSource | None = None, fixed_frame: str = "") -> None:
        self._transforms, self._fixed_frame = transforms, fixed_frame
        self._twists: deque[_Twist] = deque(maxlen=64)

    def put_odometry(self, message: Any) -> None:
        """Take a nav_msgs/Odometry. Raises MessageError where its speeds are no numbers, or no vehicle's."""
        linear, angular = message.twist.twist.linear, message.twist.twist.angular
        speeds = np.array([[v.x, v.y, v.z] for v in (linear, angular)], np.float64)
        if not (np.abs(speeds) <= FASTEST).all():  # NaN is not
            raise MessageError(f"twist: {speeds.tolist()} are no speeds of a vehicle; the message is left out")
        self._twists.append(_Twist(stamp_ns(message), message.child_frame_id, speeds[0], speeds[1]))

    def between(self, frame: str, from_ns: int, to_ns: int) -> NDArray[np.float64] | None:
        """(4, 4) that takes points seen from `frame` at `from_ns` to where they are seen from it at `to_ns`.

        None where nothing is known of the motion at that time.
        """
        if from_ns == to_ns or abs(to_ns - from_ns) > LONGEST_NS:
            return None
        twist = min(list(self._twists), key=lambda each: abs(each.stamp_ns - to_ns), default=None)
        if twist is None or abs(twist.stamp_ns - to_ns) > FRESH_NS:
            return self._from_transforms(frame, from_ns, to_ns)
        sensor = self._transforms.lookup(twist.frame_id, frame) if self._transforms and twist.frame_id else None
        moved = displacement(twist.linear, twist.angular, (to_ns - from_ns) * 1e-9)
        # Things stay where they are: the vehicle moved, so they move the other way.
        body = np.asarray(np.linalg.inv(moved), np.float64)
        return body if sensor is None else np.asarray(np.linalg.inv(sensor) @ body @ sensor, np.float64)

    def _from_transforms(self, frame: str, from_ns: int, to_ns: int) -> NDArray[np.float64] | None:
        if self._transforms is None or not self._fixed_frame:
            return None
        return self._transforms.motion(frame, from_ns, to_ns, self._fixed_frame)

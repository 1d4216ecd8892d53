# SPDX-License-Identifier: Apache-2.0
"""How a sensor moved between two instants: from nav_msgs/Odometry, else from TF, else it turned as an IMU says."""

from __future__ import annotations

from collections import deque
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from perception.assembly.transforms import TransformSource
from perception.errors import MessageError
from perception.messages.convert import stamp_ns
from perception.sensors.motion import displacement

FRESH_NS = 500_000_000
"""Speeds older than this are not used for the present."""

FASTEST = np.array([[150.0], [20.0]])
"""Speeds [m/s] and rates of turn [rad/s] that no vehicle exceeds."""

LONGEST_NS = 1_000_000_000
"""Stamps further apart than this do not belong together, whatever the speed."""

STILL = ("odom", "map", "earth")
"""REP 105's frames that do not move with the vehicle."""

_KNOT_NS = 10_000_000
"""The interval between poses that are asked from TF; between them the pose changes evenly."""

_SPEED_NS = 50_000_000
"""The interval over which speeds are computed."""

_MOVED, _STOOD = 0.05, 0.001
"""A vehicle that moved further than the first [m] has certainly moved; one that stands still may seem to move by the
second [m]."""

Instants = NDArray[np.int64]


class _Twist(NamedTuple):
    """Speeds [m/s, rad/s] of the frame `frame_id`, expressed in that frame."""

    stamp_ns: int
    frame_id: str
    linear: NDArray[np.float64]
    angular: NDArray[np.float64]


class EgoMotion:
    """The newest speeds of the vehicle. Callbacks put odometry and IMU messages in; the worker reads.

    transforms: tell where a sensor sits in the frame whose speeds are given. fixed_frame: the frame in which TF says
    gives the vehicle's position, used if there is no odometry; "" for never.
    """

    def __init__(self, transforms: TransformSource | None = None, fixed_frame: str = "") -> None:
        self._transforms, self._fixed_frame = transforms, fixed_frame
        self._still = {*STILL, _bare(fixed_frame)} - {""}
        self._riding: set[str] = set()
        self._odometry: deque[_Twist] = deque(maxlen=256)
        self._turns: deque[_Twist] = deque(maxlen=1024)

    def put_odometry(self, message: Any) -> None:
        """Take a nav_msgs/Odometry. Raises MessageError if its speeds are not finite or not those of a vehicle."""
        linear, angular = message.twist.twist.linear, message.twist.twist.angular
        fixed, body = _bare(message.header.frame_id), _bare(message.child_frame_id)
        if fixed and fixed != body:
            self._still.add(fixed)
        self._odometry.append(_twist("twist", message, body, linear, angular))

    def put_imu(self, message: Any) -> None:
        """Take a sensor_msgs/Imu; only its rates of turn are used. Raises MessageError as `put_odometry` does."""
        speeds = message.angular_velocity
        self._turns.append(_twist("angular_velocity", message, _bare(message.header.frame_id), None, speeds))

    def still(self, frame: str) -> bool:
        """Whether the frame is known to stand still while the vehicle moves, as `odom` does."""
        return _bare(frame) in self._still

    def between(self, frame: str, from_ns: int, to_ns: int) -> NDArray[np.float64] | None:
        """(4, 4): `path` from a single instant; None also if the two instants are equal."""
        if from_ns == to_ns:
            return None
        moved = self.path(frame, np.array([from_ns]), to_ns)
        return None if moved is None else moved[0]

    def path(self, frame: str, from_ns: Instants, to_ns: int) -> NDArray[np.float64] | None:
        """(K, 4, 4) that take points seen from `frame` at each of `from_ns` (K,) to where it sees them at `to_ns`.

        None if the motion at that time is unknown. Raises MessageError if the speeds are known, but not
        how the sensor sits in their frame.
        """
        if np.abs(from_ns - to_ns).max() > LONGEST_NS:
            return None
        if self.still(frame):
            return np.tile(np.eye(4), (len(from_ns), 1, 1))
        middle_ns = (int(from_ns.min()) + to_ns) // 2
        twists, turns = _fresh(self._odometry, middle_ns), _fresh(self._turns, middle_ns)
        mount = self._mount(twists[0].frame_id, frame) if twists else None
        if twists and mount is not None:
            return self._by_odometry(twists, mount, frame, from_ns, to_ns)
        moved = self._by_transforms(frame, from_ns, to_ns)
        if moved is not None:
            return moved
        if twists:
            raise MessageError(_unknown("odometry", "child_frame_id", twists[0].frame_id, frame))
        if not turns:
            return None
        mount = self._mount(turns[0].frame_id, frame)
        if mount is None:
            raise MessageError(_unknown("imu", "header.frame_id", turns[0].frame_id, frame))
        _, angular = _between(turns, (from_ns + to_ns) // 2)
        return displacement(np.zeros(3), angular @ mount[:3, :3], 1e-9 * (from_ns - to_ns).astype(np.float64))

    def velocity(self, frame: str, at_ns: int) -> NDArray[np.float64] | None:
        """(3,) m/s of a sensor over the ground, in its own `frame`; None if neither odometry nor TF gives it.

        An IMU gives rotation only. Raises MessageError as `path` does.
        """
        before = np.array([at_ns - _SPEED_NS])
        twists = _fresh(self._odometry, at_ns)
        mount = self._mount(twists[0].frame_id, frame) if twists else None
        if twists and mount is not None:
            moved = self._by_odometry(twists, mount, frame, before, at_ns)
        elif (seen := self._by_transforms(frame, before, at_ns)) is not None:
            moved = seen
        elif twists:
            raise MessageError(_unknown("odometry", "child_frame_id", twists[0].frame_id, frame))
        else:
            return None
        return np.asarray(np.linalg.inv(moved[0])[:3, 3] / (1e-9 * _SPEED_NS), np.float64)

    def _by_odometry(
        self, twists: list[_Twist], mount: NDArray[np.float64], frame: str, from_ns: Instants, to_ns: int
    ) -> NDArray[np.float64]:
        # At constant acceleration, a body has its mean speed half-way. Things stand still: seen from it, they move
        # back.
        seconds = 1e-9 * (from_ns - to_ns).astype(np.float64)
        body = displacement(*_between(twists, (from_ns + to_ns) // 2), seconds)
        moved = np.asarray(np.linalg.inv(mount) @ body @ mount, np.float64)
        first = int(from_ns[np.abs(from_ns - to_ns).argmax()])
        if _bare(frame) not in self._riding and np.linalg.norm(body[..., :3, 3], axis=-1).max() > _MOVED:
            own, seen = (self._by_transforms(each, np.array([first]), to_ns) for each in (twists[0].frame_id, frame))
            if own is not None and seen is not None and not _stands(own):
                (self._still if _stands(seen) else self._riding).add(_bare(frame))
                if _stands(seen):
                    return np.tile(np.eye(4), (len(from_ns), 1, 1))
        return moved

    def _by_transforms(self, frame: str, from_ns: Instants, to_ns: int) -> NDArray[np.float64] | None:
        if self._transforms is None or not self._fixed_frame:
            return None
        first, last = int(from_ns.min()), int(from_ns.max())
        knots = np.linspace(first, last, 1 + -(-(last - first) // _KNOT_NS)).astype(np.int64)
        poses = []
        for knot in knots.tolist():
            pose = self._transforms.motion(frame, knot, to_ns, self._fixed_frame)
            if pose is None:
                return None
            poses.append(pose.ravel())
        columns = [np.interp(from_ns, knots, column) for column in np.array(poses).T]
        return np.stack(columns, axis=-1).reshape(-1, 4, 4)

    def _mount(self, body: str, frame: str) -> NDArray[np.float64] | None:
        """(4, 4) from the sensor's frame to the frame whose speeds are known; None if unknown."""
        if body and body == _bare(frame):
            return np.eye(4)
        return self._transforms.lookup(body, frame) if self._transforms and body and frame else None


def _twist(field: str, message: Any, frame: str, linear: Any, angular: Any) -> _Twist:
    speeds = np.array([[v.x, v.y, v.z] if v is not None else [0.0] * 3 for v in (linear, angular)], np.float64)
    if not (np.abs(speeds) <= FASTEST).all():  # also true for NaN
        raise MessageError(f"{field}: {speeds.tolist()} cannot be speeds of a vehicle; the message is left out")
    return _Twist(stamp_ns(message), frame, speeds[0], speeds[1])


def _fresh(twists: deque[_Twist], at_ns: int) -> list[_Twist]:
    """The speeds around that time, of one frame, in the order of time."""
    near = [twist for twist in list(twists) if abs(twist.stamp_ns - at_ns) <= FRESH_NS]
    return sorted((twist for twist in near if twist.frame_id == near[-1].frame_id), key=lambda twist: twist.stamp_ns)


def _between(twists: list[_Twist], at_ns: Instants) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Linear and angular speeds (K, 3) at the instants."""
    stamps = np.array([twist.stamp_ns for twist in twists], np.int64)
    speeds = np.array([[*twist.linear, *twist.angular] for twist in twists])
    since = (at_ns - stamps[0]).astype(np.float64)
    found = np.stack([np.interp(since, stamps - stamps[0], column) for column in speeds.T], axis=-1)
    return found[:, :3], found[:, 3:]


def _stands(moved: NDArray[np.float64]) -> bool:
    return bool(np.abs(moved - np.eye(4)).max() < _STOOD)


def _unknown(source: str, field: str, body: str, frame: str) -> str:
    said = f"no TF from '{frame}' to its {field} '{body}'" if body else f"its {field} is empty"
    return f"{source}: {said}, so the motion of '{frame}' is unknown; its sweeps are not moved to the image's instant"


def _bare(frame: str) -> str:
    """A frame id without the slash that ROS 1 had before it."""
    return frame.lstrip("/")

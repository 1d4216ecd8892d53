# SPDX-License-Identifier: Apache-2.0
"""Where sensors are and how they move, composed here from the messages of TF."""

from __future__ import annotations

from bisect import bisect_left, insort
from collections import deque
from collections.abc import Iterable
from typing import Any, Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

from perception.messages.convert import stamp_ns

KEPT_NS = 10_000_000_000
"""How long the past poses of a frame are kept, the same as in tf2."""

GAP_NS = 1_000_000_000
"""Between two transforms that are further apart nothing is known; if one is so much older, the series restarts."""


class TransformSource(Protocol):
    """Anything that knows rigid transforms between named frames."""

    def lookup(self, target: str, source: str, at_ns: int | None = None) -> NDArray[np.float64] | None:
        """(4, 4) that takes points of `source` into `target`, at that time or now; None if unknown."""

    def motion(self, frame: str, from_ns: int, to_ns: int, fixed: str) -> NDArray[np.float64] | None:
        """(4, 4) that takes points of `frame` at one time to `frame` at another, for things that are still in
        `fixed`."""

    def forget(self) -> None:
        """Forget moving frames: the clock went back, and transforms of later times would hide the new ones."""


class StaticTransforms:
    """The tree of /tf_static, as far as it has arrived."""

    def __init__(self) -> None:
        self._edges: dict[str, dict[str, NDArray[np.float64]]] = {}

    def add(self, transforms: Iterable[Any]) -> None:
        """Take the TransformStamped messages of one TFMessage. Those that are not rigid transforms are left out."""
        for stamped in transforms:
            parent, child = frame_name(stamped.header.frame_id), frame_name(stamped.child_frame_id)
            matrix = transform_matrix(stamped.transform)
            if matrix is not None:
                self._edges.setdefault(parent, {})[child] = matrix
                self._edges.setdefault(child, {})[parent] = np.asarray(np.linalg.inv(matrix), np.float64)

    def lookup(self, target: str, source: str, at_ns: int | None = None) -> NDArray[np.float64] | None:
        """(4, 4) that takes points of `source` into `target`, composed along the tree; None if they are not
        connected."""
        return self._composed(frame_name(target), frame_name(source), at_ns)

    def motion(self, frame: str, from_ns: int, to_ns: int, fixed: str) -> NDArray[np.float64] | None:
        """None: mounts do not tell how the vehicle moves."""
        return None

    def forget(self) -> None:
        """Nothing here moves."""

    def _composed(self, target: str, source: str, at_ns: int | None) -> NDArray[np.float64] | None:
        found: dict[str, NDArray[np.float64]] = {target: np.eye(4)}
        waiting = deque([target])
        while waiting and source not in found:
            frame = waiting.popleft()
            for child, matrix in self._beside(frame, at_ns):
                if child not in found:
                    found[child] = found[frame] @ matrix
                    waiting.append(child)
        return found.get(source)

    def _beside(self, frame: str, at_ns: int | None) -> list[tuple[str, NDArray[np.float64]]]:
        """The frames that are linked to a frame, each with the matrix that takes its points there."""
        return list(self._edges.get(frame, {}).items())  # a copy: messages come in another thread


class TransformTree(StaticTransforms):
    """The same with /tf: where frames were in the last ten seconds. Between two transforms they move evenly."""

    def __init__(self) -> None:
        super().__init__()
        self._tracks: dict[str, dict[str, tuple[_Track, bool]]] = {}
        """By frame and linked frame: the poses of one in the other, and whether the linked frame is the one that
        moves."""

    def move(self, transforms: Iterable[Any]) -> None:
        """Take the TransformStamped messages of a TFMessage of /tf; see `add`."""
        for stamped in transforms:
            parent, child = frame_name(stamped.header.frame_id), frame_name(stamped.child_frame_id)
            matrix = transform_matrix(stamped.transform)
            if matrix is not None:
                track, _ = self._tracks.setdefault(parent, {}).setdefault(child, (_Track(), True))
                self._tracks.setdefault(child, {})[parent] = track, False
                track.add(stamp_ns(stamped), matrix)

    def lookup(self, target: str, source: str, at_ns: int | None = None) -> NDArray[np.float64] | None:
        """(4, 4) that takes points of `source` into `target`, at that time, else by the newest transforms; None if
        unknown."""
        target, source = frame_name(target), frame_name(source)
        found = self._composed(target, source, at_ns)
        return found if found is not None or at_ns is None else self._composed(target, source, None)

    def motion(self, frame: str, from_ns: int, to_ns: int, fixed: str) -> NDArray[np.float64] | None:
        """(4, 4) that takes points of `frame` at one time to `frame` at another, for things that are still in
        `fixed`."""
        before = self._composed(frame_name(fixed), frame_name(frame), from_ns)
        after = self._composed(frame_name(frame), frame_name(fixed), to_ns)
        return None if before is None or after is None else after @ before

    def forget(self) -> None:
        """Forget moving frames."""
        self._tracks = {}

    def _beside(self, frame: str, at_ns: int | None) -> list[tuple[str, NDArray[np.float64]]]:
        beside = super()._beside(frame, at_ns)
        for other, (track, forward) in list(self._tracks.get(frame, {}).items()):
            matrix = track.at(at_ns)
            if matrix is not None:
                beside.append((other, matrix if forward else np.asarray(np.linalg.inv(matrix), np.float64)))
        return beside


class _Track:
    """The poses of a frame in its parent: (4, 4) by stamp [ns]."""

    def __init__(self) -> None:
        self._poses: list[tuple[int, NDArray[np.float64]]] = []

    def add(self, stamp_ns: int, pose: NDArray[np.float64]) -> None:
        """Take the next pose; drop those that are too old, and those of later times."""
        poses = self._poses
        if poses and stamp_ns < poses[-1][0] - GAP_NS:
            poses = []
        first = bisect_left(poses, stamp_ns - KEPT_NS, key=lambda each: each[0])
        poses = [each for each in poses[first:] if each[0] != stamp_ns]
        insort(poses, (stamp_ns, pose), key=lambda each: each[0])
        self._poses = poses  # a new object: another thread reads it

    def at(self, at_ns: int | None) -> NDArray[np.float64] | None:
        """The pose at that time, or the newest; None before, after and in gaps."""
        poses = self._poses
        if not poses or at_ns is None:
            return poses[-1][1] if poses else None
        place = bisect_left(poses, at_ns, key=lambda each: each[0])
        if place == len(poses) or (place == 0 and poses[0][0] != at_ns):
            return None
        (later, after), (earlier, before) = poses[place], poses[max(place - 1, 0)]
        if later == at_ns or later - earlier > GAP_NS:
            return after if later == at_ns else None
        share, pose = (at_ns - earlier) / (later - earlier), np.eye(4)
        turn = cv2.Rodrigues(before[:3, :3].T @ after[:3, :3])[0]
        pose[:3, :3] = before[:3, :3] @ cv2.Rodrigues(share * turn)[0]
        pose[:3, 3] = (1 - share) * before[:3, 3] + share * after[:3, 3]
        return pose


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


def frame_name(name: str) -> str:
    """A frame id as TF knows it."""
    return name.lstrip("/")

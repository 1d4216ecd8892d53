# SPDX-License-Identifier: Apache-2.0
"""Numbers that a thing keeps from frame to frame: ByteTrack by the package `trackers`, on the boxes in the image.

Zhang et al., "ByteTrack: Multi-object tracking by associating every detection box" (ECCV 2022).
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from perception.errors import PerceptionError
from perception.extras import needs
from perception.frame import INSTANCE_STEP
from perception.instances import Extents, extents

LONGEST_NS = 2_000_000_000
"""Frames further apart than this are of different drives."""

KEPT_FRAMES = 30
"""Of 30 a second, for which a thing may be out of sight."""

LEAST_OVERLAP = 0.1
"""IoU in the image from which two boxes are of one thing."""

FORGOTTEN = 300
"""Frames after which a track that was not seen is certainly none of the tracker's any more."""

_log = logging.getLogger(__name__)


class Tracking:
    """The numbers of one drive's instances, frame by frame in order.

    A thing that comes gets the number of its class that nothing has had for longest: from 1 to 999, and then those of
    things long gone again. Where the package `trackers` is not installed, `say` is told so once, and numbers are those
    of each frame.
    """

    def __init__(self, say: Callable[[str], object] = _log.warning) -> None:
        self._last_ns: int | None = None
        self._kinds: dict[int, _Kind] = {}
        self._stable = True
        try:
            with needs("numbers of instances are new in every frame without a tracker", "track"):
                import trackers  # noqa: F401 (two seconds, here rather than in the first frame)
        except PerceptionError as error:
            say(str(error))
            self._stable = False

    def __call__(self, instances: NDArray[np.uint16], stamp_ns: int) -> NDArray[np.uint16]:
        """(65536,) the code that each code of this frame's (H, W) instances gets."""
        table = np.arange(1 << 16, dtype=np.uint16)
        if not self._stable:
            return table
        if self._last_ns is not None and not 0 < stamp_ns - self._last_ns <= LONGEST_NS:
            for kind in self._kinds.values():
                kind.forget()
        self._last_ns = stamp_ns
        found = extents(instances)
        of_class = found.codes // INSTANCE_STEP
        for class_id in {*of_class.tolist(), *self._kinds}:
            kind = self._kinds.setdefault(class_id, _Kind())
            own = Extents(*(each[of_class == class_id] for each in found))
            table[own.codes] = class_id * INSTANCE_STEP + kind.numbers(own.boxes, stamp_ns)
        return table


class _Kind:
    """The things of one class."""

    def __init__(self) -> None:
        self._frame = 0
        self._used = np.zeros(INSTANCE_STEP, np.int64)
        """The last frame of each number, counted from 1 and not by stamps, which may begin anew; 0 is never."""
        self.forget()

    def forget(self) -> None:
        """What comes is of another drive."""
        from trackers import ByteTrackTracker

        self._tracker = ByteTrackTracker(KEPT_FRAMES, minimum_consecutive_frames=1, minimum_iou_threshold=LEAST_OVERLAP)
        self._of_track: dict[int, int] = {}
        # The tracker names what comes in the second frame: until then its box and number are kept here.
        self._new: list[tuple[NDArray[Any], int]] = []

    def numbers(self, boxes: NDArray[np.int64], stamp_ns: int) -> NDArray[np.int64]:
        """(K,) numbers of the things in (K, 4) boxes, all different."""
        import supervision

        corners = boxes + np.array([0, 0, 1, 1])  # a box of one pixel has an area
        detections = supervision.Detections(corners.astype(np.float64), data={"row": np.arange(len(boxes))})
        tracked: Any = self._tracker.update(detections, timestamp=1e-9 * stamp_ns)
        rows = tracked.data["row"].tolist() if len(tracked) else []
        tracks = dict(zip(rows, tracked.tracker_id.tolist(), strict=True))
        numbers, before, self._new = np.zeros(len(boxes), np.int64), self._new, []
        for row, track in tracks.items():
            if track >= 0 and track not in self._of_track and (number := _nearest(corners[row], before)):
                self._of_track[track] = number
            numbers[row] = self._of_track.get(track, 0)
        self._frame += 1
        self._used[numbers[numbers > 0]] = self._frame
        for row in np.flatnonzero(numbers == 0).tolist():
            numbers[row] = number = 1 + int(self._used[1:].argmin())
            self._used[number] = self._frame
            if (track := tracks.get(row, -1)) >= 0:
                self._of_track[track] = number
            else:
                self._new.append((corners[row], number))
        recent = self._used > self._frame - FORGOTTEN
        self._of_track = {track: number for track, number in self._of_track.items() if recent[number]}
        return numbers


def _nearest(box: NDArray[Any], others: list[tuple[NDArray[Any], int]]) -> int:
    """The number of that of the others which overlaps most with the box, and is taken from them; 0 where none does."""
    overlaps = [_overlap(box, other) for other, _ in others]
    if not overlaps or max(overlaps) <= 0:
        return 0
    return others.pop(overlaps.index(max(overlaps)))[1]


def _overlap(box: NDArray[Any], other: NDArray[Any]) -> float:
    """IoU."""
    sides = np.minimum(box[2:], other[2:]) - np.maximum(box[:2], other[:2])
    shared = float(np.prod(np.maximum(sides, 0)))
    return shared / float(np.prod(box[2:] - box[:2]) + np.prod(other[2:] - other[:2]) - shared)

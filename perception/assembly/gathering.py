# SPDX-License-Identifier: Apache-2.0
"""Which clouds of several cameras belong to one sweep, and how long to wait for those that have not come."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Generic, TypeVar

T = TypeVar("T")

SILENT_S = 1.0
"""A camera that sent nothing for so long is not waited for."""

BACK_NS = 1_000_000_000
"""Stamps that go back by more than this come from a new start of the recording or the clock."""


@dataclass
class _Open(Generic[T]):
    since: float
    clouds: dict[str, T] = field(default_factory=dict)


@dataclass
class Counts:
    """Since the start. sweeps: how many were given out; whole: with every camera that ever sent one; missing: without
    the camera; late: clouds that came when their sweep had been given out already."""

    sweeps: int = 0
    whole: int = 0
    missing: Counter[str] = field(default_factory=Counter)
    late: Counter[str] = field(default_factory=Counter)


class Gathering(Generic[T]):
    """Holds clouds of one LiDAR by the stamp of their sweep.

    No threads, no clock: times are monotonic seconds that the caller says.

    Each camera sends its clouds in the order of their stamps, and not one for every sweep: a sweep is waited for until
    each camera has sent its cloud or a newer one, is silent, or `wait_s` have passed since the first cloud came. Sweeps
    are given out in the order of their stamps.
    """

    def __init__(self, cameras: Sequence[str], wait_s: float) -> None:
        self.cameras, self.wait_s = tuple(cameras), wait_s
        self.counts = Counts()
        self._open: dict[int, _Open[T]] = {}
        self._newest: dict[str, int] = {}
        self._heard: dict[str, float] = {}
        self._given_ns: int | None = None

    def put(self, camera: str, stamp_ns: int, cloud: T, now: float) -> None:
        """Take a camera's cloud; a second one of the same sweep replaces the first while that is held."""
        if stamp_ns < self._newest.get(camera, stamp_ns) - BACK_NS:
            self._open, self._newest, self._given_ns = {}, {}, None
        self._heard[camera] = now
        self._newest[camera] = max(stamp_ns, self._newest.get(camera, stamp_ns))
        if self._given_ns is not None and stamp_ns <= self._given_ns:
            self.counts.late[camera] += 1
            return
        self._open.setdefault(stamp_ns, _Open(now)).clouds[camera] = cloud

    def due(self, now: float) -> Iterator[tuple[int, dict[str, T]]]:
        """The sweeps that are waited for no longer: stamp, and the clouds by camera in the order of `cameras`."""
        for stamp_ns in sorted(self._open):
            held = self._open[stamp_ns]
            if now - held.since < self.wait_s and any(self._may_come(each, stamp_ns, now) for each in self.cameras):
                return
            del self._open[stamp_ns]
            self._given_ns = stamp_ns
            missing = [camera for camera in self._heard if camera not in held.clouds]
            self.counts.sweeps += 1
            self.counts.whole += not missing
            self.counts.missing.update(missing)
            yield stamp_ns, {camera: held.clouds[camera] for camera in self.cameras if camera in held.clouds}

    def silent(self, now: float) -> list[str]:
        """The cameras that have sent nothing of this LiDAR for SILENT_S."""
        return [camera for camera in self.cameras if now - self._heard.get(camera, float("-inf")) > SILENT_S]

    def _may_come(self, camera: str, stamp_ns: int, now: float) -> bool:
        """Whether the camera may still send its cloud of that sweep."""
        if camera in self._open[stamp_ns].clouds or camera in self.silent(now):
            return False
        return self._newest.get(camera, stamp_ns - 1) < stamp_ns

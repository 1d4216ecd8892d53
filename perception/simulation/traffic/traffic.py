# SPDX-License-Identifier: Apache-2.0
"""How vehicles move: each follows the one ahead in its lane (the intelligent driver model) and stops at red."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

STEP = 0.05
"""Time step of the motion, seconds."""
_ACCELERATION, _BRAKING, _HEADWAY, _STANDING_GAP = 1.6, 2.6, 1.3, 2.2


@dataclass(frozen=True)
class Halt:
    """A stop line that is closed for a while. position: along the lane's direction of travel [m]; times in seconds."""

    position: float
    start: float
    end: float


@dataclass(frozen=True)
class Motion:
    """Travel along a lane. travelled: (N,) metres in the direction of travel; speed: (N,) m/s; every STEP seconds."""

    travelled: NDArray[np.float64]
    speed: NDArray[np.float64]

    def at(self, t: float) -> float:
        """Metres along the lane at time t."""
        return float(np.interp(t / STEP, np.arange(len(self.travelled)), self.travelled))

    def speed_at(self, t: float) -> float:
        """Speed at time t, m/s."""
        return float(np.interp(t / STEP, np.arange(len(self.speed)), self.speed))

    def braking_at(self, t: float) -> bool:
        """Whether the brake lights are on: standing, or slowing down noticeably."""
        return self.speed_at(t) < 0.3 or (self.speed_at(t + 0.2) - self.speed_at(t)) / 0.2 < -0.7


def follow(
    positions: NDArray[np.float64],
    lengths: NDArray[np.float64],
    wishes: NDArray[np.float64],
    duration: float,
    halt: Halt | None,
) -> list[Motion]:
    """Motions of the vehicles of one lane, which never overlap.

    positions: (N,) middles at time 0, any order, apart by more than the lengths. wishes: (N,) speeds wanted [m/s].
    """
    order = np.argsort(-positions)  # the first leads
    x, length, wish = positions[order].astype(float), lengths[order], wishes[order]
    half = 0.5 * (length[:-1] + length[1:])
    gaps = np.concatenate([[1e3], x[:-1] - x[1:] - half])
    speed = np.minimum(wish, np.maximum(gaps - _STANDING_GAP, 0.0) / _HEADWAY)
    if halt is not None and halt.start <= 0.0:
        speed = np.where(x < halt.position, np.minimum(speed, _can_stop(halt.position - x - length / 2)), speed)
    for i in range(1, len(x)):  # no vehicle starts faster than it could still stop behind the one ahead
        speed[i] = min(speed[i], float(_can_stop(gaps[i] + speed[i - 1] ** 2 / (2 * _BRAKING))))
    steps = int(np.ceil(duration / STEP)) + 1
    travelled, speeds = np.empty((steps, len(x))), np.empty((steps, len(x)))
    for step in range(steps):
        travelled[step], speeds[step] = x, speed
        speed, x = _advance(x, speed, length, wish, halt, step * STEP)
    return [Motion(travelled[:, i], speeds[:, i]) for i in np.argsort(order)]


def _advance(
    x: NDArray[np.float64],
    speed: NDArray[np.float64],
    length: NDArray[np.float64],
    wish: NDArray[np.float64],
    halt: Halt | None,
    t: float,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    gap = np.concatenate([[1e3], x[:-1] - x[1:] - 0.5 * (length[:-1] + length[1:])])
    closing = np.concatenate([[0.0], speed[1:] - speed[:-1]])
    force = _pull(speed, wish, gap, closing)
    if halt is not None and halt.start <= t < halt.end:
        room = halt.position - x - length / 2
        stops = (room > 0) & (speed <= _can_stop(room) * 1.25 + 0.1)
        force = np.where(stops, np.minimum(force, _pull(speed, wish, room + _STANDING_GAP - 0.5, speed)), force)
    following = np.maximum(speed + np.clip(force, -8.0, _ACCELERATION) * STEP, 0.0)
    return following, x + 0.5 * (speed + following) * STEP


def _pull(
    speed: NDArray[np.float64], wish: NDArray[np.float64], gap: NDArray[np.float64], closing: NDArray[np.float64]
) -> NDArray[np.float64]:
    wanted = _STANDING_GAP + np.maximum(
        speed * _HEADWAY + speed * closing / (2 * np.sqrt(_ACCELERATION * _BRAKING)), 0.0
    )
    result: NDArray[np.float64] = _ACCELERATION * (1.0 - (speed / wish) ** 4 - (wanted / np.maximum(gap, 0.1)) ** 2)
    return result


def _can_stop(room: NDArray[np.float64] | float) -> NDArray[np.float64]:
    """The speed from which one comfortably stops within `room` metres."""
    return np.asarray(np.sqrt(2 * _BRAKING * np.maximum(room, 0.0)))

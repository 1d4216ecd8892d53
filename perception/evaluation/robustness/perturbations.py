# SPDX-License-Identifier: Apache-2.0
"""Sensor faults, each as a change of a frame.

A sensor that is missing is absent from the frame, as the node reports it to the network. Damage is done to the raw
data, before anything is projected or normalised. Changes of a sensor that the frame lacks leave it as it is.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import cv2
import numpy as np

from perception.evaluation.robustness.corruptions import corrupt
from perception.frame import Frame
from perception.sensors.presence import keep_modalities
from perception.sensors.spec import SPECS, measured, with_measured

HDL64_ELEVATIONS = np.concatenate([np.linspace(2.0, -8.33, 32), np.linspace(-8.83, -24.33, 32)])
"""Degrees above the horizon of the Velodyne HDL-64E's beams, from the highest on."""


@dataclass(frozen=True)
class Moment:
    """A frame to change, and what the change may need.

    rng: random numbers of this frame and row alone. earlier: seconds → the frame so much earlier in the same drive,
    None where there is none.
    """

    frame: Frame
    rng: np.random.Generator
    earlier: Callable[[float], Frame | None]


Change = Callable[[Moment], "Frame | None"]
"""Moment → the changed frame; None where the moment does not allow it. The frame given is left as it is."""


Damage = Callable[[Any, float, np.random.Generator], Any]
"""A sensor's data, a share and random numbers → the data of which that share is damaged."""


def keep(modalities: Sequence[str]) -> Change:
    """Only these sensors (entire-missing modality)."""

    def change(moment: Moment) -> Frame | None:
        left = set(modalities) & set(moment.frame.modalities)
        return keep_modalities(moment.frame, modalities) if left else None

    return change


def drop_at_random(damaged: Collection[str], ratio: float) -> Change:
    """Of each damaged sensor, a share `ratio` of what it measures is lost (random-missing modality): `damage`."""

    def change(moment: Moment) -> Frame:
        return _damaged(moment, {name: SPECS[name].lose for name in damaged}, ratio)

    return change


def salt_and_pepper(density: float) -> Change:
    """A share `density` of what every sensor measures becomes an extreme, either one as often (noisy modality)."""

    def change(moment: Moment) -> Frame:
        return _damaged(moment, {name: spec.speckle for name, spec in SPECS.items()}, density)

    return change


def corrupted(name: str, severity: int) -> Change:
    """A common corruption of the camera image (`perception.evaluation.robustness.corruptions`)."""

    def change(moment: Moment) -> Frame | None:
        frame = moment.frame
        return None if frame.rgb is None else replace(frame, rgb=corrupt(frame.rgb, name, severity, moment.rng))

    return change


def fewer_beams(beams: int) -> Change:
    """A LiDAR with 16 or 32 of the HDL-64E's 64 beams: every fourth or second, by each point's elevation."""

    def change(moment: Moment) -> Frame | None:
        points = moment.frame.points
        if points is None:
            return None
        elevation = np.rad2deg(np.arctan2(points[:, 2], np.hypot(points[:, 0], points[:, 1])))
        bounds = (HDL64_ELEVATIONS[1:] + HDL64_ELEVATIONS[:-1]) / 2
        beam = len(HDL64_ELEVATIONS) - 1 - np.digitize(elevation, bounds[::-1])
        return replace(moment.frame, points=points[beam % (len(HDL64_ELEVATIONS) // beams) == 0])

    return change


def rotated_lidar(degrees: float) -> Change:
    """A LiDAR turned in its mount by `degrees` about a random axis, unknown to the calibration."""

    def change(moment: Moment) -> Frame | None:
        frame = moment.frame
        if frame.points is None or frame.lidar_to_camera is None:
            return None
        axis = moment.rng.standard_normal(3)
        turn = np.eye(4)
        turn[:3, :3] = cv2.Rodrigues(axis / np.linalg.norm(axis) * np.deg2rad(degrees))[0]
        return replace(frame, lidar_to_camera=frame.lidar_to_camera @ turn)

    return change


def late_lidar(seconds: float) -> Change:
    """The sweep of `seconds` ago beside the other sensors' newest data: vehicle and traffic have moved on."""

    return _stale("points", seconds)


def uniform_camera(value: int) -> Change:
    """A camera that delivers images of one value: 0 black, 255 saturated. It reports no error."""

    def change(moment: Moment) -> Frame | None:
        frame = moment.frame
        return None if frame.rgb is None else replace(frame, rgb=np.full_like(frame.rgb, value))

    return change


def frozen_camera(seconds: float) -> Change:
    """A frozen camera that keeps delivering the image of `seconds` ago."""

    return _stale("rgb", seconds)


def _stale(field: str, seconds: float) -> Change:
    """A field of the frame `seconds` ago in the present one."""

    def change(moment: Moment) -> Frame | None:
        before = moment.earlier(seconds) if getattr(moment.frame, field) is not None else None
        value = None if before is None else getattr(before, field)
        return None if value is None else replace(moment.frame, **{field: value})

    return change


def _damaged(moment: Moment, by_sensor: Mapping[str, Damage], share: float) -> Frame:
    """The frame with a share of the data of those sensors damaged that it has, in the order of the table."""
    frame = moment.frame
    there = [name for name in SPECS if name in by_sensor and name in frame.modalities]
    return with_measured(frame, {name: by_sensor[name](measured(frame, name), share, moment.rng) for name in there})

# SPDX-License-Identifier: Apache-2.0
"""Sensor faults, each as a change of a frame.

A sensor that is missing is absent from the frame, as the node reports it to the network. Damage is done to the raw
data, before anything is projected or normalised. Changes of a sensor that the frame lacks leave it as it is.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from perception.evaluation.robustness.corruptions import corrupt
from perception.frame import Frame
from perception.sensors.presence import keep_modalities

MEAN_RGB = (124, 116, 104)
"""The mean colour of ImageNet: what zero is after normalisation."""

HDL64_ELEVATIONS = np.concatenate([np.linspace(2.0, -8.33, 32), np.linspace(-8.83, -24.33, 32)])
"""Degrees above the horizon of the Velodyne HDL-64E's beams, from the highest on."""

RANGES = (1.5, 80.0)
"""Metres at which a LiDAR reports nonsense: its nearest and its farthest."""


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


def keep(modalities: Sequence[str]) -> Change:
    """Only these sensors (entire-missing modality)."""

    def change(moment: Moment) -> Frame | None:
        left = set(modalities) & set(moment.frame.modalities)
        return keep_modalities(moment.frame, modalities) if left else None

    return change


def drop_at_random(damaged: Collection[str], ratio: float) -> Change:
    """Of each damaged sensor, a share `ratio` of what it measures is lost (random-missing modality).

    RGB: each channel of each pixel becomes MEAN_RGB's. Depth: no value. Infrared: the image's median. LiDAR: the
    point is gone.
    """

    def change(moment: Moment) -> Frame:
        frame, rng = moment.frame, moment.rng
        changed: dict[str, Any] = {}
        if "rgb" in damaged and frame.rgb is not None:
            mean = np.array(MEAN_RGB, np.uint8)
            changed["rgb"] = np.where(rng.random(frame.rgb.shape, np.float32) < ratio, mean, frame.rgb)
        if "depth" in damaged and frame.depth is not None:
            lost = rng.random(frame.depth.shape, np.float32) < ratio
            changed["depth"] = np.where(lost, np.float32(np.nan), frame.depth)
        if "infrared" in damaged and frame.infrared is not None:
            lost = rng.random(frame.infrared.shape, np.float32) < ratio
            median = frame.infrared.dtype.type(np.median(frame.infrared))
            changed["infrared"] = np.where(lost, median, frame.infrared)
        if "lidar" in damaged and frame.points is not None:
            changed["points"] = frame.points[rng.random(len(frame.points), np.float32) >= ratio]
        return replace(frame, **changed)

    return change


def salt_and_pepper(density: float) -> Change:
    """A share `density` of what every sensor measures becomes an extreme, either one as often (noisy modality).

    RGB: each channel of each pixel becomes 0 or 255. Depth: RANGES. Infrared: the image's own extremes. LiDAR: the
    point moves along its ray to one of RANGES.
    """

    def change(moment: Moment) -> Frame:
        frame, rng = moment.frame, moment.rng
        changed: dict[str, Any] = {}
        if frame.rgb is not None:
            changed["rgb"] = _speckled(frame.rgb, 0, 255, density, rng)
        if frame.depth is not None:
            changed["depth"] = _speckled(frame.depth, *RANGES, density, rng)
        if frame.infrared is not None:
            changed["infrared"] = _speckled(frame.infrared, frame.infrared.min(), frame.infrared.max(), density, rng)
        if frame.points is not None:
            distance = np.maximum(np.linalg.norm(frame.points[:, :3], axis=1), 1e-3)
            factor = _speckled(distance, *RANGES, density, rng) / distance
            changed["points"] = np.hstack([frame.points[:, :3] * factor[:, None], frame.points[:, 3:]])
        return replace(frame, **changed)

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


def _speckled(values: NDArray[Any], low: float, high: float, density: float, rng: np.random.Generator) -> NDArray[Any]:
    chance = rng.random(values.shape, np.float32)
    extremes = np.where(chance < density / 2, values.dtype.type(low), values.dtype.type(high))
    return np.where(chance < density, extremes, values)

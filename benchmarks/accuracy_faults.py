# SPDX-License-Identifier: Apache-2.0
"""What is done to the sensors of real frames, to see what fusion makes of it: darkness, glare, weather, lies."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from perception.evaluation.robustness.corruptions import corrupt
from perception.frame import Frame
from perception.sample import Sample

Fault = Callable[[Sequence[Sample], int], Frame | None]
"""(samples, index) → the disturbed frame; None where it lacks the sensor, or the past that is asked for."""

LATE = 10
"""Frames of KITTI, a second."""


def darkened(gain: float) -> Fault:
    """The camera with `gain` times the light, gamma and the noise of a sensor turned up."""

    def change(image: NDArray[np.uint8], rng: np.random.Generator) -> NDArray[np.uint8]:
        light = 255 * (image / np.float32(255)) ** np.float32(1.3) * np.float32(gain)
        noise = rng.normal(0, 3.0, image.shape[:2]).astype(np.float32)
        return np.clip(light + noise[..., None], 0, 255).astype(np.uint8)

    return _camera(change)


def _glare(image: NDArray[np.uint8], rng: np.random.Generator) -> NDArray[np.uint8]:
    """A low sun: a blinding disc, its halo, and a veil over everything."""
    height, width = image.shape[:2]
    y, x = np.mgrid[:height, :width].astype(np.float32)
    centre = rng.uniform(0.3, 0.7) * width, rng.uniform(0.2, 0.45) * height
    away = np.hypot(x - centre[0], y - centre[1]) / width
    veil = 40 + 500 * np.exp(-away / 0.08)
    return np.clip(image * np.float32(0.8) + veil[..., None], 0, 255).astype(np.uint8)


def _drops(image: NDArray[np.uint8], rng: np.random.Generator) -> NDArray[np.uint8]:
    """Rain on the lens: round patches that show the surroundings blurred and bright."""
    height, width = image.shape[:2]
    blurred = cv2.add(cv2.GaussianBlur(image, (0, 0), 0.02 * width), np.full(3, 15.0))
    mask = np.zeros((height, width), np.uint8)
    for _ in range(45):
        radius = int(rng.uniform(0.005, 0.03) * width)
        cv2.circle(mask, (int(rng.integers(width)), int(rng.integers(height))), radius, 255, -1)
    alpha = cv2.GaussianBlur(mask, (0, 0), 2)[..., None].astype(np.float32) / 255
    return (image + alpha * (blurred.astype(np.float32) - image)).astype(np.uint8)


def _camera(change: Callable[[NDArray[np.uint8], np.random.Generator], NDArray[np.uint8]]) -> Fault:
    def disturbed(samples: Sequence[Sample], index: int) -> Frame | None:
        frame = samples[index].frame
        return None if frame.rgb is None else replace(frame, rgb=change(frame.rgb, np.random.default_rng(index)))

    return disturbed


def late(field: str) -> Fault:
    """This sensor shows what it saw a second ago."""

    def disturbed(samples: Sequence[Sample], index: int) -> Frame | None:
        if index < LATE or getattr(samples[index].frame, field) is None:
            return None
        return replace(samples[index].frame, **{field: getattr(samples[index - LATE].frame, field)})

    return disturbed


def of_another_frame(field: str) -> Fault:
    """This sensor shows another place altogether, as a stuck or mixed-up one does."""

    def disturbed(samples: Sequence[Sample], index: int) -> Frame | None:
        frame, other = samples[index].frame, samples[(index + len(samples) // 2) % len(samples)].frame
        value: Any = getattr(other, field)
        if getattr(frame, field) is None or value is None:
            return None
        if field != "points" and value.shape[:2] != frame.size[::-1]:
            value = cv2.resize(value, frame.size, interpolation=cv2.INTER_NEAREST)
        return replace(frame, **{field: value})

    return disturbed


def _inverted(samples: Sequence[Sample], index: int) -> Frame | None:
    infrared = samples[index].frame.infrared
    if infrared is None:
        return None
    return replace(samples[index].frame, infrared=(np.iinfo(infrared.dtype).max - infrared).astype(infrared.dtype))


def turned(degrees: float) -> Fault:
    """The LiDAR turned about its vertical axis, and nobody told."""

    def disturbed(samples: Sequence[Sample], index: int) -> Frame | None:
        frame = samples[index].frame
        if frame.points is None or frame.lidar_to_camera is None:
            return None
        turn = np.eye(4)
        turn[:3, :3] = cv2.Rodrigues(np.radians([0.0, 0.0, degrees]))[0]
        return replace(frame, lidar_to_camera=frame.lidar_to_camera @ turn)

    return disturbed


def _scaled_depth(samples: Sequence[Sample], index: int) -> Frame | None:
    depth = samples[index].frame.depth
    return None if depth is None else replace(samples[index].frame, depth=depth * np.float32(1.3))


FAULTS: dict[str, Fault] = {
    "none": lambda samples, index: samples[index].frame,
    "darkness, a third of the light": darkened(0.33),
    "darkness, a tenth": darkened(0.1),
    "darkness, a thirtieth": darkened(0.033),
    "darkness, a hundredth": darkened(0.01),
    "glare": _camera(_glare),
    "fog": _camera(lambda image, rng: corrupt(image, "fog", 4, rng)),
    "rain on the lens": _camera(_drops),
    "camera a second late": late("rgb"),
    "camera of another place": of_another_frame("rgb"),
    "depth a second late": late("depth"),
    "depth of another place": of_another_frame("depth"),
    "depth 30 % too far": _scaled_depth,
    "thermal image inverted": _inverted,
    "thermal image of another place": of_another_frame("infrared"),
    "LiDAR turned by 3°": turned(3.0),
    "LiDAR a second late": late("points"),
    "LiDAR of another place": of_another_frame("points"),
}
"""By the name that the tables give them."""

# SPDX-License-Identifier: Apache-2.0
"""The pictures that an explanation's figure is made of, as (H, W, 3) uint8 RGB of the frame's size."""

from __future__ import annotations

from typing import Any

import cv2
import matplotlib
import numpy as np
from numpy.typing import NDArray

from perception.classes import BACKGROUND, CLASSES, Classes
from perception.frame import Frame, Prediction
from perception.reporting.visualise import depth_view, further_view, lidar_view, overlay, thermal_view
from perception.sensors.spec import FURTHER

RGB = NDArray[np.uint8]

HEAT, SHARE, GATE, CONFIDENCE = "inferno", "PuOr", "viridis", "cividis"
"""Colour maps: of saliency, of camera (violet) against the other sensors (orange), of gates, of confidence."""

LOST = (250, 250, 250)
"""Pixels that became background: the class's own grey would not be seen."""


def base(frame: Frame) -> RGB:
    """The image of the sensor that is easiest to read: camera, else thermal, else depth, else LiDAR."""
    size = frame.size
    if frame.rgb is not None:
        return frame.rgb
    if frame.infrared is not None:
        return thermal_view(frame.infrared, *size)
    return depth_view(frame.depth, *size) if frame.depth is not None else lidar_view(frame, *size)


def masks(frame: Frame, labels: NDArray[np.uint8], classes: Classes = CLASSES) -> RGB:
    """The masks over the camera's image."""
    return overlay(_grey(base(frame)) if frame.rgb is None else frame.rgb, labels, classes=classes)


def painted(values: NDArray[Any], colours: str, size: tuple[int, int], smooth: bool = True) -> RGB:
    """Values in 0–1 of any resolution through matplotlib's colour map of that name. size: (width, height)."""
    how = cv2.INTER_LINEAR if smooth else cv2.INTER_NEAREST
    scaled = np.clip(cv2.resize(np.asarray(values, np.float32), size, interpolation=how), 0, 1)
    return np.asarray(matplotlib.colormaps[colours](scaled, bytes=True)[..., :3], np.uint8)


def heated(frame: Frame, heat: NDArray[np.float32], prediction: Prediction, name: str) -> RGB:
    """Saliency over the image in grey, with a line around the pixels of the class called `name`."""
    strength = cv2.resize(heat, frame.size, interpolation=cv2.INTER_LINEAR)[..., None]
    alpha = 0.1 + 0.8 * np.clip(strength, 0, 1) ** 0.7
    view = _grey(base(frame)) * 0.75 * (1 - alpha) + painted(heat, HEAT, frame.size) * alpha
    class_id = prediction.classes.foreground[name]
    return _outlined(view.astype(np.uint8), prediction.labels == class_id, prediction.classes.palette[class_id])


def changed(frame: Frame, before: NDArray[np.uint8], after: NDArray[np.uint8], classes: Classes = CLASSES) -> RGB:
    """The pixels whose label changed in the colour of the class they got, over the image in dark grey."""
    view = (_grey(base(frame)) * 0.5).astype(np.uint8)
    colours = classes.palette.copy()
    colours[BACKGROUND] = LOST
    differs = before != after
    view[differs] = colours[np.minimum(after[differs], len(colours) - 1)]
    return view


def sensor(frame: Frame, name: str) -> RGB:
    """The image of an auxiliary sensor of the frame."""
    if name == "depth" and frame.depth is not None:
        return depth_view(frame.depth, *frame.size)
    if name == "infrared" and frame.infrared is not None:
        return thermal_view(frame.infrared, *frame.size)
    if name in FURTHER:
        return further_view(frame, name, *frame.size)
    return lidar_view(frame, *frame.size)


def _outlined(view: RGB, region: NDArray[np.bool_], colour: NDArray[np.uint8]) -> RGB:
    found = cv2.findContours(region.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)[0]
    bright = tuple(int(c) for c in 255 - (255 - colour.astype(int)) * 2 // 3)
    thickness = max(1, round(view.shape[1] / 600))
    return np.asarray(cv2.drawContours(view, found, -1, bright, thickness), np.uint8)


def _grey(image: RGB) -> RGB:
    return np.asarray(cv2.cvtColor(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY), cv2.COLOR_GRAY2RGB), np.uint8)

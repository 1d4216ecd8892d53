# SPDX-License-Identifier: Apache-2.0
"""A depth camera: the true depth with noise that grows with its square, holes, and a limited range."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from perception.simulation.optics.weather import Weather
from perception.simulation.sensors.camera import View

DEPTHS: tuple[str, ...] = ("ideal", "stereo", "tof", "any")
"""The depth cameras by name; any draws one of the others for every seed."""

RANGE = 80.0
"""Metres beyond which there is no depth."""

DISPARITY_NOISE = 0.3
"""Error in pixels of disparity, at the rig's full image size."""


def which_depth(name: str, seed: int) -> str:
    """`name`, or the choice of `any` for that seed."""
    if name != "any":
        return name
    return str(np.random.default_rng([seed, 1001]).choice(DEPTHS[:-1], p=(0.2, 0.6, 0.2)))


def measure_depth(view: View, weather: Weather, lever: float, rng: np.random.Generator) -> NDArray[np.float32]:
    """(H, W) float32 metres along the optical axis, NaN where there is none.

    lever: focal length in pixels at full image size, times the stereo base in metres.
    """
    true = np.minimum(view.depth, 2 * RANGE)
    height, width = true.shape
    # Matching windows make the error alike over a few pixels.
    sigma = 1.5 * width / 1242 + 0.3
    error = cv2.GaussianBlur(rng.standard_normal((height, width), np.float32), (0, 0), sigma) * np.float32(3.5 * sigma)
    depth = true + np.float32(DISPARITY_NOISE / lever) * error * true**2
    depth[(depth < 0.5) | (depth > RANGE) | _holes(view, weather, rng)] = np.nan
    return np.asarray(depth, np.float32)


def _holes(view: View, weather: Weather, rng: np.random.Generator) -> NDArray[np.bool_]:
    """Where matching fails: beside nearer things, on panes, and in blobs that grow with darkness and fog."""
    height, width = view.depth.shape
    pane = np.zeros(height * width, np.float32)
    pane[view.hits.ray] = view.surface.glass
    coarse = rng.standard_normal((height // 8 + 1, width // 8 + 1), np.float32)
    blobs = cv2.resize(cv2.GaussianBlur(coarse, (0, 0), 1.0), (width, height), interpolation=cv2.INTER_LINEAR) * 3.5
    limit = {"night": 1.2, "fog": 1.5, "rain": 1.7}.get(weather.condition, 2.1)
    occluded = np.zeros((height, width), bool)
    shift = max(1, round(4 * width / 1242))
    reach = np.minimum(view.depth, 2 * RANGE)
    occluded[:, :-shift] = reach[:, :-shift] > 1.15 * reach[:, shift:]
    too_hazy = view.depth > 3.0 / weather.extinction
    return np.asarray((blobs > limit - 0.9 * pane.reshape(height, width)) | occluded | too_hazy)

# SPDX-License-Identifier: Apache-2.0
"""A thermal image as network channels, whatever camera it comes from.

Cameras send 8 bit after their own gain control, 14-bit counts or centikelvin, with borders of registration around them.
All go one way: what is measured is told from what is filled in, and both channels are relative to what is measured in
this image, never to a fixed temperature.
"""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from perception.sensors.spec import Scene

BINS = 1024
"""Grey levels that are told apart between an image's extremes."""

LOW, HIGH = 1.0, 99.0
"""Percentiles of the measured pixels that become 0 and 255."""

FLATTEST = {np.dtype(np.uint8): 24.0, np.dtype(np.uint16): 64.0}
"""Grey levels that are 0–255 at least: a scene of one temperature must not become amplified noise."""

RIM = {np.dtype(np.uint8): 6, np.dtype(np.uint16): 0}
"""Grey levels up to which a border is filled in and not measured; JPEG leaves it a little above 0."""

SMALLEST_RIM = 0.002
"""Share of the image below which a dark patch at its border is something cold."""


def code_infrared(scene: Scene, width: int, height: int) -> NDArray[np.uint8]:
    """The `infrared_channels` of a scene."""
    assert scene.frame.infrared is not None
    return infrared_channels(scene.frame.infrared, width, height)


def infrared_channels(infrared: NDArray[Any], width: int, height: int) -> NDArray[np.uint8]:
    """(H, W) uint8 or uint16, white-hot → (3, height, width) uint8: intensity, rank, valid; 0 where nothing is known.

    intensity: linear from percentile LOW to HIGH of the measured pixels. rank: the share of them that is colder, which
    no gain control, gamma or hot engine in view changes.
    """
    # Bilinear, halving takes the mean of 2×2 pixels too, in a tenth of INTER_AREA's time for 16 bits.
    halved = infrared.shape[1] <= 2 * width and infrared.shape[0] <= 2 * height
    how = cv2.INTER_LINEAR if halved else cv2.INTER_AREA
    small = cv2.resize(infrared, (width, height), interpolation=how)
    valid = ~unmeasured(small)
    seen = small[::2, ::2][valid[::2, ::2]]
    channels = np.zeros((3, height, width), np.uint8)
    if not len(seen):
        return channels
    # A table look-up is quicker than arithmetic in 16 bits, if only of the levels that occur.
    coldest, warmest = (0, 255) if small.dtype == np.uint8 else (int(small.min()), int(small.max()))
    tables = _tables(seen, np.arange(coldest, warmest + 1, dtype=np.float32))
    for channel, table in zip(channels[:2], tables, strict=True):
        np.copyto(channel, cv2.LUT(small, table) if small.dtype == np.uint8 else table[small - coldest])
    channels[2] = 255
    channels *= valid
    return channels


def white_hot(black_hot: NDArray[Any]) -> NDArray[Any]:
    """(H, W) a thermal image whose warm things are dark → one whose warm things are bright; what is filled in stays.

    Which of both a camera sends cannot be told from its images: the sky is the coldest thing in view on an open road,
    and a warm tree or house stands there in a town.
    """
    measured = ~unmeasured(black_hot)
    turned = np.iinfo(black_hot.dtype).max - black_hot
    return np.where(measured, np.maximum(turned, RIM[black_hot.dtype] + 1), 0).astype(black_hot.dtype)


def unmeasured(infrared: NDArray[Any]) -> NDArray[np.bool_]:
    """(H, W) what registration or a vignette filled in: dark patches of one value that reach the border."""
    dark = infrared <= RIM[infrared.dtype]
    border = np.concatenate([dark[0], dark[-1], dark[:, 0], dark[:, -1]])
    if not border.any():
        return np.zeros(dark.shape, np.bool_)
    _, patches, stats, _ = cv2.connectedComponentsWithStats(dark.astype(np.uint8), connectivity=4)
    left, top, wide, high, area = stats.T
    reaches = (left == 0) | (top == 0) | (left + wide == dark.shape[1]) | (top + high == dark.shape[0])
    filled = reaches & (area >= SMALLEST_RIM * dark.size)
    filled[0] = False  # all that is not dark
    # Interpolation mixes the outermost measured pixels with the fill.
    return np.asarray(cv2.dilate(filled[patches].astype(np.uint8), np.ones((3, 3), np.uint8)) > 0)


def _tables(seen: NDArray[Any], levels: NDArray[np.float32]) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """The intensity and the rank of each of these grey levels, from the measured pixels."""
    low, high = np.percentile(seen, (LOW, HIGH))
    flattest = FLATTEST[seen.dtype]
    spread = max(float(high - low), flattest)
    linear = np.clip((levels - low) * (255 / spread), 0, 255)
    # The rank is taken over as wide a range: noise of a flat scene must not be spread out either.
    first, last = float(seen.min()), float(max(seen.max(), seen.min() + flattest))
    # Of each level with as many as have it, which are far fewer than pixels.
    pixels = np.bincount(seen)
    there = np.flatnonzero(pixels)
    counts, edges = np.histogram(there, BINS, (first, last), weights=pixels[there])
    share = np.concatenate([[0.0], np.cumsum(counts) / len(seen)])
    rank = np.interp(levels, edges, share)
    if high - low < flattest:
        rank = linear / 255
    return linear.astype(np.uint8), (255 * rank).astype(np.uint8)

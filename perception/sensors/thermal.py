# SPDX-License-Identifier: Apache-2.0
"""A thermal image as network channels, for any camera.

Cameras send 8 bits after their own gain control, 14-bit counts or centikelvin, with borders of registration around
them. All are handled in the same way: measured pixels are separated from filled ones, and both channels are relative
to the measured pixels of this image, never to a fixed temperature.
"""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from perception.sensors.spec import Scene

BINS = 1024
"""The number of grey levels between an image's extremes."""

LOW, HIGH = 1.0, 99.0
"""Percentiles of the measured pixels that become 0 and 255."""

FLATTEST = {np.dtype(np.uint8): 24.0, np.dtype(np.uint16): 64.0}
"""The fewest grey levels that become 0–255: a scene of one temperature must not become amplified noise."""

RIM = {np.dtype(np.uint8): 6, np.dtype(np.uint16): 0}
"""Grey levels up to which a border counts as filled, not measured; JPEG leaves it slightly above 0."""

SMALLEST_RIM = 0.002
"""The share of the image below which a dark patch at its border is a cold object."""


def code_infrared(scene: Scene, width: int, height: int) -> NDArray[np.uint8]:
    """The `infrared_channels` of a scene."""
    assert scene.frame.infrared is not None
    return infrared_channels(scene.frame.infrared, width, height)


def infrared_channels(infrared: NDArray[Any], width: int, height: int) -> NDArray[np.uint8]:
    """(H, W) uint8 or uint16, white-hot → (3, height, width) uint8: intensity, rank, valid; 0 where unknown.

    intensity: linear from percentile LOW to HIGH of the measured pixels. rank: the share of them that is colder, which
    does not change with gain control, gamma or a hot engine in view.
    """
    # When halving, bilinear also takes the mean of 2×2 pixels, in a tenth of INTER_AREA's time for 16 bits; so does
    # halving twice.
    small, left = infrared, max(infrared.shape[1] / width, infrared.shape[0] / height)
    if 2 < left <= 4:
        small, left = cv2.resize(infrared, (2 * width, 2 * height), interpolation=cv2.INTER_LINEAR), 2.0
    how = cv2.INTER_LINEAR if left <= 2 else cv2.INTER_AREA
    small = cv2.resize(small, (width, height), interpolation=how)
    valid = ~unmeasured(small)
    seen = small[::2, ::2][valid[::2, ::2]]
    channels = np.zeros((3, height, width), np.uint8)
    if not len(seen):
        return channels
    # A table look-up of the levels that occur is faster than arithmetic in 16 bits; 0 is reserved for pixels without a
    # measurement.
    coldest, warmest = (0, 255) if small.dtype == np.uint8 else (int(small.min()), int(small.max()))
    tables = _tables(seen, np.arange(coldest, warmest + 1, dtype=np.float32))
    places = None if small.dtype == np.uint8 else (small - coldest).astype(np.intp)
    for channel, table in zip(channels[:2], tables, strict=True):
        if places is None:
            cv2.LUT(small, table, channel)
        else:  # no place is clipped: not to look whether one is outside takes half of the time
            table.take(places, out=channel, mode="clip")
    channels[2] = 255
    channels *= valid
    return channels


def white_hot(black_hot: NDArray[Any]) -> NDArray[Any]:
    """(H, W) a thermal image whose warm things are dark → one whose warm things are bright; filled pixels stay.

    Which of the two a camera sends cannot be determined from its images: on an open road the sky is the coldest thing
    in view, but in a town there is a warm tree or house in its place.
    """
    measured = ~unmeasured(black_hot)
    turned = np.iinfo(black_hot.dtype).max - black_hot
    return np.where(measured, np.maximum(turned, RIM[black_hot.dtype] + 1), 0).astype(black_hot.dtype)


def unmeasured(infrared: NDArray[Any]) -> NDArray[np.bool_]:
    """(H, W) the pixels filled by registration or a vignette: dark patches of one value that reach the border."""
    dark = infrared <= RIM[infrared.dtype]
    border = np.concatenate([dark[0], dark[-1], dark[:, 0], dark[:, -1]])
    if not border.any():
        return np.zeros(dark.shape, np.bool_)
    _, patches, stats, _ = cv2.connectedComponentsWithStats(dark.astype(np.uint8), connectivity=4)
    left, top, wide, high, area = stats.T
    reaches = (left == 0) | (top == 0) | (left + wide == dark.shape[1]) | (top + high == dark.shape[0])
    filled = reaches & (area >= SMALLEST_RIM * dark.size)
    filled[0] = False  # the component of all pixels that are not dark
    # Interpolation mixes the outermost measured pixels with the fill.
    return np.asarray(cv2.dilate(filled[patches].astype(np.uint8), np.ones((3, 3), np.uint8)) > 0)


def _tables(seen: NDArray[Any], levels: NDArray[np.float32]) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """The intensity and the rank of each of these grey levels, from the measured pixels."""
    # Of each level with as many as have it, which are far fewer than pixels.
    pixels = np.bincount(seen)
    there = np.flatnonzero(pixels)
    low, high = _percentiles(there, pixels[there])
    flattest = FLATTEST[seen.dtype]
    spread = max(float(high - low), flattest)
    linear = np.clip((levels - low) * (255 / spread), 0, 255)
    # The ranks also cover at least this range: noise of a flat scene must not be spread out either.
    first, last = float(there[0]), float(max(there[-1], there[0] + flattest))
    counts, edges = np.histogram(there, BINS, (first, last), weights=pixels[there])
    share = np.concatenate([[0.0], np.cumsum(counts) / len(seen)])
    rank = np.interp(levels, edges, share)
    if high - low < flattest:
        rank = linear / 255
    return linear.astype(np.uint8), (255 * rank).astype(np.uint8)


def _percentiles(levels: NDArray[np.intp], pixels: NDArray[np.intp]) -> tuple[float, float]:
    """LOW and HIGH of the grey `levels`, ascending, that so many `pixels` have; as NumPy's of all pixels."""
    last = np.cumsum(pixels)
    place = np.array([LOW, HIGH]) / 100 * (last[-1] - 1)
    before, after = (levels[np.searchsorted(last, at, "right")] for at in (np.floor(place), np.ceil(place)))
    low, high = before + (after - before) * (place - np.floor(place))
    return float(low), float(high)

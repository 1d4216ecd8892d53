# SPDX-License-Identifier: Apache-2.0
"""Converts raw images to those of a pinhole camera, and results in these back to the raw image."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from perception.frame import CameraModel

_OFF = 0.5
"""Pixels by which a point may miss itself after conversion there and back; beyond, the lens's model has folded over."""

_STEP = 4
"""Lenses are computed for one pixel in so many per side, and interpolated in between: they are smooth."""

_CRITERIA = (cv2.TERM_CRITERIA_COUNT + cv2.TERM_CRITERIA_EPS, 20, 1e-6)

_NO_FRACTIONS: Any = None
"""Accepted by OpenCV, but not by its stubs, for maps of whole pixels."""


@dataclass(frozen=True)
class Lens:
    """How a camera's raw image of `width`×`height` pixels differs from the rectified one, which has the same size.

    k, r, p: (3, 3) row by row, as in a CameraInfo: the raw image's intrinsics, the rotation into the rectified frame,
    the rectified image's intrinsics. d: distortion, in OpenCV's order: k1 k2 p1 p2 and up to ten more, or the four of a
    `fisheye`.
    """

    k: tuple[float, ...]
    d: tuple[float, ...]
    r: tuple[float, ...]
    p: tuple[float, ...]
    width: int
    height: int
    fisheye: bool = False

    def resized(self, width: int, height: int) -> Lens:
        """The same lens for an image scaled to `width`×`height`."""
        k, p = (
            tuple(
                CameraModel(_square(each), self.width, self.height).resized(width, height).intrinsics.ravel().tolist()
            )
            for each in (self.k, self.p)
        )
        return replace(self, k=k, p=p, width=width, height=height)

    def rectify(self, image: NDArray[Any]) -> NDArray[Any]:
        """(H, W) or (H, W, channels) of the raw image → rectified, 0 where the camera saw nothing.

        8-bit images are interpolated; for others, whose zeros may mean invalid, the nearest pixel is taken.
        """
        maps = _maps(self)
        if image.dtype == np.uint8:
            return np.asarray(cv2.remap(image, maps.smooth, maps.fractions, cv2.INTER_LINEAR))
        return np.asarray(cv2.remap(image, maps.nearest, _NO_FRACTIONS, cv2.INTER_NEAREST))

    def rectify_depth(self, depth: NDArray[np.float32]) -> NDArray[np.float32]:
        """(H, W) metres along the raw image's axis → along the rectified one's; NaN where nothing was measured."""
        maps, nothing = _maps(self), (float("nan"),) * 4
        found = cv2.remap(depth, maps.nearest, _NO_FRACTIONS, cv2.INTER_NEAREST, borderValue=nothing)
        if maps.stretch is not None:
            found = found * maps.stretch
        return np.asarray(found, np.float32)

    def unrectify(self, image: NDArray[Any], nothing: int) -> NDArray[Any]:
        """(H, W) of the rectified image → the raw image, the nearest pixel; `nothing` where that has no pixel."""
        return np.asarray(
            cv2.remap(image, _maps(self).back, _NO_FRACTIONS, cv2.INTER_NEAREST, borderValue=(nothing,) * 4)
        )


class _Maps(NamedTuple):
    """As cv2.remap takes them. stretch: (H, W) factor of depth in the rectified frame; None without a rotation."""

    smooth: NDArray[np.int16]
    fractions: NDArray[np.uint16]
    nearest: NDArray[np.int16]
    back: NDArray[np.int16]
    stretch: NDArray[np.float32] | None


@lru_cache(maxsize=8)
def _maps(lens: Lens) -> _Maps:
    """Computed once per lens: some tenths of a second."""
    across, down = (np.arange(0, size + _STEP, _STEP, dtype=np.float32) for size in (lens.width, lens.height))
    pixels = np.stack(np.meshgrid(across, down), axis=-1)
    there = _distort(lens, pixels)
    back = _undistort(lens, pixels)
    there = _between(there, _distance(_undistort(lens, there), pixels) < _OFF, lens)
    back = _between(back, _distance(_distort(lens, back), pixels) < _OFF, lens)
    smooth, fractions = cv2.convertMaps(there, _NO_FRACTIONS, cv2.CV_16SC2)
    whole = (cv2.convertMaps(each, _NO_FRACTIONS, cv2.CV_16SC2, nninterpolation=True)[0] for each in (there, back))
    nearest, returned = (np.asarray(each, np.int16) for each in whole)
    stretch = None
    if not np.allclose(_square(lens.r), np.eye(3)):
        every = np.stack(np.meshgrid(np.arange(lens.width), np.arange(lens.height)), axis=-1).astype(np.float32)
        stretch = (1 / _rays(lens, every)[..., 2]).astype(np.float32)
    return _Maps(np.asarray(smooth, np.int16), np.asarray(fractions, np.uint16), nearest, returned, stretch)


def _between(coarse: NDArray[np.float32], known: NDArray[np.bool_], lens: Lens) -> NDArray[np.float32]:
    """Coordinates (h, w, 2) of every _STEP-th pixel → (H, W, 2) of all, outside where a neighbour is not `known`."""
    u, v = np.meshgrid(*(np.arange(size, dtype=np.float32) / _STEP for size in (lens.width, lens.height)))
    moderate = np.nan_to_num(np.clip(coarse, -1e4, 1e4))
    found = np.asarray(cv2.remap(moderate, u, v, cv2.INTER_LINEAR), np.float32)
    found[np.asarray(cv2.remap(known.astype(np.float32), u, v, cv2.INTER_LINEAR)) < 1 - 1e-3] = -10.0
    return np.clip(found, -10.0, 2.0**15 - 10)


def _rays(lens: Lens, pixels: NDArray[np.float32]) -> NDArray[np.float64]:
    """(H, W, 2) pixels of the rectified image → (H, W, 3) rays in the raw image's frame, of length 1 along the axis of
    the rectified one."""
    rays = np.concatenate([pixels, np.ones_like(pixels[..., :1])], axis=-1).astype(np.float64)
    return rays @ (np.linalg.inv(_square(lens.r)) @ np.linalg.inv(_square(lens.p))).T


def _distort(lens: Lens, pixels: NDArray[np.float32]) -> NDArray[np.float32]:
    """(H, W, 2) pixels of the rectified image → of the raw one; NaN behind the camera."""
    rays = _rays(lens, pixels).reshape(-1, 1, 3)
    zero, k, d = np.zeros(3), _square(lens.k), np.array(lens.d)
    behind = ~(rays[:, 0, 2] > 1e-6)
    rays[behind] = 0.0, 0.0, 1.0
    project = cv2.fisheye.projectPoints if lens.fisheye else cv2.projectPoints
    found = np.asarray(project(rays, zero, zero, k, d)[0], np.float32).reshape(-1, 2)
    found[behind] = np.nan
    return found.reshape(pixels.shape)


def _undistort(lens: Lens, pixels: NDArray[np.float32]) -> NDArray[np.float32]:
    """(H, W, 2) pixels of the raw image → of the rectified one; far outside where the lens's model has no solution."""
    k, d, r, p = _square(lens.k), np.array(lens.d), _square(lens.r), _square(lens.p)
    near = np.nan_to_num(np.clip(pixels, -4.0 * lens.width, 5.0 * lens.width), nan=-10.0).reshape(-1, 1, 2)
    if lens.fisheye:
        found = cv2.fisheye.undistortPoints(near, k, d, R=r, P=p)
    else:
        found = cv2.undistortPoints(near, k, d, R=r, P=p, criteria=_CRITERIA)
    return np.asarray(found, np.float32).reshape(pixels.shape)


def _distance(one: NDArray[np.float32], other: NDArray[np.float32]) -> NDArray[np.float32]:
    """(H, W) Manhattan distance in pixels; NaN if either is unknown."""
    return np.asarray(np.abs(one - other).sum(axis=-1), np.float32)


def _square(numbers: tuple[float, ...]) -> NDArray[np.float64]:
    return np.array(numbers, np.float64).reshape(3, 3)

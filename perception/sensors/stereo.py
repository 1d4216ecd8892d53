# SPDX-License-Identifier: Apache-2.0
"""Depth from a rectified pair of images, computed as in a stereo camera's driver.

A point at depth Z [m] stands d = fx · B / Z pixels further left in the right image than in the left one, where fx is
the focal length [pixels] and B the baseline [m] of the pair: so Z = fx · B / d. In ROS the right camera's CameraInfo
gives the baseline: P[0, 3] = -fx · B (REP 104).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from perception.errors import FrameError

SUBPIXELS = 16
"""OpenCV's disparities are in sixteenths of a pixel; those of sgbm are biased to whole pixels, by 0.2 at most."""

_MEDIANS = (0, 3, 5)


@dataclass(frozen=True)
class Matcher:
    """How blocks of the left image are searched for in the right one.

    kind: `sgbm` (semi-global, three paths) or `bm` (block matching: half the time, blind on plain surfaces).
    block: side of the block, odd, 5 or more for bm. disparities: the range of the search, a multiple of 16; things
    nearer than fx · B / disparities are not found, nor are the left image's first `disparities` columns. uniqueness: by
    how many per cent the best match must beat the second. speckle_window: patches of fewer pixels are removed, 0 keeps
    them. speckle_range: how far [pixels] neighbours of one patch may differ. left_right: by how many pixels the match
    back from right to left may miss, -1 for no such check. median: side of the median filter over the disparities, 0, 3
    or 5; 0 for none.

    Raises FrameError for values that OpenCV does not support.
    """

    kind: str = "sgbm"
    block: int = 5
    disparities: int = 128
    uniqueness: int = 10
    speckle_window: int = 200
    speckle_range: int = 1
    left_right: int = 1
    median: int = 5

    def __post_init__(self) -> None:
        if self.kind not in ("sgbm", "bm"):
            raise FrameError(f"stereo matcher: kind {self.kind!r}, expected sgbm or bm")
        if self.block % 2 == 0 or self.block < (5 if self.kind == "bm" else 1):
            raise FrameError(f"stereo matcher: block {self.block}, expected an odd number, 5 or more for bm")
        if self.disparities <= 0 or self.disparities % 16:
            raise FrameError(f"stereo matcher: {self.disparities} disparities, expected a multiple of 16")
        if self.median not in _MEDIANS:
            raise FrameError(f"stereo matcher: median {self.median}, expected one of {_MEDIANS}")


def stereo_depth(
    left: NDArray[np.uint8],
    right: NDArray[np.uint8],
    focal_px: float,
    baseline_m: float,
    matcher: Matcher | None = None,
) -> NDArray[np.float32]:
    """(H, W) float32 metres along the left camera's optical axis, NaN without a match.

    left, right: a rectified pair, (H, W, 3) uint8 RGB or (H, W) uint8. focal_px: fx of both, in pixels of these images.
    baseline_m: metres from the left camera to the right one. matcher: None means `Matcher()`. Raises FrameError for
    images that are not a pair, that are too narrow to match, and for a focal length or baseline that is not positive.
    """
    matcher = matcher or Matcher()
    if left.shape != right.shape or left.dtype != np.uint8 or right.dtype != np.uint8:
        raise FrameError(
            f"stereo pair: {left.dtype} {left.shape} and {right.dtype} {right.shape}, expected uint8 alike"
        )
    if left.shape[1] <= matcher.disparities:
        raise FrameError(f"stereo pair: {left.shape[1]} pixels wide, too narrow for {matcher.disparities} disparities")
    if not (0 < focal_px < np.inf and 0 < baseline_m < np.inf):
        raise FrameError(f"stereo pair: focal length {focal_px} pixels, baseline {baseline_m} m: both must be positive")
    sixteenths = _algorithm(matcher).compute(_grey(left), _grey(right))
    if matcher.median:
        sixteenths = cv2.medianBlur(sixteenths, matcher.median)
    depth = np.full(sixteenths.shape, np.nan, np.float32)
    np.divide(np.float32(SUBPIXELS * focal_px * baseline_m), sixteenths, out=depth, where=sixteenths > 0)
    return depth


def _algorithm(matcher: Matcher) -> Any:
    if matcher.kind == "bm":
        bm = cv2.StereoBM.create(matcher.disparities, matcher.block)
        bm.setUniquenessRatio(matcher.uniqueness)
        bm.setSpeckleWindowSize(matcher.speckle_window)
        bm.setSpeckleRange(SUBPIXELS * matcher.speckle_range)  # unlike sgbm, bm does not multiply it
        bm.setDisp12MaxDiff(matcher.left_right)
        return bm
    return cv2.StereoSGBM.create(
        minDisparity=0,
        numDisparities=matcher.disparities,
        blockSize=matcher.block,
        P1=24 * matcher.block**2,  # OpenCV's values for colour: on grey images of streets better than those for grey
        P2=96 * matcher.block**2,
        disp12MaxDiff=matcher.left_right,
        preFilterCap=63,
        uniquenessRatio=matcher.uniqueness,
        speckleWindowSize=matcher.speckle_window,
        speckleRange=matcher.speckle_range,
        mode=cv2.STEREO_SGBM_MODE_SGBM_3WAY,
    )


def _grey(image: NDArray[np.uint8]) -> NDArray[Any]:
    return image if image.ndim == 2 else cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)

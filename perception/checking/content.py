# SPDX-License-Identifier: Apache-2.0
"""The content of the frames: information, units, bit depths, intensities, colours, and swapped sensors.

Each check takes frame after frame (`add`) and returns its results at the end (`findings`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping

import cv2
import numpy as np
from numpy.typing import NDArray

from perception.checking.findings import Finding, finding
from perception.frame import Frame
from perception.sensors.presence import uninformative
from perception.sensors.projection import project_sweep
from perception.sensors.visibility import hidden_from_camera

PAIRS = 300
"""The fewest pixels with both depth and a LiDAR point, in all frames, for a comparison."""

RELATED, LOOSE, UNRELATED = 0.9, 0.7, 0.3
"""Correlations of two measurements of distance; the limit below which one of them does not measure distance, such as
heat, which falls with the distance too; and the limit below which the two are unrelated."""

UNITS: Mapping[float, str] = {
    1000.0: "as if millimetres were sent as metres (32FC1)",
    100.0: "as if centimetres were sent as metres",
    10.0: "as if tenths of a millimetre were sent as millimetres",
    256.0: "as if metres × 256 were sent as metres (32FC1)",
    0.256: "as if metres × 256, KITTI's PNG, were sent as millimetres (16UC1)",
    0.1: "as if centimetres were sent as millimetres (16UC1)",
    0.001: "as if metres were sent as millimetres (16UC1)",
}
"""Factors of wrong depth, and the unit mix-up behind each."""

UNIT_WITHIN, SCALE_WITHIN = 0.1, 0.15
"""Relative deviation from a unit's factor, and from 1."""

PLAUSIBLE_M = (0.25, 300.0)
"""The range in which the median of a depth image lies, if there is nothing to compare it with."""

HOLES = 0.03
"""The share of pixels with depth below which a depth image is nearly empty."""

DARK = 0.02
"""On a scale of 0–1: if 99 % of the points are below this, the intensities have another scale."""

SKY, SKY_BRIGHT, SKY_TURNED = 0.1, 130, 30
"""Share of the image that is smooth bright sky; how bright; by how much its red is above its blue, of 255."""


class Presence:
    """Sensors that send messages without information, by the reasons of `presence.uninformative`, and frozen ones."""

    CODES: Mapping[str, str] = {
        "is black": "image-black",
        "is white": "image-constant",
        "of one": "image-constant",
        "is empty": "no-values",
        "measures nothing": "no-values",
        "out of view": "lidar-out-of-view",
        "is frozen": "frozen",
    }

    def __init__(self) -> None:
        self._found: dict[tuple[str, str], str] = {}
        self._counts: Counter[tuple[str, str]] = Counter()
        self._frames = 0

    def add(self, frame: Frame, absent: Mapping[str, str]) -> dict[str, str]:
        """Take a frame, and the sensors that were left out of it before; returns its sensors without information."""
        dull = uninformative(frame)
        for sensor, reason in {**dull, **absent}.items():
            code = next((code for words, code in self.CODES.items() if words in reason), "no-values")
            self._found.setdefault((sensor, code), reason)
            self._counts[sensor, code] += 1
        self._frames += 1
        return dull

    def findings(self) -> Iterator[Finding]:
        """A finding per sensor and reason."""
        for (sensor, code), reason in self._found.items():
            yield finding(code, sensor, f"{reason} ({self._counts[sensor, code]} of {self._frames} frames)")


class Distances:
    """Compares depth and infrared with the LiDAR's distances at the same pixels; without a LiDAR, checks only depth."""

    def __init__(self) -> None:
        self._pairs: dict[str, list[NDArray[np.float64]]] = {"depth": [], "infrared": []}
        self._medians: list[float] = []
        self._valid: list[float] = []

    def add(self, frame: Frame) -> None:
        """Take a frame."""
        if frame.depth is not None:
            valid = frame.depth[np.isfinite(frame.depth)]
            self._valid.append(len(valid) / frame.depth.size)
            if len(valid):
                self._medians.append(float(np.median(valid)))
        for name, image in (("depth", frame.depth), ("infrared", frame.infrared)):
            if image is not None and frame.points is not None:
                self._pairs[name].append(_beside(frame, image.astype(np.float64)))

    def ratio(self) -> float | None:
        """Depth divided by the LiDAR's, the median; None if too few pixels have both."""
        pairs = self._both("depth")
        return None if pairs is None else float(np.median(pairs[:, 0] / pairs[:, 1]))

    def findings(self, lidar: bool) -> Iterator[Finding]:
        """lidar: whether the LiDAR can be relied on."""
        if self._valid and np.median(self._valid) < HOLES:
            yield finding("depth-holes", "depth", f"{np.median(self._valid):.1%} of the pixels have depth (median)")
        depth, infrared = (_correlation(self._both(name)) for name in ("depth", "infrared"))
        if lidar and infrared is not None and infrared > RELATED and (depth is None or depth < LOOSE):
            beside = "" if depth is None else f", depth with {depth:.2f}"
            yield finding(
                "sensors-swapped",
                "depth, infrared",
                f"infrared grows with the LiDAR's distance ({infrared:.2f}){beside}",
            )
            return
        ratio = self.ratio() if lidar else None
        if ratio is not None:
            yield from _judged(ratio, depth)
        elif self._medians and not PLAUSIBLE_M[0] < np.median(self._medians) < PLAUSIBLE_M[1]:
            yield finding("depth-unit", "depth", f"half of the pixels are nearer than {np.median(self._medians):.3g} m")

    def _both(self, name: str) -> NDArray[np.float64] | None:
        pairs = np.concatenate([np.empty((0, 2)), *self._pairs[name]])
        return pairs if len(pairs) >= PAIRS else None


def _judged(ratio: float, correlation: float | None) -> Iterator[Finding]:
    unit = min(UNITS, key=lambda each: abs(np.log(ratio / each)))
    said = f"depth is {_number(ratio)} times what the LiDAR measures at the same pixels (median)"
    if abs(ratio / unit - 1) < UNIT_WITHIN:
        yield finding("depth-unit", "depth", f"{said}: {UNITS[unit]}")
    elif correlation is not None and correlation < UNRELATED:
        yield finding("depth-unrelated", "depth", f"its correlation with the LiDAR's distances is {correlation:.2f}")
    elif not PLAUSIBLE_M[0] < 10 * ratio < PLAUSIBLE_M[1]:
        yield finding("depth-unit", "depth", said)
    elif abs(np.log(ratio)) > np.log(1 + SCALE_WITHIN):
        yield finding("depth-scale", "depth", said)


def _number(ratio: float) -> str:
    return f"{ratio:.0f}" if ratio >= 100 else f"{ratio:.3g}"


def _beside(frame: Frame, image: NDArray[np.float64]) -> NDArray[np.float64]:
    """(N, 2) the image's value and the LiDAR's depth [m] at the same pixels, without points behind an object."""
    projection = project_sweep(frame)
    assert projection is not None
    seen = projection.only(~hidden_from_camera(frame, projection))
    seen = seen.resized(image.shape[1], image.shape[0])
    said = image.ravel()[seen.pixels]
    known = np.isfinite(said) & (said > 0) & (seen.depth > 0)
    pairs: NDArray[np.float64] = np.stack([said[known], seen.depth[known].astype(np.float64)], 1)
    return pairs[:: max(1, len(pairs) // 2000)]


def _correlation(pairs: NDArray[np.float64] | None) -> float | None:
    """The correlation of the ranks, which does not depend on unit or scale; 0 if one of the two is constant."""
    if pairs is None:
        return None
    ranks = np.stack([np.unique(column, return_inverse=True)[1] for column in pairs.T])
    if (np.ptp(ranks, 1) == 0).any():
        return 0.0
    both: NDArray[np.float64] = np.asarray(np.corrcoef(ranks))
    return float(both[0, 1])


class Intensities:
    """Whether the LiDAR's intensities carry information, after scaling to 0–1."""

    def __init__(self) -> None:
        self._lowest, self._highest, self._bright = np.inf, -np.inf, 0.0

    def add(self, frame: Frame) -> None:
        """Take a frame."""
        if frame.points is not None and len(frame.points):
            values = frame.points[:, 3]
            self._lowest = min(self._lowest, float(values.min()))
            self._highest = max(self._highest, float(values.max()))
            self._bright = max(self._bright, float(np.percentile(values, 99)))

    def findings(self) -> Iterator[Finding]:
        """The results."""
        if not np.isfinite(self._highest):
            return
        if self._highest - self._lowest < 1e-6:
            yield finding("intensity-constant", "lidar", f"{self._highest:.3g} of 0–1 everywhere")
        elif self._bright < DARK:
            yield finding("intensity-range", "lidar", f"99 of 100 points are below {self._bright:.2g} of 0–1")


class BitDepths:
    """Whether the infrared image uses its 16 bits."""

    def __init__(self) -> None:
        self._highest, self._spread = -1, 0

    def add(self, frame: Frame) -> None:
        """Take a frame."""
        image = frame.infrared
        if image is not None and image.dtype == np.uint16 and (valid := image[image > 0]).size:
            self._highest = max(self._highest, int(valid.max()))
            self._spread = max(self._spread, len(np.unique(valid)))

    def findings(self) -> Iterator[Finding]:
        """The results."""
        if 0 <= self._highest < 256:
            yield finding("bit-depth", "infrared", f"values up to {self._highest} of 65535: eight bits sent as sixteen")
        elif 0 < self._spread <= 16:
            yield finding("bit-depth", "infrared", f"{self._spread} different values")


class Colours:
    """Whether red and blue are swapped, judged by a smooth bright sky: by day it is not orange."""

    def __init__(self) -> None:
        self._turned = self._skies = 0

    def add(self, frame: Frame) -> None:
        """Take a frame."""
        if frame.rgb is None:
            return
        top = cv2.resize(frame.rgb[: frame.rgb.shape[0] // 2], (160, 48), interpolation=cv2.INTER_AREA).astype(np.int32)
        grey = top.mean(2)
        smooth = np.abs(cv2.Laplacian(grey, cv2.CV_64F)) < 6
        sky = smooth & (grey > SKY_BRIGHT)
        if sky.sum() < 2 * SKY * sky.size:  # the upper half is half of the picture
            return
        red, _, blue = np.median(top[sky], 0)
        self._skies += 1
        self._turned += bool(red - blue > SKY_TURNED)

    def findings(self) -> Iterator[Finding]:
        """The results."""
        if self._skies >= 3 and self._turned > 0.9 * self._skies:
            yield finding(
                "colours-swapped", "rgb", f"the sky is orange in {self._turned} of {self._skies} frames with sky"
            )

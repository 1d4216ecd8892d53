# SPDX-License-Identifier: Apache-2.0
"""Sensors that send messages without information: they count as absent, so that the network never sees them.

The remaining data may be poor: at night, in fog and against the sun a sensor still measures something. Only certain
faults are reported here.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from perception.errors import DataError
from perception.frame import Frame, Returns
from perception.sensors.projection import project
from perception.sensors.spec import SPECS, measured, with_measured

PIXELS, POINTS = 6_000, 2_000
"""About how many are examined; the rest is examined only if these have no information."""

OUTLIERS = 0.001
"""Share of the pixels that may differ: hot ones, and artefacts of an encoder."""

BLACK, WHITE = 16, 250
"""Of 255: an RGB image below or above has no information. 16 is the black of video; at night lamps are far above it."""

RGB_SPREAD, INFRARED_SPREAD, DEPTH_SPREAD = 10, {"uint8": 3, "uint16": 8}, 1e-3
"""How much noise and compression add to an image of one value: of 255, counts by dtype, metres."""

INFRARED_BLACK = 4
"""Counts below which an infrared image has no signal."""

NEAREST = 0.1
"""Metres: a LiDAR measures nothing nearer, so that nearer points are those without an echo."""

REPEATS, STILL_NS = 3, 200_000_000
"""How often, and for how long, the same content must be repeated before a sensor counts as frozen.

Cameras that measure slower than they send repeat an image a few times, for less than this time."""


def uninformative(frame: Frame) -> dict[str, str]:
    """The modalities of the frame without information, each with the reason, e.g. "rgb is black: 99.9 % of …".

    It takes less than 0.5 ms at 1242×375: only a part of the pixels and points is examined.
    """
    reasons = {name: SPECS[name].dull(frame) if name in SPECS else _unknown(name) for name in frame.modalities}
    return {modality: reason for modality, reason in reasons.items() if reason is not None}


def without(frame: Frame, modalities: Collection[str]) -> Frame | None:
    """The frame without these modalities; None if it would have none."""
    if not modalities:
        return frame
    if not set(frame.modalities) - set(modalities):
        return None
    return with_measured(frame, dict.fromkeys(modalities))


class Thawed(NamedTuple):
    """A frame without its frozen sensors. taken: the reasons of those that were left out; kept: of the others."""

    frame: Frame
    taken: dict[str, str]
    kept: dict[str, str]


def without_frozen(frame: Frame, frozen: Mapping[str, str]) -> Thawed:
    """The frame without its `frozen` modalities. frozen: reason by name.

    If no other sensor with information would be left, they are kept: an image that is repeated is then the only
    data. Those that are also `uninformative` stay without a message, since that reason is the better one.
    """
    if not frozen:
        return Thawed(frame, {}, {})
    dull = uninformative(frame)
    found = {name: reason for name, reason in frozen.items() if name in frame.modalities and name not in dull}
    if not set(frame.modalities) - dull.keys() - found.keys():
        return Thawed(frame, {}, {name: f"{reason}; it is all there is, and used" for name, reason in found.items()})
    return Thawed(without(frame, found) or frame, found, {})


@dataclass
class _Run:
    """Messages in a row with the same content: the stamps [ns] of the first and of the newest, and their number."""

    content: bytes
    first_ns: int
    newest_ns: int
    repeats: int = 0


class FrozenWatch:
    """Finds sensors that send the same content again and again under new stamps.

    Real sensors have noise, even if nothing moves. repeats: how often the content must be repeated; 0 for never.
    """

    def __init__(self, repeats: int = REPEATS) -> None:
        self.repeats = repeats
        self._runs: dict[str, _Run] = {}

    def see(self, sensor: str, stamp_ns: int, content: NDArray[Any] | Returns | bytes) -> str | None:
        """Take the sensor's next message; returns why it counts as frozen, or None.

        stamp_ns: the message's own; a message that is seen twice under one stamp, as of a slow sensor, counts once.
        """
        digest, run = fingerprint(content), self._runs.get(sensor)
        if run is None or run.content != digest:
            self._runs[sensor] = _Run(digest, stamp_ns, stamp_ns)
            return None
        if stamp_ns != run.newest_ns:
            run.repeats, run.newest_ns = run.repeats + 1, stamp_ns
        if not 0 < self.repeats <= run.repeats or abs(run.newest_ns - run.first_ns) < STILL_NS:
            return None
        return frozen_reason(sensor)


def frozen_reason(sensor: str) -> str:
    """Why a frozen sensor is left out."""
    return f"{sensor} is frozen: the same content comes again and again under new stamps (driver, cable?)"


def fingerprints(frame: Frame) -> dict[str, bytes]:
    """The `fingerprint` of each of the frame's modalities."""
    return {name: fingerprint(measured(frame, name)) for name in frame.modalities}


def fingerprint(content: NDArray[Any] | Returns | bytes) -> bytes:
    """8 bytes that differ if a sample of an image (H, W, …), a sweep (N, 4), returns or a message's bytes differs."""
    if isinstance(content, Returns):
        content = content.values.tobytes()
    if isinstance(content, bytes):
        sample = content[:: 2 * (len(content) // (2 * PIXELS)) + 1]
    else:
        some = _some_points(content) if content.shape[1] == 4 else _sampled(content)
        sample = str(content.shape).encode() + some.tobytes()
    return hashlib.blake2b(sample, digest_size=8).digest()


def _sampled(image: NDArray[Any]) -> NDArray[Any]:
    """About PIXELS pixels (h, w, …) of an image, evenly spread."""
    # Odd, so that all columns of a Bayer pattern and all rows of an interlaced image are sampled.
    step = int((image.shape[0] * image.shape[1] / PIXELS) ** 0.5) // 2 * 2 + 1
    return image[step // 2 :: step, step // 2 :: step]


def _some_points(points: NDArray[np.float32]) -> NDArray[np.float32]:
    """About POINTS rows of a sweep (N, 4), evenly spread."""
    return points[:: max(1, len(points) // POINTS)]


def _extremes(values: NDArray[Any]) -> tuple[Any, Any]:
    """Lowest and highest along the first axis, without the share of OUTLIERS at either end."""
    count = len(values)
    left_out = int(OUTLIERS * count)
    # Of small integers a radix sort is five times as fast as a partition.
    ordered = np.sort(values, axis=0, kind="stable" if values.dtype.kind == "u" else None)
    return ordered[left_out], ordered[count - 1 - left_out]


def _unknown(sensor: str) -> str:
    return f"{sensor} is left out: no sensor has this name; the sensors are {', '.join(SPECS)}"


def dull_rgb(frame: Frame) -> str | None:
    """Why the camera's image has no information; None if it has."""
    assert frame.rgb is not None
    sample = _sampled(frame.rgb)
    low, high = (each.astype(int) for each in _extremes(sample.reshape(-1, 3)))
    if high.max() < BLACK:
        return f"rgb is black: 99.9 % of the pixels are below {BLACK} of 255 (lens cap, exposure?)"
    if low.min() > WHITE:
        return f"rgb is white: 99.9 % of the pixels are above {WHITE} of 255 (exposure?)"
    if (high - low).max() <= RGB_SPREAD:
        colour = ", ".join(str(value) for value in (low + high) // 2)
        return f"rgb is of one colour: 99.9 % of the pixels are within {RGB_SPREAD} of 255 (about {colour})"
    return None


def dull_infrared(frame: Frame) -> str | None:
    """The same of the infrared image."""
    assert frame.infrared is not None
    sample = _sampled(frame.infrared)
    values = sample[sample > 0]  # zeros are pixels that the camera does not see
    if len(values) <= OUTLIERS * sample.size or _extremes(values)[1] < INFRARED_BLACK:
        return f"infrared is black: 99.9 % of the pixels are below {INFRARED_BLACK} counts (shutter, exposure?)"
    low, high = (int(each) for each in _extremes(values))
    spread = INFRARED_SPREAD[values.dtype.name]
    if high - low <= spread:
        return f"infrared is of one value: 99.9 % of the pixels are within {spread} counts (about {(low + high) // 2})"
    return None


def dull_depth(frame: Frame) -> str | None:
    """The same of the depth image."""
    depth = frame.depth
    assert depth is not None
    sample = _sampled(depth)
    values = sample[(sample > 0) & (sample < np.inf)]
    if len(values) <= OUTLIERS * sample.size:
        # The values of a sparse depth image may lie between the samples.
        values = depth[(depth > 0) & (depth < np.inf)]
        if len(values) <= OUTLIERS * depth.size:
            return "depth is empty: 99.9 % of the pixels have no value (NaN, 0 or infinite)"
    low, high = _extremes(values)
    if high - low <= DEPTH_SPREAD:
        return f"depth is of one value: 99.9 % of the pixels that have any say {low:.3f} m"
    return None


def dull_sweep(frame: Frame) -> str | None:
    """The same of the LiDAR's sweep."""
    points = frame.points
    assert points is not None
    if not len(points):
        return "lidar is empty: the sweep has no point"
    for part in (_some_points(points), points):
        # Squares beyond float32 mean far away all the same; NaN and infinity are not positions.
        with np.errstate(over="ignore", invalid="ignore"):
            echoes = (np.einsum("ij,ij->i", part[:, :3], part[:, :3]) > NEAREST**2) & np.isfinite(part[:, :3]).all(1)
        if echoes.any():
            break
    else:
        return f"lidar measures nothing: no point of the sweep is farther than {NEAREST} m from it (no echo is 0, 0, 0)"
    assert frame.camera is not None  # every frame with points has both
    assert frame.lidar_to_camera is not None
    camera = frame.camera.resized(*frame.size)
    for part in (_some_points(points), points):
        if len(project(part, frame.lidar_to_camera, camera).rows):
            return None
    return "lidar is out of view: no point of the sweep falls into the camera's image (calibration, frames?)"


def keep_modalities(frame: Frame, modalities: Sequence[str]) -> Frame:
    """The frame with only `modalities` left; calibration stays, so that its size stays if a camera is known.

    Raises DataError for unknown names and when nothing would be left.
    """
    unknown = sorted(set(modalities) - set(SPECS))
    if unknown:
        raise DataError(f"unknown modality {', '.join(unknown)}: choose from {', '.join(SPECS)}")
    if not set(frame.modalities) & set(modalities):
        raise DataError(f"the frame has {', '.join(frame.modalities)} but only {', '.join(modalities)} was to be kept")
    kept = without(frame, set(frame.modalities) - set(modalities))
    assert kept is not None  # something is left, as checked above
    return kept

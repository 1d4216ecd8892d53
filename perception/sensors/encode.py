# SPDX-License-Identifier: Apache-2.0
"""A `Frame` in the form that the network takes: uint8 images of one size and a vector of which sensors are present."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from perception.errors import FrameError
from perception.frame import MODALITIES, Frame
from perception.ground import Ground
from perception.sensors.ground import ground_by_depth, ground_by_lidar
from perception.sensors.projection import Projection, project_sweep
from perception.sensors.spec import SPECS, Scene

STRIDE = 32
"""The network's coarsest stride: input sizes are multiples of it."""

AUX_SCALE = 2
"""The auxiliary channels have 1/AUX_SCALE of the network input's resolution."""

MAX_PIXELS = 384 * 1248
"""Larger images are reduced to about this many pixels."""

MIN_PIXELS = 384 * 960
"""Smaller images are enlarged to about this many, at most MAX_ENLARGEMENT times per side: far people need pixels."""

MAX_ENLARGEMENT = 2.0

MAX_EXCESS = 1.1
"""Sizes are multiples of the stride, so that an ordinary image may have up to so many times MAX_PIXELS; none has
more."""


@dataclass
class NetworkInput:
    """An engine's input.

    rgb: (H, W, 3) uint8, zeros if absent. aux: (H/2, W/2, C) uint8: the channels of depth, infrared and LiDAR (10)
    and of the network's further sensors; no channel for a network of the camera alone. present: (M,) float32, 1 if the
    sensor is present, in the same order after RGB: that of MODALITIES (4), then of the table's others.
    """

    rgb: NDArray[np.uint8]
    aux: NDArray[np.uint8]
    present: NDArray[np.float32]


def network_size(width: int, height: int) -> tuple[int, int]:
    """(width, height) for the network: nearly the same aspect, multiples of STRIDE, about MIN_PIXELS to MAX_PIXELS.

    A strip whose short side cannot be reduced any further is shortened: never more than MAX_EXCESS × MAX_PIXELS.
    """
    pixels = width * height
    enlarged = min(MAX_ENLARGEMENT, (MIN_PIXELS / pixels) ** 0.5)
    scale = min(max(1.0, enlarged), (MAX_PIXELS / pixels) ** 0.5)
    short, long = (max(STRIDE, round(side * scale / STRIDE) * STRIDE) for side in sorted((width, height)))
    if short * long > MAX_EXCESS * MAX_PIXELS:
        long = MAX_PIXELS // short // STRIDE * STRIDE
    return (short, long) if width < height else (long, short)


def encode(
    frame: Frame, width: int, height: int, projection: Projection | None = None, sensors: Sequence[str] = MODALITIES
) -> NetworkInput:
    """Resize, project and encode `sensors` of `frame` for a `width`×`height` network with these sensors.

    projection: `project_sweep(frame)`, if it is known already. Raises FrameError if the size is not a multiple of
    STRIDE.
    """
    images = encode_images(frame, width, height, sensors)
    distances = encode_distances(frame, projection or project_sweep(frame), width, height, sensors)
    return join(frame, images, distances, sensors)


class EncodedImages(NamedTuple):
    """rgb: (H, W, 3) uint8. planes: auxiliary channels by sensor, each (H/2, W/2) uint8."""

    rgb: NDArray[np.uint8]
    planes: dict[str, list[NDArray[np.uint8]]]


class EncodedDistances(NamedTuple):
    """planes: auxiliary channels by sensor, each (H/2, W/2) uint8. fitted: the ground fitted to the frame itself."""

    planes: dict[str, list[NDArray[np.uint8]]]
    fitted: Ground | None


def encode_images(frame: Frame, width: int, height: int, sensors: Sequence[str] = MODALITIES) -> EncodedImages:
    """The part of `encode` for sensors that do not measure distances. Raises FrameError as `encode` does."""
    if width % STRIDE or height % STRIDE:
        raise FrameError(f"network size {width}×{height}: both must be multiples of {STRIDE}")
    return EncodedImages(_rgb(frame, width, height), _planes(Scene(frame), sensors, False, width, height))


def encode_distances(
    frame: Frame, projection: Projection | None, width: int, height: int, sensors: Sequence[str] = MODALITIES
) -> EncodedDistances:
    """The other part: depth, LiDAR and further sensors that measure distances, each above its own measured ground.

    Each has its own plane, so that extrinsics that are a degree off do not tilt the heights.
    """
    by_lidar = ground_by_lidar(frame)
    by_depth = ground_by_depth(frame, by_lidar)
    scene = Scene(frame, projection, by_lidar, by_depth)
    return EncodedDistances(_planes(scene, sensors, True, width, height), by_lidar or by_depth)


def join(
    frame: Frame, images: EncodedImages, distances: EncodedDistances, sensors: Sequence[str] = MODALITIES
) -> NetworkInput:
    """Both parts of `encode` as an engine's input."""
    present = np.array([name in frame.modalities for name in sensors], np.float32)
    by_sensor = images.planes | distances.planes
    # Planes interleaved once, at the end: writing each channel interleaved takes five times as long.
    planes = [plane for name in sensors[1:] for plane in by_sensor[name]]
    if not planes:
        return NetworkInput(images.rgb, _no_channels(images.rgb), present)
    return NetworkInput(images.rgb, np.asarray(cv2.merge(planes), np.uint8), present)


def for_sensors(network_input: NetworkInput, sensors: Sequence[str]) -> NetworkInput:
    """The same input for a network of `sensors`: as it is, or its camera alone."""
    if tuple(sensors) != MODALITIES[:1]:
        return network_input
    return NetworkInput(network_input.rgb, _no_channels(network_input.rgb), network_input.present[:1])


def _no_channels(rgb: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The auxiliary channels of a network that has none."""
    return np.zeros((rgb.shape[0] // AUX_SCALE, rgb.shape[1] // AUX_SCALE, 0), np.uint8)


def _rgb(frame: Frame, width: int, height: int) -> NDArray[np.uint8]:
    if frame.rgb is None:
        return np.zeros((height, width, 3), np.uint8)
    # Down to a half, bilinear still sees every pixel, in a tenth of INTER_AREA's time.
    shrinks = frame.rgb.shape[1] > 2 * width
    resized = cv2.resize(frame.rgb, (width, height), interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR)
    return np.asarray(resized, np.uint8)


def _planes(
    scene: Scene, sensors: Sequence[str], measures: bool, width: int, height: int
) -> dict[str, list[NDArray[np.uint8]]]:
    """The channels of the sensors that measure distances, or of the others, one by one; zeros for absent ones."""
    small, planes = (width // AUX_SCALE, height // AUX_SCALE), {}
    for spec in (SPECS[name] for name in sensors):
        if spec.code is not None and spec.measures == measures:
            there = spec.name in scene.frame.modalities
            nothing = np.zeros((len(spec.channels), small[1], small[0]), np.uint8)
            planes[spec.name] = list(spec.code(scene, *small) if there else nothing)
    return planes

# SPDX-License-Identifier: Apache-2.0
"""Augmentation that keeps every sensor and the labels registered.

Scaling, cropping and flipping act on the frame and its camera model, so that LiDAR points and heights are projected
through the same lens that the pixels went through, by the same code that runs on a vehicle.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from perception.classes import CLASSES, VEHICLE
from perception.frame import CameraModel, Frame
from perception.sensors.encode import NetworkInput
from perception.sensors.spec import splits_of
from perception.settings import Settings

HUE_TURNED, MOST_HUE = 0.2, 20
"""Share of the crops whose hue is rotated, and by how many of OpenCV's 180 hues: a lorry may have any paint."""

COARSE = 0.12
"""Share of the crops whose camera image has a lower resolution than its pixels."""


@dataclass(frozen=True)
class Subsets(Settings):
    """Modality dropout: the share of the crops that keep all their modalities, and the share that keep only one.

    The rest keep a random non-empty subset. When only one crop in thirty was LiDAR only, the network took walls for
    vehicles with only the LiDAR.
    """

    whole: float = 0.6
    alone: float = 0.15

    def draw(self, present: NDArray[np.float32], rng: np.random.Generator) -> NDArray[np.bool_]:
        """(M,) bool, the sensors that are kept of those that are `present` (M,)."""
        everything = present > 0
        kind = rng.random()
        if kind < self.whole:
            return everything
        if kind < self.whole + self.alone:
            return np.arange(len(present)) == rng.choice(np.flatnonzero(everything))
        while True:
            kept = everything & (rng.random(len(present)) < 0.5)
            if kept.any():
                return kept


@dataclass(frozen=True)
class Crop:
    """An image-plane transform: pixel (u, v) of the source lands at matrix @ (u, v, 1) in a `width`×`height` crop."""

    matrix: NDArray[np.float64]
    width: int
    height: int

    def image(self, image: NDArray[Any], nearest: bool = False, border: float = 0) -> NDArray[Any]:
        """`image` seen through the crop; pixels outside it are `border`."""
        interpolation = cv2.INTER_NEAREST if nearest else cv2.INTER_LINEAR
        size = (self.width, self.height)
        return cv2.warpAffine(image, self.matrix[:2], size, flags=interpolation, borderValue=(border,) * 4)

    def camera(self, camera: CameraModel) -> CameraModel:
        """The camera that would have taken the crop. A mirrored crop has its x axis mirrored, see `frame`."""
        intrinsics = self.matrix @ camera.intrinsics
        if intrinsics[0, 0] < 0:
            intrinsics[:, 0] *= -1
        return CameraModel(intrinsics, self.width, self.height, camera.frame_id)

    def frame(self, frame: Frame) -> Frame:
        """`frame` as sensed through the crop."""
        points, mount, ground, extra = frame.points, frame.lidar_to_camera, frame.ground, frame.extra
        if self.matrix[0, 0] < 0:
            # The world is mirrored, for the LiDAR and for the camera: so the mounting stays a rotation.
            points = None if points is None else points * np.array([1, -1, 1, 1], np.float32)
            mount = None if mount is None else np.diag([-1.0, 1, 1, 1]) @ mount @ np.diag([1.0, -1, 1, 1])
            ground = ground.mirrored() if ground else None
            extra = {name: returns.mirrored() for name, returns in extra.items()}
        return replace(
            frame,
            rgb=None if frame.rgb is None else self.image(frame.rgb),
            depth=None if frame.depth is None else self.image(_fit(frame.depth, frame.size), True, np.nan),
            infrared=None if frame.infrared is None else self.image(_fit(frame.infrared, frame.size)),
            camera=None if frame.camera is None else self.camera(frame.camera),
            points=points,
            lidar_to_camera=mount,
            ground=ground,
            extra=extra,
        )


def _fit(image: NDArray[Any], size: tuple[int, int]) -> NDArray[Any]:
    """A depth or infrared image of another resolution at the (width, height) of the labels."""
    if (image.shape[1], image.shape[0]) == size:
        return image
    return cv2.resize(image, size, interpolation=cv2.INTER_NEAREST)


def random_crop(
    size: tuple[int, int],
    crop: tuple[int, int],
    scale: tuple[float, float],
    rng: np.random.Generator,
    focus: tuple[int, int] | None = None,
) -> Crop:
    """A random scale (log-uniform), position and mirroring.

    size: (width, height) of the frame. crop: (height, width) of the result. scale: of the frame before cropping.
    focus: a pixel (u, v) of the frame that the crop must contain, if the frame's borders allow it.
    """
    width, height = size
    s = float(np.exp(rng.uniform(np.log(scale[0]), np.log(scale[1]))))
    # If the frame is smaller than the crop it is placed at random inside it.
    left = _place(s * width, crop[1], rng, focus and s * focus[0])
    top = _place(s * height, crop[0], rng, focus and s * focus[1])
    matrix = np.array([[s, 0, 0.5 * s - 0.5 - left], [0, s, 0.5 * s - 0.5 - top], [0, 0, 1]])
    if rng.random() < 0.5:
        matrix = np.array([[-1, 0, crop[1] - 1], [0, 1, 0], [0, 0, 1]]) @ matrix
    return Crop(matrix, crop[1], crop[0])


def _place(length: float, crop: int, rng: np.random.Generator, focus: float | None) -> float:
    """The start of a crop of a line of `length`; the point `focus`, if given, is well inside it."""
    low, high = min(0.0, length - crop), max(0.0, length - crop)
    if focus is None:
        return float(rng.uniform(low, high))
    return float(np.clip(focus - crop * rng.uniform(0.15, 0.85), low, high))


def rare_pixel(
    labels: NDArray[np.uint8], rng: np.random.Generator, classes: int = len(CLASSES)
) -> tuple[int, int] | None:
    """A random pixel (u, v) of the last of so many classes, or of the next one before it if there is none; never road.

    With four classes: a pixel of the frame's pedestrians, else of its vehicles; None without either. Only every fourth
    row and column is searched.
    """
    sparse = labels[::4, ::4]
    for class_id in range(classes - 1, VEHICLE - 1, -1):
        found = np.flatnonzero(sparse == class_id)
        if len(found):
            v, u = np.unravel_index(found[rng.integers(len(found))], sparse.shape)
            return 4 * int(u), 4 * int(v)
    return None


def photometric(rgb: NDArray[np.uint8], rng: np.random.Generator) -> NDArray[np.uint8]:
    """Random exposure, contrast, white balance, hue, saturation, blur and noise, as cameras and paints vary."""
    gain = np.exp(rng.normal(0, 0.25)) * np.exp(rng.normal(0, 0.06, 3))
    gamma = np.exp(rng.normal(0, 0.2))
    offset = rng.normal(0, 10)
    ramp = 255 * (np.arange(256) / 255) ** gamma
    tables = np.clip(ramp[:, None] * gain + offset, 0, 255).astype(np.uint8)
    image: NDArray[Any] = cv2.LUT(rgb, tables[:, None, :])
    if rng.random() < 0.5:
        grey = cv2.cvtColor(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY), cv2.COLOR_GRAY2RGB)
        saturation = rng.uniform(0.3, 1.5)
        image = cv2.addWeighted(image, saturation, grey, 1 - saturation, 0)
    if rng.random() < HUE_TURNED:
        hsv = cv2.cvtColor(image, cv2.COLOR_RGB2HSV)
        hsv[..., 0] = (hsv[..., 0].astype(np.int16) + rng.integers(-MOST_HUE, MOST_HUE + 1)) % 180
        image = cv2.cvtColor(hsv, cv2.COLOR_HSV2RGB)
    if rng.random() < 0.2:
        image = cv2.GaussianBlur(image, (0, 0), rng.uniform(0.4, 1.3))
    if rng.random() < COARSE:
        # As in a small image that was enlarged, or from a distant camera.
        height, width = image.shape[:2]
        share = rng.uniform(0.3, 0.8)
        small = cv2.resize(image, (round(width * share), round(height * share)), interpolation=cv2.INTER_AREA)
        image = cv2.resize(small, (width, height), interpolation=cv2.INTER_LINEAR)
    if rng.random() < 0.3:
        noise = rng.normal(0, rng.uniform(2, 12), image.shape[:2]).astype(np.int16)
        image = np.clip(image.astype(np.int16) + noise[..., None], 0, 255).astype(np.uint8)
    return image


def drop_modalities(network_input: NetworkInput, kept: NDArray[np.bool_]) -> NetworkInput:
    """`network_input` as if only the `kept` (M,) sensors were present."""
    present = network_input.present * kept
    rgb = network_input.rgb if present[0] else np.zeros_like(network_input.rgb)
    splits = splits_of(len(present), network_input.aux.shape[2])
    mask = np.repeat(present[1:].astype(np.uint8), splits)
    return NetworkInput(rgb, network_input.aux * mask, present)

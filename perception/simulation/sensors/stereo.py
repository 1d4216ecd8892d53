# SPDX-License-Identifier: Apache-2.0
"""A stereo camera: a second view from the right, and a real matcher."""

from __future__ import annotations

from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from perception.frame import CameraModel
from perception.sensors.stereo import Matcher, stereo_depth
from perception.simulation.optics.film import develop
from perception.simulation.optics.light import Lighting
from perception.simulation.optics.raycast import Tracer
from perception.simulation.optics.vectors import Floats
from perception.simulation.sensors.camera import Camera, View
from perception.simulation.sensors.rig import Rig

FARTHEST = 255.0
"""Metres beyond which there is no depth: what 16 bits of 1/256 m hold."""


@dataclass(frozen=True)
class StereoCamera:
    """A pair of cameras and the settings of its matching.

    baseline: metres. brighter: how many times the light the right image is exposed to. down, aside: degrees by which
    the right camera looks down and to the right, left over from calibration. half: matched at half the resolution.
    whole: disparities come in whole pixels. smooth: disparities are smoothed within things.
    """

    matcher: Matcher
    baseline: float
    brighter: float = 1.0
    down: float = 0.0
    aside: float = 0.0
    half: bool = False
    whole: bool = False
    smooth: bool = False

    def measure(
        self,
        left: NDArray[np.uint8],
        right: NDArray[np.uint8],
        focal: float,
    ) -> NDArray[np.float32]:
        """(H, W) float32 metres along the optical axis, NaN where nothing was matched.

        left, right: (H, W, 3) uint8, with this focal length in pixels.
        """
        height, width = left.shape[:2]
        if self.half:
            size = (width // 2, height // 2)
            left, right = (
                np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), np.uint8) for image in (left, right)
            )
            focal *= (width // 2) / width
        depth = stereo_depth(left, right, focal, self.baseline, self.matcher)
        disparity = np.nan_to_num(np.float32(focal * self.baseline) / depth)
        if self.whole:
            disparity = np.round(disparity)
        if self.smooth:
            # Unmatched pixels are 0, which is too different to count as a neighbour.
            disparity = np.where(disparity > 0, cv2.bilateralFilter(disparity, 7, 0.8, 3.0), 0)
        found = disparity > focal * self.baseline / FARTHEST
        depth = np.where(found, np.float32(focal * self.baseline) / np.where(found, disparity, 1.0), np.nan)
        return np.asarray(cv2.resize(depth, (width, height), interpolation=cv2.INTER_NEAREST), np.float32)

    def photograph(
        self,
        view: View,
        picture: Floats,
        camera: Camera,
        tracer: Tracer,
        lighting: Lighting,
        pose: NDArray[np.float64],
        rng: np.random.Generator,
    ) -> NDArray[np.uint8]:
        """(H, W, 3) uint8, the right image. view, picture: what `camera`, the left one, sees from `pose` (4, 4)."""
        beside = np.eye(4)
        beside[0, 3] = self.baseline
        beside[:3, :3] = cv2.Rodrigues(np.deg2rad([-self.down, self.aside, 0.0]))[0]
        radiance, lit = camera.expose_beside(view, picture, tracer, lighting, pose, pose @ beside)
        weather = replace(lighting.weather, key=lighting.weather.key * self.brighter)
        return develop(radiance, lit, weather, rng)


def draw_stereo(camera: CameraModel, rig: Rig, rng: np.random.Generator) -> StereoCamera:
    """Any such pair, for images of `camera`, which is the rig's at any size."""
    # A low camera is closer to the road, and designed for that.
    half, nearest, baseline = bool(rng.random() < 0.3), rig.camera_height * rng.uniform(1.0, 2.5), rig.baseline
    width = camera.width // 2 if half else camera.width
    focal = camera.intrinsics[0, 0] * width / camera.width
    sought = 16 * max(1, min(int(np.ceil(focal * baseline / nearest / 16)), width // 4 // 16))
    block_matching = bool(rng.random() < 0.25)
    matcher = Matcher(
        kind="bm" if block_matching else "sgbm",
        block=int(rng.choice((9, 11, 15, 21) if block_matching else (3, 5, 7, 9, 11))),
        disparities=sought,
        uniqueness=int(rng.choice((0, 5, 10, 15))),
        speckle_window=int(rng.choice((0, 50, 100, 200))),
        speckle_range=int(rng.choice((1, 2, 4))),
        left_right=int(rng.choice((-1, 1, 2))),
        median=int(rng.choice((0, 3, 5))),
    )
    return StereoCamera(
        matcher,
        baseline,
        brighter=float(np.exp(rng.normal(0.0, 0.08))),
        down=float(rng.normal(0.0, 0.01)),
        aside=float(rng.normal(0.0, 0.01)),
        half=half,
        whole=bool(rng.random() < 0.2),
        smooth=bool(rng.random() < 0.3),
    )

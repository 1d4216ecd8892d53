# SPDX-License-Identifier: Apache-2.0
"""The ground that a camera's frames are expected to show: from TF if TF knows it, else from the frames before."""

from __future__ import annotations

import numpy as np

from perception.assembly.transforms import TransformSource
from perception.frame import Frame, Prediction
from perception.ground import Ground
from perception.sensors.ground import HEIGHTS, GroundTracker, agree

MEASURING = ("depth", "lidar")
"""The sensors whose heights are measured from the ground."""


class Levelling:
    """Gives each frame the ground to expect, and learns from what the frame showed.

    transforms: know where `ground_frame` is, whose origin lies on the ground and whose z points up; "" for never.
    """

    def __init__(self, transforms: TransformSource | None = None, ground_frame: str = "") -> None:
        self._transforms, self._ground_frame = transforms, ground_frame
        self._tracker = GroundTracker()

    def expected(self, frame: Frame) -> Ground | None:
        """The ground for a frame that measures depth; None if nothing is known yet."""
        if frame.camera is None or not set(frame.modalities) & set(MEASURING):
            return None
        self._tracker.mounting = mounting(self._transforms, self._ground_frame, frame.camera.frame_id)
        return self._tracker.expected

    def add(self, frame: Frame, prediction: Prediction) -> str | None:
        """Take in what a frame showed; returns a message about what is missing or does not fit, None if all is well."""
        measuring = [name for name in MEASURING if name in frame.modalities and name not in prediction.absent]
        if not measuring:
            return None
        if frame.camera is None:
            return "ground: heights are unknown without camera_info or calibration_file; depth is used without them"
        fitted, told = prediction.ground, self._tracker.mounting
        self._tracker.add(fitted)
        if fitted is None:
            if frame.ground is not None:
                return None
            return (
                f"ground: too little of it is seen, and TF does not know '{self._ground_frame}'; "
                f"{' and '.join(measuring)} {'is' if len(measuring) == 1 else 'are'} used without heights"
            )
        if told is not None and not agree(fitted, told):
            return (
                f"ground: the {fitted.source} shows {described(fitted)}, TF of '{self._ground_frame}' says "
                f"{described(told)}, which is used; is the mounting right?"
            )
        return None


def mounting(transforms: TransformSource | None, ground_frame: str, camera_frame: str) -> Ground | None:
    """The ground by TF, in the optical frame `camera_frame`; None if TF does not know both frames."""
    if transforms is None or not ground_frame or not camera_frame:
        return None
    placed = transforms.lookup(ground_frame, camera_frame)
    if placed is None or not HEIGHTS[0] < placed[2, 3] < HEIGHTS[1]:
        return None  # the frame is not on the ground, such as a base_link at the camera's height
    return Ground(placed[2, :3], float(placed[2, 3]))


def described(ground: Ground) -> str:
    """Height, pitch and roll in words."""
    pitch, roll = np.round(np.degrees([ground.pitch, ground.roll]), 1) + 0.0  # which makes −0 a 0
    return f"a camera {ground.height:.2f} m high that looks down by {pitch:.1f}° and leans by {roll:.1f}°"

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from perception.assembly.levelling import Levelling
from perception.frame import CameraModel, Frame, Prediction
from perception.ground import Ground

CAMERA = CameraModel(np.array([[70.0, 0, 31.5], [0, 70.0, 11.5], [0, 0, 1]]), 64, 24, "camera")


class Mounted:
    """TF of a vehicle whose camera is `height` m above base_footprint and looks down by `pitch` rad."""

    def __init__(self, height: float, pitch: float = 0.0) -> None:
        sin, cos = np.sin(pitch), np.cos(pitch)
        self.placed = np.eye(4)
        # Columns: where the optical x (right), y (down) and z (forward) axes point in x forward, y left, z up.
        self.placed[:3, :3] = np.array([[0, -1, 0], [-sin, 0, -cos], [cos, 0, -sin]]).T
        self.placed[2, 3] = height

    def lookup(self, target: str, source: str) -> NDArray[np.float64] | None:
        return self.placed if (target, source) == ("base_footprint", "camera") else None

    def motion(self, frame: str, from_ns: int, to_ns: int, fixed: str) -> None:
        return None

    def forget(self) -> None:
        pass


def frame(camera: CameraModel | None = CAMERA, ground: Ground | None = None) -> Frame:
    return Frame(0, depth=np.full((24, 64), 9, np.float32), camera=camera, ground=ground)


def prediction(ground: Ground | None) -> Prediction:
    labels = np.zeros((24, 64), np.uint8)
    return Prediction(0, labels, labels, {}, ground=ground)


def test_tf_tells_how_the_camera_is_mounted() -> None:
    levelling = Levelling(Mounted(1.22, np.radians(2.2)), "base_footprint")
    expected = levelling.expected(frame())
    assert expected is not None
    assert expected.height == pytest.approx(1.22)
    assert np.degrees(expected.pitch) == pytest.approx(2.2)
    assert np.degrees(expected.roll) == pytest.approx(0, abs=1e-9)
    assert expected.source == "mounting"


def test_without_tf_the_frames_before_are_expected_again() -> None:
    levelling = Levelling(None, "base_footprint")
    assert levelling.expected(frame()) is None
    for _ in range(3):
        assert levelling.add(frame(), prediction(Ground.mounted(0.6))) is None
    expected = levelling.expected(frame())
    assert expected is not None
    assert expected.height == pytest.approx(0.6)
    hidden = frame(ground=expected)
    assert levelling.add(hidden, prediction(None)) is None


def test_a_frame_of_the_ground_that_is_none_is_not_taken() -> None:
    assert Levelling(Mounted(0.0), "base_footprint").expected(frame()) is None


def test_what_is_missing_or_does_not_fit_is_said() -> None:
    without = Levelling(None, "base_footprint")
    word = without.add(frame(), prediction(None))
    assert word == (
        "ground: too little of it is seen, and TF does not know 'base_footprint'; depth is used without heights"
    )
    word = without.add(frame(camera=None), prediction(None))
    assert word is not None
    assert "without camera_info" in word
    mounted = Levelling(Mounted(1.65), "base_footprint")
    seen = frame(ground=mounted.expected(frame()))
    assert mounted.add(seen, prediction(Ground.mounted(1.7, np.radians(1)))) is None
    word = mounted.add(seen, prediction(Ground.mounted(0.9, np.radians(6))))
    assert word is not None
    assert word.startswith("ground: the mounting shows a camera 0.90 m high that looks down by 6.0° and leans by")
    assert "says a camera 1.65 m high" in word


def test_a_camera_alone_needs_no_ground() -> None:
    levelling = Levelling(Mounted(1.65), "base_footprint")
    alone = Frame(0, np.zeros((24, 64, 3), np.uint8), camera=CAMERA)
    assert levelling.expected(alone) is None
    assert levelling.add(alone, prediction(None)) is None
